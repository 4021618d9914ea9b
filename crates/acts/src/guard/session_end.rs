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
            note(cx, person, named)?;
        }
    }
    Ok(())
}

/// The same for one person, recorded even if there were no sessions: somebody requested it.
///
/// # Errors
/// The store's.
pub(crate) fn note_requested(cx: &mut Context<'_, '_>, person: &str, ended: &[Ended]) -> Result<()> {
    if ended.is_empty() {
        return note(cx, person, &[]);
    }
    note_ended(cx, ended)
}

fn note(cx: &mut Context<'_, '_>, person: &str, sessions: &[&str]) -> Result<()> {
    let subject = ("person", person.to_owned());
    let data = json!({"count": sessions.len(), "sessions": sessions});
    let event = draft(ENDED, subject, cx.now, data);
    cx.tell(vec![event], Written::default())
}
