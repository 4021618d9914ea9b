//! Messages whose mail is delayed by their reader's preferences: for the daily digest, or for the end of the quiet hours.
//!
//! A message that waits is [`HELD`]; its reader has one timer, at the earliest instant at which any of theirs is due. Each
//! round evaluates what is due, so new preferences apply to waiting messages too. A round that runs twice finds nothing the
//! second time: messages and the jobs that mail them change in one transaction.

use std::collections::BTreeSet;

use model::change::related_records::Message;
use model::core::ids::PersonId;
use serde_json::json;
use store::queue::job::{self, NewJob};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::{HELD, set_timer};
use crate::core::write::{Written, draft};

/// The kind of the job that mails one letter about several messages; the payload names the messages.
pub const DIGEST: &str = "digest";
/// How many messages one round takes, and so the most in one digest.
const MOST: i64 = 200;

/// Sends the due messages of a reader, and sets the timer for the others.
///
/// # Errors
/// The store's.
pub fn send_held(cx: &mut Context<'_, '_>, reader: &str) -> Result<()> {
    let filter = Filter::new()
        .equals("person", reader)
        .equals("state", HELD)
        .order_by("id")
        .limit(MOST);
    let held: Vec<Message> = record::find(cx.tx, &filter)?
        .into_iter()
        .map(|stored| stored.record)
        .collect();
    let is_full = i64::try_from(held.len()).is_ok_and(|count| count == MOST);
    let directory = cx.directory()?;
    let now = cx.now;
    let due_at = |it: &Message| directory.told_at(&it.person, &it.topic, it.at);
    let next = held.iter().map(due_at).filter(|at| *at > now).min();
    let due: Vec<Message> = held.into_iter().filter(|it| due_at(it) <= now).collect();
    let has_more = is_full && !due.is_empty();
    if !due.is_empty() {
        send_messages(cx, reader, due)?;
    }
    match if has_more { Some(now) } else { next } {
        Some(at) => set_timer(cx, reader, at),
        None => Ok(()),
    }
}

/// Sends messages: as one letter for a reader with a digest, else as one each.
fn send_messages(cx: &mut Context<'_, '_>, reader: &str, due: Vec<Message>) -> Result<()> {
    let mut written = Written::default();
    let mut told = Vec::new();
    for message in due {
        let message = Message {
            delivery: "kept".to_owned(),
            ..message
        };
        told.push(cx.put(&mut written, message)?.id);
    }
    let has_digest = cx.directory()?.has_digest(&PersonId::from(reader));
    let event = draft(
        "messages.released",
        ("person", reader.to_owned()),
        cx.now,
        json!({"count": told.len(), "digest": has_digest}),
    );
    cx.emit(vec![event], written)?;
    if has_digest {
        let payload = serde_json::to_string(&told)?;
        return mail(cx, DIGEST, reader, &payload);
    }
    for id in told {
        mail(cx, "mail", id.as_str(), "")?;
    }
    Ok(())
}

fn mail(cx: &mut Context<'_, '_>, kind: &str, subject: &str, payload: &str) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewJob {
        id: &id,
        kind,
        subject,
        payload,
        run_at: cx.now,
    };
    Ok(job::insert(cx.tx, &new)?)
}

/// The messages in a digest's payload, in order; deleted ones are left out.
///
/// # Errors
/// The store's, or a fault when the payload is invalid.
pub fn gathered(cx: &mut Context<'_, '_>, payload: &str) -> Result<Vec<Message>> {
    let ids: Vec<String> = serde_json::from_str(payload)?;
    let mut found = Vec::new();
    for id in ids {
        found.extend(record::load::<Message>(cx.tx, &id)?.map(|stored| stored.record));
    }
    Ok(found)
}

/// Records the delivery of a digest's letter on its messages.
///
/// # Errors
/// The store's, or a fault when the payload is invalid.
pub fn mark_gathered(cx: &mut Context<'_, '_>, payload: &str, delivery: &str) -> Result<()> {
    let mut written = Written::default();
    let mut readers = BTreeSet::new();
    for message in gathered(cx, payload)? {
        readers.insert(message.person.clone());
        let message = Message {
            delivery: delivery.to_owned(),
            ..message
        };
        cx.put(&mut written, message)?;
    }
    let Some(reader) = readers.into_iter().next() else {
        return Ok(());
    };
    let data = json!({"delivery": delivery});
    let event = draft("messages.delivery", ("person", reader.0), cx.now, data);
    cx.emit(vec![event], written)
}
