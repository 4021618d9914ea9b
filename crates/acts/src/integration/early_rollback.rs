//! A rollback whose deployment is reported before the deployment that it undoes. Until the earlier deployment is reported, the
//! rollback counts as unauthorized, unless a permit allows it; then it counts as a rollback.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::ready_spans::{self, SKEW};
use model::change::record::{Change, Target};
use model::change::related_records::{Deployment, Entry, Permit, WayBack};
use model::core::enums::{Outcome, Purpose, State};
use model::core::ids::TargetId;
use model::core::parse::later;
use model::gate::rollback;
use model::integration::occurrence::{Phase, StatusReport};
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::{Written, draft};
use crate::integration::after_failure;
use crate::integration::told_deployment::{Here, TargetReport, go_back, outcome_of};

/// Whether a rollback of this change may have been lawful at this time although no start of the change was reported.
///
/// # Errors
/// The store's.
pub(crate) fn may_be_early(cx: &mut Context<'_, '_>, change: &Change, target: &str, at: Timestamp) -> Result<bool> {
    let directory = cx.directory()?;
    let (target, now) = (TargetId::from(target), cx.now);
    // A sender may give any time, but a reported event is never later than now.
    Ok(ready_spans::stood_open(
        change,
        &directory,
        now,
        (&target, at.min(now), false),
    ))
}

/// Whether a permit of this change allowed the rollback of a target at a time: a permit for the rollback itself, or one to go
/// forward that may have been used without a report yet.
///
/// # Errors
/// The store's.
pub(crate) fn is_permitted(cx: &mut Context<'_, '_>, change: &Change, target: &str, at: Timestamp) -> Result<bool> {
    let (target, at) = (TargetId::from(target), at.min(cx.now));
    Ok(permits(cx, change)?
        .iter()
        .any(|permit| permit.target == target && lets_back(permit, change.state, at)))
}

/// The targets of a change that has not begun or is over, with a rollback that a permit allowed at a time.
///
/// # Errors
/// The store's.
pub(crate) fn permitted(cx: &mut Context<'_, '_>, key: &str, at: Timestamp) -> Result<BTreeSet<TargetId>> {
    let (change, at) = (cx.change(key)?, at.min(cx.now));
    if matches!(change.state, State::Implementing | State::Reviewing) {
        return Ok(BTreeSet::new());
    }
    let found = permits(cx, &change)?.into_iter();
    Ok(found
        .filter(|permit| lets_back(permit, change.state, at))
        .map(|permit| permit.target)
        .collect())
}

/// Whether the rollback of a target had begun by then: a permit for it was collected, or the log of actions has it. Otherwise a
/// failure without a start belongs to a run that never began, for example because the gate refused it.
///
/// # Errors
/// The store's.
pub(crate) fn is_taken(cx: &mut Context<'_, '_>, change: &Change, target: &TargetId, at: Timestamp) -> Result<bool> {
    let latest = later(at, SKEW);
    let lets = |permit: &Permit| {
        let is_good = permit.not_before <= latest && permit.revoked_at.is_none_or(|gone| gone > at);
        &permit.target == target && permit.purpose == Purpose::Rollback && is_good
    };
    if permits(cx, change)?.iter().any(lets) {
        return Ok(true);
    }
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let noted = record::bodies::<Entry>(cx.tx, &filter)?;
    Ok(WayBack::of(&noted).is_some_and(|back| back.begun.occurred_at <= latest))
}

fn permits(cx: &mut Context<'_, '_>, change: &Change) -> Result<Vec<Permit>> {
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let rows = record::find::<Permit>(cx.tx, &filter)?;
    Ok(rows.into_iter().map(|stored| stored.record).collect())
}

/// Whether a permit allows a rollback at a time. A permit that was revoked before allows nothing. After a permit to go forward
/// the rollback is open until the change is over, however long the permit itself lived.
fn lets_back(permit: &Permit, state: State, at: Timestamp) -> bool {
    let has_begun = permit.not_before <= later(at, SKEW);
    let is_revoked = permit.revoked_at.is_some_and(|gone| gone <= at);
    let is_good = match permit.purpose {
        Purpose::Rollback => at < later(permit.expires_at, SKEW),
        Purpose::Deploy => state.is_open(),
    };
    has_begun && !is_revoked && is_good
}

/// Applies the rollbacks of a change that were reported too early: those after the start that is known now. A rollback before
/// that start is unauthorized after all, even where a permit seemed to allow it.
///
/// # Errors
/// The store's.
pub(crate) fn take_up(cx: &mut Context<'_, '_>, here: &Here<'_>, key: &str) -> Result<()> {
    let change = cx.change(key)?;
    if !matches!(change.state, State::Implementing | State::Reviewing) {
        return Ok(());
    }
    let filter = Filter::new()
        .equals("change_id", change.id.as_str())
        .equals("service", here.mapping.service.as_str())
        .equals("environment", here.environment.as_str())
        .order_by("id");
    for stored in record::find::<Deployment>(cx.tx, &filter)? {
        let deployment = stored.record;
        let has_only_failed = has_only_failed(&deployment);
        if !deployment.unauthorized && !deployment.is_early && !has_only_failed {
            continue;
        }
        let target = led_back_from(&change, &deployment).map(|target| target.id.clone());
        if has_only_failed && let Some(target) = &target {
            let at = deployment.status_at.unwrap_or(deployment.at).min(cx.now);
            if !is_taken(cx, &change, target, at)? {
                continue;
            }
        }
        match target {
            Some(target) => clear(cx, key, deployment, &target)?,
            None if deployment.is_early && has_begun_here(&change, &deployment) => refute(cx, deployment)?,
            None => {}
        }
    }
    Ok(())
}

/// Whether every report about a deployment is a failure, which has no effect by itself.
fn has_only_failed(deployment: &Deployment) -> bool {
    let status = deployment.status.as_deref().unwrap_or_default();
    deployment.same_as.is_none() && !deployment.has_begun() && Phase::of(status) == Phase::Failed
}

/// Whether work has begun where this deployment went.
fn has_begun_here(change: &Change, deployment: &Deployment) -> bool {
    change.content.targets.iter().any(|target| {
        target.service == deployment.service
            && target.environment == deployment.environment
            && change
                .target_record(&target.id)
                .is_some_and(|it| it.actual_start.is_some())
    })
}

/// With a start after it a deployment is no rollback, even with a permit.
fn refute(cx: &mut Context<'_, '_>, deployment: Deployment) -> Result<()> {
    let refuted = Deployment {
        unauthorized: true,
        is_early: false,
        ..deployment
    };
    let mut written = Written::default();
    let saved = cx.put(&mut written, refuted)?;
    let event = draft(
        "deployment.unauthorized",
        ("deployment", saved.id.0.clone()),
        cx.now,
        deployment_data(&saved),
    );
    cx.emit(vec![event], written)
}

fn deployment_data(saved: &Deployment) -> Value {
    json!({
        "change": saved.change_key, "status": saved.status, "service": saved.service, "environment": saved.environment,
    })
}

/// The target that this deployment rolled back after its start.
fn led_back_from<'a>(change: &'a Change, deployment: &Deployment) -> Option<&'a Target> {
    let artifact = deployment.artifact.as_deref()?;
    let has_begun = |target: &&Target| {
        let record = change.target_record(&target.id);
        record
            .and_then(|it| it.actual_start)
            .is_some_and(|start| start <= deployment.at)
    };
    let is_here = |target: &&Target| {
        target.service == deployment.service
            && target.environment == deployment.environment
            && target.rollback_to.as_deref() == Some(artifact)
            && rollback::against(change, target).is_none()
    };
    change.content.targets.iter().filter(is_here).find(has_begun)
}

fn clear(cx: &mut Context<'_, '_>, key: &str, deployment: Deployment, target: &TargetId) -> Result<()> {
    let at = deployment.status_at.unwrap_or(deployment.at).min(cx.now);
    let status = deployment.status.as_deref().unwrap_or_default();
    let word = TargetReport {
        phase: Phase::of(status),
        is_start: false,
        must_begin: false,
        outcome: outcome_of(status),
        at,
        who: None,
        told_before: None,
        has_begun: true,
        made_the_change: false,
    };
    cx.on_change(key, |case| Ok(go_back(case, target, &word)))?;
    let mut deployment = deployment;
    if !deployment.has_begun() {
        let status = "in_progress".to_owned();
        deployment.words.push(StatusReport { at, status });
    }
    save_cleared(cx, deployment)
}

/// Saves a deployment that counted as unauthorized or as too early and has turned out to be lawful; the effects of its failure
/// happen now.
///
/// # Errors
/// The store's.
pub(crate) fn save_cleared(cx: &mut Context<'_, '_>, deployment: Deployment) -> Result<()> {
    let mut written = Written::default();
    let saved = cx.put(
        &mut written,
        Deployment {
            unauthorized: false,
            is_early: false,
            ..deployment
        },
    )?;
    let event = draft(
        "deployment.cleared",
        ("deployment", saved.id.0.clone()),
        cx.now,
        deployment_data(&saved),
    );
    cx.emit(vec![event], written)?;
    let outcome = saved.status.as_deref().and_then(outcome_of);
    if matches!(outcome, Some(Outcome::Failed | Outcome::RolledBack)) {
        let at = saved.status_at.unwrap_or(saved.at).min(cx.now);
        after_failure::after_failure(cx, &saved, at)?;
    }
    Ok(())
}
