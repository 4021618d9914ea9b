//! Reads changes of a coexisting system, page by page: from ServiceNow's Table API or Jira's search. Only copies of changes
//! ([`mirror`]) and their [`comments`] are written there.
//!
//! A page begins behind the last row of the page before, by edit and id, never at a count of rows: a row that is edited between two
//! pages moves to the end of the order, and a count would skip the row that takes its place.

pub mod comments;
mod jira;
mod jira_copy;
pub mod mirror;
mod servicenow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use model::core::enums::{ForeignKind, ForeignPhase, Level};
use model::integration::foreign_change::{KEPT, ReceivedChange};
use model::integration::foreign_system::ForeignSystem;
use model::integration::signal;
use serde_json::Value;

use crate::socket::call::{Answer, Call, Caller};

/// How many rows a page has.
pub const PAGE: usize = 50;
/// How many rows a page has where a larger one was too long to be read.
pub const SMALL_PAGE: usize = 5;
/// The longest wait before the next call, whatever the system requests, in seconds.
const MOST_WAIT_SECONDS: i64 = 3_600;
/// The wait before the next call to a busy system that gives no time, in seconds.
const USUAL_WAIT_SECONDS: i64 = 60;
/// The longest id or key of another system.
const MOST_KEY: usize = 64;

/// How far a reading is: the last row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Its edit, by the clock there.
    pub at: Timestamp,
    /// Its id; empty at the beginning of a round.
    pub id: String,
    /// The system's token for the next page.
    pub token: Option<String>,
}

impl Position {
    /// The beginning of a round: everything that was edited since then.
    #[must_use]
    pub fn since(at: Timestamp) -> Self {
        Self {
            at,
            id: String::new(),
            token: None,
        }
    }
}

/// A page that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rows in the order of their edits.
    pub rows: Vec<ReceivedChange>,
    /// Why rows were left out: how many, and the missing part of the first one.
    pub left_out: Option<(usize, String)>,
    /// Where the next page begins; `None` behind the last one.
    pub next: Option<Position>,
}

/// Why a page was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// The system requests a wait of so many seconds.
    Wait(i64),
    /// The response is longer than the limit; a smaller page may do.
    TooLong,
    /// The system cannot be read, for this reason.
    Failed(String),
}

/// Reads a page behind a position.
///
/// # Errors
/// Why it was not read.
pub fn read(
    caller: &Caller,
    system: &ForeignSystem,
    credential: Option<&[u8]>,
    (position, size): (&Position, usize),
) -> Result<Page, Unread> {
    let asking = SystemReader {
        caller,
        system,
        credential,
        base: system.url.trim_end_matches('/'),
    };
    let page = match system.kind {
        ForeignKind::Servicenow => servicenow::page(&asking, position, size)?,
        ForeignKind::Jira => jira::page(&asking, position, size)?,
    };
    // A system that returns the same rows again would be read for ever.
    if page.next.as_ref() == Some(position) {
        let text = "Its pages do not go on: the last one ends where the one before ended.";
        return Err(Unread::Failed(text.to_owned()));
    }
    Ok(page)
}

/// Reads the rows with these ids, as far as the system shows them and they can be read: rows that are deleted, hidden from the
/// reader or excluded by the further condition are missing.
///
/// # Errors
/// Why they were not read.
pub fn read_these(
    caller: &Caller,
    system: &ForeignSystem,
    credential: Option<&[u8]>,
    ids: &[String],
) -> Result<Vec<ReceivedChange>, Unread> {
    let asking = SystemReader {
        caller,
        system,
        credential,
        base: system.url.trim_end_matches('/'),
    };
    let ids: Vec<String> = ids.iter().filter_map(|id| key(id)).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = match system.kind {
        ForeignKind::Servicenow => servicenow::these(&asking, &ids)?,
        ForeignKind::Jira => jira::these(&asking, &ids)?,
    };
    rows.retain(|row| ids.contains(&row.natural_key));
    Ok(rows)
}

/// A copy that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its id there.
    pub natural_key: String,
    /// Its key there.
    pub key: String,
    /// When it was edited, by the clock there.
    pub edited_at: Timestamp,
    /// The part of the copy that could not be written: its status, where no transition leads there.
    pub problem: Option<String>,
}

/// The content of a copy.
#[derive(Debug, Clone, Copy)]
pub struct Copied<'a> {
    /// The key of the change.
    pub change: &'a str,
    /// The fields, by their names in ServiceNow.
    pub fields: &'a [(&'static str, String)],
    /// How far the change is, for a system that knows one status alone.
    pub phase: ForeignPhase,
}

/// A system that is being read.
struct SystemReader<'a> {
    caller: &'a Caller,
    system: &'a ForeignSystem,
    credential: Option<&'a [u8]>,
    base: &'a str,
}

impl SystemReader<'_> {
    /// Sends a request, and reads the response as JSON.
    fn ask(&self, method: &'static str, path: &str, body: Option<&Value>) -> Result<Value, Unread> {
        json_of(&self.send(method, path, body)?)
    }

    /// Sends a request whose response is often empty.
    fn tell(&self, method: &'static str, path: &str, body: Option<&Value>) -> Result<(), Unread> {
        match json_of(&self.send(method, path, body)?) {
            Ok(_) | Err(Unread::TooLong) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn send(&self, method: &'static str, path: &str, body: Option<&Value>) -> Result<Answer, Unread> {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        if let Some(bytes) = self.credential {
            headers.push(("authorization".to_owned(), authorization(bytes)));
        }
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let call = Call {
            method,
            url: format!("{}{path}", self.base),
            headers,
            body: body.map(|it| it.to_string().into_bytes()).unwrap_or_default(),
        };
        let answer = self.caller.call(&call);
        answer.map_err(|why| Unread::Failed(format!("There was no answer: {why}.")))
    }
}

/// A login with its password, or a token without a colon.
fn authorization(credential: &[u8]) -> String {
    if credential.contains(&b':') {
        return format!("Basic {}", STANDARD.encode(credential));
    }
    format!("Bearer {}", String::from_utf8_lossy(credential))
}

fn json_of(answer: &Answer) -> Result<Value, Unread> {
    if answer.is_busy() {
        let seconds = answer.retry_after_seconds.unwrap_or(USUAL_WAIT_SECONDS);
        return Err(Unread::Wait(seconds.clamp(1, MOST_WAIT_SECONDS)));
    }
    if (300..400).contains(&answer.status) {
        let text = format!("It answered {}, and redirects are not followed.", answer.status);
        return Err(Unread::Failed(text));
    }
    if !answer.is_taken() {
        return Err(Unread::Failed(format!("It answered {}.", answer.status)));
    }
    // A response over the limit is not read at all.
    if answer.body.is_empty() {
        return Err(Unread::TooLong);
    }
    serde_json::from_slice(&answer.body).map_err(|_| Unread::Failed("Its answer is no JSON.".to_owned()))
}

/// A text as it is kept: one line, cut; `None` for nothing.
fn kept(text: &str) -> Option<String> {
    let line: String = signal::SetAside::because(text.trim())
        .reason
        .chars()
        .take(KEPT)
        .collect();
    (!line.is_empty()).then_some(line)
}

/// An id or key of another system, where it looks like one.
fn key(text: &str) -> Option<String> {
    let is_key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (!text.is_empty() && text.len() <= MOST_KEY && text.bytes().all(is_key)).then(|| text.to_owned())
}

/// The possible harm of a change, by the values of both systems; medium where nothing is known.
fn impact(text: &str) -> Level {
    let text = text.to_lowercase();
    let first = text.split([' ', '/', '-']).next().unwrap_or_default();
    match first {
        "1" | "high" | "extensive" | "significant" | "widespread" => Level::High,
        "3" | "4" | "low" | "minor" | "localized" => Level::Low,
        _ => Level::Medium,
    }
}

/// Collects rows; unreadable ones are counted with the missing part of the first one.
fn gathered(
    rows: impl Iterator<Item = Result<ReceivedChange, String>>,
) -> (Vec<ReceivedChange>, Option<(usize, String)>) {
    let (mut read, mut left_out): (Vec<ReceivedChange>, Option<(usize, String)>) = (Vec::new(), None);
    for row in rows {
        match row {
            Ok(told) => read.push(told),
            Err(why) => {
                left_out = Some(match left_out {
                    Some((count, first)) => (count + 1, first),
                    None => (1, why),
                });
            }
        }
    }
    (read, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after_seconds: None,
            media_type: String::new(),
            entity_tag: String::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn an_answer_is_read_waited_for_or_says_why_it_is_none() {
        assert_eq!(json_of(&answer(200, "{}")), Ok(serde_json::json!({})));
        let busy = Answer {
            retry_after_seconds: Some(900_000),
            ..answer(429, "")
        };
        assert_eq!(json_of(&busy), Err(Unread::Wait(MOST_WAIT_SECONDS)));
        assert_eq!(json_of(&answer(503, "")), Err(Unread::Wait(USUAL_WAIT_SECONDS)));
        assert_eq!(json_of(&answer(200, "")), Err(Unread::TooLong));
        for status in [302, 401, 404] {
            assert!(
                matches!(json_of(&answer(status, "{}")), Err(Unread::Failed(_))),
                "{status}"
            );
        }
    }

    #[test]
    fn a_credential_is_a_login_with_a_password_or_a_token() {
        assert_eq!(authorization(b"ada:secret"), "Basic YWRhOnNlY3JldA==");
        assert_eq!(authorization(b"abc"), "Bearer abc");
    }

    #[test]
    fn an_impact_that_nobody_told_is_medium() {
        assert_eq!(impact("1 - High"), Level::High);
        assert_eq!(impact("Minor / Localized"), Level::Low);
        assert_eq!(impact(""), Level::Medium);
    }

    #[test]
    fn keys_are_technical_and_texts_are_one_line() {
        assert_eq!(key("CHG0030001").as_deref(), Some("CHG0030001"));
        for bad in ["", "a b", "a^NQb", "<b>"] {
            assert_eq!(key(bad), None, "{bad}");
        }
        assert_eq!(kept(" two\nlines ").map(|it| it.lines().count()), Some(1));
        assert_eq!(kept(" "), None);
    }
}
