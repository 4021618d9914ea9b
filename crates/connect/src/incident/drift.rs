//! Reports of drift in any of their forms, and the reduced form in which the command line sends what is too long to be sent whole:
//! `{"assent_drift": 1, "report": {…}}`.

use jiff::Timestamp;
use model::incident::drift::{ADDRESS, ATTRIBUTE, DriftReport, MOST, SCOPE};
use model::integration::signal::{self, SetAside, Signal};
use ring::digest;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::incident::{aide, argocd_drift, kubernetes_audit, terraform};

/// The kinds of system that report drift.
pub const KINDS: &[&str] = &["terraform", "argocd_drift", "aide", "kubernetes_audit"];
/// The largest report that is read from a file, in bytes. A delivery has a limit of its own.
pub const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The longest message that a server takes, in bytes.
const DELIVERY_MAX_BYTES: usize = 2 * 1024 * 1024;
/// The most addresses without a difference that a reduced report names.
const MOST_CLEAN: usize = 10_000;
/// The version of the reduced form.
const FORM: u64 = 1;

#[derive(Deserialize)]
struct Reduced {
    assent_drift: u64,
    report: DriftReport,
}

/// Reads a report of a kind, in the form of its system or in the reduced form.
///
/// # Errors
/// [`SetAside`] with the reason, where it is cut, is another thing, or says nothing that can be read.
pub fn read(kind: &str, body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    if is_reduced(body) {
        return Ok(vec![Signal::Drift(reduced(body, received_at)?)]);
    }
    match kind {
        "terraform" => terraform::read(body, received_at),
        "argocd_drift" => argocd_drift::read(body, received_at),
        "aide" => aide::read(body, received_at),
        "kubernetes_audit" => kubernetes_audit::read(body, received_at),
        other => Err(SetAside::because(format_args!(
            "`{other}` is no kind of drift report; the kinds are {}",
            KINDS.join(", ")
        ))),
    }
}

/// Whether a body begins as the reduced form does, which only our own command line writes.
fn is_reduced(body: &[u8]) -> bool {
    let begin = &body[..body.len().min(64)];
    let text: String = String::from_utf8_lossy(begin).split_whitespace().collect();
    text.starts_with("{\"assent_drift\":")
}

/// Reduces a report to what is compared: no values, at most [`MOST`] differences. A scope, where one is given, replaces the
/// report's own.
///
/// # Errors
/// [`SetAside`] as [`read`] does, and where it says nothing of drift.
pub fn reduce(
    kind: &str,
    body: &[u8],
    scope: Option<&str>,
    now: Timestamp,
) -> Result<(Vec<u8>, DriftReport), SetAside> {
    let signals = read(kind, body, now)?;
    let complaint = signals.iter().find_map(|it| it.complaint()).map(str::to_owned);
    let found = signals.into_iter().find_map(|it| match it {
        Signal::Drift(report) => Some(report),
        _ => None,
    });
    if let Some(why) = complaint {
        return Err(SetAside::because(format_args!("a part of it cannot be read: {why}")));
    }
    let Some(mut report) = found else {
        return Err(SetAside::because(
            "it tells of no drift that can be compared, such as of a deployment that waits",
        ));
    };
    if let Some(scope) = scope {
        scope.clone_into(&mut report.scope);
    }
    if report.clean.len() > MOST_CLEAN {
        report.clean.clear();
    }
    let mut report = checked(report, now)?;
    let mut text = json!({"assent_drift": FORM, "report": report}).to_string();
    if text.len() > DELIVERY_MAX_BYTES {
        report.clean.clear();
        text = json!({"assent_drift": FORM, "report": report}).to_string();
    }
    Ok((text.into_bytes(), report))
}

fn reduced(body: &[u8], received_at: Timestamp) -> Result<DriftReport, SetAside> {
    let reduced: Reduced = parse(body)?;
    if reduced.assent_drift != FORM {
        return Err(SetAside::because(format_args!(
            "the form {} of `assent_drift` is not known here: update the server",
            reduced.assent_drift
        )));
    }
    checked(reduced.report, received_at)
}

/// Holds a report to its limits, and its times to the present.
fn checked(mut report: DriftReport, now: Timestamp) -> Result<DriftReport, SetAside> {
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

/// A report of what was found, cut to its limits.
pub(super) fn report(found: DriftReport, body: &[u8], now: Timestamp) -> Result<Signal, SetAside> {
    let bounded = found.bounded(|| hash(body));
    // What was looked at without a difference is worth naming only as far as it fits.
    let clean = if bounded.clean.len() > MOST_CLEAN {
        Vec::new()
    } else {
        bounded.clean
    };
    checked(DriftReport { clean, ..bounded }, now).map(Signal::Drift)
}

/// Parses JSON; a report that ends too early is said to be cut.
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
    use std::fmt::Write;
    let mut text = "sha256:".to_owned();
    for byte in digest::digest(&digest::SHA256, bytes).as_ref() {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The fingerprint of a value, the same whatever the order of its fields.
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

/// A text in one line of at most so many bytes. A longer one ends with its hash, so that two of them stay two.
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
