//! Attests a change's permits and deployed builds (`GET …/changes/{key}/attestations`), for tools that verify in-toto statements.

use std::collections::BTreeMap;

use model::change::record::{Change, Target};
use model::change::related_records::Permit;
use model::change::success;
use model::core::enums::{PermitState, Purpose, State};
use proof::dsse::attestation::{self, Verified};
use serde_json::Value;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::signing_keys;

/// The most permits of one change that are attested.
const MOST_PERMITS: usize = 1_000;

/// A change's attestations.
#[derive(Debug, Default)]
pub struct Attestations {
    /// Signed envelopes: one per permit, then one release per service.
    pub envelopes: Vec<Value>,
    /// The attestations that were left out, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// A permit or a service without an attestation.
#[derive(Debug)]
pub struct LeftOut {
    /// `permit ID` or `service KEY`.
    pub what: String,
    /// A stable code: `revoked`, `not_succeeded`, `no_digest` or `too_many`.
    pub code: &'static str,
}

/// The attestations of a change, signed by the key of the tenant's log: a verification summary for each permit that was
/// not revoked and whose target did not fail, and a release for each service once the change is closed with success.
/// Builds with only a tag as their name are left out.
///
/// # Errors
/// [`model::core::refusal::Refusal::NotFound`]; a fault of the keys; the store's.
pub fn attest_change(cx: &mut Context<'_, '_>, key: &str) -> Result<Attestations> {
    let change = cx.change(key)?;
    let mut found = Attestations::default();
    let statements = [permits(cx, &change, &mut found)?, releases(cx, &change, &mut found)].concat();
    if statements.is_empty() {
        return Ok(found);
    }
    let signer = signing_keys::signing_key(cx, signing_keys::LOG)?;
    for statement in &statements {
        found.envelopes.push(attestation::sign(statement, &signer)?);
    }
    Ok(found)
}

fn permits(cx: &mut Context<'_, '_>, change: &Change, found: &mut Attestations) -> Result<Vec<Value>> {
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let permits = record::bodies::<Permit>(cx.tx, &filter.limit(1 + MOST_PERMITS as i64))?;
    let verifier = format!("{}/t/{}", cx.services.tools().public_url, cx.tenant());
    let mut statements = Vec::new();
    for (number, permit) in permits.iter().enumerate() {
        let left_out = |code| LeftOut {
            what: format!("permit {}", permit.id),
            code,
        };
        if number == MOST_PERMITS {
            found.left_out.push(left_out("too_many"));
            break;
        }
        if permit.state == PermitState::Revoked || signing_keys::is_signed_by_revoked(cx, permit)? {
            found.left_out.push(left_out("revoked"));
            continue;
        }
        if has_failed(change, permit) {
            found.left_out.push(left_out("not_succeeded"));
            continue;
        }
        match attestation::digests(permit.artifact.as_deref(), permit.commit.as_deref()) {
            None => found.left_out.push(left_out("no_digest")),
            Some(digests) => statements.push(attestation::verification_summary(&Verified {
                verifier: &verifier,
                version: env!("CARGO_PKG_VERSION"),
                service: permit.service.as_str(),
                environment: permit.environment.as_str(),
                digests,
                policy: &permit.policy_digest,
                at: &permit.issued_at.to_string(),
                break_glass: permit.break_glass,
            })),
        }
    }
    Ok(statements)
}

/// Whether a permit's target did not succeed: a summary states PASSED, and must not verify a failed build. A verifier
/// before the end of the work still finds a summary, and a permit for the rollback names another build.
fn has_failed(change: &Change, permit: &Permit) -> bool {
    if permit.purpose != Purpose::Deploy {
        return false;
    }
    let record = change.target_record(&permit.target);
    record.is_some_and(|it| it.was_rolled_back() || it.outcome.is_some_and(|outcome| !outcome.is_success()))
}

/// One statement per service of a change that is closed with success; a release of a failed change would attest its
/// build as good.
fn releases(cx: &Context<'_, '_>, change: &Change, found: &mut Attestations) -> Vec<Value> {
    if change.state != State::Closed || success::succeeded(change) != Some(true) {
        return Vec::new();
    }
    let mut by_service: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for target in &change.content.targets {
        by_service.entry(target.service.as_str()).or_default().push(target);
    }
    let mut statements = Vec::new();
    for (service, targets) in by_service {
        let digests = |target: &&Target| attestation::digests(target.artifact.as_deref(), target.commit.as_deref());
        let mut builds: Vec<Value> = targets.iter().filter_map(digests).collect();
        if builds.len() < targets.len() {
            found.left_out.push(LeftOut {
                what: format!("service {service}"),
                code: "no_digest",
            });
            continue;
        }
        builds.sort_by_key(ToString::to_string);
        builds.dedup();
        statements.push(attestation::release(&cx.tenant(), service, &change.key, &builds));
    }
    statements
}
