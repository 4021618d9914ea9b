//! Warns that a token ends, so that no pipeline stops without notice: the owner and the person of the token are notified 60,
//! 30, 14, 7 and 1 days before. After missed days one notice is sent, with the days that are left.

use jiff::{SignedDuration, Timestamp};
use model::change::related_records::Message;
use model::core::enums::Role;
use model::core::ids::PersonId;
use model::directory::snapshot::Token;
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};

/// How many days before its end a token's people are notified.
const DAYS: [i64; 5] = [60, 30, 14, 7, 1];

/// A token made for thirty days gets no notice on its first day that it ends in thirty.
const SLACK: SignedDuration = SignedDuration::from_hours(1);

/// The tokens with a notice due now. It writes nothing.
///
/// # Errors
/// The store's.
pub fn find_ending(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let ahead = Filter::new()
        .equals("revoked", false)
        .more("expires_at", cx.now)
        .at_most("expires_at", cx.now + SignedDuration::from_hours(24 * DAYS[0]));
    let mut found = Vec::new();
    for token in record::bodies::<Token>(cx.tx, &ahead)? {
        if let Some(step) = step(&token, cx.now)
            && !is_notified(cx, &token, step, &token.owner)?
        {
            found.push(token.id.0);
        }
    }
    Ok(found)
}

/// Notifies a token's people that it ends, once for each of the days; not when the token was revoked or given another end
/// meanwhile.
///
/// # Errors
/// The store's.
pub fn notify_end(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(token) = record::load::<Token>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    let Some(step) = step(&token, cx.now).filter(|_| !token.revoked) else {
        return Ok(());
    };
    if is_notified(cx, &token, step, &token.owner)? {
        return Ok(());
    }
    let left = days_left(&token, cx.now).unwrap_or_default();
    let mut written = Written::default();
    for person in readers(cx, &token)? {
        let (subject, text) = letter_text(cx, &token, left, &person)?;
        let dedup = dedup(&token, step, &person);
        save_message(cx, &mut written, &person, None, ("token_ends", &subject, &text, &dedup))?;
    }
    let event = draft("token.ending", ("token", token.id.0), cx.now, json!({"days": left}));
    cx.emit(vec![event], written)
}

/// How many days a token has left, the last one counting as one; nothing where it has no end or had it.
fn days_left(token: &Token, now: Timestamp) -> Option<i64> {
    let left = token.expires_at?.duration_since(now);
    (left > SignedDuration::ZERO).then(|| (left.as_secs() + 86_399) / 86_400)
}

/// The last of the days that has come. A token made for a week needs no notice of sixty days.
fn step(token: &Token, now: Timestamp) -> Option<i64> {
    let (end, left) = (token.expires_at?, days_left(token, now)?);
    let lies_in_its_life = |days: &i64| end - SignedDuration::from_hours(24 * days) > token.created_at + SLACK;
    DAYS.into_iter()
        .filter(lies_in_its_life)
        .filter(|days| left <= *days)
        .min()
}

/// The token's owner and its person, when that person reads letters. The administrators when neither does.
fn readers(cx: &mut Context<'_, '_>, token: &Token) -> Result<Vec<PersonId>> {
    let directory = cx.directory()?;
    let reads = |person: &PersonId| {
        let found = directory.people.get(person);
        found.is_some_and(|person| person.active && !person.roles.contains(&Role::Pipeline))
    };
    let mut readers = vec![token.owner.clone()];
    if reads(&token.person) && token.person != token.owner {
        readers.push(token.person.clone());
    }
    if !readers.iter().any(reads) {
        let administrators = directory.with_role(Role::Admin).into_iter();
        readers.extend(administrators.filter(|person| reads(person)));
    }
    Ok(readers)
}

fn letter_text(cx: &mut Context<'_, '_>, token: &Token, left: i64, reader: &PersonId) -> Result<(String, String)> {
    let days = match left {
        1 => "within a day".to_owned(),
        many => format!("in {many} days"),
    };
    let whose = match reader == &token.person {
        true => "It acts for you.".to_owned(),
        false => format!("It acts for {}.", cx.directory()?.name(&token.person)),
    };
    let subject = format!("A token expires {days}: {}", token.name);
    let end = token.expires_at.map(|at| at.to_string()).unwrap_or_default();
    let text = format!(
        "The token {} ({}…) ends at {end}. {whose} Requests with this token are then refused: create another token and install \
         it first. A token that is no longer needed may expire.\n",
        token.name, token.prefix
    );
    Ok((subject, text))
}

fn dedup(token: &Token, step: i64, reader: &PersonId) -> String {
    format!("token_ends/{}/{step}/{reader}", token.id)
}

fn is_notified(cx: &mut Context<'_, '_>, token: &Token, step: i64, reader: &PersonId) -> Result<bool> {
    let filter = Filter::new().equals("dedup", dedup(token, step, reader));
    Ok(record::count::<Message>(cx.tx, &filter)? > 0)
}
