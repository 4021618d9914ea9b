//! Records each ended session by its name in the log. A session is a row with a code and no record: restored into the
//! database after its end, the session would open again. The log then shows that its acts came by an ended session.

use std::collections::BTreeMap;

use serde_json::json;
use store::identity::session::Ended;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};

/// The event.
const ENDED: &str = "person.sessions_ended";
/// The most sessions that one event names: a leaf has at most 65,535 bytes.
const MOST_NAMED: usize = 1_000;

/// Writes `person.sessions_ended` about everybody whose sessions ended: `count`, and the names of the `sessions`. Call
/// it in the transaction that ended them; nothing is written if there were none.
///
/// # Errors
/// The store's.
pub fn note_ended(cx: &mut Context<'_, '_>, ended: &[Ended]) -> Result<()> {
    let mut by_person: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in ended {
        by_person.entry(&it.person).or_default().push(&it.id);
    }
    for (person, sessions) in by_person {
        for named in sessions.chunks(MOST_NAMED) {
            note(cx, person, named, false)?;
        }
    }
    Ok(())
}

/// The same for all sessions of one person, recorded even if there were none: somebody requested it. `all` in the event ends
/// also a session whose row was away at the time.
///
/// # Errors
/// The store's.
pub(crate) fn note_requested(cx: &mut Context<'_, '_>, person: &str, ended: &[Ended]) -> Result<()> {
    let names: Vec<&str> = ended.iter().map(|it| it.id.as_str()).collect();
    if names.is_empty() {
        return note(cx, person, &[], true);
    }
    for named in names.chunks(MOST_NAMED) {
        note(cx, person, named, true)?;
    }
    Ok(())
}

fn note(cx: &mut Context<'_, '_>, person: &str, sessions: &[&str], is_all: bool) -> Result<()> {
    let subject = ("person", person.to_owned());
    let mut data = json!({"count": sessions.len(), "sessions": sessions});
    if is_all {
        data["all"] = json!(true);
    }
    let event = draft(ENDED, subject, cx.now, data);
    cx.emit(vec![event], Written::default())
}
