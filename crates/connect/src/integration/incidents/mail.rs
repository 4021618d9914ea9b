//! Incidents by mail: a raw message of RFC 5322 opens one. The first message of a thread names the incident; a reply whose
//! subject begins with `RESOLVED` ends it. Lines such as `Severity: 1` and `Service: booking-api` in the text give the rest.

use jiff::Timestamp;
use mail_parser::{Message, MessageParser};
use model::integration::signal::{SetAside, Signal};

use super::{IncidentReport, severity};
use crate::notify::bounce;
use crate::notify::mail_reply::without_envelope;
use crate::notify::mail_text::text_of;

/// How many lines of a message are read.
const MOST_LINES: usize = 200;
/// The words in a subject that mark the end.
const OVER: [&str; 3] = ["resolved", "recovered", "closed"];

/// Reads a message. Unlike a reply to a letter it may be a program's own: monitoring sends mail by itself.
///
/// # Errors
/// [`SetAside`] where it is no mail, or has no Message-ID.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let message = MessageParser::default()
        .parse(without_envelope(body))
        .ok_or_else(|| SetAside::because("the body is no message of RFC 5322"))?;
    if bounce::read(&message).is_some() {
        return Ok(vec![Signal::Unknown {
            event: "a delivery status notification".to_owned(),
            action: None,
        }]);
    }
    let own = message.message_id().unwrap_or_default();
    let key = thread(&message).unwrap_or_else(|| own.to_owned());
    if key.is_empty() {
        return Err(SetAside::because(
            "the message has no Message-ID, so it names no incident",
        ));
    }
    let subject = message.subject().unwrap_or_default();
    let (title, is_over) = read_subject(subject);
    let text = text_of(&message, false);
    let said = |name: &str| {
        let mut lines = text.lines().take(MOST_LINES);
        lines.find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let services = said("service").or_else(|| said("services")).unwrap_or_default();
    let told = IncidentReport {
        key,
        is_over,
        title: Some(title),
        services: services
            .split([',', ' '])
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect(),
        severity: said("severity").as_deref().and_then(severity),
        started_at: Some(received_at),
        told_at: Some(received_at),
        ended_at: is_over.then_some(received_at),
        ..IncidentReport::default()
    };
    Ok(vec![told.into_signal(received_at)?])
}

/// The first message of the thread: the first reference (RFC 5322, section 3.6.4).
fn thread(message: &Message<'_>) -> Option<String> {
    let headers = ["References", "In-Reply-To"];
    headers.iter().find_map(|name| {
        let raw = message.header_raw(*name)?;
        let id = raw.split_whitespace().next()?;
        let id = id.trim_start_matches('<').trim_end_matches('>');
        (!id.is_empty()).then(|| id.to_owned())
    })
}

/// A subject without the prefixes of programs, and whether it marks the incident as over.
fn read_subject(subject: &str) -> (String, bool) {
    let mut rest = subject.trim();
    let mut is_over = false;
    loop {
        let lower = rest.to_lowercase();
        let prefix = ["re:", "aw:", "fwd:", "fw:"]
            .into_iter()
            .find(|it| lower.starts_with(it));
        if let Some(prefix) = prefix {
            rest = rest[prefix.len()..].trim_start();
            continue;
        }
        let bare = lower.trim_start_matches('[');
        let word = OVER.into_iter().find(|it| bare.starts_with(it)).filter(|_| !is_over);
        let Some(word) = word else { break };
        let begin = lower.len() - bare.len() + word.len();
        if rest.is_char_boundary(begin) {
            rest = rest[begin..].trim_start_matches([']', ':', ' ', '-']);
        }
        is_over = true;
    }
    (rest.to_owned(), is_over)
}
