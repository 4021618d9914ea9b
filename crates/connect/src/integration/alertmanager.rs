//! Prometheus Alertmanager's webhook, version 4 of its payload. An alert's natural key is its fingerprint with the time at
//! which it began: the same labels firing again later is another occurrence.

use model::integration::signal::{self, Alert, SetAside, Signal};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::integration::cloudevents::keep_the_rest;
use crate::integration::received::{parse, time};

/// The most alerts of one delivery.
const MOST: usize = 1_000;

#[derive(Deserialize)]
struct Body {
    version: String,
    alerts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    status: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: String,
    ends_at: Option<String>,
    fingerprint: String,
}

/// Reads all alerts of a delivery.
///
/// # Errors
/// [`SetAside`] where it is another version, or none of its alerts can be read.
pub fn read(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let it: Body = parse(body)?;
    if it.version != "4" {
        return Err(SetAside::because(format_args!(
            "version {} of the payload is unknown",
            it.version
        )));
    }
    if it.alerts.len() > MOST {
        return Err(SetAside::because("the delivery holds too many alerts"));
    }
    keep_the_rest("alertmanager", it.alerts.into_iter().map(read_one))
}

/// One alert that cannot be read must not hide the others of its group.
fn read_one(alert: Value) -> Result<Vec<Signal>, SetAside> {
    let part: Part = serde_json::from_value(alert)
        .map_err(|error| SetAside::because(format_args!("an alert cannot be read: {error}")))?;
    Ok(vec![one(&part)?])
}

fn one(part: &Part) -> Result<Signal, SetAside> {
    let started_at = time("startsAt", &part.starts_at)?;
    let is_over = part.status == "resolved";
    let ended_at = part.ends_at.as_deref().map(|text| time("endsAt", text)).transpose()?;
    let label = |name: &str| part.labels.get(name).filter(|text| !text.is_empty());
    let title = ["summary", "description"]
        .into_iter()
        .find_map(|name| part.annotations.get(name))
        .or_else(|| label("alertname"));
    let service = label("service").or_else(|| label("job"));
    Ok(Signal::Alert(Alert {
        source_key: format!("{}@{started_at}", signal::name("fingerprint", &part.fingerprint)?),
        is_over,
        title: title
            .and_then(|text| signal::free_text(text))
            .unwrap_or_else(|| "Alert".to_owned()),
        service: service.map(|text| signal::name("service", text)).transpose()?,
        severity: severity(label("severity").map_or("", String::as_str)),
        started_at,
        ended_at: ended_at.filter(|end| is_over && *end >= started_at),
    }))
}

/// The words that rules use by custom.
pub(crate) fn severity(word: &str) -> i64 {
    match word.to_lowercase().as_str() {
        "critical" | "page" | "emergency" => 1,
        "error" | "high" => 2,
        "info" | "none" | "low" => 4,
        _ => 3,
    }
}
