//! Reads the response of a probe: a JSON document in which a pointer (RFC 6901) leads to an age or a time. Any other response
//! does not count, and gives a reason.

use jiff::{SignedDuration, Timestamp};
use model::core::enums::ProbeReads;
use serde_json::Value;

use crate::socket::call::Answer;

/// How far ahead of our clock a reported time may lie.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// The longest age that is believed, in seconds: ten years.
const LONGEST: f64 = 10.0 * 366.0 * 86_400.0;

/// The time that a response reports.
///
/// # Errors
/// A sentence on why it does not count.
pub fn read(answer: &Answer, pointer: &str, reads: ProbeReads, now: Timestamp) -> Result<Timestamp, String> {
    if !answer.is_taken() {
        return Err(format!("The address answered {}.", answer.status));
    }
    if !is_json(&answer.media_type) {
        let told = match answer.media_type.as_str() {
            "" => "no content type",
            other => other,
        };
        return Err(format!("The answer is {told} and not application/json."));
    }
    let document: Value =
        serde_json::from_slice(&answer.body).map_err(|_| "The answer is no JSON document.".to_owned())?;
    let Some(value) = document.pointer(pointer) else {
        return Err(format!("The answer holds nothing at `{pointer}`."));
    };
    let at = match reads {
        ProbeReads::Time => time(value, pointer)?,
        ProbeReads::AgeSeconds => age(value, pointer, 1.0, now)?,
        ProbeReads::AgeMinutes => age(value, pointer, 60.0, now)?,
        ProbeReads::AgeHours => age(value, pointer, 3_600.0, now)?,
    };
    if at.duration_since(now) > SKEW {
        return Err(format!("The answer reports {at}, which lies ahead."));
    }
    Ok(at.min(now))
}

fn is_json(media_type: &str) -> bool {
    let kind = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

fn time(value: &Value, pointer: &str) -> Result<Timestamp, String> {
    let read = value.as_str().and_then(|text| text.parse().ok());
    read.ok_or_else(|| format!("What the answer holds at `{pointer}` is no time (RFC 3339)."))
}

fn age(value: &Value, pointer: &str, unit: f64, now: Timestamp) -> Result<Timestamp, String> {
    let seconds = value.as_f64().map(|number| number * unit);
    let Some(seconds) = seconds.filter(|it| (0.0..=LONGEST).contains(it)) else {
        return Err(format!("What the answer holds at `{pointer}` is no age."));
    };
    #[expect(clippy::cast_possible_truncation, reason = "it lies within ten years")]
    let whole = seconds.ceil() as i64;
    now.checked_sub(SignedDuration::from_secs(whole))
        .map_err(|_| format!("What the answer holds at `{pointer}` is no age."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, media_type: &str, body: &str) -> Answer {
        Answer {
            status,
            retry_after_seconds: None,
            media_type: media_type.to_owned(),
            entity_tag: String::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn told(status: u16, media_type: &str, body: &str, reads: ProbeReads) -> Result<String, String> {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().map_err(|_| "no time".to_owned())?;
        read(&answer(status, media_type, body), "/last/age", reads, now).map(|at| at.to_string())
    }

    #[test]
    fn ages_and_times_are_read_and_anything_else_says_why_it_does_not_count() {
        let json = "application/json; charset=utf-8";
        let hours = told(200, json, r#"{"last": {"age": 23}}"#, ProbeReads::AgeHours);
        assert_eq!(hours.as_deref(), Ok("2026-11-19T13:00:00Z"));
        let half = told(
            200,
            "application/health+json",
            r#"{"last": {"age": 1.5}}"#,
            ProbeReads::AgeMinutes,
        );
        assert_eq!(half.as_deref(), Ok("2026-11-20T11:58:30Z"));
        let time = told(
            200,
            json,
            r#"{"last": {"age": "2026-11-20T11:00:00Z"}}"#,
            ProbeReads::Time,
        );
        assert_eq!(time.as_deref(), Ok("2026-11-20T11:00:00Z"));
        for (status, media_type, body) in [
            (503, json, r#"{"last": {"age": 1}}"#),
            (302, json, r#"{"last": {"age": 1}}"#),
            (200, "text/html", r#"{"last": {"age": 1}}"#),
            (200, "", r#"{"last": {"age": 1}}"#),
            (200, json, "<html>"),
            (200, json, r#"{"last": {}}"#),
            (200, json, r#"{"last": {"age": -1}}"#),
            (200, json, r#"{"last": {"age": "1"}}"#),
            (200, json, r#"{"last": {"age": 1e300}}"#),
            (200, json, r#"{"last": {"age": null}}"#),
        ] {
            assert!(
                told(status, media_type, body, ProbeReads::AgeHours).is_err(),
                "{status} {media_type} {body}"
            );
        }
        let ahead = told(
            200,
            json,
            r#"{"last": {"age": "2026-11-21T11:00:00Z"}}"#,
            ProbeReads::Time,
        );
        assert!(ahead.is_err(), "{ahead:?}");
    }
}
