//! Finds the records that lists and pages show beside changes: comments, entries, gate checks, messages, tokens,
//! deliveries.

use model::change::related_records::{Comment, Entry, GateCheck, Message};
use model::core::act::actions;
use model::directory::snapshot::Token;
use store::integration::inbox::{self, Delivery};
use store::record::{self, Filter, Record};

use crate::core::context::Context;
use crate::core::error::{Error, Result};

fn all<R: Record>(cx: &mut Context<'_, '_>, filter: &Filter) -> Result<Vec<R>> {
    Ok(record::find::<R>(cx.tx, filter)?
        .into_iter()
        .map(|stored| stored.record)
        .collect())
}

/// The comments of a change by its id, oldest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_comments(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<Comment>> {
    cx.allow(actions::READ)?;
    all(cx, &Filter::new().equals("change_id", change).order_by("id"))
}

/// The log of actions of a change by its id, oldest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_entries(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<Entry>> {
    cx.allow(actions::READ)?;
    all(cx, &Filter::new().equals("change_id", change).order_by("occurred_at"))
}

/// Gate checks that were recorded before the one with this id, newest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_gate_checks(cx: &mut Context<'_, '_>, before: Option<&str>, limit: i64) -> Result<Vec<GateCheck>> {
    cx.allow(actions::READ)?;
    // Ids grow with time, and the table's key is the one order in which a million checks are not sorted first.
    let filter = Filter::new().descending_by("id").limit(limit);
    let filter = match before {
        Some(before) => filter.less("id", before),
        None => filter,
    };
    all(cx, &filter)
}

/// Messages to the acting person, newest first; without those about a change that they no longer see.
///
/// # Errors
/// The store's.
pub fn find_messages(cx: &mut Context<'_, '_>, limit: i64) -> Result<Vec<Message>> {
    let person = cx.actor.person.clone();
    let filter = Filter::new().equals("person", person.as_str());
    let mut found: Vec<Message> = all(cx, &filter.descending_by("id").limit(limit))?;
    if cx.scope()?.is_some() {
        let mut seen = Vec::with_capacity(found.len());
        for message in found {
            let is_seen = match &message.change_key {
                Some(key) => cx.sees_key(key)?,
                None => true,
            };
            seen.extend(is_seen.then_some(message));
        }
        found = seen;
    }
    Ok(found)
}

/// The tenant's tokens, by administrators; the acting person's own otherwise.
///
/// # Errors
/// The store's.
pub fn find_tokens(cx: &mut Context<'_, '_>) -> Result<Vec<Token>> {
    let filter = Filter::new().order_by("id");
    let filter = match cx.allow(actions::SET_TOKEN) {
        Ok(()) => filter,
        Err(Error::Refused(_)) => filter.equals("person", cx.actor.person.as_str()),
        Err(fault) => return Err(fault),
    };
    all(cx, &filter)
}

/// The newest deliveries of outside systems.
///
/// # Errors
/// 403, or the store's.
pub fn find_deliveries(cx: &mut Context<'_, '_>, limit: i64) -> Result<Vec<Delivery>> {
    cx.allow(actions::AUDIT)?;
    let mut found = Vec::new();
    for state in ["waiting", "done", "parked"] {
        found.extend(inbox::list(cx.tx, state, limit)?);
    }
    found.sort_by_key(|row| std::cmp::Reverse(row.received_at));
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(found)
}
