//! People with rights that one person should not have together: a report proposes, an administrator decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::core::act::actions;
use model::core::enums::{OwnershipRole, Role};
use model::core::ids::{EnvironmentKey, PersonId};
use model::directory::ownership_matrix::Place;
use model::directory::snapshot::{Directory, Person};
use serde::Serialize;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::group_membership;

/// Pairs of roles that one person should not have, and why.
const CONFLICTS: &[(Role, Role, &str)] = &[
    (
        Role::Admin,
        Role::Owner,
        "A person who sets people and ownership could invent the approvers of their own services.",
    ),
    (
        Role::Admin,
        Role::Security,
        "A person who sets people could invent the approvers for security.",
    ),
    (
        Role::Admin,
        Role::ChangeManager,
        "A person who sets people would run the process that watches them.",
    ),
    (Role::Auditor, Role::Admin, "The auditor would verify their own work."),
    (
        Role::Auditor,
        Role::ChangeManager,
        "The auditor would verify their own decisions.",
    ),
    (
        Role::Auditor,
        Role::Implementer,
        "The auditor would verify their own work.",
    ),
    (
        Role::Implementer,
        Role::ChangeManager,
        "The implementer would decide about the time of their own work.",
    ),
    (
        Role::Owner,
        Role::Security,
        "One person would decide both as owner and as security.",
    ),
    (
        Role::Owner,
        Role::ChangeManager,
        "One person would decide both as owner and as change manager.",
    ),
    (
        Role::Security,
        Role::ChangeManager,
        "One person would decide both as security and as change manager.",
    ),
    (
        Role::Pipeline,
        Role::Owner,
        "A program would stand in for a person's decision.",
    ),
    (
        Role::Pipeline,
        Role::Security,
        "A program would stand in for a person's decision.",
    ),
    (
        Role::Pipeline,
        Role::ChangeManager,
        "A program would stand in for a person's decision.",
    ),
];

/// Conflicting rights of one person.
#[derive(Debug, Clone, Serialize)]
pub struct Conflict {
    /// The person's login.
    pub person: String,
    /// The two rights.
    pub rights: [String; 2],
    /// Where they meet: `tenant`, `everything`, or `service:shop` or `config_item:db`, with ` in production` where it is not so in
    /// every environment.
    pub place: String,
    /// Why one person should not have both.
    pub why: String,
}

/// People with conflicting rights: two roles, or two ownership roles for one thing.
///
/// # Errors
/// 403, or the store's.
pub fn find_conflicts(cx: &mut Context<'_, '_>) -> Result<Vec<Conflict>> {
    cx.allow(actions::AUDIT)?;
    let (directory, now) = (cx.directory()?, cx.now);
    let mut found = Vec::new();
    for person in directory.people.values().filter(|it| it.active) {
        let roles = roles_of(&directory, person);
        for (one, other, why) in CONFLICTS {
            if roles.contains(one) && roles.contains(other) {
                found.push(Conflict {
                    person: person.login.clone(),
                    rights: [one.as_str().to_owned(), other.as_str().to_owned()],
                    place: "tenant".to_owned(),
                    why: (*why).to_owned(),
                });
            }
        }
    }
    found.extend(double_parts(&directory, now));
    found.sort_by(|a, b| (&a.person, &a.place, &a.rights).cmp(&(&b.person, &b.place, &b.rights)));
    Ok(found)
}

/// A person's roles, and those that a group membership implies: rules use the group where nobody has the role, and peers are
/// members of it.
fn roles_of(directory: &Directory, person: &Person) -> BTreeSet<Role> {
    let seats = directory.groups_of(&person.id);
    let spoken = group_membership::WITH_GROUP.into_iter();
    let spoken = spoken.filter(|(_, key)| seats.iter().any(|seat| seat.as_str() == *key));
    person
        .roles
        .iter()
        .copied()
        .chain(spoken.map(|(role, _)| role))
        .collect()
}

/// Ownership roles that rules use for a place, of which one person should not have two. An implementer is not the owner's
/// second person.
const PARTS: [OwnershipRole; 5] = [
    OwnershipRole::Owner,
    OwnershipRole::TechnicalLead,
    OwnershipRole::Security,
    OwnershipRole::Data,
    OwnershipRole::Implementer,
];

/// Two roles of one person, and the place: for each service or config item the environments.
type Doubles<'a> = BTreeMap<(String, [OwnershipRole; 2]), BTreeMap<String, BTreeSet<&'a EnvironmentKey>>>;

/// People with two ownership roles for one service in one environment, by any rows: of the service, of its parent, of a class,
/// of everything, of a config item inside, by themselves or through a group.
fn double_parts(directory: &Directory, now: Timestamp) -> Vec<Conflict> {
    let mut doubles = Doubles::new();
    let places = &directory.environments;
    for (service, environment) in pairs(directory.services.keys(), places.keys()) {
        let place = Place::new(service, environment);
        note(
            directory,
            now,
            (&place, format!("service:{service}"), None),
            &mut doubles,
        );
    }
    let mut items: Vec<&String> = directory
        .ownerships
        .iter()
        .filter_map(|row| row.config_item.as_ref())
        .collect();
    items.sort();
    items.dedup();
    let items = items.into_iter().filter_map(|key| directory.config_items.get(key));
    for (item, environment) in pairs(items, places.keys()) {
        let place = Place {
            items: std::slice::from_ref(&item.key),
            ..Place::new(&item.service, environment)
        };
        let inside = Some(format!("service:{}", item.service));
        note(
            directory,
            now,
            (&place, format!("config_item:{}", item.key), inside),
            &mut doubles,
        );
    }
    let whole: BTreeSet<String> = directory.services.keys().map(|key| format!("service:{key}")).collect();
    let mut found = Vec::new();
    for ((person, [one, other]), by_scope) in doubles {
        let is_everywhere = |it: &BTreeSet<&EnvironmentKey>| it.len() == places.len();
        let of_all = by_scope.values().all(is_everywhere) && whole.iter().all(|scope| by_scope.contains_key(scope));
        let told: Vec<String> = match of_all {
            true => vec!["everything".to_owned()],
            false => by_scope
                .into_iter()
                .flat_map(|(scope, at)| match is_everywhere(&at) {
                    true => vec![scope],
                    false => at
                        .into_iter()
                        .map(|environment| format!("{scope} in {environment}"))
                        .collect(),
                })
                .collect(),
        };
        let why = match other {
            OwnershipRole::Implementer => "The implementer would approve their own work as its owner.",
            _ => "One person would give two decisions that rules request from two people.",
        };
        found.extend(told.into_iter().map(|place| Conflict {
            person: person.clone(),
            rights: [one.as_str().to_owned(), other.as_str().to_owned()],
            place,
            why: why.to_owned(),
        }));
    }
    found
}

fn pairs<'a, T: Clone>(
    things: impl Iterator<Item = T>,
    environments: impl Iterator<Item = &'a EnvironmentKey> + Clone,
) -> impl Iterator<Item = (T, &'a EnvironmentKey)> {
    things.flat_map(move |thing| {
        environments
            .clone()
            .map(move |environment| (thing.clone(), environment))
    })
}

/// Records the people with two roles for a place, unless they have both for a whole that contains the place.
fn note<'a>(
    directory: &Directory,
    now: Timestamp,
    (place, scope, inside): (&Place<'a>, String, Option<String>),
    doubles: &mut Doubles<'a>,
) {
    let mut parts: BTreeMap<PersonId, Vec<OwnershipRole>> = BTreeMap::new();
    for role in PARTS {
        for holder in directory.holders_at(place, role, now) {
            parts.entry(holder.person).or_default().push(role);
        }
    }
    for (person, roles) in parts.into_iter().filter(|(_, roles)| roles.len() > 1) {
        for (at, one) in roles.iter().enumerate() {
            for other in &roles[at + 1..] {
                if *other == OwnershipRole::Implementer && *one != OwnershipRole::Owner {
                    continue;
                }
                let row = doubles.entry((directory.login(&person), [*one, *other])).or_default();
                let of_whole = inside.as_ref().and_then(|whole| row.get(whole));
                if !of_whole.is_some_and(|at| at.contains(place.environment)) {
                    row.entry(scope.clone()).or_default().insert(place.environment);
                }
            }
        }
    }
}
