//! Fields that a tenant adds to its changes. How many there may be, and how many of them a kind of change may demand, is
//! limited: each asked answer costs everybody who writes a change.

use std::collections::BTreeSet;

use model::change::custom_field::{CustomField, CustomFieldInput, MOST_ASKED, MOST_CHOICES, MOST_FIELDS};
use model::core::enums::{FieldKind, Kind};
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::directory::snapshot::Directory;
use serde_json::json;

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

    /// What a field holds never changes; one that was out of use comes back.
    fn add(cx: &mut Context<'_, '_>, input: CustomFieldInput, mut reading: Reading<'_>) -> Result<Self> {
        let directory = cx.directory()?;
        if !input.key.is_empty() && !is_key(&input.key) {
            let text = "`key` begins with a lower-case letter and holds such letters, digits and `_`.";
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
            is_over: false,
            key: input.key,
        };
        check(&mut reading, &directory, &field, old);
        reading.finish()?;
        if old.is_none() {
            field.id = RecordId(cx.new_id()?);
        }
        cx.put_estate("custom_field.set", field, json!({}))
    }

    /// What changes say in it stays.
    fn end(self, cx: &mut Context<'_, '_>) -> Result<Self> {
        let ended = Self {
            is_over: true,
            needed_since: None,
            ..self
        };
        cx.put_estate("custom_field.ended", ended, json!({}))
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
            "`{}` holds a {}, and changes hold values of it. Add another field.",
            field.key, old.holds
        );
        reading.wrong("holds", "not_allowed", text);
    }
    match (field.holds, field.choices.len()) {
        (FieldKind::Choice, 2..=MOST_CHOICES) => {}
        (FieldKind::Choice, _) => {
            let text = format!("`choices` names 2 to {MOST_CHOICES} to choose from.");
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
            let text = format!(
                "{MOST_ASKED} fields are needed of a {kind} change already, which is what its writers can bear."
            );
            reading.wrong("is_needed", "too_many", text);
        }
    }
}
