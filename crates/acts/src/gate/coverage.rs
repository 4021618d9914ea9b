//! Matches deployments with changes, both ways, and checks whether every production service is watched.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::change::record::{Change, Target};
use model::change::related_records::{Deployment, GateCheck};
use model::core::enums::{self, OwnershipRole, Role};
use model::core::ids::{EnvironmentKey, PersonId, ServiceKey};
use model::directory::snapshot::{Connection, Directory};
use model::gate::coverage::{self, DoorUse, Unmatched, Watched};
use serde_json::json;
use store::change::changes::{self, ChangeFilter, list_changes};
use store::gate::gate_use;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};
use crate::incident::find_what_changed::first_id;

/// The most deployments and changes that one round reads.
const MOST: i64 = 2_000;
/// How long a deployment's signal may take before its change counts as unmatched.
const GRACE: SignedDuration = SignedDuration::from_mins(60);
/// How many days back unmatched records raise an alarm.
const ALARM_DAYS: i64 = 7;

type Place = (String, String);

/// Every production service with its sources, gates and latest records.
///
/// # Errors
/// The store's.
pub fn watched(cx: &mut Context<'_, '_>) -> Result<Vec<Watched>> {
    let directory = cx.directory()?;
    let connections = connections(cx)?;
    let mut doors: BTreeMap<Place, Vec<DoorUse>> = BTreeMap::new();
    for row in gate_use::answered(cx.tx, MOST)? {
        let door = DoorUse {
            door: row.door,
            last_at: row.last_at,
            asked: row.asked,
        };
        doors.entry((row.service, row.environment)).or_default().push(door);
    }
    let mut found = Vec::new();
    for (service, environment) in places(cx, &directory, &connections, &doors)? {
        let place = (service.clone(), environment.clone());
        let mut uses = doors.remove(&place).unwrap_or_default();
        uses.extend(last_check(cx, &service, &environment)?);
        found.push(Watched {
            sources: sources(&connections, &service, &environment),
            last_signal_at: last_signal(cx, &service, &environment)?,
            last_check_at: uses.iter().map(|door| door.last_at).max(),
            doors: uses,
            owners: logins(&directory, &owners(&directory, &service, &environment, cx.now)),
            service,
            environment,
        });
    }
    Ok(found)
}

/// The places of each service in production. A service without a place is listed once, in the production environments
/// that exist.
fn places(
    cx: &mut Context<'_, '_>,
    directory: &Directory,
    connections: &[Connection],
    doors: &BTreeMap<Place, Vec<DoorUse>>,
) -> Result<BTreeSet<Place>> {
    let mut known: BTreeSet<Place> = changes::places(cx.tx)?.into_iter().collect();
    known.extend(doors.keys().cloned());
    for row in connections.iter().filter(|row| row.active).flat_map(|row| &row.map) {
        known.extend(
            row.environments
                .values()
                .map(|place| (row.service.0.clone(), place.0.clone())),
        );
    }
    let is_production = |key: &str| {
        directory
            .environments
            .get(&EnvironmentKey::from(key))
            .is_some_and(|place| place.is_production)
    };
    known.retain(|(service, place)| directory.services.contains_key(&service.as_str().into()) && is_production(place));
    for service in directory.services.keys() {
        if known.iter().any(|(its, _)| its == service.as_str()) {
            continue;
        }
        let production = directory.environments.values().filter(|place| place.is_production);
        known.extend(production.map(|place| (service.0.clone(), place.key.0.clone())));
    }
    Ok(known)
}

fn connections(cx: &mut Context<'_, '_>) -> Result<Vec<Connection>> {
    let rows = record::find::<Connection>(cx.tx, &Filter::new().order_by("id"))?;
    Ok(rows.into_iter().map(|stored| stored.record).collect())
}

fn sources(connections: &[Connection], service: &str, environment: &str) -> Vec<String> {
    let tells = |row: &&Connection| {
        row.active
            && row.map.iter().any(|mapping| {
                mapping.service.as_str() == service
                    && mapping.environments.values().any(|place| place.as_str() == environment)
            })
    };
    connections.iter().filter(tells).map(|row| row.name.clone()).collect()
}

fn last_signal(cx: &mut Context<'_, '_>, service: &str, environment: &str) -> Result<Option<Timestamp>> {
    let filter = Filter::new()
        .equals("service", service)
        .equals("environment", environment)
        .descending_by("id")
        .limit(1);
    let row = record::find_one::<Deployment>(cx.tx, &filter)?;
    Ok(row.map(|stored| stored.record.at))
}

/// Pipelines that use `POST /gate-checks` leave a record with its time.
fn last_check(cx: &mut Context<'_, '_>, service: &str, environment: &str) -> Result<Option<DoorUse>> {
    let filter = Filter::new()
        .equals("service", service)
        .equals("environment", environment);
    let asked = record::count::<GateCheck>(cx.tx, &filter)?;
    let row = record::find_one::<GateCheck>(cx.tx, &filter.descending_by("id").limit(1))?;
    Ok(row.map(|stored| DoorUse {
        door: "pipeline".to_owned(),
        last_at: stored.record.asked_at,
        asked,
    }))
}

/// The owners of a service; without owners, the change managers.
pub(crate) fn owners(directory: &Directory, service: &str, environment: &str, now: Timestamp) -> Vec<PersonId> {
    let holders = directory.holders(
        &ServiceKey::from(service),
        &EnvironmentKey::from(environment),
        OwnershipRole::Owner,
        now,
    );
    let people: Vec<PersonId> = holders.into_iter().map(|holder| holder.person).collect();
    if people.is_empty() {
        // Without an owner, the change managers must find one.
        return directory.with_role(Role::ChangeManager);
    }
    people
}

fn logins(directory: &Directory, people: &[PersonId]) -> Vec<String> {
    people.iter().map(|person| directory.login(person)).collect()
}

/// Deployments and changes without a match, in production, since an instant; the oldest first.
///
/// # Errors
/// The store's.
pub fn unmatched(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<Vec<Unmatched>> {
    let mut found = deployments_without_change(cx, from)?;
    found.extend(changes_without_deployment(cx, from)?);
    found.sort_by(|a, b| (a.since, &a.service).cmp(&(b.since, &b.service)));
    Ok(found)
}

fn is_production(directory: &Directory, key: &EnvironmentKey) -> bool {
    directory.environments.get(key).is_some_and(|place| place.is_production)
}

fn deployments_without_change(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<Vec<Unmatched>> {
    let directory = cx.directory()?;
    let rows = record::find::<Deployment>(cx.tx, &Filter::new().descending_by("id").limit(MOST))?;
    let earliest = first_id(from);
    let mut found = Vec::new();
    for row in rows.into_iter().map(|stored| stored.record) {
        // A deployment that another connection reported first is listed once, and one that never began is no
        // deployment.
        let is_none = row.same_as.is_some() || row.change.is_none() && !row.has_begun();
        let has_partner = is_none || row.change.is_some() && !row.unauthorized;
        // An id begins with the time of its record, so a late report is not hidden by the time in the report.
        let is_early = row.at < from;
        let is_old = is_early && row.id.as_str() < earliest.as_str();
        if has_partner || is_old || !is_production(&directory, &row.environment) || is_explained(cx, &row)? {
            continue;
        }
        let why = match &row.change_key {
            Some(key) => format!("{key} was not open for it"),
            None => "no change names it".to_owned(),
        };
        let vendor = directory.operators(&row.service);
        let operated = vendor.as_ref().map(|it| format!(" {it} operates {}.", row.service));
        found.push(Unmatched {
            code: "deployment_without_change",
            text: format!(
                "A deployment of {} to {} was reported, and {why}.{}",
                row.service,
                row.environment,
                operated.unwrap_or_default()
            ),
            vendor,
            owners: logins(
                &directory,
                &owners(&directory, row.service.as_str(), row.environment.as_str(), cx.now),
            ),
            service: row.service.0,
            environment: row.environment.0,
            artifact: row.artifact,
            commit: Some(row.commit).filter(|commit| !commit.is_empty()),
            change: row.change_key,
            deployment: Some(row.id.0),
            since: row.at,
            backdated: is_early,
            age_seconds: cx.now.duration_since(row.at).as_secs(),
        });
    }
    Ok(found)
}

/// Whether a confirmed retrospective change explains a deployment without a change.
fn is_explained(cx: &mut Context<'_, '_>, row: &Deployment) -> Result<bool> {
    let (service, environment) = (row.service.as_str(), row.environment.as_str());
    let commit = Some(row.commit.as_str()).filter(|commit| !commit.is_empty());
    let targets = changes::targets_for(cx.tx, service, environment, row.artifact.as_deref(), commit)?;
    for target in targets {
        if coverage::explained_by(&cx.change(&target.change_id)?, row).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Targets with an outcome of a deployment that a source should have reported but did not.
fn changes_without_deployment(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<Vec<Unmatched>> {
    let directory = cx.directory()?;
    let connections = connections(cx)?;
    if connections.iter().all(|row| !row.active) {
        return Ok(Vec::new());
    }
    let filter = ChangeFilter {
        states: ["implementing", "reviewing", "closed"].map(str::to_owned).to_vec(),
        planned_from: Some(from - SignedDuration::from_hours(24)),
        ..ChangeFilter::default()
    };
    let mut found = Vec::new();
    for row in list_changes(cx.tx, &filter, MOST, None)? {
        let change = cx.change(&row.id)?;
        for target in &change.content.targets {
            let place = (target.service.as_str(), target.environment.as_str());
            let is_told = !sources(&connections, place.0, place.1).is_empty();
            if !is_told || !is_production(&directory, &target.environment) {
                continue;
            }
            let Some(at) = deployed_at(&change, target).filter(|at| *at >= from && *at + GRACE <= cx.now) else {
                continue;
            };
            if has_deployment(cx, &change, target)? {
                continue;
            }
            found.push(Unmatched {
                code: "change_without_deployment",
                text: format!(
                    "{} records that {} was deployed to {}, but no source reported it.",
                    change.key, place.0, place.1
                ),
                vendor: directory.operators(&target.service),
                service: place.0.to_owned(),
                environment: place.1.to_owned(),
                artifact: target.artifact.clone(),
                commit: target.commit.clone(),
                change: Some(change.key.clone()),
                deployment: None,
                since: at,
                backdated: false,
                age_seconds: cx.now.duration_since(at).as_secs(),
                owners: logins(&directory, &owners(&directory, place.0, place.1, cx.now)),
            });
        }
    }
    Ok(found)
}

/// When a target with a build ended with something deployed.
fn deployed_at(change: &Change, target: &Target) -> Option<Timestamp> {
    if target.artifact.is_none() && target.commit.is_none() {
        return None;
    }
    let record = change.target_record(&target.id)?;
    let outcome = record.outcome?;
    (outcome != enums::Outcome::NotImplemented).then_some(record.actual_end)?
}

fn has_deployment(cx: &mut Context<'_, '_>, change: &Change, target: &Target) -> Result<bool> {
    let filter = Filter::new().equals("change_id", change.id.as_str()).order_by("id");
    let rows = record::bodies::<Deployment>(cx.tx, &filter)?;
    let is_here = |row: &Deployment| row.service == target.service && row.environment == target.environment;
    if rows.iter().any(is_here) {
        return Ok(true);
    }
    if change.retrospective.is_none() {
        return Ok(false);
    }
    // By its record, a deployment that the change explains afterwards belongs to no change.
    let place = Filter::new()
        .equals("service", target.service.as_str())
        .equals("environment", target.environment.as_str())
        .descending_by("id")
        .limit(MOST);
    let rows = record::bodies::<Deployment>(cx.tx, &place)?;
    let explains = |row: &Deployment| coverage::explained_by(change, row).is_some_and(|it| it.id == target.id);
    Ok(rows.iter().any(explains))
}

/// Recent deployments and changes without a match, for the alarm.
///
/// # Errors
/// The store's.
pub fn alarming(cx: &mut Context<'_, '_>) -> Result<Vec<Unmatched>> {
    unmatched(cx, cx.now - SignedDuration::from_hours(24 * ALARM_DAYS))
}

/// Notifies the owners and the change managers of deployments and changes without a match, each case once.
///
/// # Errors
/// The store's.
pub fn raise_alarm(cx: &mut Context<'_, '_>, found: &[Unmatched]) -> Result<()> {
    let directory = cx.directory()?;
    let managers = directory.with_role(Role::ChangeManager);
    for row in found {
        let mut people = owners(&directory, &row.service, &row.environment, cx.now);
        people.extend(managers.iter().cloned());
        let mut written = Written::default();
        let about = row.deployment.as_deref().or(row.change.as_deref()).unwrap_or_default();
        for person in people {
            let dedup = format!(
                "unmatched/{}/{about}/{}/{}/{person}",
                row.code, row.service, row.environment
            );
            let subject = format!("{} in {}: {}", row.service, row.environment, row.code.replace('_', " "));
            let text = format!(
                "{}\nSee {}/t/{}/gateways.\n",
                row.text,
                cx.services.tools().public_url,
                cx.tenant()
            );
            save_message(cx, &mut written, &person, None, ("unmatched", &subject, &text, &dedup))?;
        }
        if !written.is_empty() {
            let data =
                json!({"code": row.code, "service": row.service, "environment": row.environment, "change": row.change});
            let event = draft("deployment.unmatched", ("tenant_info", cx.tenant()), cx.now, data);
            cx.emit(vec![event], written)?;
        }
    }
    Ok(())
}
