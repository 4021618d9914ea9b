//! Reports of AIDE with `report_format=json` (0.18, as Debian 12 has it): added, removed and changed entries with their details.
//!
//! The natural key of a difference is the path of the file and the name of the attribute. The report does not name its host, so a
//! connection is one host, or the sender gives a scope.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use model::incident::drift::{Difference, DriftReport, EXISTENCE, OBJECT};
use model::integration::signal::{SetAside, Signal};
use serde::Deserialize;
use serde_json::Value;

use crate::incident::form::{fingerprint, parse, report};

#[derive(Deserialize)]
struct Report {
    aide_version: Option<String>,
    start_time: Option<String>,
    /// The expression to which the run was limited.
    limit: Option<String>,
    number_of_entries: Option<Counts>,
    #[serde(default)]
    added: BTreeMap<String, Value>,
    #[serde(default)]
    removed: BTreeMap<String, Value>,
    #[serde(default)]
    changed: BTreeMap<String, Value>,
    #[serde(default)]
    details: BTreeMap<String, BTreeMap<String, Pair>>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    added: u64,
    #[serde(default)]
    removed: u64,
    #[serde(default)]
    changed: u64,
}

#[derive(Deserialize)]
struct Pair {
    #[serde(default)]
    new: Value,
}

/// Reads a report.
///
/// # Errors
/// [`SetAside`] where it is no report of AIDE, was cut, or counts more than it lists.
pub(super) fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Report = parse(body)?;
    let (Some(_), Some(counts)) = (&it.aide_version, &it.number_of_entries) else {
        return Err(SetAside::because(
            "it is no report of AIDE: `aide_version` or `number_of_entries` is missing. Set `report_format=json`",
        ));
    };
    for (name, counted, listed) in [
        ("added", counts.added, it.added.len()),
        ("removed", counts.removed, it.removed.len()),
        ("changed", counts.changed, it.changed.len()),
    ] {
        if counted != listed as u64 {
            return Err(SetAside::because(format_args!(
                "the report counts {counted} {name} entries and lists {listed}: set `report_level=changed_attributes` or higher"
            )));
        }
    }
    let taken_at = it.start_time.as_deref().and_then(time).unwrap_or(received_at);
    let mut differences = Vec::new();
    for (paths, word) in [(&it.added, "present"), (&it.removed, "absent")] {
        differences.extend(
            paths
                .keys()
                .map(|path| difference(path, EXISTENCE, Some(word.to_owned()))),
        );
    }
    for path in it.changed.keys() {
        differences.extend(changed(path, it.details.get(path)));
    }
    let found = DriftReport {
        scope: String::new(),
        taken_at,
        is_complete: it.limit.is_none(),
        is_log: false,
        clean: Vec::new(),
        count: 0,
        differences,
    };
    Ok(vec![report(found, body, received_at)?])
}

/// AIDE writes `2026-11-28 12:42:37 +0000`.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok()
}

fn difference(path: &str, attribute: &str, found: Option<String>) -> Difference {
    Difference {
        address: path.to_owned(),
        attribute: attribute.to_owned(),
        found,
        digest: None,
        at: None,
        doer: None,
    }
}

fn changed(path: &str, details: Option<&BTreeMap<String, Pair>>) -> Vec<Difference> {
    let rows = details.into_iter().flatten();
    let found: Vec<Difference> = rows
        .map(|(attribute, pair)| Difference {
            digest: digest(attribute, &pair.new),
            ..difference(path, attribute, Some(fingerprint(&pair.new)))
        })
        .collect();
    if found.is_empty() {
        return vec![difference(path, OBJECT, None)];
    }
    found
}

/// The digest of a file, which AIDE writes in base64.
fn digest(attribute: &str, value: &Value) -> Option<String> {
    if attribute != "sha256" {
        return None;
    }
    let bytes = STANDARD
        .decode(value.as_str()?)
        .ok()
        .filter(|bytes| bytes.len() == 32)?;
    Some(format!("sha256:{}", hex::encode(bytes)))
}
