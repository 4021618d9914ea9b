//! The request and the decision that all dialects share.

use std::future::Future;

use axum::http::{HeaderMap, HeaderValue};
use model::core::enums::{GateDecision, Purpose};
use model::core::unmet::{self, Unmet};
use serde_json::{Value, json};

use super::binding::Bindings;
use super::heads::Heads;
use super::unclear::{LONGEST, Unclear, is_digest, unclear};
use crate::http::failure::Failure;

/// The longest permit, in bytes.
const LONGEST_PERMIT: usize = 8 * 1024;
/// The most bytes of reasons in one header: proxies keep heads of a few kilobytes.
const REASONS_IN_HEADER: usize = 2_000;

/// The deployment and its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The service's key.
    pub service: String,
    /// The environment's key.
    pub environment: String,
    /// The artifact's digest.
    pub artifact: Option<String>,
    /// Or the commit.
    pub commit: Option<String>,
    /// The named change; it never suffices alone.
    pub change: Option<String>,
    /// Forward or back; either without it.
    pub purpose: Option<Purpose>,
    /// Whether a version that is recorded as running is accepted: for admission alone.
    pub admits_running: bool,
}

impl Place {
    /// The judged values, as headers of a response: the gateway replaces the client's headers of these names with them.
    pub(crate) fn judged(&self) -> Vec<(&'static str, String)> {
        let purpose = self.purpose.map(|purpose| purpose.as_str().to_owned());
        let named = [
            ("assent-artifact", self.artifact.clone()),
            ("assent-commit", self.commit.clone()),
            ("assent-purpose", purpose),
        ];
        let told = named.into_iter().filter_map(|(name, value)| Some((name, value?)));
        told.collect()
    }
}

/// A question.
#[derive(Debug, Clone)]
pub struct GatewayQuestion {
    /// The endpoint, or the gateway's own name.
    pub door: String,
    /// The deployment, or the reason why it is unclear.
    pub about: Result<Place, Unclear>,
    /// A permit for times when the server cannot be reached.
    pub permit: Option<String>,
    /// The request's headers, with the credential.
    pub headers: HeaderMap,
}

/// The basis of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The gate's own decision.
    Gate,
    /// The version that is recorded as running.
    Running,
    /// A permit that was verified offline.
    Permit,
    /// No server reachable and no permit shown: closed.
    Nothing,
}

impl Basis {
    /// The name in responses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Running => "running",
            Self::Permit => "permit",
            Self::Nothing => "nothing",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Go or stop.
    pub decision: GateDecision,
    /// The change that the gate found.
    pub change: Option<String>,
    /// Why not.
    pub reasons: Vec<Unmet>,
    /// The time at which the decision may change by the clock alone.
    pub next_transition_at: Option<String>,
    /// The basis of the decision.
    pub basis: Basis,
}

impl Decided {
    /// A stop with one reason.
    pub fn stop(code: &str, text: impl Into<String>, satisfy: impl Into<String>, basis: Basis) -> Self {
        Self {
            decision: GateDecision::Stop,
            change: None,
            reasons: vec![unmet::unmet(code, text, satisfy, Vec::new())],
            next_transition_at: None,
            basis,
        }
    }

    /// Whether the deployment may go.
    pub fn is_go(&self) -> bool {
        self.decision == GateDecision::Go
    }

    /// The decision as JSON, with the same members as `GET /gate`.
    pub(crate) fn body(&self) -> Value {
        json!({
            "decision": self.decision,
            "change": self.change,
            "basis": self.basis.as_str(),
            "reasons": self.reasons,
            "next_transition_at": self.next_transition_at,
        })
    }

    /// The headers of a response: proxies that drop the body forward these.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut found = vec![
            ("assent-decision", self.decision.as_str().to_owned()),
            ("assent-basis", self.basis.as_str().to_owned()),
            ("assent-reasons", reasons_line(&self.reasons)),
        ];
        found.extend(self.change.clone().map(|change| ("assent-change", change)));
        found
    }
}

/// Reasons as JSON in plain ASCII, for a header; as many whole reasons as fit.
pub(crate) fn reasons_line(reasons: &[Unmet]) -> String {
    let mut fitting = reasons;
    loop {
        let text = ascii(&json!(fitting).to_string());
        if text.len() <= REASONS_IN_HEADER || fitting.is_empty() {
            return text;
        }
        fitting = &fitting[..fitting.len() - 1];
    }
}

/// JSON with every character beyond ASCII written as an escape (RFC 8259, section 7).
fn ascii(json: &str) -> String {
    if json.is_ascii() {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

/// The component that decides gate requests.
pub trait Decide: Clone + Send + Sync + 'static {
    /// Decides; a failure is no decision, and every dialect reports it as closed.
    fn decide(&self, asked: GatewayQuestion) -> impl Future<Output = Result<Decided, Failure>> + Send;

    /// The workloads in the cluster's configuration; without it only unchanged workloads are admitted.
    fn bindings(&self) -> Option<&Bindings>;
}

/// Reads the deployment from the headers of a request.
pub(crate) fn read_place(service: &str, environment: &str, heads: &Heads) -> Result<Place, Unclear> {
    let value = |name: &str| heads.value(name).map(str::to_owned);
    for name in [service, environment] {
        if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
            let text = "The question names no service and environment that can be.";
            return Err(unclear(
                "malformed",
                name,
                text,
                "The gateway's own settings name both.",
            ));
        }
    }
    let artifact = value("assent-artifact");
    if let Some(wrong) = artifact.as_deref().filter(|text| !is_digest(text)) {
        let shown: String = wrong.chars().take(80).collect();
        let text = format!("`{shown}` is no digest, so it names no artifact.");
        let help = "Send `Assent-Artifact: sha256:` with 64 hexadecimal digits.";
        return Err(unclear("not_a_digest", wrong, text, help));
    }
    let commit = value("assent-commit").map(|text| text.to_lowercase());
    if let Some(wrong) = commit.as_deref().filter(|text| !is_commit(text)) {
        let text = "`Assent-Commit` is no whole commit.";
        let help = "Send all 40 or 64 hexadecimal digits.";
        return Err(unclear("not_a_commit", wrong, text, help));
    }
    if artifact.is_none() && commit.is_none() {
        let text = "The request says neither in `Assent-Artifact` nor in `Assent-Commit` what is to be deployed.";
        let help = "Send the artifact's digest in `Assent-Artifact`, or the commit in `Assent-Commit`.";
        return Err(unclear("no_artifact", "", text, help));
    }
    let purpose = match value("assent-purpose") {
        None => None,
        Some(word) => Some(word.parse::<Purpose>().map_err(|_| {
            let text = "`Assent-Purpose` is neither `deploy` nor `rollback`.";
            unclear("malformed", &word, text, "Leave it out, or send one of them.")
        })?),
    };
    Ok(Place {
        service: service.to_owned(),
        environment: environment.to_owned(),
        artifact,
        commit,
        change: read_change(heads)?,
        purpose,
        admits_running: false,
    })
}

/// The change that a request names; an overlong key is refused rather than ignored.
fn read_change(heads: &Heads) -> Result<Option<String>, Unclear> {
    let Some(key) = heads.value("assent-change") else {
        return Ok(None);
    };
    if key.len() > LONGEST {
        let text = "`Assent-Change` is longer than any change's key.";
        return Err(unclear(
            "malformed",
            "assent-change",
            text,
            "Send one key, such as `CHG-1042`.",
        ));
    }
    Ok(Some(key.to_owned()))
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The gateway's own name, else the dialect's name.
pub(crate) fn door_of(value: Option<String>, dialect: &str) -> String {
    let is_plain = |name: &String| {
        (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    value.filter(is_plain).unwrap_or_else(|| dialect.to_owned())
}

/// A permit of a bearable size. One that is larger is no permit, and is judged as such.
pub(crate) fn permit_of(value: Option<&str>) -> Option<String> {
    value.map(|text| {
        if text.len() <= LONGEST_PERMIT {
            text.trim().to_owned()
        } else {
            String::new()
        }
    })
}

/// The header as text.
pub(crate) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value: &HeaderValue| value.to_str().ok())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn reasons_fit_into_a_header_and_stay_json() {
        let reason = |text: &str| unmet::unmet("freeze", text, "Wait.", vec!["mia".to_owned()]);
        let line = reasons_line(&[reason("The freeze “Ende 🎄” is on.")]);
        assert!(line.is_ascii());
        let back: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back[0]["text"], "The freeze “Ende 🎄” is on.");
        let many = vec![reason(&"x".repeat(900)); 5];
        let line = reasons_line(&many);
        assert!(line.len() <= REASONS_IN_HEADER);
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap().as_array().unwrap().len(),
            2
        );
    }

    #[test]
    fn a_question_names_what_is_deployed() {
        let read = |pairs: &[(&str, &str)]| {
            let heads = Heads::read(pairs.iter().map(|(name, value)| (*name, value.as_bytes()))).unwrap();
            read_place("shop", "production", &heads)
        };
        let digest = format!("sha256:{}", "a".repeat(64));
        let commit = "A".repeat(40);
        let place = read(&[
            ("assent-artifact", &digest),
            ("assent-purpose", "rollback"),
            ("assent-commit", &commit),
        ])
        .unwrap();
        let judged = [
            ("assent-artifact", digest.clone()),
            ("assent-commit", commit.to_lowercase()),
            ("assent-purpose", "rollback".to_owned()),
        ];
        assert_eq!(place.judged(), judged, "what was judged is told as it was judged");
        for (pairs, code) in [
            (vec![], "no_artifact"),
            (vec![("assent-artifact", "latest")], "not_a_digest"),
            (vec![("assent-artifact", "sha256:12")], "not_a_digest"),
            (vec![("assent-artifact", &format!("{digest},{digest}"))], "not_a_digest"),
            (vec![("assent-artifact", "md5:a,sha256:b")], "not_a_digest"),
            (vec![("assent-artifact", "md5:a b")], "not_a_digest"),
            (
                vec![("assent-artifact", &format!("nordmann:{}", &digest[7..]))],
                "not_a_digest",
            ),
            (vec![("assent-artifact", ":a")], "not_a_digest"),
            (
                vec![
                    ("assent-artifact", digest.as_str()),
                    ("assent-change", &"C".repeat(256)),
                ],
                "malformed",
            ),
            (vec![("assent-commit", "main")], "not_a_commit"),
            (
                vec![("assent-commit", &"a".repeat(40)), ("assent-purpose", "sideways")],
                "malformed",
            ),
        ] {
            assert_eq!(read(&pairs).unwrap_err().code, code, "{pairs:?}");
        }
        assert_eq!(
            read_place("", "production", &Heads::default()).unwrap_err().code,
            "malformed"
        );
    }
}
