//! Invitations to the planned time of a change (iMIP, RFC 6047) for people with this preference: one when the change is
//! scheduled, another when it moves, and a cancellation when it does not take place or the person has no part in it any more.
//! The calendar part is written when the letter is sent, from the change's present state.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::record::Change;
use model::change::related_records::Message;
use model::core::enums::State;
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;
use store::record::{self, Filter};

use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::Written;

/// The topic of an invitation.
pub const REQUEST: &str = "invitation";
/// The topic of its cancellation.
pub const CANCEL: &str = "invitation_cancelled";
/// The most invitations of one change that are read.
const MOST: i64 = 5_000;

/// The title, time and people of a change's invitation.
#[derive(PartialEq, Eq)]
struct Invited {
    start: Timestamp,
    end: Timestamp,
    people: BTreeSet<PersonId>,
}

/// The invitation of a change while it is scheduled or at work.
fn invited(change: &Change, directory: &Directory) -> Option<Invited> {
    if !matches!(change.state, State::Scheduled | State::Implementing) {
        return None;
    }
    let content = &change.content;
    let people = content
        .implementers
        .iter()
        .chain(&content.tester)
        .chain([&content.owner]);
    let wishes = |person: &&PersonId| {
        let known = directory.people.get(*person).filter(|it| it.active);
        known.is_some_and(|it| it.telling.as_ref().is_some_and(|telling| telling.has_invitations))
    };
    Some(Invited {
        start: change.planned_start?,
        end: change.planned_end?,
        people: people.filter(wishes).cloned().collect(),
    })
}

/// Sends invitations for a saved change with a new time or new people (an effect).
///
/// # Errors
/// The store's.
pub(crate) fn invite(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    let directory = cx.directory()?;
    let before = saved.before.as_ref();
    let before = before.and_then(|file| invited(&file.change, &directory));
    let now = invited(change, &directory);
    let is_off = matches!(change.state, State::Cancelled | State::Rejected);
    let was_off = saved
        .before
        .as_ref()
        .is_some_and(|file| file.change.state == change.state);
    if (now == before && !is_off) || (is_off && was_off) {
        return Ok(());
    }
    let mut written = Written::default();
    let wanted = now.as_ref().map(|it| it.people.clone()).unwrap_or_default();
    if now.is_some() || is_off {
        for person in invited_people(cx, change)?.difference(&wanted) {
            write_invitation(cx, &mut written, change, person, CANCEL)?;
        }
    }
    let is_moved = |it: &Invited| {
        before
            .as_ref()
            .is_none_or(|was| (was.start, was.end) != (it.start, it.end))
    };
    if let Some(now) = &now {
        let known = before.as_ref().map(|it| it.people.clone()).unwrap_or_default();
        let fresh = now
            .people
            .iter()
            .filter(|person| is_moved(now) || !known.contains(*person));
        for person in fresh {
            write_invitation(cx, &mut written, change, person, REQUEST)?;
        }
    }
    cx.emit(Vec::new(), written)
}

/// The people whose last letter about the time of a change is an invitation.
fn invited_people(cx: &mut Context<'_, '_>, change: &Change) -> Result<BTreeSet<PersonId>> {
    let filter = Filter::new().equals("change_id", change.id.as_str());
    let letters = record::bodies::<Message>(cx.tx, &filter.order_by("id").limit(MOST))?;
    let mut found = BTreeSet::new();
    for letter in letters {
        match letter.topic.as_str() {
            REQUEST => {
                found.insert(letter.person);
            }
            CANCEL => {
                found.remove(&letter.person);
            }
            _ => {}
        }
    }
    Ok(found)
}

fn write_invitation(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    change: &Change,
    person: &PersonId,
    topic: &'static str,
) -> Result<()> {
    let (key, title) = (&change.key, &change.content.title);
    let (subject, text) = match (topic, change.planned_start, change.planned_end) {
        (REQUEST, Some(start), Some(end)) => {
            let text = format!("You have a part in {key}, which is planned from {start} to {end}.\n");
            (format!("Invitation: {key} {title}"), text)
        }
        _ => {
            let text =
                format!("The time of {key} is no longer yours: it does not take place, or you have no part in it.\n");
            (format!("Cancelled: {key} {title}"), text)
        }
    };
    let dedup = format!("{topic}/{}/{}/{person}", change.id, change.revision);
    let about = Some((&change.id, key.as_str()));
    save_message(cx, written, person, about, (topic, &subject, &text, &dedup))
}
