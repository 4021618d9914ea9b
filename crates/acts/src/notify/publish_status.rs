//! Opens the tenant's status page to everybody, or closes it again (`POST /status/publication`,
//! `POST /status/publication/end`), and its public content: services and times, without titles, keys or people.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::record::Change;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{Disruption, Touch};
use model::core::ids::ServiceKey;
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use model::core::statement::Stated;
use model::directory::snapshot::{Directory, Tenant};
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::{impersonation, required_factor};
use crate::notify::find_status::find_status;

/// Opens the status page (`{reason}`).
///
/// # Errors
/// 403, also `step_up_required`; 409 `already_public`; 422; the store's.
pub fn publish_status(cx: &mut Context<'_, '_>, body: &Body) -> Result<Tenant> {
    let (tenant, said) = check(cx, body)?;
    if tenant.status_is_public {
        let text = "The status page is public already.";
        return Err(Refusal::not_now("already_public", text, "Nothing is left to do.", Vec::new()).into());
    }
    keep(cx, "tenant.status_opened", tenant, (true, said))
}

/// Closes it (`{reason}`): from then on only signed-in people read it.
///
/// # Errors
/// 403, also `step_up_required`; 409 `not_public`; 422; the store's.
pub fn close_status(cx: &mut Context<'_, '_>, body: &Body) -> Result<Tenant> {
    let (tenant, said) = check(cx, body)?;
    if !tenant.status_is_public {
        let text = "The status page is not public.";
        return Err(Refusal::not_now("not_public", text, "Nothing is left to do.", Vec::new()).into());
    }
    keep(cx, "tenant.status_closed", tenant, (false, said))
}

/// Checks the permission; returns the tenant, and the author with the reason.
fn check(cx: &mut Context<'_, '_>, body: &Body) -> Result<(Tenant, Stated)> {
    cx.allow(act::actions::SET_CONNECTION)?;
    required_factor::check_wanted(cx, &[Touch::PrivilegedAccess])?;
    impersonation::check_voice(cx)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    let key = cx.tenant();
    let found = record::load::<Tenant>(cx.tx, &key)?;
    let tenant = found.ok_or_else(|| Refusal::not_found("tenant"))?.record;
    let said = Stated {
        by: cx.actor.person.clone(),
        at: cx.now,
        reason,
    };
    Ok((tenant, said))
}

fn keep(
    cx: &mut Context<'_, '_>,
    kind: &'static str,
    tenant: Tenant,
    (is_public, said): (bool, Stated),
) -> Result<Tenant> {
    let tenant = Tenant {
        status_is_public: is_public,
        status_said: Some(said),
        ..tenant
    };
    cx.put_estate(kind, tenant, json!({}))
}

/// The most entries of each list that everybody reads.
pub const MOST_SHOWN: usize = 100;

/// The public notice of a disruption or an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicNotice {
    /// The names of the services.
    pub services: Vec<String>,
    /// The effect on users; `None` for an incident.
    pub disruption: Option<Disruption>,
    /// Since when, or from when on.
    pub starts_at: Timestamp,
    /// Until when; absent where nobody knows.
    pub ends_at: Option<Timestamp>,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// The status page of a tenant whose page is public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicStatus {
    /// The tenant's name.
    pub tenant: String,
    /// Open incidents.
    pub incidents: Vec<PublicNotice>,
    /// Disruptions under way.
    pub current: Vec<PublicNotice>,
    /// Disruptions ahead.
    pub coming: Vec<PublicNotice>,
}

/// Whether everybody reads the status page.
///
/// # Errors
/// The store's.
pub fn is_status_public(cx: &mut Context<'_, '_>) -> Result<bool> {
    Ok(cx.directory()?.tenant.as_ref().is_some_and(|it| it.status_is_public))
}

/// Finds the public status, at most [`MOST_SHOWN`] of each list, for readers without a credential; `None` when the page is not
/// public.
///
/// # Errors
/// The store's.
pub fn find_public_status(cx: &mut Context<'_, '_>) -> Result<Option<PublicStatus>> {
    let directory = cx.directory()?;
    let Some(tenant) = directory.tenant.as_ref().filter(|it| it.status_is_public) else {
        return Ok(None);
    };
    let status = cx.as_system(find_status)?;
    let open = directory.incidents.iter().map(|(_, incident)| incident);
    let incidents = open
        .filter(|incident| incident.resolved_at.is_none())
        .map(|incident| PublicNotice {
            services: names(&directory, incident.services.iter().map(|key| key.as_str())),
            disruption: None,
            starts_at: incident.started_at,
            ends_at: None,
            updated_at: incident.started_at,
        });
    let notice = |change: &Change| notice(&directory, change);
    Ok(Some(PublicStatus {
        tenant: tenant.name.clone(),
        incidents: incidents.take(MOST_SHOWN).collect(),
        current: status.current.iter().filter_map(notice).take(MOST_SHOWN).collect(),
        coming: status.coming.iter().filter_map(notice).take(MOST_SHOWN).collect(),
    }))
}

fn notice(directory: &Directory, change: &Change) -> Option<PublicNotice> {
    let targets = change.content.targets.iter();
    Some(PublicNotice {
        services: names(directory, targets.map(|target| target.service.as_str())),
        disruption: change.content.disruption.as_ref().map(|plan| plan.kind),
        starts_at: change.actual_start.or(change.planned_start)?,
        ends_at: change.planned_end,
        updated_at: change.updated_at,
    })
}

/// The names of services, each once; the key of one without a name.
fn names<'k>(directory: &Directory, keys: impl Iterator<Item = &'k str>) -> Vec<String> {
    let name = |key: &str| {
        let known = directory
            .services
            .get(&ServiceKey::from(key))
            .map(|service| service.name.clone());
        known.filter(|name| !name.is_empty()).unwrap_or_else(|| key.to_owned())
    };
    let found: BTreeSet<String> = keys.map(name).collect();
    found.into_iter().collect()
}
