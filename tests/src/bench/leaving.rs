//! How soon the permits of a person who is deactivated as compromised become invalid: from the request until the signed list of
//! revocations, as verifiers fetch it, names the last of them and the gate is shut for each.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use super::client::{Connection, request};
use super::load::seconds_since;
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact, text_of};
use super::report::Line;

/// Permits that rest on the person's approval.
const PERMITS: usize = 20;
/// How long it may take, in seconds.
const LIMIT: f64 = 60.0;
/// Artifacts of this measure are numbered from here, far from those of the other measures.
const FIRST: u64 = 1 << 44;

/// Measures on a product of its own: the person of security is gone afterwards.
///
/// # Errors
/// When a permit cannot be had before, or lives on long after.
pub fn measure(product: &Product) -> Result<Line> {
    let now = assent::clock::now();
    let mut caller = Caller::new(product)?;
    let mut permits = Vec::new();
    for number in 0..PERMITS {
        let artifact = artifact(FIRST + number as u64);
        let asked = caller.nearly_approved(&artifact, now)?;
        caller.ask("change_manager", "POST", &asked.path, Some(&asked.approval))?;
        // The window is open, so the gate itself gives the permit: ahead of the window only a policy would.
        let question = json!({"service": SERVICE, "environment": ENVIRONMENT, "artifact": artifact});
        let check = caller.ask("pipeline", "POST", "/gate-checks", Some(&question))?;
        permits.push((id_of(&check)?, artifact));
    }
    let mut connection = Connection::open(product.address)?;
    let began = assent::clock::now();
    ensure!(
        !are_dead(&mut connection, product, &permits)?,
        "permits are dead before anybody left"
    );
    let floor = seconds_since(began);
    let person = product.person("security")?;
    let path = format!("/people/{}/deactivation", text_of(&person, "login")?);
    let body = json!({"compromised": true, "reason": "Phished."});
    let began = assent::clock::now();
    caller.ask("admin", "POST", &path, Some(&body))?;
    while !are_dead(&mut connection, product, &permits)? {
        if seconds_since(began) > 4.0 * LIMIT {
            bail!("permits live on after {:.0} s", seconds_since(began));
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    let took = seconds_since(began);
    let what =
        format!("Deactivation as compromised to the last of {PERMITS} permits dead, in the list and at the gate");
    let line = Line::below(what, took, format!("{took:.2} s"), LIMIT, "s");
    Ok(line.beside(format!("{floor:.2} s, one look at the list")))
}

/// The id inside of a permit.
fn id_of(answer: &Value) -> Result<String> {
    let permit = text_of(answer, "permit")?;
    let payload = permit.split('.').nth(1).and_then(proof::crypto::from_base64url);
    let claims: Value = serde_json::from_slice(&payload.unwrap_or_default())?;
    text_of(&claims, "jti")
}

fn are_dead(connection: &mut Connection, product: &Product, permits: &[(String, String)]) -> Result<bool> {
    let list = connection.ask(&request("GET", "/t/halden/.well-known/assent-revocations", None, None))?;
    let list = String::from_utf8_lossy(&list.body).into_owned();
    let payload = list.trim().split('.').nth(1).and_then(proof::crypto::from_base64url);
    let named = String::from_utf8_lossy(&payload.unwrap_or_default()).into_owned();
    if permits.iter().any(|(id, _)| !named.contains(id.as_str())) {
        return Ok(false);
    }
    for (_, artifact) in permits {
        let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={artifact}");
        let answer = connection.ask(&request("GET", &path, Some(product.token("pipeline")), None))?;
        ensure!(
            matches!(answer.status, 200 | 403),
            "the gate answered {}",
            answer.status
        );
        if answer.status == 200 {
            return Ok(false);
        }
    }
    Ok(true)
}
