//! A way back whose deployment is told before the one that it leads back from. Until that is told it counts as
//! unauthorized, for nobody knows yet that there was anything to lead back from; then it counts as what it was.

use jiff::Timestamp;
use model::change::{Change, Target};
use model::ids::TargetId;
use model::records::Deployment;
use model::words::{Outcome, State};
use serde_json::json;
use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;
use crate::save::{Written, draft};
use crate::take_deployment::{Here, Word, go_back, outcome_of};

/// Whether a way back of this change may have been taken at this time although no start of the change has been told.
///
/// # Errors
/// The store's.
pub(crate) fn may_be_early(room: &mut Room<'_, '_>, change: &Change, target: &str, at: Timestamp) -> Result<bool> {
    let directory = room.directory()?;
    let target = TargetId::from(target);
    Ok(model::ready::stood_open(
        change,
        &directory,
        room.now,
        (&target, at, false),
    ))
}

/// Takes up the ways back of a change that were told too early: those that occurred after the start which is known now.
///
/// # Errors
/// The store's.
pub(crate) fn take_up(room: &mut Room<'_, '_>, here: &Here<'_>, key: &str) -> Result<()> {
    let change = room.change(key)?;
    if !matches!(change.state, State::Implementing | State::Reviewing) {
        return Ok(());
    }
    let filter = Filter::new()
        .equals("change_id", change.id.as_str())
        .equals("service", here.mapping.service.as_str())
        .equals("environment", here.environment.as_str())
        .order_by("id");
    for stored in record::find::<Deployment>(room.tx, &filter)? {
        let deployment = stored.record;
        if deployment.unauthorized
            && let Some(target) = led_back_from(&change, &deployment)
        {
            let target = target.id.clone();
            clear(room, key, deployment, &target)?;
        }
    }
    Ok(())
}

/// The target whose way back this deployment took after its start.
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
            && target.artifact.as_deref() != Some(artifact)
    };
    change.content.targets.iter().filter(is_here).find(has_begun)
}

fn clear(room: &mut Room<'_, '_>, key: &str, deployment: Deployment, target: &TargetId) -> Result<()> {
    let mut written = Written::default();
    let saved = room.put(
        &mut written,
        Deployment {
            unauthorized: false,
            ..deployment
        },
    )?;
    let data = json!({
        "change": saved.change_key, "status": saved.status, "service": saved.service, "environment": saved.environment,
    });
    let event = draft("deployment.cleared", ("deployment", saved.id.0.clone()), room.now, data);
    room.tell(vec![event], written)?;
    let at = saved.status_at.unwrap_or(saved.at).min(room.now);
    let word = Word {
        outcome: saved.status.as_deref().and_then(outcome_of),
        at,
        ..Word::default()
    };
    room.on_change(key, |case| Ok(go_back(case, target, &word)))?;
    if matches!(word.outcome, Some(Outcome::Failed | Outcome::RolledBack)) {
        crate::after_failure::after_failure(room, &saved, at)?;
    }
    Ok(())
}
