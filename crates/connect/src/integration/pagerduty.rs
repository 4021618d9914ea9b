//! PagerDuty, in both of its formats. First, its Events API v2: every program that can page PagerDuty can also report to
//! Assent. The routing key is the connection's secret, the deduplication key names the incident. Second, its own webhooks,
//! version 3, about its incidents, signed with the secret that it gave to the subscription.

use jiff::Timestamp;
use model::integration::signal::{self, Alert, SetAside, Signal};
use serde::Deserialize;
use serde_json::Value;

use crate::integration::alertmanager::severity;
use crate::integration::gitlab;
use crate::integration::received::{parse, time};

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

/// The key under which an event is known.
#[must_use]
pub fn dedup_key(body: &[u8]) -> Option<String> {
    parse::<Body>(body).ok()?.dedup_key.filter(|key| !key.is_empty())
}

/// An event as it is kept: with `id` as the mark of this delivery, and as its key where the sender gave none. Equal bodies are
/// different events here: each trigger without a key is a matter of its own, and one with a key may follow a resolution. A
/// webhook is kept as it came.
#[must_use]
pub fn marked(body: Vec<u8>, id: &str) -> Vec<u8> {
    if parse::<Body>(&body).is_err() {
        return body;
    }
    let Ok(Value::Object(mut event)) = parse::<Value>(&body) else {
        return body;
    };
    event.insert("assent_delivery".to_owned(), id.into());
    let has_key = event
        .get("dedup_key")
        .and_then(Value::as_str)
        .is_some_and(|key| !key.is_empty());
    let is_trigger = event.get("event_action").and_then(Value::as_str) == Some("trigger");
    if is_trigger && !has_key {
        event.insert("dedup_key".to_owned(), id.into());
    }
    Value::Object(event).to_string().into_bytes()
}

/// Whether `header` (the value of `X-PagerDuty-Signature`: `v1=` and hexadecimal digits, one or several parted by commas)
/// holds the signature of a webhook's body. The comparison takes the same time wherever the first difference lies.
#[must_use]
pub fn webhook_signature(secret: &str, body: &[u8], header: &str) -> bool {
    let mut signatures = header.split(',').filter_map(|one| one.trim().strip_prefix("v1="));
    signatures.any(|digits| gitlab::check_signature(secret, body, digits))
}

#[derive(Deserialize)]
struct Webhook {
    event: WebhookEvent,
}

#[derive(Deserialize)]
struct WebhookEvent {
    event_type: String,
    occurred_at: Option<String>,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct Incident {
    id: String,
    status: Option<String>,
    title: Option<String>,
    created_at: Option<String>,
    urgency: Option<String>,
    service: Option<Named>,
    priority: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
    summary: Option<String>,
}

/// Reads a webhook of version 3. Its priority is often given after the trigger, and its service may be moved: both are reported
/// as the open incident. Other events between its beginning and its end are noted.
fn read_webhook(it: WebhookEvent, received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let reopens = it.event_type == "incident.reopened";
    let is_over = match it.event_type.as_str() {
        "pagey.ping" => return Ok(vec![Signal::Ping]),
        "incident.triggered" | "incident.reopened" | "incident.priority_updated" | "incident.service_updated" => false,
        "incident.resolved" => true,
        other => {
            return Ok(vec![Signal::Unknown {
                event: signal::name("event_type", other)?,
                action: None,
            }]);
        }
    };
    let incident: Incident = serde_json::from_value(it.data.unwrap_or_default())
        .map_err(|error| SetAside::because(format_args!("event.data is no incident: {error}")))?;
    let is_update = it.event_type.ends_with("_updated");
    if is_update && incident.status.as_deref() == Some("resolved") {
        return Ok(vec![Signal::Unknown {
            event: it.event_type,
            action: None,
        }]);
    }
    let moment = |field: &str, text: Option<String>| text.map(|text| time(field, &text)).transpose();
    let told_at = moment("occurred_at", it.occurred_at)?.unwrap_or(received_at);
    let started_at = moment("created_at", incident.created_at)?.unwrap_or(told_at);
    let service = incident.service.and_then(|it| it.summary.or(it.id));
    let urgent = if incident.urgency.as_deref() == Some("low") {
        4
    } else {
        2
    };
    let priority = incident.priority.and_then(|it| it.summary);
    Ok(vec![Signal::Alert(Alert {
        source_key: format!("incident/{}", signal::name("event.data.id", &incident.id)?),
        is_over,
        reopens,
        // A reopening says itself that the incident had been over, whether that was heard or not.
        tells_state: !reopens,
        title: incident
            .title
            .as_deref()
            .and_then(signal::free_text)
            .unwrap_or_else(|| "Incident".to_owned()),
        services: service
            .map(|text| signal::name("event.data.service", &text))
            .transpose()?
            .into_iter()
            .collect(),
        severity: match priority.as_deref() {
            Some("P1") => 1,
            Some("P2") => 2,
            Some("P3") => 3,
            Some("P4" | "P5") => 4,
            _ => urgent,
        },
        started_at,
        later_starts: Vec::new(),
        told_at: (reopens || is_over).then_some(told_at),
        told_number: None,
        ended_at: is_over.then_some(told_at.max(started_at)),
    })])
}

/// Reads an event, or a webhook.
///
/// # Errors
/// [`SetAside`] where the action is unknown, a trigger has no payload, or an acknowledgement or a resolution no key.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    if let Ok(webhook) = parse::<Webhook>(body) {
        return read_webhook(webhook.event, received_at);
    }
    let it: Body = parse(body)?;
    let key = it
        .dedup_key
        .as_deref()
        .filter(|key| !key.is_empty())
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
                reopens: false,
                tells_state: false,
                title: signal::free_text(&payload.summary).unwrap_or_else(|| "Alert".to_owned()),
                services: vec![signal::name("component", service)?],
                severity: severity(&payload.severity),
                started_at,
                later_starts: Vec::new(),
                told_at: Some(received_at),
                told_number: None,
                ended_at: None,
            })])
        }
        "resolve" => {
            let source_key = key.ok_or_else(|| SetAside::because("the resolution has no dedup_key"))?;
            Ok(vec![Signal::Alert(Alert {
                source_key,
                is_over: true,
                reopens: false,
                tells_state: false,
                title: "Alert".to_owned(),
                services: Vec::new(),
                severity: 3,
                started_at: received_at,
                later_starts: Vec::new(),
                told_at: Some(received_at),
                told_number: None,
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
