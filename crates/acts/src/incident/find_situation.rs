//! The commander's overview: the freeze and its scope, work under way in that scope, the changes that the freeze stops, and the
//! people to call.

use std::collections::{BTreeMap, BTreeSet};

use model::change::record::Change;
use model::core::act::actions;
use model::core::enums::{Level, State};
use model::core::ids::{PersonId, ServiceKey};
use model::directory::snapshot::{Directory, Freeze, Incident};
use model::incident::major;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::incident::sync_major::freeze_of;

/// The most changes of each list.
pub const LISTED: usize = 100;
/// The most contacts.
const CONTACTS: usize = 40;

/// A change in the scope of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InScope {
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// Its risk.
    pub risk: Level,
    /// Its services in the scope.
    pub services: Vec<ServiceKey>,
    /// Whether the commander let the change through.
    pub signed: bool,
}

/// A person to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The person.
    pub person: PersonId,
    /// Why: `commander`, `on_call`, `on_duty`, a part in owning, `change_manager`.
    pub roles: BTreeSet<String>,
    /// The services that the person owns.
    pub services: BTreeSet<ServiceKey>,
}

/// The situation around an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// The freeze, while the incident is major.
    pub freeze: Option<Freeze>,
    /// The services that are frozen: its own, their dependencies and their dependents.
    pub services: BTreeSet<ServiceKey>,
    /// The people for whom a stopped change waits.
    pub asked: Vec<PersonId>,
    /// Work under way in the scope; the first of them.
    pub in_flight: Vec<InScope>,
    /// How many these are.
    pub in_flight_count: usize,
    /// The stopped changes; the first of them.
    pub stopped: Vec<InScope>,
    /// How many these are.
    pub stopped_count: usize,
    /// The people to call.
    pub contacts: Vec<Contact>,
}

/// Shows the situation around an incident (`GET /incidents/{key}/situation`).
///
/// # Errors
/// 403, or the store's.
pub fn find_situation(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<Situation> {
    cx.allow(actions::READ)?;
    let directory = cx.directory()?;
    let freeze = freeze_of(&directory, incident).cloned();
    let services = match &freeze {
        Some(freeze) => directory.frozen_services(freeze),
        None => around(&directory, incident),
    };
    let (mut in_flight, mut stopped) = (Vec::new(), Vec::new());
    for change in open_changes(cx, &services)? {
        let is_under_way = change.state == State::Implementing;
        let is_risky = freeze
            .as_ref()
            .is_some_and(|it| it.halts_all() || it.level_of(&change) >= Level::High);
        let is_excepted = freeze.as_ref().is_some_and(|it| !it.stops_work_at(&change, cx.now));
        let is_named = |it: &Freeze| it.exceptions.iter().any(|row| row.change == change.id);
        let row = in_scope(&change, &services, freeze.as_ref().is_some_and(is_named));
        if is_under_way {
            in_flight.push(row);
        } else if is_risky && (!is_excepted || row.signed) {
            stopped.push(row);
        }
    }
    let (in_flight_count, stopped_count) = (in_flight.len(), stopped.len());
    in_flight.truncate(LISTED);
    stopped.truncate(LISTED);
    Ok(Situation {
        asked: major::awaited_people(incident, &directory),
        contacts: contacts(cx, &directory, incident),
        freeze,
        services,
        in_flight,
        in_flight_count,
        stopped,
        stopped_count,
    })
}

/// The services of an incident, their dependencies and their dependents.
fn around(directory: &Directory, incident: &Incident) -> BTreeSet<ServiceKey> {
    let own = &incident.services;
    let mut found = own.clone();
    found.extend(directory.dependencies.dependants(own, &BTreeSet::new()).iter().cloned());
    found.extend(directory.dependencies.needed(own).iter().cloned());
    found
}

fn open_changes(cx: &mut Context<'_, '_>, services: &BTreeSet<ServiceKey>) -> Result<Vec<Change>> {
    let states = State::ALL
        .iter()
        .filter(|state| state.is_open() && **state <= State::Implementing);
    let filter = Filter::new()
        .one_of("state", states.map(|state| state.as_str()))
        .order_by("number");
    let scope = cx.scope()?;
    let found = record::bodies::<Change>(cx.tx, &filter)?;
    let is_seen = |change: &Change| scope.as_ref().is_none_or(|scope| scope.sees(change));
    let is_in = |change: &Change| change.open_targets().any(|target| services.contains(&target.service));
    Ok(found
        .into_iter()
        .filter(|change| is_in(change) && is_seen(change))
        .collect())
}

fn in_scope(change: &Change, services: &BTreeSet<ServiceKey>, signed: bool) -> InScope {
    let own: BTreeSet<ServiceKey> = change.open_targets().map(|target| target.service.clone()).collect();
    InScope {
        key: change.key.clone(),
        title: change.content.title.clone(),
        state: change.state,
        risk: change.risk.level,
        services: own.intersection(services).cloned().collect(),
        signed,
    }
}

/// The commander, the people who own its services, those on call or on duty by a rota, and the change managers; each once.
fn contacts(cx: &Context<'_, '_>, directory: &Directory, incident: &Incident) -> Vec<Contact> {
    let mut found: BTreeMap<PersonId, Contact> = BTreeMap::new();
    let mut add = |person: &PersonId, role: &str, service: Option<&ServiceKey>| {
        if !directory.is_active(person) {
            return;
        }
        let row = found.entry(person.clone()).or_insert_with(|| Contact {
            person: person.clone(),
            roles: BTreeSet::new(),
            services: BTreeSet::new(),
        });
        row.roles.insert(role.to_owned());
        row.services.extend(service.cloned());
    };
    if let Some(person) = major::commander(incident, directory) {
        add(person, "commander", None);
    }
    let owners = directory
        .ownerships
        .iter()
        .filter(|row| row.ends_at.is_none_or(|end| cx.now < end));
    for row in owners {
        let Some(service) = row.service.as_ref().filter(|key| incident.services.contains(*key)) else {
            continue;
        };
        let members = row.group.as_ref().map(|key| directory.members(key)).unwrap_or_default();
        for person in row.person.iter().chain(&members) {
            add(person, row.role.as_str(), Some(service));
        }
        let group = row.group.as_ref().filter(|key| directory.duty_rota(key).is_some());
        for person in group.map(|key| directory.on_duty(key, cx.now)).unwrap_or_default() {
            add(&person, "on_duty", Some(service));
        }
    }
    for row in directory
        .on_call
        .iter()
        .filter(|row| row.starts_at <= cx.now && cx.now < row.ends_at)
    {
        add(&row.person, "on_call", None);
    }
    for rota in directory.duty_rotas.iter() {
        for person in directory.on_duty(&rota.group, cx.now) {
            add(&person, "on_duty", None);
        }
    }
    for person in directory.with_role(model::core::enums::Role::ChangeManager) {
        add(&person, "change_manager", None);
    }
    let mut rows: Vec<Contact> = found.into_values().collect();
    rows.sort_by_key(|row| {
        (
            !row.roles.contains("commander"),
            !row.roles.contains("on_duty"),
            row.services.is_empty(),
            row.person.clone(),
        )
    });
    rows.truncate(CONTACTS);
    rows
}
