//! Reports of drift in any of their forms, and the reduced form in which the command line sends reports that are too long:
//! `{"assent_drift": 1, "report": {…}}`.

use jiff::Timestamp;
use model::incident::drift::DriftReport;
use model::integration::signal::{SetAside, Signal};
use serde::Deserialize;
use serde_json::json;

use crate::incident::form::{MOST_CLEAN, checked, parse};
use crate::incident::{aide, argocd_drift, kubernetes_audit, terraform};

/// The kinds of system that report drift.
pub const KINDS: &[&str] = &["terraform", "argocd_drift", "aide", "kubernetes_audit"];
/// The largest report that is read from a file, in bytes. A delivery has a limit of its own.
pub const FILE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The longest message that a server takes, in bytes.
const DELIVERY_MAX_BYTES: usize = 2 * 1024 * 1024;
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
/// [`SetAside`] with the reason, where it is cut, is another thing, or has nothing readable.
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

/// Reduces a report to the compared parts: no values, at most [`model::incident::drift::MOST`] differences. A scope, where one
/// is given, replaces the report's own.
///
/// # Errors
/// [`SetAside`] as [`read`] does, and where it has nothing about drift.
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
