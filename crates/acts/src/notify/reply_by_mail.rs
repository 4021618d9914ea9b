//! Replies by mail: a letter about a change has a signed reply address, and a reply to it becomes a comment of the letter's
//! recipient. A reply never decides anything: it goes the way of every comment, with the rights of its writer, and no other act
//! is reached from here.
//!
//! The address holds the message's id and a tag over tenant, message, change and person under the connection's secret, so
//! that none can be guessed and none works for anybody else.

use model::change::related_records::Message;
use model::core::refusal::Refusal;
use model::integration::signal::MailReply;
use serde_json::json;
use store::record;
use uuid::Uuid;

use crate::change::verbs;
use crate::core::connections::{connection, connection_secret};
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::notify::draft_by_mail;
use crate::notify::mail_address::{KIND, id_and_tag, letters, replies, tag_of, writer_of};
use crate::schedule::notice_by_mail;

/// The reply address of a letter; `None` when replies are not taken, or the letter is about no change.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn reply_address(cx: &mut Context<'_, '_>, message: &Message) -> Result<Option<String>> {
    if message.change.is_none() {
        return Ok(None);
    }
    let Some(found) = replies(cx)? else { return Ok(None) };
    let Some((local, domain)) = found.reply_to.as_deref().and_then(|it| it.split_once('@')) else {
        return Ok(None);
    };
    let Ok(id) = Uuid::parse_str(message.id.as_str()) else {
        return Ok(None);
    };
    let secret = connection_secret(cx, found.id.as_str())?;
    let tag = tag(&cx.tenant(), &secret, message);
    Ok(Some(format!("{local}+{}{tag}@{domain}", letters(id.as_bytes()))))
}

fn tag(tenant: &str, secret: &[u8], message: &Message) -> String {
    let change = message.change.as_ref().map_or("", |id| id.as_str());
    let said = [
        "assent reply v1",
        tenant,
        message.id.as_str(),
        change,
        message.person.as_str(),
    ];
    tag_of(secret, &said)
}

/// The message that an address was made for.
fn message_of(cx: &mut Context<'_, '_>, secret: &[u8], token: &str) -> Result<Option<Message>> {
    let Some((id, told)) = id_and_tag(token) else {
        return Ok(None);
    };
    let Some(stored) = record::load::<Message>(cx.tx, &id)? else {
        return Ok(None);
    };
    let expected = tag(&cx.tenant(), secret, &stored.record);
    let is_ours = proof::crypto::is_same_secret(expected.as_bytes(), told.as_bytes());
    Ok(is_ours.then_some(stored.record))
}

/// Takes a reply: its text becomes a comment of the person for whom the address was made, if the mail is from that person. That
/// person is notified of a reply that could not be used; the sender to an invented address gets no response.
///
/// # Errors
/// The store's. A reply of no known person is no error: the result states why the reply was left.
pub fn take_reply(cx: &mut Context<'_, '_>, from: &str, reply: &MailReply) -> Result<String> {
    let found = connection(cx, from)?;
    if found.kind != KIND {
        return Ok("noted: replies come through a connection of the kind mail".to_owned());
    }
    let secret = connection_secret(cx, from)?;
    if let Some(writer) = draft_by_mail::addressee(cx, &secret, &reply.tokens)? {
        return draft_by_mail::take_letter(cx, &writer, reply);
    }
    if let Some(vendor) = notice_by_mail::addressee(cx, &secret, &reply.tokens)? {
        return notice_by_mail::take_letter(cx, &vendor, reply);
    }
    let mut message = None;
    for token in &reply.tokens {
        message = message_of(cx, &secret, token)?;
        if message.is_some() {
            break;
        }
    }
    let Some(message) = message else {
        return Ok("refused: it was sent to no address that was given out here".to_owned());
    };
    let directory = cx.directory()?;
    let writer = directory.people.get(&message.person).filter(|it| it.active);
    let Some(writer) = writer else {
        return Ok("refused: whom the address was given to may not act any more".to_owned());
    };
    let is_theirs = writer
        .email
        .as_deref()
        .is_some_and(|known| known.eq_ignore_ascii_case(&reply.from));
    let taken = match (is_theirs, reply.text.is_empty(), &message.change_key) {
        (false, ..) => Err("it was not sent by the person whom the address belongs to".to_owned()),
        (_, true, _) => Err("it contains no new text".to_owned()),
        (_, _, None) => Err("the letter was about no change".to_owned()),
        (_, _, Some(key)) => comment(cx, &message, key, &reply.text)?,
    };
    match taken {
        Ok(done) => Ok(done),
        Err(why) => {
            answer(cx, &message, reply, &why)?;
            Ok(format!("refused: {why}"))
        }
    }
}

/// Notifies the recipient of a letter that a reply was not taken, and why; once for each reply.
fn answer(cx: &mut Context<'_, '_>, message: &Message, reply: &MailReply, why: &str) -> Result<()> {
    let key = message.change_key.as_deref().unwrap_or_default();
    let url = format!("{}/t/{}/changes/{key}", cx.services.tools().public_url, cx.tenant());
    let text = format!(
        "An answer by mail from {} to “{}” was not taken: {why}. Nothing was added to the change. Answer from the address that \
         Assent knows, with your words above what is quoted, or write the comment here:\n{url}\n",
        reply.from, message.subject
    );
    let once = proof::crypto::digest_text(reply.message_id.as_bytes());
    let dedup = format!("reply_refused/{}/{once}", message.id);
    let mut written = Written::default();
    let letter = (
        "mail",
        "Your answer by mail was not taken",
        text.as_str(),
        dedup.as_str(),
    );
    // A letter about no change has no reply address, so that no two programs write to each other.
    save_message(cx, &mut written, &message.person, None, letter)?;
    if written.is_empty() {
        return Ok(());
    }
    let event = draft("reply.refused", ("message", message.id.0.clone()), cx.now, json!({}));
    cx.emit(vec![event], written)
}

/// Writes the comment; the inner error is the rule that refuses it.
fn comment(
    cx: &mut Context<'_, '_>,
    message: &Message,
    key: &str,
    text: &str,
) -> Result<std::result::Result<String, String>> {
    let writer = writer_of(&message.person);
    let before = std::mem::replace(&mut cx.actor, writer);
    let body = json!({"text": text}).as_object().cloned().unwrap_or_default();
    let done = verbs::comment_change(cx, key, &body);
    cx.actor = before;
    match done {
        Ok(id) => Ok(Ok(format!("comment {id} on {key}"))),
        Err(Error::Refused(refusal)) => Ok(Err(refusal_text(&refusal))),
        Err(fault) => Err(fault),
    }
}

fn refusal_text(refusal: &Refusal) -> String {
    refusal.to_string()
}
