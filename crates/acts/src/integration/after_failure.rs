//! Effects of a deployment that failed or was rolled back: its incident is linked or opened, and an event with the version to
//! go back to is sent to webhooks. The completion itself ends the target, revokes its future permits and starts the review's
//! clock; the review is drafted on demand.

use jiff::{SignedDuration, Timestamp};
use model::change::related_records::{Deployment, Link};
use model::core::enums::{LinkKind, Outcome};
use model::core::ids::RecordId;
use model::directory::snapshot::Incident;
use model::incident::watch;
use serde_json::json;
use store::record::{self, Filter};

use crate::change::link_change;
use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::write::{Written, draft};
use crate::incident::set_incident;
use crate::integration::named_target::{Meant, Named};

/// Links or opens the incident and emits the event that a rollback job needs, once for each deployment.
///
/// # Errors
/// The store's.
pub fn after_failure(cx: &mut Context<'_, '_>, deployment: &Deployment, at: Timestamp) -> Result<()> {
    let Some(key) = &deployment.change_key else {
        return Ok(());
    };
    let change = cx.change(key)?;
    let began = change
        .actual_start
        .map_or(deployment.at, |start| start.min(deployment.at));
    let minutes = watch::watch_minutes(&change, &*cx.directory()?);
    let until = at + SignedDuration::from_mins(minutes);
    let incident = incident_of(cx, deployment, (began, at), until)?;
    link(cx, key, &incident)?;
    let commit = Some(deployment.commit.as_str()).filter(|commit| !commit.is_empty());
    let named = Named::of(cx, deployment.artifact.as_deref(), commit)?;
    let place = (&deployment.service, &deployment.environment);
    let (target, meant) = named.target_of(&change, place, true).unzip();
    let rollback_to = target.and_then(|it| it.rollback_to.clone());
    // A rollback that failed, or was done already, starts no other.
    let is_back = meant == Some(Meant::Back);
    let was_taken = target
        .and_then(|it| change.target_record(&it.id))
        .is_some_and(|record| record.outcome == Some(Outcome::RolledBack));
    let rollback_to =
        rollback_to.filter(|_| !is_back && !was_taken && deployment.status.as_deref() != Some("rolled_back"));
    // A receiver of this event starts the pipeline's rollback job; the job's result comes back as a delivery.
    let data = json!({
        "change": key, "deployment": deployment.natural_key, "service": deployment.service,
        "environment": deployment.environment, "artifact": deployment.artifact, "commit": deployment.commit,
        "rollback_to": rollback_to, "incident": incident, "status": deployment.status,
    });
    let event = draft("deployment.failed", ("deployment", deployment.id.0.clone()), at, data);
    cx.emit(vec![event], Written::default())
}

/// The incident of the service that began since the work did, else a new one for this deployment.
fn incident_of(
    cx: &mut Context<'_, '_>,
    deployment: &Deployment,
    (began, at): (Timestamp, Timestamp),
    until: Timestamp,
) -> Result<String> {
    let reference = format!("deployment:{}:{}", deployment.connection, deployment.natural_key);
    let directory = cx.directory()?;
    let own = directory.incidents.values().find(|it| {
        let is_its = it.connection.as_ref() == Some(&deployment.connection);
        is_its && it.external_ref.as_deref() == Some(reference.as_str())
    });
    if let Some(found) = own {
        return Ok(found.key.clone());
    }
    let near = directory.incidents.values().find(|it| {
        it.services.contains(&deployment.service)
            && (began..=until).contains(&it.started_at)
            && it.resolved_at.is_none_or(|end| end >= began)
    });
    if let Some(found) = near {
        return Ok(found.key.clone());
    }
    let incident = Incident {
        id: RecordId(cx.new_id()?),
        version: 0,
        key: set_incident::next_key(cx)?,
        title: format!(
            "The deployment of {} to {} failed",
            deployment.service, deployment.environment
        ),
        severity: 3,
        services: std::iter::once(deployment.service.clone()).collect(),
        started_at: at,
        resolved_at: None,
        end_recorded_at: None,
        external_ref: Some(reference),
        connection: Some(deployment.connection.clone()),
        cause_verdicts: Vec::new(),
        course: Default::default(),
    };
    Ok(set_incident::put(cx, "incident.opened", incident)?.key)
}

fn link(cx: &mut Context<'_, '_>, key: &str, incident: &str) -> Result<()> {
    let change = cx.change(key)?;
    let filter = Filter::new()
        .equals("from_change", change.id.as_str())
        .equals("kind", LinkKind::Caused.as_str());
    let known = record::find::<Link>(cx.tx, &filter)?;
    if known.iter().any(|stored| stored.record.to == incident) {
        return Ok(());
    }
    let body = json!({"kind": "caused", "to": incident});
    match link_change::link_change(cx, key, &body.as_object().cloned().unwrap_or_default()) {
        Ok(_) | Err(Error::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
