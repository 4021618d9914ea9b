//! Attestations in the in-toto Attestation Framework (Statement v1), signed in DSSE envelopes: a permit as a verification
//! summary (SLSA VSA v1), and what a successful change deployed as a release (release v0.1).

use serde_json::{Map, Value, json};

use crate::Result;
use crate::canonical;
use crate::crypto::{SigningKey, base64_standard, digest_text};
use crate::dsse;

/// The media type of a statement in an envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of the predicate for a permit.
pub const VERIFICATION_SUMMARY: &str = "https://slsa.dev/verification_summary/v1";
/// The type of the predicate for a deployed build.
pub const RELEASE: &str = "https://in-toto.io/attestation/release/v0.1";

/// The digests by which an attestation names a build: the digest of an artifact or an image reference, and the commit. `None`
/// where neither identifies a build by its content, such as a tag.
#[must_use]
pub fn digests(artifact: Option<&str>, commit: Option<&str>) -> Option<Value> {
    let mut found = Map::new();
    if let Some((name, digits)) = artifact.and_then(digest_of) {
        found.insert(name, json!(digits));
    }
    if let Some(commit) = commit.filter(|commit| is_hex(commit, &[40, 64])) {
        found.insert("gitCommit".to_owned(), json!(commit.to_ascii_lowercase()));
    }
    (!found.is_empty()).then_some(Value::Object(found))
}

fn digest_of(artifact: &str) -> Option<(String, String)> {
    let digest = artifact.rsplit_once('@').map_or(artifact, |(_, digest)| digest);
    let (name, digits) = digest.split_once(':')?;
    let name = name.to_ascii_lowercase();
    let length = match name.as_str() {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return None,
    };
    is_hex(digits, &[length]).then(|| (name, digits.to_ascii_lowercase()))
}

fn is_hex(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The content of a verification summary about a build.
#[derive(Debug, Clone)]
pub struct Verified<'a> {
    /// The address of the tenant, `https://host/t/TENANT`.
    pub verifier: &'a str,
    /// The version of Assent.
    pub version: &'a str,
    /// The service's key, the name of the subject.
    pub service: &'a str,
    /// The environment's key.
    pub environment: &'a str,
    /// The build, from [`digests`].
    pub digests: Value,
    /// The digest of the policies, `sha256:…`.
    pub policy: &'a str,
    /// When the permit was issued, in RFC 3339.
    pub at: &'a str,
    /// Whether break-glass bypassed approvals.
    pub break_glass: bool,
}

/// The statement for a permit: the build passed the tenant's policies for a service and an environment. The level is
/// `ASSENT_APPROVED_CHANGE`, or `ASSENT_BREAK_GLASS` where break-glass bypassed approvals.
#[must_use]
pub fn verification_summary(said: &Verified<'_>) -> Value {
    let level = match said.break_glass {
        true => "ASSENT_BREAK_GLASS",
        false => "ASSENT_APPROVED_CHANGE",
    };
    let verifier = said.verifier;
    let mut policy = json!({"uri": format!("{verifier}/policies/{}", said.policy)});
    if let Some((name, digits)) = digest_of(said.policy) {
        policy["digest"] = json!({name: digits});
    }
    statement(
        vec![subject(said.service, &said.digests)],
        VERIFICATION_SUMMARY,
        &json!({
            "verifier": {"id": verifier, "version": {"assent": said.version}},
            "timeVerified": said.at,
            "resourceUri": format!("{verifier}/services/{}/environments/{}", said.service, said.environment),
            "policy": policy,
            "verificationResult": "PASSED",
            "verifiedLevels": [level],
            "slsaVersion": "1.0",
        }),
    )
}

/// The statement for what a change deployed of one service. `builds` are from [`digests`]; `change` is the version of the
/// release in its package URL (purl), `pkg:generic/TENANT/SERVICE@CHANGE`.
#[must_use]
pub fn release(tenant: &str, service: &str, change: &str, builds: &[Value]) -> Value {
    let subjects = builds.iter().map(|build| subject(service, build)).collect();
    let purl = format!("pkg:generic/{tenant}/{service}@{change}");
    statement(
        subjects,
        RELEASE,
        &json!({"purl": purl, "packageId": format!("{tenant}/{service}")}),
    )
}

/// A statement about a file by its bytes.
#[must_use]
pub fn about_file(name: &str, bytes: &[u8], kind: &str, predicate: &Value) -> Value {
    let digest = digest_text(bytes);
    let digits = digest.strip_prefix("sha256:").unwrap_or(&digest);
    statement(vec![subject(name, &json!({"sha256": digits}))], kind, predicate)
}

fn subject(name: &str, digests: &Value) -> Value {
    json!({"name": name, "digest": digests})
}

fn statement(subjects: Vec<Value>, kind: &str, predicate: &Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": kind,
        "predicate": predicate,
    })
}

/// Signs a statement: a DSSE envelope whose `keyid` is the SHA-256 of the key's SubjectPublicKeyInfo in hexadecimal.
///
/// # Errors
/// [`crate::Error::Canonical`] for a statement outside the canonical subset.
pub fn sign(statement: &Value, key: &SigningKey) -> Result<Value> {
    let payload = canonical::to_bytes(statement)?;
    let signature = key.sign(&dsse::signed_bytes(PAYLOAD_TYPE, &payload));
    let keyid = digest_text(&dsse::public_der(key.public()));
    Ok(json!({
        "payloadType": PAYLOAD_TYPE,
        "payload": base64_standard(&payload),
        "signatures": [{
            "keyid": keyid.strip_prefix("sha256:").unwrap_or(&keyid),
            "sig": base64_standard(&signature),
        }],
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;
    use crate::crypto::from_base64_standard;

    fn said() -> Verified<'static> {
        Verified {
            verifier: "https://assent.example/t/acme",
            version: "0.1.0",
            service: "wms",
            environment: "production",
            digests: digests(Some(&format!("sha256:{}", "ab".repeat(32))), None).unwrap(),
            policy: "sha256:cd",
            at: "2026-11-28T12:00:00Z",
            break_glass: false,
        }
    }

    #[test]
    fn a_build_is_named_by_its_content_alone() {
        let digits = "AB".repeat(32);
        let commit = "0f".repeat(20);
        let found = digests(Some(&format!("registry.example/wms@sha256:{digits}")), Some(&commit)).unwrap();
        assert_eq!(found, json!({"sha256": "ab".repeat(32), "gitCommit": commit}));
        for tag in ["registry.example/wms:1.2", "sha256:ab", "md5:00", "sha256:", ""] {
            assert_eq!(digests(Some(tag), Some("0f0f0f0")), None, "{tag}");
        }
    }

    #[test]
    fn break_glass_is_another_level_than_an_approval() {
        let plain = verification_summary(&said());
        let glass = verification_summary(&Verified {
            break_glass: true,
            ..said()
        });
        assert_eq!(plain["predicate"]["verifiedLevels"], json!(["ASSENT_APPROVED_CHANGE"]));
        assert_eq!(glass["predicate"]["verifiedLevels"], json!(["ASSENT_BREAK_GLASS"]));
        assert_eq!(plain["predicate"].get("digest"), None);
    }

    #[test]
    fn an_envelope_verifies_by_the_published_key_and_for_its_payload_alone() {
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let envelope = sign(&verification_summary(&said()), &key).unwrap();
        let payload = from_base64_standard(envelope["payload"].as_str().unwrap()).unwrap();
        let signature = from_base64_standard(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
        let pem = dsse::public_pem(key.public());
        assert!(dsse::is_signed(PAYLOAD_TYPE, &payload, &signature, &pem));
        let other = [payload.as_slice(), b" "].concat();
        assert!(!dsse::is_signed(PAYLOAD_TYPE, &other, &signature, &pem));
        let stranger = SigningKey::from_seed([8; 32]).unwrap();
        assert!(!dsse::is_signed(
            PAYLOAD_TYPE,
            &payload,
            &signature,
            &dsse::public_pem(stranger.public())
        ));
    }
}
