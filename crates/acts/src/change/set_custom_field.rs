//! Fields that a tenant adds to its changes. The number of fields, and the number that a kind of change may require,
//! are limited: each required field is work for everybody who writes a change.

use std::collections::BTreeSet;

use model::change::custom_field::{
    BUDGET, CustomField, CustomFieldInput, MOST_ASKED, MOST_CHOICES, MOST_DEFAULTS, MOST_FIELDS, default_pair,
    over_budget,
};
use model::change::custom_values;
use model::core::enums::{FieldKind, Kind};
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use serde_json::{Value, json};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::noun::PlainNoun;

impl PlainNoun for CustomField {
    type Input = CustomFieldInput;

    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        Ok(cx.directory()?.custom_fields.values().cloned().collect())
    }

    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        Ok(cx.directory()?.custom_fields.get(key).cloned())
    }

    fn key(&self) -> &str {
        &self.key
    }

    /// The type of a field never changes; a retired field can come back.
    fn add(cx: &mut Context<'_, '_>, input: CustomFieldInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        if !input.key.is_empty() && !is_key(&input.key) {
            let text = "`key` must start with a lower-case letter and contain only lower-case letters, digits and `_`.";
            reading.wrong("key", "not_a_key", text);
        }
        let old = directory.custom_fields.get(&input.key);
        let since = || old.and_then(|old| old.needed_since).unwrap_or(cx.now);
        let mut field = Self {
            id: old.map_or_else(RecordId::default, |old| old.id.clone()),
            version: old.map_or(0, |old| old.version),
            name: input.name,
            description: input.description,
            holds: input.holds.unwrap_or(FieldKind::Text),
            choices: distinct(input.choices),
            kinds: input.kinds,
            categories: input.categories,
            needed_since: input.is_needed.then(since),
            defaults: distinct(input.defaults),
            is_fact: input.is_fact,
            is_over: false,
            key: input.key,
        };
        check(&mut reading, &directory, &field, old);
        check_defaults(&mut reading, &directory, &field);
        reading.finish()?;
        if old.is_some_and(|old| old.is_fact) && !field.is_fact {
            check_unread(cx, &field.key)?;
        }
        if old.is_none() {
            field.id = RecordId(cx.new_id()?);
        }
        cx.put_estate("custom_field.set", field, json!({}))
    }

    /// The values in existing changes stay.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        check_unread(cx, &self.key)?;
        let ended = Self {
            is_over: true,
            needed_since: None,
            ..self
        };
        cx.put_estate("custom_field.ended", ended, json!({}))
    }

    fn complete(cx: &mut Context<'_, '_>, records: &[Self], values: &mut [Value]) -> Result<()> {
        let warned = find_over_budget(cx)?;
        for (field, value) in records.iter().zip(values) {
            let told = warned.iter().filter(|(kind, _)| field.is_of(*kind));
            let told: Vec<String> = told.map(|(kind, shown)| budget_sentence(*kind, *shown)).collect();
            if !told.is_empty() {
                value["warnings"] = json!(told);
            }
        }
        Ok(())
    }
}

/// The kinds of change whose form shows more fields than the budget, with the number of fields.
///
/// # Errors
/// The store's.
pub fn find_over_budget(cx: &mut Context<'_, '_>) -> Result<Vec<(Kind, usize)>> {
    Ok(over_budget(cx.directory()?.custom_fields.values()))
}

/// The warning for an administrator about a form that shows too many fields.
#[must_use]
pub fn budget_sentence(kind: Kind, shown: usize) -> String {
    format!(
        "The form of a {kind} change would show {shown} custom fields; the limit is {BUDGET}. Take one out of use, or use it \
         for fewer kinds of change."
    )
}

/// A field that a policy in force reads stays a fact: without the field the rule would require nothing.
fn check_unread(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let policies = cx.policies()?;
    let Some((_, policy)) = policies.fields().find(|(read, _)| *read == key) else {
        return Ok(());
    };
    let text = format!("The rule `{policy}` in force reads the field `{key}` and would have no effect without it.");
    let satisfy = "First put a set of policies in force that no longer reads the field.";
    Err(Refusal::not_now("read_by_policy", text, satisfy, Vec::new()).into())
}

fn check_defaults(reading: &mut Reading<'_>, directory: &Directory, field: &CustomField) {
    if field.is_fact && !CustomField::may_be_fact(field.holds) {
        let text = "Policies can read a choice, a number, a day or a service, but not free text or people.";
        reading.wrong("is_fact", "not_allowed", text);
    }
    if field.defaults.len() > MOST_DEFAULTS {
        let text = format!("`defaults` can list at most {MOST_DEFAULTS} services.");
        reading.wrong("defaults", "too_many", text);
        return;
    }
    let mut known = BTreeSet::new();
    for (place, line) in field.defaults.iter().enumerate() {
        let wrong = match default_pair(line) {
            None => Some((
                "not_a_default",
                format!("`{line}` is not a service with a value, such as `label-print=gold`."),
            )),
            Some((service, _)) if !directory.services.contains_key(&ServiceKey::from(service)) => {
                Some(("unknown", unknown_name::service(directory, service)))
            }
            Some((service, _)) if !known.insert(service) => {
                Some(("not_unique", format!("`{service}` has a default already.")))
            }
            Some((_, value)) => custom_values::check_default(field, value, directory).err(),
        };
        if let Some((code, text)) = wrong {
            reading.wrong(&format!("defaults[{place}]"), code, text);
        }
    }
}

fn is_key(key: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(is_plain)
}

fn distinct(choices: Vec<String>) -> Vec<String> {
    let mut known = BTreeSet::new();
    let texts = choices.into_iter().map(|text| text.trim().to_owned());
    texts.filter(|text| known.insert(text.clone())).collect()
}

fn check(reading: &mut Reading<'_>, directory: &Directory, field: &CustomField, old: Option<&CustomField>) {
    if let Some(old) = old.filter(|old| old.holds != field.holds) {
        let text = format!(
            "`{}` is a {}, and changes already have values of this kind. Add another field.",
            field.key, old.holds
        );
        reading.wrong("holds", "not_allowed", text);
    }
    match (field.holds, field.choices.len()) {
        (FieldKind::Choice, 2..=MOST_CHOICES) => {}
        (FieldKind::Choice, _) => {
            let text = format!("`choices` must list 2 to {MOST_CHOICES} options.");
            reading.wrong("choices", "out_of_range", text);
        }
        (_, 0) => {}
        _ => reading.wrong("choices", "not_allowed", "Only a choice has `choices`."),
    }
    let others = || {
        let all = directory.custom_fields.values();
        all.filter(|other| !other.is_over && other.key != field.key)
    };
    if others().count() >= MOST_FIELDS {
        let text = format!("There are {MOST_FIELDS} fields already. Take one out of use first.");
        reading.wrong("key", "too_many", text);
    }
    for kind in Kind::ALL.iter().filter(|kind| field.is_needed_of(**kind)) {
        if others().filter(|other| other.is_needed_of(*kind)).count() >= MOST_ASKED {
            let text = format!("{MOST_ASKED} fields are already mandatory for a {kind} change, which is the limit.");
            reading.wrong("is_needed", "too_many", text);
        }
    }
}
