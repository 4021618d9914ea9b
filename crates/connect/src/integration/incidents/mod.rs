//! Tools in which incidents and alerts arise beside Alertmanager and PagerDuty: each becomes an [`Alert`]. The tool's key of an
//! incident names it here, so a repeated delivery opens nothing twice.

pub mod grafana;
pub mod jira;
pub mod mail;
pub mod opsgenie;
pub(crate) mod plain;
pub mod servicenow;
pub mod siem;
pub mod statuspage;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::integration::signal::{self, Alert, SetAside, Signal};
use serde_json::Value;

use crate::integration::received::time;

/// A tool's report of an incident, before the limits of signals apply.
#[derive(Debug, Default)]
struct IncidentReport {
    key: String,
    is_over: bool,
    reopens: bool,
    tells_state: bool,
    title: Option<String>,
    services: Vec<String>,
    severity: Option<i64>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    told_at: Option<Timestamp>,
    told_number: Option<i64>,
}

/// The most services of one incident.
const MOST_SERVICES: usize = 50;

impl IncidentReport {
    /// As an alert; an event without a time counts from its message, and a message without a time from when it was received.
    fn into_signal(self, received_at: Timestamp) -> Result<Signal, SetAside> {
        let came_at = self.told_at.unwrap_or(received_at);
        let started_at = self.started_at.unwrap_or(came_at);
        let services = self.services.iter().filter(|text| !text.trim().is_empty());
        let services = services
            .take(MOST_SERVICES)
            .map(|text| signal::name("service", text.trim()));
        let ended_at = self.ended_at.unwrap_or(came_at).max(started_at);
        Ok(Signal::Alert(Alert {
            source_key: signal::name("key", &self.key)?,
            is_over: self.is_over,
            reopens: self.reopens,
            tells_state: self.tells_state,
            title: self
                .title
                .as_deref()
                .and_then(signal::free_text)
                .unwrap_or_else(|| "Alert".to_owned()),
            services: services.collect::<Result<Vec<_>, _>>()?,
            severity: self.severity.unwrap_or(3).clamp(1, 4),
            started_at,
            later_starts: Vec::new(),
            told_at: self.told_at,
            told_number: self.told_number,
            ended_at: self.is_over.then_some(ended_at),
        }))
    }
}

/// A text in a document, by its path; numbers count as texts.
fn text(body: &Value, path: &str) -> Option<String> {
    match body.pointer(path)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        // ServiceNow's REST messages send a field as `{"value": …, "display_value": …}`.
        Value::Object(map) => map
            .get("display_value")
            .or_else(|| map.get("value"))
            .and_then(|it| text(it, "")),
        _ => None,
    }
}

/// The first of several paths that holds a text.
fn first(body: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| text(body, path))
}

/// A whole number in a document, also one that is written as a text.
fn number(body: &Value, path: &str) -> Option<i64> {
    text(body, path)?.parse().ok()
}

/// A time in a document: RFC 3339, `2026-11-20 10:00:00` in UTC, or seconds, milliseconds or nanoseconds since 1970.
fn moment(body: &Value, path: &str) -> Result<Option<Timestamp>, SetAside> {
    let Some(said) = text(body, path) else {
        return Ok(None);
    };
    if let Ok(number) = said.parse::<i64>() {
        // No tool reports from 1970, so a number of seconds is smaller than any of milliseconds, and so on; Opsgenie has
        // nanoseconds.
        let read = match number {
            100_000_000_000_000_000.. => Timestamp::from_microsecond(number / 1_000),
            100_000_000_000.. => Timestamp::from_millisecond(number),
            _ => Timestamp::from_second(number),
        };
        let wrong = |_| SetAside::because(format_args!("{path} is not a time: {said}"));
        return read.map(Some).map_err(wrong);
    }
    if let Ok(civil) = DateTime::strptime("%Y-%m-%d %H:%M:%S", &said) {
        let zoned = civil.to_zoned(TimeZone::UTC);
        return Ok(zoned.ok().map(|it| it.timestamp()));
    }
    // Jira writes `2026-11-20T10:00:00.000+0100`, where RFC 3339 wants a colon in the offset.
    let digits = said.len().checked_sub(2).filter(|at| said.is_char_boundary(*at));
    let offset = digits.map(|at| format!("{}:{}", &said[..at], &said[at..]));
    let lacks_colon =
        said.len() > 5 && said.is_char_boundary(said.len() - 5) && said[said.len() - 5..].starts_with(['+', '-']);
    match offset.filter(|_| lacks_colon) {
        Some(with_colon) => time(path, &with_colon).map(Some),
        None => time(path, &said).map(Some),
    }
}

/// The severity of a name or a number as tools write it: `1 - Critical`, `P2`, `Sev-3`, `high`.
fn severity(word: &str) -> Option<i64> {
    let word = word.trim().to_lowercase();
    let digit = word.trim_start_matches(|c: char| !c.is_ascii_digit()).chars().next();
    match digit.and_then(|digit| digit.to_digit(10)) {
        Some(number @ 1..=5) => return Some(i64::from(number.min(4))),
        Some(0) => return Some(1),
        _ => {}
    }
    let words = [
        (&["critical", "highest", "blocker", "emergency", "fatal", "page"][..], 1),
        (&["high", "major", "error"][..], 2),
        (&["medium", "moderate", "minor", "warning", "warn"][..], 3),
        (
            &["low", "lowest", "trivial", "info", "informational", "planning"][..],
            4,
        ),
    ];
    words
        .iter()
        .find(|(known, _)| {
            known
                .iter()
                .any(|it| word.split(|c: char| !c.is_alphanumeric()).any(|part| part == *it))
        })
        .map(|(_, severity)| *severity)
}
