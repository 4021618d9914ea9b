//! Prometheus Alertmanager's webhook, version 4 of its payload. A delivery is about one group, and a group is one incident from
//! its first alert until none of its alerts fires any more; the group's key names it. Alerts with the severity `none`, such as
//! a watchdog's, open none.

use jiff::Timestamp;
use model::integration::signal::{self, Alert, SetAside, Signal};
use ring::digest;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::integration::received::{parse, time};

/// The most alerts of one delivery.
const MOST: usize = 10_000;
/// The longest group key that is kept as it is, in bytes; of a longer one a digest takes the end's place.
const KEY_MAX_BYTES: usize = 200;
/// The most beginnings of a group that are kept beside the first.
const MOST_STARTS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    version: String,
    #[serde(default)]
    group_key: String,
    #[serde(default)]
    group_labels: BTreeMap<String, String>,
    #[serde(default)]
    common_labels: BTreeMap<String, String>,
    #[serde(default)]
    common_annotations: BTreeMap<String, String>,
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

/// An alert as it counts.
struct Read {
    key: String,
    is_over: bool,
    title: Option<String>,
    service: Option<String>,
    severity: i64,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
}

/// Reads the group of a delivery. An alert that cannot be read leaves a complaint and hides no other.
///
/// # Errors
/// [`SetAside`] where it is another version, or none of its alerts can be read.
pub fn read(body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    let mut it: Body = parse(body)?;
    if it.version != "4" {
        return Err(SetAside::because(format_args!(
            "version {} of the payload is unknown",
            it.version
        )));
    }
    if it.alerts.len() > MOST {
        return Err(SetAside::because("the delivery holds too many alerts"));
    }
    let (mut parts, mut complaints, mut silent) = (Vec::new(), Vec::new(), 0_usize);
    for alert in std::mem::take(&mut it.alerts) {
        match read_one(alert) {
            Ok(Some(part)) => parts.push(part),
            Ok(None) => silent += 1,
            Err(aside) => complaints.push(aside),
        }
    }
    if parts.is_empty()
        && silent == 0
        && let Some(first) = complaints.first()
    {
        return Err(first.clone());
    }
    let mut signals: Vec<Signal> = groups(&it, parts).into_iter().map(Signal::Alert).collect();
    if signals.is_empty() && silent > 0 {
        signals.push(Signal::Unknown {
            event: "an alert of the severity none".to_owned(),
            action: None,
        });
    }
    signals.extend(complaints.iter().map(|aside| Signal::unread("alertmanager", aside)));
    Ok(signals)
}

/// Reads one alert; `None` for one that itself reports no problem.
fn read_one(alert: Value) -> Result<Option<Read>, SetAside> {
    let part: Part = serde_json::from_value(alert)
        .map_err(|error| SetAside::because(format_args!("an alert cannot be read: {error}")))?;
    let started_at = time("startsAt", &part.starts_at)?;
    let is_over = part.status == "resolved";
    let ended_at = part.ends_at.as_deref().map(|text| time("endsAt", text)).transpose()?;
    let label = |name: &str| part.labels.get(name).filter(|text| !text.is_empty());
    let word = label("severity").map_or("", String::as_str);
    if word.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let service = label("service").or_else(|| label("job"));
    Ok(Some(Read {
        key: format!("{}@{started_at}", signal::name("fingerprint", &part.fingerprint)?),
        is_over,
        title: title(&part.annotations, &part.labels),
        service: service.map(|text| signal::name("service", text)).transpose()?,
        severity: severity(word),
        started_at,
        ended_at: ended_at.filter(|end| is_over && *end >= started_at),
    }))
}

fn title(annotations: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> Option<String> {
    let said = ["summary", "description"]
        .into_iter()
        .find_map(|name| annotations.get(name));
    let text = said
        .or_else(|| labels.get("alertname"))
        .filter(|text| !text.is_empty())?;
    signal::free_text(text)
}

/// The whole delivery as one alert under its group's key; without such a key each alert is a matter of its own.
fn groups(it: &Body, parts: Vec<Read>) -> Vec<Alert> {
    if it.group_key.is_empty() {
        let alone = |part: Read| group(part.key.clone(), None, vec![part]);
        return parts.into_iter().filter_map(alone).collect();
    }
    let common = title(&it.common_annotations, &it.common_labels).or_else(|| title(&BTreeMap::new(), &it.group_labels));
    group(group_key(&it.group_key), common, parts).into_iter().collect()
}

/// One alert out of those of a group: it is over when none fires, and as grave as the gravest that fires.
fn group(source_key: String, common: Option<String>, parts: Vec<Read>) -> Option<Alert> {
    let is_over = parts.iter().all(|part| part.is_over);
    let counted: Vec<&Read> = parts.iter().filter(|part| is_over || !part.is_over).collect();
    let starts: BTreeSet<Timestamp> = counted.iter().map(|part| part.started_at).collect();
    let mut starts = starts.into_iter();
    let started_at = starts.next()?;
    let later: Vec<Timestamp> = starts.collect();
    let ends = counted
        .iter()
        .map(|part| part.ended_at)
        .collect::<Option<Vec<Timestamp>>>();
    let services: BTreeSet<&String> = counted.iter().filter_map(|part| part.service.as_ref()).collect();
    Some(Alert {
        source_key,
        is_over,
        reopens: false,
        tells_state: false,
        title: common
            .or_else(|| counted.iter().find_map(|part| part.title.clone()))
            .unwrap_or_else(|| "Alert".to_owned()),
        services: services.into_iter().cloned().collect(),
        severity: counted.iter().map(|part| part.severity).min().unwrap_or(3),
        started_at,
        // The latest beginnings are those by which a new occurrence is seen.
        later_starts: later[later.len().saturating_sub(MOST_STARTS)..].to_vec(),
        told_at: None,
        told_number: None,
        ended_at: ends.filter(|_| is_over).and_then(|ends| ends.into_iter().max()),
    })
}

/// A group's key, at most as long as a name may be.
fn group_key(key: &str) -> String {
    let clean: String = key.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if clean.len() <= KEY_MAX_BYTES {
        return format!("group/{clean}");
    }
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    let digits = hex::encode(&hash.as_ref()[..8]);
    format!("group/{}#{digits}", signal::shortened(&clean, KEY_MAX_BYTES - 20))
}

/// The usual severity names of rules.
pub(crate) fn severity(word: &str) -> i64 {
    match word.to_lowercase().as_str() {
        "critical" | "page" | "emergency" => 1,
        "error" | "high" => 2,
        "info" | "low" => 4,
        _ => 3,
    }
}
