//! Stores the reports of a deployment, with its event, the alarm where nothing allowed it, and the effects of a failure.

use jiff::Timestamp;
use model::change::related_records::Deployment;
use model::core::enums::{OwnershipRole, Role};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::integration::after_failure;
use crate::integration::told_deployment::{Here, ReportedStatus};

/// Saves a deployment, with the record of the connection that reported it beside another system. The effects of a failure
/// happen at `failed_at`.
pub(crate) fn save_deployment(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    (own, deployment): (Option<Deployment>, Deployment),
    failed_at: Option<Timestamp>,
) -> Result<()> {
    let told = here.told;
    let mut written = Written::default();
    // Another system's report has raised the alarm already.
    let is_news = own.is_none();
    let is_unlawful = deployment.unauthorized && told.status.is_some();
    if let Some(own) = own {
        cx.put(&mut written, own)?;
    }
    let saved = cx.put(&mut written, deployment)?;
    let kind = if is_unlawful {
        "deployment.unauthorized"
    } else {
        "deployment.told"
    };
    let data = json!({
        "change": saved.change_key, "status": saved.status, "service": saved.service, "environment": saved.environment,
    });
    if is_unlawful && is_news {
        alert(cx, &mut written, &saved, told)?;
    }
    let event = draft(kind, ("deployment", saved.id.0.clone()), told.at, data);
    cx.emit(vec![event], written)?;
    // The effects of a rollback's failure happen once its start is reported.
    if let Some(at) = failed_at.filter(|_| !saved.unauthorized && !saved.is_early) {
        after_failure::after_failure(cx, &saved, at)?;
    }
    Ok(())
}

/// An unauthorized deployment reaches the service's owners and the change managers at once.
fn alert(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    deployment: &Deployment,
    told: &ReportedStatus<'_>,
) -> Result<()> {
    let directory = cx.directory()?;
    let (service, environment) = (&deployment.service, &deployment.environment);
    let mut people = directory.with_role(Role::ChangeManager);
    let owners = directory.holders(service, environment, OwnershipRole::Owner, cx.now);
    people.extend(owners.into_iter().map(|holder| holder.person));
    let key = deployment.change_key.clone().unwrap_or_default();
    let subject = format!("Unauthorized deployment of {service} in {environment}");
    let (status, word) = told.status.map_or(("", "deployment"), |(id, it)| (id, it.as_str()));
    let text = format!(
        "A deployment of {service} to {environment} was told ({word}) although {key} was not open for it.\nLook at it; a retrospective change may follow.\n"
    );
    // The log keeps the mark in clear.
    let report = proof::crypto::digest_text(status.as_bytes());
    for person in people {
        let dedup = format!("unauthorized/{}/{report}/{person}", deployment.id);
        let about = deployment.change.as_ref().map(|id| (id, key.as_str()));
        let message = (
            "unauthorized_deployment",
            subject.as_str(),
            text.as_str(),
            dedup.as_str(),
        );
        save_message(cx, written, &person, about, message)?;
    }
    Ok(())
}
