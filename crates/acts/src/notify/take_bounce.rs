//! Letters that came back: a mail server reported that it gave up on a recipient. The address is marked for the communication,
//! and the people who can correct it get an action item. A report never becomes a comment or a draft.
//!
//! The Message-ID of a letter begins with the id of its record, which only its recipients know; and the report must be about
//! the address of the letter.

use model::change::related_records::Message;
use model::core::act::actions;
use model::integration::signal::{Bounce, BouncedRecipient};
use model::notify::communication::Communication;
use model::notify::customer_list::is_same;
use store::record::{self, Filter};
use uuid::Uuid;

use crate::core::connections::connection;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::Written;
use crate::notify::communicate::{REFUSED, TOPIC, follow_refused, request_correction};
use crate::notify::mail_address::KIND;
use crate::notify::mark_message::mark_message;

/// The most communications of a change that are listed.
const MOST_LISTED: i64 = 50;

/// Takes a report that a letter came back.
///
/// # Errors
/// The store's. A report about no letter of this tenant is no error: the result states why nothing was marked.
pub fn take_bounce(cx: &mut Context<'_, '_>, from: &str, bounce: &Bounce) -> Result<String> {
    if connection(cx, from)?.kind != KIND {
        return Ok("noted: letters come back through a connection of the kind mail".to_owned());
    }
    let id = bounce.letter.split('@').next().unwrap_or_default();
    let id = Uuid::parse_str(id).map(|id| id.to_string()).unwrap_or_default();
    if let Some(sent) = record::load::<Communication>(cx.tx, &id)? {
        return to_address(cx, sent.record, bounce);
    }
    match record::load::<Message>(cx.tx, &id)? {
        Some(message) => to_person(cx, &message.record, bounce),
        None => Ok("noted: the letter that came back is none of this tenant".to_owned()),
    }
}

/// The part of a report about an address.
fn about<'b>(bounce: &'b Bounce, address: &str) -> Option<&'b BouncedRecipient> {
    let mut rows = bounce.recipients.iter();
    rows.find(|row| row.addresses.iter().any(|it| is_same(it, address)))
}

fn other() -> String {
    "noted: the report is about another address than the letter’s".to_owned()
}

/// A letter of a communication to a mail address.
fn to_address(cx: &mut Context<'_, '_>, sent: Communication, bounce: &Bounce) -> Result<String> {
    let address = sent.mail_address.clone().unwrap_or_default();
    let Some(row) = about(bounce, &address) else {
        return Ok(other());
    };
    mark(cx, sent, &row.status)
}

/// A message to a person, of a communication or any other.
fn to_person(cx: &mut Context<'_, '_>, message: &Message, bounce: &Bounce) -> Result<String> {
    let directory = cx.directory()?;
    let person = directory.people.get(&message.person);
    let address = person.and_then(|it| it.email.clone()).unwrap_or_default();
    let Some(row) = about(bounce, &address) else {
        return Ok(other());
    };
    mark_message(cx, message.id.as_str(), REFUSED)?;
    let Some(key) = message
        .dedup
        .strip_prefix("communication/")
        .filter(|_| message.topic == TOPIC)
    else {
        return Ok(format!("the letter {} could not be delivered", message.id));
    };
    let filter = Filter::new().equals("natural_key", key).limit(1);
    let Some(sent) = record::bodies::<Communication>(cx.tx, &filter)?.pop() else {
        return Ok(format!("the letter {} could not be delivered", message.id));
    };
    let login = directory.login(&message.person);
    let item = (
        format!("person {login}"),
        format!("Correct the mail address of {login}"),
    );
    let done = mark(cx, sent, &row.status)?;
    request_correction(cx, &address, item)?;
    Ok(done)
}

/// Marks the recipient of a communication as one that its letter did not reach; once.
fn mark(cx: &mut Context<'_, '_>, sent: Communication, status: &str) -> Result<String> {
    let told = format!("{}: a letter could not be delivered ({status})", sent.change_key);
    if sent.undeliverable_at.is_some() {
        return Ok(told);
    }
    let marked = Communication {
        delivery: sent.mail_address.as_ref().map(|_| REFUSED.to_owned()),
        undeliverable_at: Some(cx.now),
        undeliverable_status: Some(status.to_owned()),
        ..sent
    };
    let mut written = Written::default();
    let marked = cx.put(&mut written, marked)?;
    cx.emit(Vec::new(), written)?;
    follow_refused(cx, &marked)?;
    Ok(told)
}

/// The communications of a change: those whose letters came back, then the latest others; at most 50 of each, the latest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_told(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<Communication>> {
    if cx.allow(actions::AUDIT).is_err() {
        cx.allow(actions::SET_FREEZE)?;
    }
    let of_change = || {
        Filter::new()
            .equals("change_key", change)
            .descending_by("id")
            .limit(MOST_LISTED)
    };
    let mut found = record::bodies::<Communication>(cx.tx, &of_change().is_set("undeliverable_at"))?;
    found.extend(record::bodies::<Communication>(
        cx.tx,
        &of_change().is_null("undeliverable_at"),
    )?);
    Ok(found)
}
