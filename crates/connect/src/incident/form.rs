//! Code shared by the readers of drift reports: JSON with a reason for cut texts, fingerprints, and limits.

use jiff::Timestamp;
use model::incident::drift::{ADDRESS, ATTRIBUTE, DriftReport, MOST, SCOPE};
use model::integration::signal::{self, SetAside, Signal};
use ring::digest;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The most addresses without a difference that a report names.
pub(super) const MOST_CLEAN: usize = 10_000;

/// Holds a report to its limits, and its times to the present.
pub(super) fn checked(mut report: DriftReport, now: Timestamp) -> Result<DriftReport, SetAside> {
    if report.scope.len() > SCOPE || report.scope.chars().any(char::is_control) {
        return Err(SetAside::because(format_args!(
            "the scope is one line of at most {SCOPE} bytes"
        )));
    }
    if report.differences.len() > MOST || report.clean.len() > MOST_CLEAN {
        return Err(SetAside::because(format_args!(
            "at most {MOST} differences and {MOST_CLEAN} addresses without one fit into a reduced report"
        )));
    }
    report.taken_at = report.taken_at.min(now);
    for it in &mut report.differences {
        if it.address.is_empty() || it.attribute.is_empty() {
            return Err(SetAside::because("a difference names no address or no attribute"));
        }
        it.address = bounded(&it.address, ADDRESS);
        it.attribute = bounded(&it.attribute, ATTRIBUTE);
        it.found = it.found.as_deref().map(|text| bounded(text, ATTRIBUTE));
        it.digest = it.digest.as_deref().and_then(signal::digest);
        it.at = it.at.map(|at| at.min(now));
        it.doer = it.doer.as_deref().and_then(signal::line);
    }
    report.clean = report.clean.iter().map(|text| bounded(text, ADDRESS)).collect();
    report.count = report.count.max(report.differences.len() as u64);
    Ok(report)
}

/// A report of findings, cut to its limits.
pub(super) fn report(found: DriftReport, body: &[u8], now: Timestamp) -> Result<Signal, SetAside> {
    let bounded = found.bounded(|| hash(body));
    // Places without a difference are named only as far as they fit.
    let clean = if bounded.clean.len() > MOST_CLEAN {
        Vec::new()
    } else {
        bounded.clean
    };
    checked(DriftReport { clean, ..bounded }, now).map(Signal::Drift)
}

/// Parses JSON; a report that ends too early is refused as cut.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SetAside> {
    serde_json::from_slice(body).map_err(|error| unreadable(&error))
}

/// Why a text is no JSON of the wanted form.
pub(super) fn unreadable(error: &serde_json::Error) -> SetAside {
    if error.is_eof() {
        return SetAside::because(format_args!(
            "the report ends in the middle (line {}, column {}): it was cut, so send it once more as a whole",
            error.line(),
            error.column()
        ));
    }
    SetAside::because(format_args!("the report cannot be read: {error}"))
}

/// `sha256:…` of bytes.
pub(super) fn hash(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(digest::digest(&digest::SHA256, bytes)))
}

/// The fingerprint of a value, the same in any order of its fields.
pub(super) fn fingerprint(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    hash(text.as_bytes())
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (name, inner) in fields {
                text.push_str(&json!(name).to_string());
                text.push(':');
                canonical(inner, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(rows) => {
            text.push('[');
            for row in rows {
                canonical(row, text);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

/// A text in one line of at most so many bytes. A longer text ends with its hash, so that two different texts stay different.
pub(super) fn bounded(text: &str, most: usize) -> String {
    let is_odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let clean: String = text
        .chars()
        .map(|c| if is_odd(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if clean.len() <= most && clean == text {
        return clean;
    }
    let tail = hash(text.as_bytes()).replace("sha256:", "#");
    let room = most - tail.len();
    let mut end = room.min(clean.len());
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", &clean[..end])
}
