//! Finds the recent events of changes in the log: work that began, that ended, and changes that were closed. Planned times are
//! only intended; a log entry shows that it happened.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::record::Change;
use model::core::act::actions;
use model::directory::scope::Scope;
use store::audit::event;
use store::record;

use crate::audit::find_log::first_since;
use crate::audit::find_timeline::find_seal;
use crate::core::context::Context;
use crate::core::error::Result;

/// The most entries of the log that are examined, the newest first.
const LOOKED_AT: i64 = 4_000;
/// How many are read at once.
const STEP: i64 = 400;
/// The counted events: the work began, it ended, the change was closed.
pub const KINDS: [&str; 3] = ["change.implementing", "change.completed", "change.closed"];

/// The last event of a change.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The change as it is now.
    pub change: Change,
    /// The event: one of [`KINDS`].
    pub kind: String,
    /// When.
    pub at: Timestamp,
}

/// The changes with an event since a moment, the newest first, each once with its last event; at most so many.
///
/// # Errors
/// 403, or the store's.
pub fn find_moved(cx: &mut Context<'_, '_>, since: Timestamp, most: usize) -> Result<Vec<Moved>> {
    cx.allow(actions::READ)?;
    let Some(scope) = cx.scope()? else {
        let found = cx.since_commit(&format!("moved {since} {most}"), |cx| read(cx, since, most, None))?;
        return Ok(found.to_vec());
    };
    read(cx, since, most, Some(&scope))
}

fn read(cx: &mut Context<'_, '_>, since: Timestamp, most: usize, scope: Option<&Scope>) -> Result<Vec<Moved>> {
    let size = find_seal(cx)?.size;
    let floor = first_since(cx, since, size)?.max(size - LOOKED_AT).max(0);
    let (mut top, mut seen, mut found) = (size, BTreeSet::new(), Vec::new());
    while top > floor && found.len() < most {
        let from = floor.max(top - STEP);
        for event in event::page_of_kinds(cx.tx, from, top, KINDS)? {
            let is_fit = event.occurred_at >= since;
            if !is_fit || found.len() >= most || !seen.insert(event.subject_id.clone()) {
                continue;
            }
            let Some(row) = record::load::<Change>(cx.tx, &event.subject_id)? else {
                continue;
            };
            if scope.is_some_and(|scope| !scope.sees(&row.record)) {
                continue;
            }
            found.push(Moved {
                change: row.record,
                kind: event.kind,
                at: event.occurred_at,
            });
        }
        top = from;
    }
    Ok(found)
}
