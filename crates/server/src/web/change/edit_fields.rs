//! The fields of a change's form and their values: from the change into the form, and back into the API's merge patch.

use std::collections::BTreeMap;

use model::change::read_content::new_change::NewChange;
use model::core::body::Body;
use model::core::card::Described;
use pages::{ChangeFields, Field, Reader};
use serde_json::Value;

use crate::http::failure::Failure;
use crate::web::shared::form::{Decoded, FIT, Form};

/// The fields of a request that the form of an edit has not: the short form of targets, and work that is done already.
const NOT_HELD: [&str; 6] = [
    NewChange::SERVICES.name,
    NewChange::ENVIRONMENT.name,
    NewChange::ARTIFACT.name,
    NewChange::COMMIT.name,
    NewChange::CONFIG_ITEMS.name,
    NewChange::RETROSPECTIVE.name,
];

/// The fields of the form, by their names in the API. An edit leaves all other fields alone.
pub(crate) fn held() -> impl Iterator<Item = &'static str> {
    let names = NewChange::FIELDS.iter().map(|field| field.name);
    names.filter(|name| !NOT_HELD.contains(name))
}

/// How the form came back.
#[derive(Clone)]
pub(crate) struct Back {
    /// The sent form.
    pub form: Form,
    /// The failure; `None` when the request only added rows.
    pub failure: Option<Failure>,
}

/// The fields of the form with rows enough for two sets of values, to know their labels.
pub(crate) fn plain_fields(one: &[(String, String)], other: &[(String, String)]) -> ChangeFields {
    let mut fields = ChangeFields::default();
    for (name, value) in one.iter().chain(other) {
        fields.set(name, value.as_str());
    }
    fields
}

/// Names and labels of every field that the form shows.
pub(crate) fn labels(fields: &ChangeFields) -> Vec<(String, String)> {
    let sections = fields.sections();
    let all = sections.iter().flat_map(|section| {
        let rows = section.rows.iter().flat_map(|group| group.rows.iter().flatten());
        section
            .fields
            .iter()
            .chain(rows)
            .map(|field: &Field| (field.name.clone(), field.label.clone()))
    });
    all.collect()
}

/// Reads the form; the reason for lateness represents the flag as well.
pub(crate) fn read(form: &Form, reader: &Reader) -> Decoded {
    let mut decoded = form.decode(reader, &[]);
    if let Some(reason) = decoded.body.remove("expedited") {
        decoded.body.insert("expedited".to_owned(), Value::Bool(true));
        decoded.body.insert(NewChange::EXPEDITED_REASON.name.to_owned(), reason);
    }
    decoded
}

/// Whether a form was not sent to be kept, but for more rows or for times that fit.
pub(crate) fn requests_more(form: &Form) -> bool {
    !form.first("add").is_empty() || !form.first(FIT).is_empty()
}

/// A JSON object as the values of a form's fields.
pub(crate) fn flat(body: &Body, reader: &Reader) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, value) in body {
        flatten(name, value, reader, &mut found);
    }
    let reason = body.get(NewChange::EXPEDITED_REASON.name).and_then(Value::as_str);
    found.retain(|(name, _)| name != "expedited" && name != NewChange::EXPEDITED_REASON.name);
    found.extend(reason.map(|reason| ("expedited".to_owned(), reason.to_owned())));
    found
}

fn flatten(name: &str, value: &Value, reader: &Reader, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(inner, value)| flatten(&format!("{name}.{inner}"), value, reader, found)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items
                .iter()
                .enumerate()
                .for_each(|(place, item)| flatten(&format!("{name}.{place}"), item, reader, found));
        }
        Value::Array(items) if name == "touches" => {
            found.extend(
                items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|text| (name.to_owned(), text.to_owned())),
            );
        }
        Value::Array(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            found.push((name.to_owned(), texts.join(", ")));
        }
        Value::String(text) if name.starts_with("planned_") => {
            let at = text.parse().map(|at| reader.field(at)).unwrap_or_else(|_| text.clone());
            found.push((name.to_owned(), at));
        }
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        Value::Null => {}
        other => found.push((name.to_owned(), other.to_string())),
    }
}

/// The differences from the present change: a merge patch as for the API.
pub(crate) fn patch(base: &Body, sent: &Body, reader: &Reader) -> Body {
    let mut patch = Body::new();
    for name in held() {
        let (old, new) = (base.get(name), sent.get(name));
        if is_same(old, new, reader) {
            continue;
        }
        let value = match (old, new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => Value::Object(cleared(old, new)),
            (old, Some(new)) => kept_beside(old, new.clone()),
            (_, None) => Value::Null,
        };
        patch.insert(name.to_owned(), value);
    }
    patch
}

/// Whether a field's old and new value look the same in the form, which shows times to the minute.
pub(crate) fn is_same(old: Option<&Value>, new: Option<&Value>, reader: &Reader) -> bool {
    let shown = |value: Option<&Value>| {
        let mut found = Vec::new();
        if let Some(value) = value {
            // The name's prefix makes times compare as the form shows them; other texts are compared unchanged.
            flatten("planned_", value, reader, &mut found);
        }
        // The form shows neither: a target's id follows its place, and a step's team stays with its step.
        found.retain(|(name, _)| !name.ends_with(".id") && !name.ends_with(".team"));
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, text) in found {
            all.entry(name).or_default().push(text);
        }
        all
    };
    let is_default = |value: Option<&Value>| match value {
        None => true,
        Some(Value::String(text)) => text == "normal" || text == "other",
        Some(Value::Object(map)) => map.len() == 1 && map.get("kind").and_then(Value::as_str) == Some("none"),
        _ => false,
    };
    shown(old) == shown(new) || (is_default(old) && is_default(new))
}

/// An object's new values, with removed members set to null.
fn cleared(old: &Body, new: &Body) -> Body {
    let mut patch = new.clone();
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    patch
}

/// Rows keep members that the form does not show, such as a step's team, as long as their position is unchanged.
fn kept_beside(old: Option<&Value>, new: Value) -> Value {
    let (Some(Value::Array(old)), Value::Array(mut rows)) = (old, new.clone()) else {
        return new;
    };
    for (old, row) in old.iter().zip(&mut rows) {
        let (Some(old), Some(row)) = (old.as_object(), row.as_object_mut()) else {
            continue;
        };
        if old.get("title").is_some()
            && old.get("title") == row.get("title")
            && let Some(team) = old.get("team")
        {
            row.entry("team").or_insert_with(|| team.clone());
        }
    }
    Value::Array(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Body {
        value.as_object().unwrap().clone()
    }

    fn reader() -> Reader {
        Reader::named("Europe/Oslo", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_form_that_was_not_touched_changes_nothing() {
        let base = body(json!({
            "title": "A", "kind": "normal", "category": "other", "touches": ["network", "schema"],
            "targets": [{"id": "1", "service": "api", "environment": "production", "config_items": ["a", "b"]}],
            "impact": {"data": "low"}, "planned_start": "2026-11-21T21:00:00Z", "rollback_minutes": 9,
            "plan": [{"title": "Go", "team": "Ops", "minutes": 3}], "expedited": true, "expedited_reason": "late",
        }));
        let form = Form::new(flat(&base, &reader()));
        let sent = read(&form, &reader());
        assert!(sent.errors.is_empty());
        let patch = patch(&base, &sent.body, &reader());
        assert!(patch.is_empty(), "{patch:?}");
    }

    #[test]
    fn what_was_emptied_is_cleared_and_teams_stay() {
        let base = body(
            json!({"description": "x", "impact": {"data": "low", "compliance": "high"}, "plan": [{"title": "Go", "team": "Ops"}]}),
        );
        let sent = body(json!({"impact": {"data": "high"}, "plan": [{"title": "Go", "minutes": 4}]}));
        let patch = patch(&base, &sent, &reader());
        assert_eq!(patch["description"], Value::Null);
        assert_eq!(patch["impact"], json!({"data": "high", "compliance": null}));
        assert_eq!(patch["plan"], json!([{"title": "Go", "minutes": 4, "team": "Ops"}]));
    }
}
