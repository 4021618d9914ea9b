//! SLSA provenance (v1 and v0.2) in in-toto statements, in DSSE envelopes, bare or inside a Sigstore bundle: the repository and
//! the commit from which an artifact was built. This module verifies no signature; the caller does, over the same bytes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use model::integration::signal;
use serde::Deserialize;
use serde_json::Value;

use crate::change::evidence::Unreadable;

/// An envelope, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The media type of the payload.
    pub payload_type: String,
    /// The statement's bytes.
    pub payload: Vec<u8>,
    /// The signatures over type and payload.
    pub signatures: Vec<Vec<u8>>,
}

/// The provenance that a statement declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// `owner/name`, in small letters.
    pub repository: String,
    /// The commit.
    pub commit: String,
    /// The digests of the artifacts built from it, `sha256:…`.
    pub artifacts: Vec<String>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

/// Takes an envelope apart.
///
/// # Errors
/// [`Unreadable`] if the document is no envelope or has no signature.
pub fn open(document: &Value) -> Result<Signed, Unreadable> {
    let envelope = document.get("dsseEnvelope").unwrap_or(document);
    if !envelope["payload"].is_string() {
        return Err(Unreadable::because("it is no DSSE envelope"));
    }
    let field = |name: &str| envelope[name].as_str().unwrap_or_default();
    let signatures: Vec<Signature> = serde_json::from_value(envelope["signatures"].clone())
        .map_err(|_| Unreadable::because("the envelope has no signatures"))?;
    let signatures: Vec<Vec<u8>> = signatures.iter().filter_map(|it| base64(&it.sig)).collect();
    if signatures.is_empty() {
        return Err(Unreadable::because("the envelope has no signature that can be read"));
    }
    Ok(Signed {
        payload_type: field("payloadType").to_owned(),
        payload: base64(field("payload")).ok_or_else(|| Unreadable::because("the payload is not base64"))?,
        signatures,
    })
}

/// DSSE allows the standard and the URL-safe alphabet.
fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

/// Reads a statement's provenance.
///
/// # Errors
/// [`Unreadable`] if the payload is no SLSA provenance, or names no commit or no artifact by SHA-256.
pub fn read(payload: &[u8]) -> Result<Provenance, Unreadable> {
    let statement: Value =
        serde_json::from_slice(payload).map_err(|error| Unreadable::because(format_args!("no JSON: {error}")))?;
    let predicate = &statement["predicate"];
    let source = match statement["predicateType"].as_str().unwrap_or_default() {
        "https://slsa.dev/provenance/v1" => first(&predicate["buildDefinition"]["resolvedDependencies"]),
        "https://slsa.dev/provenance/v0.2" => {
            describe(&predicate["invocation"]["configSource"]).or_else(|| first(&predicate["materials"]))
        }
        _ => return Err(Unreadable::because("the statement is no SLSA provenance of v1 or v0.2")),
    };
    let (repository, commit) =
        source.ok_or_else(|| Unreadable::because("the provenance names no commit of a Git repository"))?;
    let digests = statement["subject"].as_array().into_iter().flatten();
    let artifacts: Vec<String> = digests
        .filter_map(|subject| subject["digest"]["sha256"].as_str())
        .filter_map(|hex| signal::digest(&format!("sha256:{hex}")))
        .collect();
    if artifacts.is_empty() {
        return Err(Unreadable::because("the statement names no subject by SHA-256"));
    }
    Ok(Provenance {
        repository,
        commit,
        artifacts,
    })
}

fn first(materials: &Value) -> Option<(String, String)> {
    materials.as_array()?.iter().find_map(describe)
}

/// The repository and the commit of a Git material: `git+https://host/owner/name@refs/heads/main` with its digest.
fn describe(material: &Value) -> Option<(String, String)> {
    let uri = material["uri"].as_str()?.strip_prefix("git+")?;
    let digest = &material["digest"];
    let commit = digest["gitCommit"].as_str().or_else(|| digest["sha1"].as_str())?;
    let commit = signal::commit("commit", commit).ok()?;
    let path = uri.split_once("://")?.1.split_once('/')?.1;
    let path = path.split(['@', '#', '?']).next()?.trim_end_matches('/');
    let repository = path.strip_suffix(".git").unwrap_or(path).to_lowercase();
    (!repository.is_empty()).then_some((repository, commit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use serde_json::json;

    const COMMIT: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

    fn statement(kind: &str, predicate: &Value) -> Vec<u8> {
        let subject = json!([{"name": "edge-dns", "digest": {"sha256": "a".repeat(64)}}]);
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": kind, "predicate": predicate,
        });
        statement.to_string().into_bytes()
    }

    #[test]
    fn both_versions_name_the_commit_and_the_repository() {
        let material = json!({
            "uri": "git+https://github.com/Halden/edge-dns.git@refs/heads/main", "digest": {"gitCommit": COMMIT},
        });
        let newer = json!({"buildDefinition": {"resolvedDependencies": [{"uri": "https://x.example/y"}, material]}});
        let read_newer = read(&statement("https://slsa.dev/provenance/v1", &newer)).unwrap();
        assert_eq!(
            (read_newer.repository.as_str(), read_newer.commit.as_str()),
            ("halden/edge-dns", COMMIT)
        );
        assert_eq!(read_newer.artifacts, [format!("sha256:{}", "a".repeat(64))]);
        let older = json!({"invocation": {"configSource": {
            "uri": "git+https://github.com/halden/edge-dns@refs/tags/v1", "digest": {"sha1": COMMIT}}}});
        assert_eq!(
            read(&statement("https://slsa.dev/provenance/v0.2", &older)).unwrap(),
            read_newer
        );
    }

    #[test]
    fn what_names_no_commit_is_refused() {
        let none = json!({"buildDefinition": {"resolvedDependencies": []}});
        assert!(read(&statement("https://slsa.dev/provenance/v1", &none)).is_err());
        assert!(read(&statement("https://example.org/other", &none)).is_err());
        assert!(read(b"{").is_err());
        assert!(open(&json!({"payload": "e30="})).is_err());
        let open =
            open(&json!({"dsseEnvelope": {"payloadType": "t", "payload": "e30=", "signatures": [{"sig": "AA=="}]}}));
        assert_eq!(open.unwrap().payload, b"{}");
    }
}
