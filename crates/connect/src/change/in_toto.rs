//! in-toto statements (in-toto Attestation Framework, Statement v1 and v0.1): which artifacts they
//! are about. They are read bare, from a DSSE envelope, or from the envelope of a Sigstore bundle.
//! Signatures are not checked here, and the summary states that.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use model::integration::signal;
use serde::Deserialize;
use serde_json::Value;

use crate::change::evidence::{self, Kind, Reading, Unreadable};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/";

/// The members that distinguish the three wrappings.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wrapping {
    dsse_envelope: Option<Envelope>,
    payload_type: Option<String>,
    payload: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Option<Value>,
}

#[derive(Deserialize)]
struct Subject {
    digest: Digests,
}

#[derive(Deserialize)]
struct Digests {
    sha256: Option<String>,
}

/// Reads a statement. Only a predicate that reports tests shows whether something passed.
///
/// # Errors
/// [`Unreadable`] as in [`crate::change::evidence_formats::read`], or where it is no in-toto statement or names no subject by
/// SHA-256.
pub fn read(document: &[u8]) -> Result<Reading, Unreadable> {
    let wrapping: Wrapping = evidence::json(document)?;
    let envelope = match (wrapping.dsse_envelope, wrapping.payload_type, wrapping.payload) {
        (Some(envelope), _, _) => Some(envelope),
        (None, Some(payload_type), Some(payload)) => Some(Envelope { payload_type, payload }),
        _ => None,
    };
    let (statement, wrapped) = match envelope {
        Some(envelope) => (evidence::json(&unwrap(&envelope)?)?, "in an envelope; "),
        None => (evidence::json(document)?, ""),
    };
    describe(statement, wrapped)
}

fn unwrap(envelope: &Envelope) -> Result<Vec<u8>, Unreadable> {
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Unreadable::because("the envelope does not hold an in-toto statement"));
    }
    // DSSE allows either alphabet.
    STANDARD
        .decode(&envelope.payload)
        .or_else(|_| URL_SAFE.decode(&envelope.payload))
        .map_err(|_| Unreadable::because("the envelope's payload is not base64"))
}

fn describe(statement: Statement, wrapped: &str) -> Result<Reading, Unreadable> {
    if !statement.statement_type.starts_with("https://in-toto.io/Statement/v") {
        return Err(Unreadable::because("the document is not an in-toto statement"));
    }
    let digests = statement
        .subject
        .iter()
        .filter_map(|subject| subject.digest.sha256.as_deref())
        .filter_map(|hex| signal::digest(&format!("sha256:{hex}")));
    let subjects = evidence::subjects(digests);
    if subjects.is_empty() {
        return Err(Unreadable::because("the statement names no subject by SHA-256"));
    }
    let passed = test_result(&statement);
    let judged = match passed {
        Some(true) => " Its tests passed.",
        Some(false) => " Its tests did not pass.",
        None => "",
    };
    Ok(Reading {
        kind: Kind::InToto,
        summary: format!(
            "Statement of type {} about {} ({wrapped}signature not checked).{judged}",
            evidence::label(&statement.predicate_type),
            evidence::count(subjects.len() as u64, "subject"),
        ),
        passed,
        is_undecided: false,
        subjects,
        findings: Vec::new(),
        suites: Vec::new(),
    })
}

/// The predicate "test-result" reports `PASSED`, `WARNED` or `FAILED`; a warning has not failed.
fn test_result(statement: &Statement) -> Option<bool> {
    if !statement.predicate_type.starts_with(TEST_RESULT) {
        return None;
    }
    let result = statement.predicate.as_ref()?.get("result")?.as_str()?;
    Some(matches!(result, "PASSED" | "WARNED"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn statement(predicate_type: &str, predicate: &str) -> String {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[
                {{"name":"shop","digest":{{"sha256":"{hex}","sha512":"00"}}}},
                {{"name":"again","digest":{{"sha256":"{hex}"}}}},
                {{"name":"tree","digest":{{"gitCommit":"00"}}}}],
                "predicateType":"{predicate_type}","predicate":{predicate}}}"#,
            hex = "cd".repeat(32)
        )
    }

    #[test]
    fn all_three_wrappings_give_the_same_subjects() {
        let bare = statement("https://slsa.dev/provenance/v1", "{}");
        let payload = STANDARD.encode(&bare);
        let envelope =
            format!(r#"{{"payloadType":"{PAYLOAD_TYPE}","payload":"{payload}","signatures":[{{"sig":"x"}}]}}"#);
        let bundle = format!(r#"{{"mediaType":"x","dsseEnvelope":{envelope}}}"#);
        for document in [&bare, &envelope, &bundle] {
            let reading = read(document.as_bytes()).unwrap();
            assert_eq!(reading.subjects, [format!("sha256:{}", "cd".repeat(32))]);
            assert_eq!(reading.passed, None);
            assert!(reading.summary.contains("signature not checked"));
            assert!(reading.summary.contains("https://slsa.dev/provenance/v1"));
        }
    }

    #[test]
    fn only_a_test_result_judges() {
        let kind = format!("{TEST_RESULT}v0.1");
        for (word, passed) in [("PASSED", true), ("WARNED", true), ("FAILED", false), ("?", false)] {
            let text = statement(&kind, &format!(r#"{{"result":"{word}"}}"#));
            assert_eq!(read(text.as_bytes()).unwrap().passed, Some(passed));
        }
        let other = statement("https://example.org/x", r#"{"result":"FAILED"}"#);
        assert_eq!(read(other.as_bytes()).unwrap().passed, None);
    }

    #[test]
    fn what_is_no_statement_is_refused_with_a_reason() {
        let reason = |text: &str| read(text.as_bytes()).unwrap_err().reason;
        assert!(reason("{}").contains("_type"));
        let other = r#"{"payloadType":"text/plain","payload":"eA=="}"#;
        assert!(reason(other).contains("does not hold"));
        let broken = format!(r#"{{"payloadType":"{PAYLOAD_TYPE}","payload":"%"}}"#);
        assert!(reason(&broken).contains("base64"));
        let nobody = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}"#;
        assert!(reason(nobody).contains("no subject"));
    }
}
