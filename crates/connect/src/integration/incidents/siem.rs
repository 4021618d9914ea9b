//! Alerts of a SIEM, which become incidents of the kind `security`: detection findings of OCSF (class 2004), alerts of Wazuh, and
//! alert actions of Splunk.

use jiff::Timestamp;
use model::integration::signal::{SetAside, Signal};
use serde_json::Value;

use super::{IncidentReport, first, moment, severity, text};
use crate::integration::received::parse;

/// OCSF's class of detection findings.
const DETECTION_FINDING: i64 = 2_004;

/// Reads a delivery: one alert, or a list of at most 1,000.
///
/// # Errors
/// [`SetAside`] where it has none of the known forms.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Value = parse(body)?;
    let rows: Vec<&Value> = match &it {
        Value::Array(rows) => rows.iter().collect(),
        one => vec![one],
    };
    if rows.is_empty() || rows.len() > MOST {
        return Err(SetAside::because(format_args!("a delivery holds 1 to {MOST} alerts")));
    }
    rows.into_iter().map(|row| one(row, received_at)).collect()
}

/// The most alerts of one delivery.
const MOST: usize = 1_000;

fn one(it: &Value, received_at: Timestamp) -> Result<Signal, SetAside> {
    let told = if it.get("class_uid").and_then(Value::as_i64) == Some(DETECTION_FINDING) {
        ocsf(it)?
    } else if it.get("rule").is_some() {
        wazuh(it)?
    } else if it.get("search_name").is_some() {
        splunk(it)
    } else {
        let text = "the alert is none of: a detection finding of OCSF (class_uid 2004), an alert of Wazuh (`rule`), an alert action of \
                    Splunk (`search_name`)";
        return Err(SetAside::because(text));
    };
    told.into_signal(received_at)
}

/// <https://schema.ocsf.io/1.8.0/classes/detection_finding>: severity 5 is critical, 6 fatal; status 3 is suppressed, 4 resolved.
fn ocsf(it: &Value) -> Result<IncidentReport, SetAside> {
    let key = first(it, &["/finding_info/uid", "/metadata/uid"]);
    let severity = match it.get("severity_id").and_then(Value::as_i64) {
        Some(5 | 6) => Some(1),
        Some(4) => Some(2),
        Some(3) => Some(3),
        Some(_) => Some(4),
        None => None,
    };
    let status = it.get("status_id").and_then(Value::as_i64);
    let resources = it.pointer("/resources").and_then(Value::as_array);
    let names = resources
        .into_iter()
        .flatten()
        .filter_map(|row| first(row, &["/name", "/uid"]));
    let started_at = match moment(it, "/finding_info/first_seen_time")? {
        Some(at) => Some(at),
        None => moment(it, "/time")?,
    };
    Ok(IncidentReport {
        key: format!("finding/{}", needed(key, "finding_info.uid")?),
        is_over: matches!(status, Some(3 | 4)),
        title: first(it, &["/finding_info/title", "/message"]),
        services: names.collect(),
        severity,
        started_at,
        ended_at: moment(it, "/end_time")?,
        ..IncidentReport::default()
    })
}

/// Wazuh's levels run from 0 to 16; 12 and more are of high importance, 15 and more severe attacks.
fn wazuh(it: &Value) -> Result<IncidentReport, SetAside> {
    let rule = needed(text(it, "/rule/id"), "rule.id")?;
    let agent = text(it, "/agent/name");
    let level = it.pointer("/rule/level").and_then(Value::as_i64).unwrap_or_default();
    let severity = match level {
        15.. => 1,
        12..=14 => 2,
        7..=11 => 3,
        _ => 4,
    };
    Ok(IncidentReport {
        // An alert of Wazuh has no end: one incident for each rule and agent, while it is open.
        key: format!("rule/{rule}@{}", agent.as_deref().unwrap_or("manager")),
        title: text(it, "/rule/description"),
        services: agent.into_iter().collect(),
        severity: Some(severity),
        started_at: moment(it, "/timestamp")?,
        ..IncidentReport::default()
    })
}

/// Splunk's webhook alert action: the search and its first result.
fn splunk(it: &Value) -> IncidentReport {
    let search = text(it, "/search_name").unwrap_or_default();
    let word = first(it, &["/result/severity", "/result/urgency"]);
    IncidentReport {
        key: format!("search/{search}"),
        title: Some(search),
        services: first(it, &["/result/service", "/result/host"]).into_iter().collect(),
        severity: word.as_deref().and_then(severity),
        ..IncidentReport::default()
    }
}

fn needed(text: Option<String>, field: &str) -> Result<String, SetAside> {
    text.ok_or_else(|| SetAside::because(format_args!("the alert has no `{field}`")))
}
