//! Fields that a tenant adds to its changes. How many there may be, and how many of them a kind of change may demand, is
//! limited: each asked answer costs everybody who writes a change.

use std::collections::BTreeSet;

use model::change::custom_field::{CustomField, MOST_ASKED, MOST_CHOICES, MOST_FIELDS};
use model::core::act;
use model::core::body::Body;
use model::core::enums::{FieldKind, Kind};
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;

/// The longest key, in characters.
const KEY: usize = 40;
/// The longest name and the longest choice, in characters.
const NAME: usize = 60;

/// Adds a field to the tenant's changes, or changes one (`POST /custom-fields {key, name, description?, holds, choices?,
/// kinds?, is_needed?}`). What a field holds never changes; one that was out of use comes back.
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_custom_field(cx: &mut Context<'_, '_>, body: &Body) -> Result<CustomField> {
    cx.allow(act::actions::SET_SERVICE)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let key = reading.needed("key", KEY);
    if !key.is_empty() && !is_key(&key) {
        let text = "`key` begins with a lower-case letter and holds such letters, digits and `_`.";
        reading.wrong("key", "not_a_key", text);
    }
    let old = directory.custom_fields.get(&key);
    let is_needed = reading.boolean("is_needed").unwrap_or_default();
    let mut field = CustomField {
        id: old.map_or_else(RecordId::default, |old| old.id.clone()),
        version: old.map_or(0, |old| old.version),
        name: reading.needed("name", NAME),
        description: reading.text("description", LINE),
        holds: reading.needed_word("holds", FieldKind::Text),
        choices: choices(&mut reading),
        kinds: reading.words("kinds").unwrap_or_default().into_iter().collect(),
        needed_since: is_needed.then(|| old.and_then(|old| old.needed_since).unwrap_or(cx.now)),
        is_over: false,
        key,
    };
    check(&mut reading, &directory, &field, old);
    reading.finish()?;
    if old.is_none() {
        field.id = RecordId(cx.new_id()?);
    }
    cx.put_estate("custom_field.set", field, json!({}))
}

/// Takes a field out of use (`DELETE /custom-fields/{key}`); what changes say in it stays.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_custom_field(cx: &mut Context<'_, '_>, key: &str) -> Result<CustomField> {
    cx.allow(act::actions::SET_SERVICE)?;
    let found = cx.directory()?.custom_fields.get(key).cloned();
    let Some(field) = found else {
        return Err(Refusal::not_found(format!("field {key}")).into());
    };
    let ended = CustomField {
        is_over: true,
        needed_since: None,
        ..field
    };
    cx.put_estate("custom_field.ended", ended, json!({}))
}

fn is_key(key: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    key.starts_with(|c: char| c.is_ascii_lowercase()) && key.chars().all(is_plain)
}

fn choices(reading: &mut Reading<'_>) -> Vec<String> {
    let mut known = BTreeSet::new();
    let texts = reading.texts("choices", NAME).unwrap_or_default();
    let texts = texts.into_iter().map(|text| text.trim().to_owned());
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
