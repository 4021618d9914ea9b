//! Messages to people: each with the job that mails it, or delayed as its reader prefers.

use jiff::Timestamp;
use model::change::related_records::Message;
use model::core::ids::{ChangeId, PersonId, RecordId};
use store::queue::job;
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::Written;

/// The delivery state of a message whose mail waits.
pub const HELD: &str = "held";

/// The kind of a reader's timer.
const KIND: &str = "messages";

/// Writes a message and the job that mails it, or delays it as its reader prefers; the same matter is sent once.
///
/// # Errors
/// The store's.
pub fn save_message(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    to: &PersonId,
    about: Option<(&ChangeId, &str)>,
    message: (&str, &str, &str, &str),
) -> Result<()> {
    save_message_for(cx, written, (to, ""), about, message)
}

/// The same for a message to a given mail address, unless that is empty: an address that the person no longer has.
///
/// # Errors
/// The store's.
pub(crate) fn save_message_for(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    (to, address): (&PersonId, &str),
    about: Option<(&ChangeId, &str)>,
    (topic, subject, text, dedup): (&str, &str, &str, &str),
) -> Result<()> {
    let known = record::count::<Message>(cx.tx, &Filter::new().equals("dedup", dedup))?;
    if known > 0 {
        return Ok(());
    }
    let due = cx.directory()?.told_at(to, topic, cx.now);
    let waits = due > cx.now;
    let message = Message {
        id: RecordId(cx.new_id()?),
        version: 0,
        person: to.clone(),
        change: about.map(|(id, _)| id.clone()),
        change_key: about.map(|(_, key)| key.to_owned()),
        topic: topic.to_owned(),
        subject: subject.to_owned(),
        text: text.to_owned(),
        dedup: dedup.to_owned(),
        at: cx.now,
        delivery: if waits { HELD } else { "kept" }.to_owned(),
    };
    let message = cx.put(written, message)?;
    if waits {
        return wake(cx, to, due);
    }
    let id = cx.new_id()?;
    let new = job::NewJob {
        id: &id,
        kind: "mail",
        subject: message.id.as_str(),
        payload: address,
        run_at: cx.now,
    };
    job::insert(cx.tx, &new)?;
    Ok(())
}

/// Schedules a reader's messages for delivery, not later than `due`.
///
/// # Errors
/// The store's.
pub(crate) fn wake(cx: &mut Context<'_, '_>, reader: &PersonId, due: Timestamp) -> Result<()> {
    let known = timer::of_subject(cx.tx, "person", reader.as_str())?;
    let is_sooner = |it: &timer::Timer| it.kind == KIND && it.state == "waiting" && it.run_at <= due;
    if known.iter().any(is_sooner) {
        return Ok(());
    }
    set_timer(cx, reader.as_str(), due)
}

/// Sets the timer that delivers a reader's waiting messages.
///
/// # Errors
/// The store's.
pub(crate) fn set_timer(cx: &mut Context<'_, '_>, reader: &str, run_at: Timestamp) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: "person",
        subject_id: reader,
        kind: KIND,
        run_at,
    };
    Ok(timer::set(cx.tx, &new)?)
}
