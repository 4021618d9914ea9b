//! The times of freezes for systems that keep no freezes of their own: AWS's change calendars and Argo CD's sync windows.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::core::act;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Connection, Directory, Freeze};
use model::directory::unknown_name;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The kind of the connections that name applications of Argo CD.
const ARGOCD: &str = "argocd";

/// The subject of a calendar query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The service; none means each.
    pub service: Option<String>,
    /// The environment; none means each.
    pub environment: Option<String>,
}

/// A span of a freeze.
pub type Times = Vec<(Timestamp, Timestamp)>;

/// The times in which a freeze covers one of the places, or a part of one without a service or environment; or a sentence where
/// the tenant, as far as the acting person sees it, has no such place.
///
/// # Errors
/// 403, or the store's.
pub fn find_closed(cx: &mut Context<'_, '_>, places: &[Place]) -> Result<std::result::Result<Times, String>> {
    cx.allow(act::actions::READ)?;
    let directory = cx.visible()?;
    for place in places {
        if let Some(text) = why_absent(&directory, place) {
            return Ok(Err(text));
        }
    }
    let is_over = |freeze: &&Freeze| places.iter().any(|place| lies_over(&directory, freeze, place));
    let freezes = directory.freezes.iter().filter(|freeze| !freeze.ended).filter(is_over);
    Ok(Ok(freezes.flat_map(spans).collect()))
}

fn spans(freeze: &Freeze) -> Times {
    freeze.spans().map(|span| (span.starts_at, span.ends_at)).collect()
}

fn why_absent(directory: &Directory, place: &Place) -> Option<String> {
    let service = place.service.as_ref().map(|key| ServiceKey(key.clone()));
    if let Some(key) = service.filter(|key| !directory.services.contains_key(key)) {
        return Some(format!("There is no service `{key}`."));
    }
    let environment = place.environment.as_ref().map(|key| EnvironmentKey(key.clone()));
    let absent = environment.filter(|key| !directory.environments.contains_key(key))?;
    Some(format!("There is no environment `{absent}`."))
}

fn lies_over(directory: &Directory, freeze: &Freeze, place: &Place) -> bool {
    let environments = environments(directory, place.environment.as_deref());
    match &place.service {
        Some(service) => {
            let service = ServiceKey(service.clone());
            environments
                .iter()
                .any(|it| directory.is_frozen_by(freeze, &service, it))
        }
        None => environments.iter().any(|it| freeze.is_in(it)),
    }
}

/// The named environment, or all of them.
fn environments(directory: &Directory, named: Option<&str>) -> Vec<EnvironmentKey> {
    match named {
        Some(key) => vec![EnvironmentKey(key.to_owned())],
        None => directory.environments.iter().map(|(key, _)| key.clone()).collect(),
    }
}

/// A time in which applications are not synchronised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// The applications by the names that the Argo CD connections map; a service that none maps has its key.
    pub applications: Vec<String>,
}

/// The times of freezes with the applications that they cover, in the order of time; of one environment where it is named.
///
/// # Errors
/// 403, 422 for an unknown environment, or the store's.
pub fn find_denied(cx: &mut Context<'_, '_>, environment: Option<&str>) -> Result<Vec<Denied>> {
    cx.allow(act::actions::READ)?;
    let directory = cx.visible()?;
    if let Some(key) = environment
        && !directory.environments.contains_key(&EnvironmentKey(key.to_owned()))
    {
        let text = unknown_name::environment(&directory, key);
        return Err(Refusal::field("environment", "unknown", text).into());
    }
    let rows = record::bodies::<Connection>(cx.tx, &Filter::new().order_by("id"))?;
    let connections: Vec<Connection> = rows.into_iter().filter(|it| it.active && it.kind == ARGOCD).collect();
    let mut found: Vec<Denied> = Vec::new();
    for freeze in directory.freezes.iter().filter(|freeze| !freeze.ended) {
        let applications = applications(&directory, &connections, freeze, environment);
        if applications.is_empty() {
            continue;
        }
        found.extend(freeze.spans().filter(|it| it.ends_at > cx.now).map(|span| Denied {
            starts_at: span.starts_at,
            ends_at: span.ends_at,
            applications: applications.iter().cloned().collect(),
        }));
    }
    found.sort_by_key(|it| (it.starts_at, it.ends_at));
    Ok(found)
}

fn applications(
    directory: &Directory,
    connections: &[Connection],
    freeze: &Freeze,
    environment: Option<&str>,
) -> BTreeSet<String> {
    let wanted = environments(directory, environment);
    let is_frozen = |service: &ServiceKey, places: &[EnvironmentKey]| {
        let mut places = places.iter().filter(|it| wanted.contains(it));
        places.any(|it| directory.is_frozen_by(freeze, service, it))
    };
    let rows = || connections.iter().flat_map(|it| &it.map);
    // A service without a name there may still be an application: left out, its freeze would hold nothing.
    let mapped: BTreeSet<&ServiceKey> = rows().map(|row| &row.service).collect();
    let services = directory.services.iter().map(|(key, _)| key);
    let unmapped = services
        .filter(|service| !mapped.contains(service) && is_frozen(service, &wanted))
        .map(|service| service.0.clone());
    let named = rows()
        .filter(|row| directory.services.contains_key(&row.service))
        .filter(|row| {
            let named: Vec<EnvironmentKey> = row.environments.values().cloned().collect();
            is_frozen(&row.service, if named.is_empty() { &wanted } else { &named })
        });
    named.map(|row| row.repository.clone()).chain(unmapped).collect()
}
