//! `GetCalendarState` of AWS Systems Manager, as its clients call it (JSON 1.1 over HTTP): whether calendars are open at an
//! instant, and when that changes next. A calendar is named `SERVICE`, `SERVICE/ENVIRONMENT` or `*` for everything, also at the
//! end of an ARN.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// The operation in `X-Amz-Target`.
pub const TARGET: &str = "AmazonSSM.GetCalendarState";
/// The media type of requests and responses.
pub const MEDIA_TYPE: &str = "application/x-amz-json-1.1";
/// The most calendars of one question.
const MOST_NAMES: usize = 50;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The requested calendars.
    pub calendars: Vec<Name>,
    /// The instant; now by default.
    pub at: Option<Timestamp>,
}

/// The subject of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The service; none means all.
    pub service: Option<String>,
    /// The environment; none means all.
    pub environment: Option<String>,
}

/// An error in the form of AWS: its type and a sentence.
pub type Wrong = (&'static str, String);

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "CalendarNames")]
    calendar_names: Vec<String>,
    #[serde(rename = "AtTime")]
    at_time: Option<String>,
}

/// Reads a question.
///
/// # Errors
/// The error, by its AWS name.
pub fn read(target: Option<&str>, body: &[u8]) -> Result<Question, Wrong> {
    if target != Some(TARGET) {
        let text = format!("Only {TARGET} is answered here.");
        return Err(("UnknownOperationException", text));
    }
    let body: Body = serde_json::from_slice(body).map_err(|_| {
        let text = "The body is JSON with CalendarNames, a list of texts, and maybe AtTime, a text.";
        ("ValidationException", text.to_owned())
    })?;
    if body.calendar_names.is_empty() || body.calendar_names.len() > MOST_NAMES {
        let text = format!("CalendarNames has 1 to {MOST_NAMES} names.");
        return Err(("ValidationException", text));
    }
    let at = body.at_time.map(|text| {
        let wrong = || {
            (
                "ValidationException",
                "AtTime is a time such as 2026-12-24T18:00:00Z.".to_owned(),
            )
        };
        text.parse().map_err(|_| wrong())
    });
    Ok(Question {
        calendars: body.calendar_names.iter().map(|name| name_of(name)).collect(),
        at: at.transpose()?,
    })
}

/// The meaning of a name: the part after the last colon and `document/` of an ARN, then a service and an environment.
fn name_of(text: &str) -> Name {
    let text = match text.starts_with("arn:") {
        true => text.rsplit(':').next().unwrap_or_default(),
        false => text,
    };
    let text = text.strip_prefix("document/").unwrap_or(text);
    let (service, environment) = match text.split_once('/') {
        Some((service, environment)) => (service, Some(environment)),
        None => (text, None),
    };
    let said = |text: &str| Some(text.to_owned()).filter(|text| text != "*");
    Name {
        service: said(service),
        environment: environment.and_then(said),
    }
}

/// The response from the times in which one of the calendars is closed; none of them need be in order.
#[must_use]
pub fn state_response(closed: &[(Timestamp, Timestamp)], at: Timestamp) -> Value {
    let is_closed = |at: Timestamp| closed.iter().any(|(from, until)| *from <= at && at < *until);
    let now = is_closed(at);
    let mut turns: Vec<Timestamp> = closed.iter().flat_map(|(from, until)| [*from, *until]).collect();
    turns.retain(|turn| *turn > at);
    turns.sort();
    let next = turns.into_iter().find(|turn| is_closed(*turn) != now);
    let state = if now { "CLOSED" } else { "OPEN" };
    let mut value = json!({"State": state, "AtTime": second(at)});
    if let Some(next) = next {
        value["NextTransitionTime"] = json!(second(next));
    }
    value
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An error in the form of AWS.
#[must_use]
pub fn wrong((kind, text): &Wrong) -> Value {
    json!({"__type": kind, "message": text})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_calendar_is_named_by_service_and_environment_also_in_an_arn() {
        let body = br#"{"CalendarNames": ["pay", "pay/production", "*", "arn:aws:ssm:eu-north-1:1:document/web/*"], "AtTime": "2026-12-24T00:00:00Z"}"#;
        let question = read(Some(TARGET), body).unwrap();
        let told: Vec<(Option<&str>, Option<&str>)> = question
            .calendars
            .iter()
            .map(|it| (it.service.as_deref(), it.environment.as_deref()))
            .collect();
        let wanted = [
            (Some("pay"), None),
            (Some("pay"), Some("production")),
            (None, None),
            (Some("web"), None),
        ];
        assert_eq!(told, wanted);
        assert_eq!(question.at, Some(at("2026-12-24T00:00:00Z")));
        for (target, body, kind) in [
            (Some("AmazonSSM.GetParameter"), &b"{}"[..], "UnknownOperationException"),
            (None, b"{}", "UnknownOperationException"),
            (Some(TARGET), b"{}", "ValidationException"),
            (Some(TARGET), br#"{"CalendarNames": []}"#, "ValidationException"),
            (
                Some(TARGET),
                br#"{"CalendarNames": ["a"], "AtTime": "soon"}"#,
                "ValidationException",
            ),
        ] {
            assert_eq!(read(target, body).unwrap_err().0, kind);
        }
    }

    #[test]
    fn the_next_transition_is_where_the_answer_changes() {
        let (one, two) = (at("2026-12-24T00:00:00Z"), at("2026-12-25T00:00:00Z"));
        let (three, four) = (at("2026-12-26T00:00:00Z"), at("2026-12-30T00:00:00Z"));
        // Two that overlap change nothing where the first one ends.
        let closed = [(two, four), (one, three)];
        let told = state_response(&closed, at("2026-12-20T00:00:00Z"));
        assert_eq!(
            (&told["State"], &told["NextTransitionTime"]),
            (&json!("OPEN"), &json!("2026-12-24T00:00:00Z"))
        );
        let told = state_response(&closed, one);
        assert_eq!(
            (&told["State"], &told["NextTransitionTime"]),
            (&json!("CLOSED"), &json!("2026-12-30T00:00:00Z"))
        );
        let told = state_response(&closed, four);
        assert_eq!((&told["State"], told.get("NextTransitionTime")), (&json!("OPEN"), None));
    }
}
