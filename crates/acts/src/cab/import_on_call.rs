//! Times on call from an external calendar, such as the export of a rota tool: each event is a time of the member named
//! in its title. A later import of the same group replaces the future times of the earlier import.

use model::cab::meeting::OnCall;
use model::core::act;
use model::core::ids::{GroupKey, PersonId, RecordId};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::schedule::outside_calendar::OutsideEvent;
use serde::Serialize;
use serde_json::json;

use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;

/// The most events of one import.
pub const MOST: usize = 500;
/// The most titles that a refusal names.
const NAMED: usize = 3;

/// The result of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Imported {
    /// Times that were added.
    pub added: usize,
    /// Times that existed already.
    pub known: usize,
    /// Times of an earlier import that were ended.
    pub ended: usize,
}

/// Imports the times of a calendar (`POST /on-call/imports {group, text}`): all of them, or none.
///
/// # Errors
/// 403, 422 if a title names no member or several, or the store's.
pub fn import_on_call(cx: &mut Context<'_, '_>, group: &GroupKey, events: &[OutsideEvent]) -> Result<Imported> {
    cx.allow(act::actions::SET_MEETING)?;
    let directory = cx.directory()?;
    let ahead: Vec<&OutsideEvent> = events.iter().filter(|event| event.ends_at > cx.now).collect();
    if ahead.len() > MOST {
        let text = format!(
            "The calendar has {} times ahead; at most {MOST} are imported.",
            ahead.len()
        );
        return Err(Refusal::field("text", "too_many", text).into());
    }
    let mut wanted = Vec::new();
    let mut strange: Vec<&str> = Vec::new();
    for event in ahead {
        match named(&directory, group, &event.title) {
            Some(person) => wanted.push((person, event.starts_at, event.ends_at)),
            None => strange.push(&event.title),
        }
    }
    if !strange.is_empty() {
        strange.truncate(NAMED);
        let titles = strange.join("`, `");
        let text = format!("`{titles}`: a title has the login or the name of exactly one active member of {group}.");
        return Err(Refusal::field("text", "not_of_the_board", text).into());
    }
    let mut told = Imported::default();
    let theirs = directory
        .on_call
        .iter()
        .filter(|row| &row.group == group && row.ends_at > cx.now);
    let theirs: Vec<OnCall> = theirs.cloned().collect();
    let is_row = |row: &OnCall, (person, start, end): &(PersonId, jiff::Timestamp, jiff::Timestamp)| {
        (&row.person, row.starts_at, row.ends_at) == (person, *start, *end)
    };
    for row in theirs.iter().filter(|row| row.imported) {
        if !wanted.iter().any(|time| is_row(row, time)) {
            let ended = OnCall {
                ends_at: cx.now,
                ..row.clone()
            };
            cx.put_estate("on_call.ended", ended, json!({}))?;
            told.ended += 1;
        }
    }
    for time in wanted {
        if theirs.iter().any(|row| is_row(row, &time)) {
            told.known += 1;
            continue;
        }
        let (person, starts_at, ends_at) = time;
        let row = OnCall {
            id: RecordId(cx.new_id()?),
            version: 0,
            group: group.clone(),
            person,
            starts_at,
            ends_at,
            // A time that began before the import counts from now on.
            corrected_at: (starts_at < cx.now).then_some(cx.now),
            imported: true,
        };
        cx.put_estate("on_call.set", row, json!({}))?;
        told.added += 1;
    }
    settle_with_approvers(cx)?;
    Ok(told)
}

/// The one active member of a group whose login or name occurs in a title.
fn named(directory: &Directory, group: &GroupKey, title: &str) -> Option<PersonId> {
    let title = title.to_lowercase();
    let is_inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let words: Vec<&str> = title.split(|c| !is_inside(c)).collect();
    let mut found = directory.members(group).into_iter().filter(|person| {
        let name = directory.name(person).to_lowercase();
        let login = directory.login(person).to_lowercase();
        words.contains(&login.as_str()) || (!name.is_empty() && title.contains(&name))
    });
    let person = found.next()?;
    found.next().is_none().then_some(person)
}
