//! One event of the log with its effects: each field of each record that it wrote, before and after. The earlier value
//! is rebuilt from the earlier events of the record, so that only the log must be trusted.

use std::collections::HashMap;

use jiff::Timestamp;
use model::core::act::actions;
use model::core::private_fields::is_withheld;
use model::core::refusal::Refusal;
use proof::diff::{self, RecordDelta};
use proof::event::Subject;
use serde::Serialize;
use serde_json::{Map, Value};
use store::audit::event::{self, Event};
use store::audit::salts::{self, SaltedText};

use crate::audit::prove_event;
use crate::core::context::Context;
use crate::core::error::Result;
pub use crate::core::field_changes::ERASED;
use crate::core::field_changes::{is_commitment, open};
use crate::core::show_timeline::opened;

/// The tables whose free texts are shown: texts about changes, and the configuration. Letters to people (`message`) and
/// tables that are not listed hide theirs; a noun with a card is shown.
const READ: &[&str] = &[
    "absence",
    "access_review",
    "act_facts",
    "approval",
    "calendar",
    "change",
    "checklist_item",
    "comment",
    "condition",
    "config_item",
    "configuration",
    "connection",
    "decision_facts",
    "delegation",
    "dependency",
    "deployment",
    "entry",
    "environment",
    "evidence",
    "failure_model",
    "freeze",
    "gate_check",
    "glass_use",
    "identity_provider",
    "incident",
    "key_turn",
    "link",
    "maintenance_window",
    "meeting",
    "on_call",
    "outside_check",
    "ownership",
    "peer_review",
    "people_group",
    "permit",
    "person",
    "provenance",
    "running",
    "service",
    "sink",
    "task",
    "template",
    "tenant_info",
    "token",
    "training",
    "webhook",
    "workload",
];
/// The placeholder of a value that is not shown.
pub const WITHHELD: &str = "(withheld)";

/// An event, and its effect on records.
#[derive(Debug, Clone, Serialize)]
pub struct EventView {
    /// Its id.
    pub id: String,
    /// `service.edited`.
    pub kind: String,
    /// The actor: a login; `system` for timers and deliveries.
    pub actor: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Its index in the log; absent while it waits for its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// The subject.
    pub subject: Subject,
    /// Codes, keys, ids and numbers.
    pub data: Map<String, Value>,
    /// For an event that wrote nothing itself: the nearest earlier one of the same act that wrote a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_by: Option<EventPlace>,
    /// The records that it wrote; with `told_by` the records of that event, for this event or for another matter of the
    /// act. Empty if neither wrote any.
    pub records: Vec<WrittenRecord>,
}

/// The place of another event.
#[derive(Debug, Clone, Serialize)]
pub struct EventPlace {
    /// Its id.
    pub id: String,
    /// Its index in the log; absent while it waits for its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
}

/// A record that an event wrote.
#[derive(Debug, Clone, Serialize)]
pub struct WrittenRecord {
    /// Its table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// Its version after the event; 1 if the event created it.
    pub version: u64,
    /// The digest of the sealed record after the event, as the log's leaf names it.
    pub digest: String,
    /// The changes of its fields, in the order of their names.
    pub changes: Vec<FieldWrite>,
}

/// A field of a record before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldWrite {
    /// Its name.
    pub field: String,
    /// The earlier value; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The later value; absent if it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// An event by its id or its index in the log (`GET /events/{id}`). Texts that were erased since are `(erased)`;
/// letters to people and the fields in [`model::core::private_fields`] are `(withheld)`.
///
/// # Errors
/// 403, 404; a fault when the log does not fit together; the store's.
pub fn show_event(cx: &mut Context<'_, '_>, named: &str) -> Result<EventView> {
    cx.allow(actions::AUDIT)?;
    let Some(stored) = prove_event::find(cx, named)? else {
        return Err(Refusal::not_found(format!("event {named}")).into());
    };
    let (mut event, _) = opened(cx, &stored)?;
    let (teller, deltas) = recording_event(cx, &stored, std::mem::take(&mut event.records))?;
    let mut records = Vec::new();
    for delta in deltas {
        records.push(written(cx, &teller, delta)?);
    }
    let told_by = (teller.id != stored.id).then(|| EventPlace {
        id: teller.id.clone(),
        index: teller.seq,
    });
    Ok(EventView {
        id: stored.id,
        kind: stored.kind,
        actor: cx.directory()?.login(&event.actor.as_str().into()),
        occurred_at: stored.occurred_at,
        recorded_at: stored.recorded_at,
        index: stored.seq,
        subject: event.subject,
        data: event.data,
        told_by,
        records,
    })
}

/// The first of several events that are written together records all records; this returns the event and its records.
/// An act may write several times, and the log does not show which of its events were written together. For an event
/// without records the one before it is therefore returned, which may have been about another matter.
fn recording_event(
    cx: &mut Context<'_, '_>,
    stored: &Event,
    own: Vec<RecordDelta>,
) -> Result<(Event, Vec<RecordDelta>)> {
    if !own.is_empty() {
        return Ok((stored.clone(), own));
    }
    for earlier in event::before_in_act(cx.tx, stored)? {
        let (told, _) = opened(cx, &earlier)?;
        if !told.records.is_empty() {
            return Ok((earlier, told.records));
        }
    }
    Ok((stored.clone(), own))
}

fn written(cx: &mut Context<'_, '_>, by: &Event, delta: RecordDelta) -> Result<WrittenRecord> {
    let before = before(cx, by, &delta)?;
    let after = diff::apply(&delta, before.as_ref())?;
    let texts = salts::of_record(cx.tx, &delta.table, &delta.id)?;
    let mut names: Vec<&String> = delta.set.keys().chain(&delta.unset).collect();
    names.sort_unstable();
    let changes = names
        .into_iter()
        .map(|field| FieldWrite {
            field: field.clone(),
            before: shown(before.as_ref(), (&delta.table, field), &texts),
            after: shown(Some(&after), (&delta.table, field), &texts),
        })
        .collect();
    Ok(WrittenRecord {
        changes,
        table: delta.table,
        id: delta.id,
        version: delta.version,
        digest: delta.digest,
    })
}

/// The sealed record before an event.
fn before(cx: &mut Context<'_, '_>, by: &Event, delta: &RecordDelta) -> Result<Option<Value>> {
    let version = i64::try_from(delta.version).unwrap_or(i64::MAX);
    let mut sealed = None;
    for row in event::of_versions_below(cx.tx, &delta.table, &delta.id, version)? {
        if row.id == by.id {
            break;
        }
        let (earlier, _) = opened(cx, &row)?;
        let is_it = |it: &&RecordDelta| it.table == delta.table && it.id == delta.id && it.version < delta.version;
        for step in earlier.records.iter().filter(is_it) {
            sealed = Some(diff::apply(step, sealed.as_ref())?);
        }
    }
    Ok(sealed)
}

fn is_read(table: &str) -> bool {
    READ.contains(&table) || model::nouns::of_table(table).is_some()
}

fn shown(record: Option<&Value>, (table, field): (&str, &str), texts: &HashMap<String, SaltedText>) -> Option<Value> {
    let mut value = record?.get(field)?.clone();
    if is_withheld(table, field) {
        return Some(WITHHELD.into());
    }
    withhold_within(&mut value, table);
    if is_read(table) {
        open(&mut value, texts);
    } else {
        withhold_texts(&mut value);
    }
    Some(value)
}

/// Replaces withheld values at any depth by the placeholder, as responses leave them out.
fn withhold_within(value: &mut Value, table: &str) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if is_withheld(table, name) {
                    *inner = WITHHELD.into();
                } else {
                    withhold_within(inner, table);
                }
            }
        }
        Value::Array(rows) => rows.iter_mut().for_each(|row| withhold_within(row, table)),
        _ => {}
    }
}

/// Replaces each commitment by the placeholder.
fn withhold_texts(value: &mut Value) {
    match value {
        Value::Object(map) if is_commitment(map) => *value = Value::String(WITHHELD.to_owned()),
        Value::Object(map) => map.values_mut().for_each(withhold_texts),
        Value::Array(rows) => rows.iter_mut().for_each(withhold_texts),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_letters_keep_all_of_their_texts() {
        let withheld: Vec<&&str> = store::nouns::TABLES.iter().filter(|it| !is_read(it)).collect();
        assert_eq!(withheld, [&"message"]);
        let record = json!({"text": {"c": "sha256:00"}, "at": 1});
        let none = HashMap::new();
        let told = |table: &str, field: &str| shown(Some(&record), (table, field), &none);
        assert_eq!(told("a_table_to_come", "text"), Some(json!(WITHHELD)));
        assert_eq!(
            told("a_table_to_come", "at"),
            Some(json!(1)),
            "what is no text stands in the log as it is"
        );
        assert_eq!(told("webhook", "text"), Some(json!("(erased)")));
    }

    #[test]
    fn what_is_for_scim_alone_is_withheld_at_any_depth_and_nothing_else_is() {
        let mut value =
            json!({"digest": "sha256:00", "rows": [{"external_id": "hr-1", "name": "x"}], "subjects": ["i s"]});
        withhold_within(&mut value, "configuration");
        assert_eq!(
            value,
            json!({"digest": "sha256:00", "rows": [{"external_id": WITHHELD, "name": "x"}], "subjects": WITHHELD})
        );
    }

    #[test]
    fn a_text_that_is_withheld_is_named_so_at_any_depth() {
        let mut value = json!({"rows": [{"c": "sha256:00"}, 3], "c": {"c": "sha256:11"}});
        withhold_texts(&mut value);
        assert_eq!(value, json!({"rows": [WITHHELD, 3], "c": WITHHELD}));
    }
}
