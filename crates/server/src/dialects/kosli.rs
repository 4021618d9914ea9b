//! The command line of Kosli: attestations as evidence of changes, artifacts of services, and assertions by the gate.
//!
//! Sources: the published source of the command line, which names the addresses, the bodies and the fields that it reads in
//! responses. A flow is a service here, a trail a change, a fingerprint the digest of an artifact, and an organisation the
//! tenant.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart};
use axum::http::{HeaderMap, Method, Request, header};
use model::core::enums::OutsideRunKind;
use serde_json::{Value, json};

use super::api::{Refused, items_of, text_of};
use super::{DialectRequest, DialectResponse, runs};
use crate::http::percent::{decoded, escaped, segment};

/// The form field that holds an attestation.
const FIELD: &str = "data_json";
/// The digits of a fingerprint.
const DIGITS: usize = 64;

/// The attestation in a form.
///
/// # Errors
/// A form that cannot be read, or one with files.
pub(super) async fn read_form(headers: &HeaderMap, body: Bytes) -> Result<Value, Refused> {
    let unreadable = || Refused::new(400, "malformed", "The form cannot be read.");
    let kind = headers.get(header::CONTENT_TYPE).ok_or_else(unreadable)?;
    let request = Request::builder().header(header::CONTENT_TYPE, kind);
    let request = request.body(Body::from(body)).map_err(|_| unreadable())?;
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
    let mut found = None;
    while let Some(field) = form.next_field().await.map_err(|_| unreadable())? {
        if field.file_name().is_some() {
            let text =
                "Attachments are not taken here. Add the file as evidence in Assent, or leave `--attachments` out.";
            return Err(Refused::field(text));
        }
        if field.name() == Some(FIELD) && found.is_none() {
            let text = field.text().await.map_err(|_| unreadable())?;
            found = serde_json::from_str(&text).ok();
        }
    }
    found.ok_or_else(|| Refused::field(format!("`{FIELD}` of the form is JSON.")))
}

/// Answers a request.
pub(super) async fn answer(asked: &DialectRequest) -> Result<DialectResponse, Refused> {
    let unreadable = || Refused::field("The address holds something that is no text.");
    let parts: Option<Vec<String>> = asked.path.trim_matches('/').split('/').map(decoded).collect();
    let parts = parts.ok_or_else(unreadable)?;
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let ["api", "v2", kind, organisation, rest @ ..] = parts.as_slice() else {
        return Err(nothing());
    };
    let me = asked.api.get("/me").await?;
    if text_of(&me["tenant"]) != *organisation {
        let text = format!(
            "The organisation is the tenant of the token, `{}`.",
            text_of(&me["tenant"])
        );
        return Err(Refused::new(404, "not_found", text));
    }
    match (*kind, &asked.method, rest) {
        ("attestations", &Method::POST, [flow, "trail", trail, "generic"]) => attest(asked, flow, trail).await,
        ("attestations", &Method::POST, [_, "trail", _, other]) => {
            let text = format!(
                "An attestation of the type `{other}` is not taken here: `generic` is. Approvals and decisions are people's, in Assent."
            );
            Err(Refused::field(text))
        }
        ("artifacts", &Method::POST, [flow]) => artifact(asked, flow).await,
        ("asserts", &Method::GET, ["fingerprint", fingerprint]) => assert(asked, fingerprint).await,
        ("attestations" | "artifacts" | "asserts", _, _) => {
            let text = "This address does not take this method here.";
            Err(Refused::new(405, "method_not_allowed", text))
        }
        _ => Err(nothing()),
    }
}

/// A refusal in the form of Kosli, with our reason.
pub(super) fn refusal(why: &Refused) -> Value {
    json!({"message": format!("{} ({})", why.text, why.code)})
}

fn nothing() -> Refused {
    let text =
        "This address is not answered here. There are generic attestations, artifacts, and assertions by fingerprint.";
    Refused::new(404, "not_found", text)
}

/// The artifact with a fingerprint.
fn digest(fingerprint: &str) -> Result<String, Refused> {
    let is_one = fingerprint.len() == DIGITS && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wrong = || Refused::field(format!("A fingerprint has {DIGITS} hexadecimal digits."));
    is_one
        .then(|| format!("sha256:{}", fingerprint.to_lowercase()))
        .ok_or_else(wrong)
}

/// The change of a trail, about the service of the flow.
async fn change(asked: &DialectRequest, flow: &str, trail: &str) -> Result<Value, Refused> {
    let found = asked.api.find(&format!("/changes/{}", segment(trail))).await?;
    let absent = || {
        Refused::new(
            404,
            "not_found",
            format!("A trail is a change here, and there is none called `{trail}`."),
        )
    };
    let change = found.ok_or_else(absent)?;
    if items_of(&change["targets"])
        .iter()
        .any(|target| text_of(&target["service"]) == flow)
    {
        return Ok(change);
    }
    let text = format!("A flow is a service here, and {trail} has no target of the service `{flow}`.");
    Err(Refused::new(409, "another_service", text))
}

/// Adds an attestation as evidence of its change; an attestation about an artifact must concern one of the change's artifacts.
async fn attest(asked: &DialectRequest, flow: &str, trail: &str) -> Result<DialectResponse, Refused> {
    let change = change(asked, flow, trail).await?;
    let said = &asked.body;
    let name = text_of(&said["attestation_name"]);
    let Some(is_compliant) = said["is_compliant"].as_bool() else {
        return Err(Refused::field("`is_compliant` is true or false."));
    };
    let artifact = match said["artifact_fingerprint"].as_str() {
        Some(fingerprint) => Some(digest(fingerprint)?),
        None => None,
    };
    let is_of = |target: &Value| artifact.as_deref().is_none_or(|it| text_of(&target["artifact"]) == it);
    if !items_of(&change["targets"]).iter().any(is_of) {
        let text =
            format!("{trail} has no target with this artifact, so an attestation about it is no evidence of {trail}.");
        return Err(Refused::new(409, "another_build", text));
    }
    let (result, word) = if is_compliant {
        ("passed", "Compliant")
    } else {
        ("failed", "Not compliant")
    };
    let parts = [text_of(&said["description"]), text_of(&said["origin_url"])];
    let text = parts
        .iter()
        .filter(|part| !part.is_empty())
        .fold(format!("{word}."), |text, part| format!("{text} {part}"));
    let mut body = json!({"kind": "note", "aspect": "functional", "result": result, "text": text.trim(),
        "name": if name.is_empty() { "Attestation" } else { name }});
    if let Some(artifact) = artifact {
        body["artifact"] = json!(artifact);
    }
    asked
        .api
        .post(&format!("/changes/{}/evidence", segment(trail)), &body)
        .await?;
    Ok(DialectResponse::new(201, json!("OK")))
}

/// Registers an artifact of a service, where it stays.
async fn artifact(asked: &DialectRequest, flow: &str) -> Result<DialectResponse, Refused> {
    let said = &asked.body;
    let artifact = digest(text_of(&said["fingerprint"]))?;
    let found = asked.api.find(&format!("/services/{}", segment(flow))).await?;
    if found.is_none() {
        let text = format!("A flow is a service here, and there is none called `{flow}`.");
        return Err(Refused::new(404, "not_found", text));
    }
    let told = json!({"service": flow, "artifact": artifact});
    runs::report_run(asked, OutsideRunKind::Artifact, &artifact, &told).await?;
    Ok(DialectResponse::new(201, json!("OK")))
}

/// Whether an artifact may go, by the gate.
async fn assert(asked: &DialectRequest, fingerprint: &str) -> Result<DialectResponse, Refused> {
    let artifact = digest(fingerprint)?;
    let needed = |name: &str, option: &str| {
        let missing = || {
            Refused::field(format!(
                "`--{option}` is needed here: the gate answers for a service in an environment."
            ))
        };
        asked.query(name).ok_or_else(missing)
    };
    let (flow, environment) = (needed("flow_name", "flow")?, needed("environment_name", "environment")?);
    let query = format!(
        "/gate?artifact={}&environment={}&service={}",
        escaped(&artifact),
        escaped(environment),
        escaped(flow)
    );
    let answer = asked.api.get(&query).await?;
    Ok(DialectResponse::new(200, shown(&answer, flow, &asked.base)))
}

fn shown(answer: &Value, flow: &str, base: &str) -> Value {
    let is_go = text_of(&answer["decision"]) == "go";
    let policies: Vec<Value> = items_of(&answer["reasons"])
        .iter()
        .map(|it| {
            let name = format!("{} {}", text_of(&it["text"]), text_of(&it["satisfy"]));
            json!({"policy_name": name.trim(), "status": "NON-COMPLIANT", "rule_evaluations": []})
        })
        .collect();
    let status = if is_go { "COMPLIANT" } else { "NON-COMPLIANT" };
    json!({"compliant": is_go, "scope": "environment", "flow": flow, "trail": answer["change"], "html_url": base,
        "compliance_status": {"status": status, "attestations_statuses": []}, "policy_evaluations": policies})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_a_digest() {
        let digits = "AB".repeat(32);
        assert_eq!(digest(&digits).ok(), Some(format!("sha256:{}", "ab".repeat(32))));
        for wrong in ["", "latest", "sha256:ab"] {
            assert!(digest(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_assertion_is_the_answer_of_the_gate_with_its_reasons() {
        let stop = json!({"decision": "stop", "change": "CHG-1", "reasons": [{"text": "It is not approved.", "satisfy": "Have it approved."}]});
        let told = shown(&stop, "shop", "https://here");
        assert_eq!(told["compliant"], false);
        assert_eq!(
            told["policy_evaluations"][0]["policy_name"],
            "It is not approved. Have it approved."
        );
        assert_eq!(
            shown(&json!({"decision": "go"}), "shop", "https://here")["compliant"],
            true
        );
    }
}
