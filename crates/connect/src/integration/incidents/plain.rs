//! Our own plain JSON of an incident, for tools without any of the other formats:
//!
//! ```json
//! {"id": "4711", "incident": "open", "title": "Labels come out blank", "severity": 2, "services": ["label-print"],
//!  "started_at": "2026-11-20T09:40:00Z", "ended_at": null, "at": "2026-11-20T09:55:00Z"}
//! ```
//! `id` names the incident, `incident` is `open` or `resolved`, and `at` is the time of the report: reports in any order give the
//! same incident.

use jiff::Timestamp;
use model::integration::signal::{SetAside, Signal};
use serde::Deserialize;

use super::IncidentReport;
use crate::integration::received::{parse, time};

#[derive(Deserialize)]
struct Body {
    id: String,
    incident: String,
    title: Option<String>,
    #[serde(default)]
    services: Vec<String>,
    severity: Option<i64>,
    started_at: Option<String>,
    ended_at: Option<String>,
    at: Option<String>,
}

#[derive(Deserialize)]
struct Kind {
    incident: Option<String>,
}

/// Whether a body is about an incident.
pub(crate) fn is_incident(body: &[u8]) -> bool {
    parse::<Kind>(body).is_ok_and(|it| it.incident.is_some())
}

/// Reads a report of an incident.
///
/// # Errors
/// [`SetAside`] where a field is missing, or no state or time.
pub(crate) fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Body = parse(body)?;
    let is_over = match it.incident.as_str() {
        "open" => false,
        "resolved" => true,
        _ => return Err(SetAside::because("incident is none of open, resolved")),
    };
    let moment = |field: &str, text: Option<String>| text.map(|text| time(field, &text)).transpose();
    let told = IncidentReport {
        key: format!("incident/{}", it.id),
        is_over,
        reopens: !is_over,
        tells_state: true,
        title: it.title,
        services: it.services,
        severity: it.severity,
        started_at: moment("started_at", it.started_at)?,
        ended_at: moment("ended_at", it.ended_at)?,
        told_at: Some(moment("at", it.at)?.unwrap_or(received_at)),
        told_number: None,
    };
    Ok(vec![told.into_signal(received_at)?])
}
