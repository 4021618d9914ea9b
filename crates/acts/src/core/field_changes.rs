//! Shows the difference between a change as somebody read it and the present one. The old content is rebuilt from the
//! change's events and compared field by field.

use std::collections::HashMap;

use model::change::content::{Cover, cover};
use model::change::read_content;
use model::change::record::Change;
use model::core::body::Body;
use model::core::refusal::{FieldChange, Refusal};
use model::directory::snapshot::Directory;
use proof::diff::{self, RecordDelta};
use serde_json::{Map, Value};
use store::audit::salts::SaltedText;
use store::audit::{event, salts};

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::show_timeline::opened;

/// The most differences in one list.
const MOST: usize = 200;
/// The placeholder of a text that was erased.
pub const ERASED: &str = "(erased)";

/// Adds the differences since then to a refusal of an outdated digest; any other result is unchanged.
///
/// # Errors
/// The given result's own error, or the store's.
pub(crate) fn explained<T>(cx: &mut Context<'_, '_>, key: &str, body: &Body, answer: Result<T>) -> Result<T> {
    let Err(Error::Refused(Refusal::NotCurrent { text, .. })) = answer else {
        return answer;
    };
    let named = body.get("content_digest").and_then(Value::as_str).unwrap_or_default();
    let change = cx.change(key)?;
    let (text, changes) = match content_at(cx, &change, named)? {
        Some(old) => (text, between(&old, &change, &*cx.directory()?)),
        None => (
            format!("{} No version of this change ever had that digest.", unedited(&text)),
            Vec::new(),
        ),
    };
    Err(Refusal::NotCurrent { text, changes }.into())
}

/// The refusal without the assumption that the change was edited, for a digest that nobody can have read.
fn unedited(text: &str) -> String {
    let rest = text
        .strip_prefix("The change was edited since you read it")
        .unwrap_or(text);
    let rest = rest.trim_start_matches([';', '.', ' ']);
    let mut letters = rest.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// The change when its content last had this digest; `None` when it never had.
fn content_at(cx: &mut Context<'_, '_>, change: &Change, digest: &str) -> Result<Option<Change>> {
    let (mut sealed, mut found) = (None, None);
    for row in event::of_record(cx.tx, "change", change.id.as_str())? {
        let (event, _) = opened(cx, &row)?;
        let of_change = |delta: &&RecordDelta| delta.table == "change" && delta.id == change.id.0;
        let Some(delta) = event.records.iter().find(of_change) else {
            continue;
        };
        let next = diff::apply(delta, sealed.as_ref())?;
        if next["digests"]["content"].as_str() == Some(digest) {
            found = Some(next.clone());
        }
        sealed = Some(next);
    }
    let Some(mut found) = found else { return Ok(None) };
    open(&mut found, &salts::of_record(cx.tx, "change", change.id.as_str())?);
    Ok(Some(serde_json::from_value(found)?))
}

/// Replaces commitments by the stored texts.
pub(crate) fn open(value: &mut Value, texts: &HashMap<String, SaltedText>) {
    match value {
        Value::Object(map) if is_commitment(map) => {
            let kept = texts.get(map["c"].as_str().unwrap_or_default());
            *value = Value::String(kept.map_or(ERASED, |kept| &kept.text).to_owned());
        }
        Value::Object(map) => map.values_mut().for_each(|inner| open(inner, texts)),
        Value::Array(rows) => rows.iter_mut().for_each(|inner| open(inner, texts)),
        _ => {}
    }
}

/// Whether an object replaces a text in a sealed record.
pub(crate) fn is_commitment(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.get("c").is_some_and(Value::is_string)
}

/// Every field of the content in which two versions of a change differ, up to the limit of the list.
pub(crate) fn between(old: &Change, new: &Change, directory: &Directory) -> Vec<FieldChange> {
    let (before, after) = (
        read_content::present(old, directory),
        read_content::present(new, directory),
    );
    let mut changes = Vec::new();
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let covers = match cover(name) {
            Some(Cover::What) => "what",
            Some(Cover::When) => "when",
            _ => continue,
        };
        walk(name, covers, before.get(name), after.get(name), &mut changes);
    }
    changes.truncate(MOST);
    changes
}

/// The parts of one field in which two values differ, with the paths of a log entry: `plan[2].minutes`.
pub(crate) fn parts(field: &str, old: Option<&Value>, new: Option<&Value>) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(field, "", old, new, &mut changes);
    changes.truncate(MOST);
    changes
}

fn walk(field: &str, covers: &'static str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<FieldChange>) {
    if old == new {
        return;
    }
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                walk(
                    &format!("{field}.{name}"),
                    covers,
                    old.get(name),
                    new.get(name),
                    changes,
                );
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.iter().chain(new).all(Value::is_object) => {
            for place in 0..old.len().max(new.len()) {
                walk(
                    &format!("{field}[{place}]"),
                    covers,
                    old.get(place),
                    new.get(place),
                    changes,
                );
            }
        }
        _ => changes.push(FieldChange {
            field: field.to_owned(),
            covers: covers.to_owned(),
            old: old.cloned().unwrap_or_default(),
            new: new.cloned().unwrap_or_default(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_objects_are_compared_row_by_row() {
        let (old, new) = (
            json!([{"title": "Stop", "minutes": 3}, {"title": "Go"}]),
            json!([{"title": "Stop", "minutes": 5}]),
        );
        let mut changes = Vec::new();
        walk("plan", "what", Some(&old), Some(&new), &mut changes);
        let told: Vec<(&str, &Value, &Value)> = changes
            .iter()
            .map(|change| (change.field.as_str(), &change.old, &change.new))
            .collect();
        assert_eq!(
            told,
            [
                ("plan[0].minutes", &json!(3), &json!(5)),
                ("plan[1]", &json!({"title": "Go"}), &Value::Null)
            ]
        );
    }
}
