//! The part of a change that an approval binds: the digests *what* and *when*, and the digest to which each field belongs.

use serde_json::{Map, Value, json};

use crate::change::record::{Change, Content, Digests};

/// Which digest covers a field of a change's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// The decision card shows it: the digest *what*.
    What,
    /// The planned times: the digest *when*.
    When,
    /// Neither: state, history, labels.
    Neither,
}

/// Fields that the digest *what* covers: exactly the fields of [`Content`].
pub const WHAT: &[&str] = &[
    "kind",
    "template",
    "expedited",
    "expedited_reason",
    "title",
    "description",
    "justification",
    "objectives",
    "verification",
    "category",
    "touches",
    "targets",
    "impact",
    "complexity",
    "disruption",
    "security",
    "security_answers",
    "dependencies_reviewed",
    "excluded",
    "risk_override",
    "plan",
    "rollback_plan",
    "no_rollback_reason",
    "rollback_minutes",
    "planned_undo",
    "owner",
    "team",
    "implementers",
    "tester",
    "business_contact",
    "incident",
    "threat",
    "custom_fields",
    "wave_plan",
];

/// Fields that the digest *when* covers.
pub const WHEN: &[&str] = &["planned_start", "planned_end"];

/// Fields that no digest covers.
pub const NEITHER: &[&str] = &[
    "id",
    "version",
    "revision",
    "key",
    "number",
    "state",
    "requester",
    "created_at",
    "updated_at",
    "labels",
    "watchers",
    "origins",
    "risk",
    "past_levels",
    "new_services",
    "changed_files",
    "forecast",
    "reach",
    "digests",
    "digest_salt",
    "target_records",
    "authors",
    "handed_by",
    "planned_by",
    "implemented_by",
    "requests",
    "hold",
    "submitted_at",
    "changed_at",
    "assessed_at",
    "returned",
    "rejection",
    "cancelled",
    "outcome",
    "actual_start",
    "actual_end",
    "seen_work",
    "way_back_taken",
    "undo",
    "undo_missed_at",
    "caused_incidents",
    "watch_incidents",
    "communicated",
    "extension",
    "extended_until",
    "overrun",
    "distrusted",
    "window_missed",
    "ready",
    "in_freeze",
    "unauthorized",
    "finding",
    "gate_reopenings",
    "turned_normal",
    "break_glass",
    "retrospective",
    "legal_hold",
    "erasure",
    "texts_erased_at",
    "closed_targets",
    "wave_run",
    "validations",
    "reviews",
    "clocks",
    "board_decisions",
    "closed_at",
    "closed_by",
    "told",
];

/// Which digest covers a field; `None` for a field that nobody classified, which a test forbids.
pub fn cover(field: &str) -> Option<Cover> {
    if WHAT.contains(&field) {
        return Some(Cover::What);
    }
    if WHEN.contains(&field) {
        return Some(Cover::When);
    }
    NEITHER.contains(&field).then_some(Cover::Neither)
}

/// The fields that every submission fills in, whether they are there, and how a sentence names them.
pub(crate) fn basics(content: &Content) -> [(&'static str, bool, &'static str); 4] {
    [
        ("title", !content.title.trim().is_empty(), "a title"),
        ("description", content.description.is_some(), "a description"),
        ("justification", content.justification.is_some(), "a justification"),
        ("targets", !content.targets.is_empty(), "at least one target"),
    ]
}

fn to_object(content: &Content) -> Value {
    serde_json::to_value(content).unwrap_or(Value::Null)
}

fn digest(value: &Value) -> String {
    // Content holds only strings, integers and booleans, so the canonical form always exists; were it ever to fail,
    // an empty digest matches no approval and everything stops.
    proof::canonical::digest(value).unwrap_or_default()
}

/// The digests of a change's present content.
pub fn digests(change: &Change) -> Digests {
    let mut object = to_object(&change.content);
    // The log shows the digest for ever. With the salt in it nobody can test guesses of a text that was erased.
    if let (Value::Object(content), Some(salt)) = (&mut object, &change.digest_salt) {
        content.insert("salt".to_owned(), Value::String(salt.clone()));
    }
    let what = digest(&object);
    let mut times = Map::new();
    for (name, time) in [
        ("planned_start", change.planned_start),
        ("planned_end", change.planned_end),
    ] {
        if let Some(time) = time {
            times.insert(name.to_owned(), Value::String(time.to_string()));
        }
    }
    let when = digest(&Value::Object(times));
    let content = digest(&json!({"what": what, "when": when}));
    Digests { what, when, content }
}

/// The digest of plan and rollback plan alone: what evidence without an artifact is bound to.
pub fn plan_digest(content: &Content) -> String {
    let plan = serde_json::to_value(&content.plan).unwrap_or(Value::Null);
    let rollback = serde_json::to_value(&content.rollback_plan).unwrap_or(Value::Null);
    let targets = serde_json::to_value(&content.targets).unwrap_or(Value::Null);
    digest(&json!({"plan": plan, "rollback_plan": rollback, "targets": targets}))
}
