//! Finds past events: of one change, or in the whole tenant by the log's index.

use jiff::Timestamp;
use model::change::related_records::Deployment;
use model::core::ids::PersonId;
use serde_json::{Map, Value};
use store::audit::event::{self, Event};
use store::audit::log;
use store::record::{self, Filter, Record};

use crate::core::context::Context;
use crate::core::error::Result;

/// An event in the form for people.
#[derive(Debug, Clone)]
pub struct ShownEvent {
    /// The event's id.
    pub id: String,
    /// `approval.given`.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Its index in the log; `None` while it has no place.
    pub index: Option<i64>,
    /// The actor; `system` for timers and deliveries.
    pub actor: PersonId,
    /// The table of its subject.
    pub table: String,
    /// The subject's id.
    pub subject: String,
    /// Codes, keys, ids and numbers; no free text.
    pub data: Map<String, Value>,
}

/// How far the log is, and its last entries.
#[derive(Debug, Clone, Default)]
pub struct LogView {
    /// How many entries are sealed.
    pub size: i64,
    /// The root at that size.
    pub root: String,
    /// The last signed checkpoint.
    pub checkpoint: String,
    /// When it was signed.
    pub sealed_at: Option<Timestamp>,
    /// How many events wait for a place.
    pub waiting: i64,
    /// Entries, newest first.
    pub entries: Vec<ShownEvent>,
}

pub(crate) fn to_shown(event: Event) -> ShownEvent {
    // This program wrote the bytes; if they are unreadable nevertheless, the kind is still shown.
    let leaf: Map<String, Value> = serde_json::from_slice(&event.bytes).unwrap_or_default();
    let actor = leaf.get("actor").and_then(Value::as_str).unwrap_or("system");
    ShownEvent {
        id: event.id,
        kind: event.kind,
        at: event.occurred_at,
        recorded_at: event.recorded_at,
        index: event.seq,
        actor: PersonId::from(actor),
        table: event.subject_table,
        subject: event.subject_id,
        data: leaf.get("data").and_then(Value::as_object).cloned().unwrap_or_default(),
    }
}

/// Finds the timeline of a change by its id, newest first.
///
/// # Errors
/// The store's.
pub fn find_timeline(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<ShownEvent>> {
    let mut found = event::of_subject(cx.tx, "change", change)?;
    let deployments = Filter::new().equals("change_id", change).order_by("id");
    for stored in record::find::<Deployment>(cx.tx, &deployments)? {
        found.extend(event::of_subject(cx.tx, Deployment::TABLE, stored.record.id())?);
    }
    found.sort_by(|a, b| b.place().cmp(&a.place()));
    Ok(found.into_iter().map(to_shown).collect())
}

/// Finds the events of one record of the estate, such as a freeze, newest first. The caller shows these events only to
/// readers of the record.
///
/// # Errors
/// The store's.
pub fn find_history<R: Record>(cx: &mut Context<'_, '_>, id: &str) -> Result<Vec<ShownEvent>> {
    let mut found = event::of_subject(cx.tx, R::TABLE, id)?;
    found.reverse();
    Ok(found.into_iter().map(to_shown).collect())
}

/// The state of the log: size, last seal, waiting events. Everybody of the tenant may see it.
///
/// # Errors
/// The store's.
pub fn find_seal(cx: &mut Context<'_, '_>) -> Result<LogView> {
    let Some(state) = log::state(cx.tx)? else {
        return Ok(LogView::default());
    };
    let last = log::last_checkpoint(cx.tx)?;
    Ok(LogView {
        size: state.size,
        root: state.root,
        checkpoint: last
            .as_ref()
            .map_or_else(|| state.checkpoint.clone(), |last| last.note.clone()),
        sealed_at: last.map(|last| last.at),
        waiting: event::count_unsequenced(cx.tx)?,
        entries: Vec::new(),
    })
}
