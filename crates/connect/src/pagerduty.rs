//! PagerDuty's Events API v2, as its senders speak it: whatever can page PagerDuty can tell us. The routing key is the
//! connection's secret, the deduplication key names the incident.

use jiff::Timestamp;
use model::signal::{self, Alert, SetAside, Signal};
use serde::Deserialize;

use crate::alertmanager::severity;
use crate::door::{parse, time};

#[derive(Deserialize)]
struct Key {
    routing_key: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    event_action: String,
    dedup_key: Option<String>,
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    summary: String,
    source: String,
    severity: String,
    timestamp: Option<String>,
    component: Option<String>,
}

/// The routing key of a body, to be held against the secret.
#[must_use]
pub fn routing_key(body: &[u8]) -> Option<String> {
    parse::<Key>(body).ok()?.routing_key
}

/// The key under which a trigger is known: the sender's own, else one made from the body.
#[must_use]
pub fn dedup_key(body: &[u8]) -> Option<String> {
    parse::<Body>(body).ok()?.dedup_key
}

/// Reads an event.
///
/// # Errors
/// [`SetAside`] where the action is unknown, a trigger has no payload, or an acknowledgement or a resolution no key.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Body = parse(body)?;
    let key = it
        .dedup_key
        .as_deref()
        .map(|key| signal::name("dedup_key", key))
        .transpose()?;
    match it.event_action.as_str() {
        "trigger" => {
            let payload = it
                .payload
                .ok_or_else(|| SetAside::because("the trigger has no payload"))?;
            let started_at = payload
                .timestamp
                .as_deref()
                .map(|text| time("timestamp", text))
                .transpose()?;
            let started_at = started_at.unwrap_or(received_at);
            let service = payload.component.as_deref().unwrap_or(&payload.source);
            Ok(vec![Signal::Alert(Alert {
                source_key: key.unwrap_or_else(|| format!("{}@{started_at}", payload.source)),
                is_over: false,
                title: signal::free_text(&payload.summary).unwrap_or_else(|| "Alert".to_owned()),
                service: Some(signal::name("component", service)?),
                severity: severity(&payload.severity),
                started_at,
                ended_at: None,
            })])
        }
        "resolve" => {
            let source_key = key.ok_or_else(|| SetAside::because("the resolution has no dedup_key"))?;
            Ok(vec![Signal::Alert(Alert {
                source_key,
                is_over: true,
                title: "Alert".to_owned(),
                service: None,
                severity: 3,
                started_at: received_at,
                ended_at: Some(received_at),
            })])
        }
        "acknowledge" => Ok(vec![Signal::Unknown {
            event: "acknowledge".to_owned(),
            action: key,
        }]),
        other => Err(SetAside::because(format_args!("event_action {other} is unknown"))),
    }
}
