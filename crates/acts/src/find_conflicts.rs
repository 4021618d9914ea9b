//! People in whose hand rights lie that should not lie in one: a report proposes, whoever sets people decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::act::actions;
use model::directory::Directory;
use model::words::{OwnershipRole, Role};
use serde::Serialize;
use serde_json::json;

use crate::error::Result;
use crate::room::Room;

/// Rights that should not lie in one hand, and why.
const CONFLICTS: &[(Role, Role, &str)] = &[
    (
        Role::Admin,
        Role::Owner,
        "Who sets people and ownership could make up the approvers of what they own.",
    ),
    (
        Role::Admin,
        Role::Security,
        "Who sets people could make up those who answer for security.",
    ),
    (
        Role::Admin,
        Role::ChangeManager,
        "Who sets people would run the process that watches them.",
    ),
    (Role::Auditor, Role::Admin, "Who verifies would verify their own work."),
    (
        Role::Auditor,
        Role::ChangeManager,
        "Who verifies would verify their own decisions.",
    ),
    (
        Role::Auditor,
        Role::Implementer,
        "Who verifies would verify their own work.",
    ),
    (
        Role::Implementer,
        Role::ChangeManager,
        "Who does the work would decide when it is done.",
    ),
    (
        Role::Owner,
        Role::Security,
        "One person would give both the owner's word and that of security.",
    ),
    (
        Role::Owner,
        Role::ChangeManager,
        "One person would give both the owner's word and that of change management.",
    ),
    (
        Role::Security,
        Role::ChangeManager,
        "One person would give both the word of security and that of change management.",
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

/// Rights in one hand that conflict.
#[derive(Debug, Clone, Serialize)]
pub struct Conflict {
    /// The person's login.
    pub person: String,
    /// The two rights.
    pub rights: [String; 2],
    /// Where they meet: `tenant`, or a scope of the ownership matrix.
    pub place: String,
    /// Why they should not lie in one hand.
    pub why: String,
}

/// Which people hold rights that conflict: two roles, or two parts in owning one thing.
///
/// # Errors
/// 403, or the store's.
pub fn find_conflicts(room: &mut Room<'_, '_>) -> Result<Vec<Conflict>> {
    room.allow(actions::AUDIT)?;
    let (directory, now) = (room.directory()?, room.now);
    let mut found = Vec::new();
    for person in directory.people.values().filter(|it| it.active) {
        for (one, other, why) in CONFLICTS {
            if person.roles.contains(one) && person.roles.contains(other) {
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

/// People who answer in two deciding parts for the very same scope, themselves or through a group.
fn double_parts(directory: &Directory, now: Timestamp) -> Vec<Conflict> {
    let decides = |role: OwnershipRole| !matches!(role, OwnershipRole::Implementer | OwnershipRole::Pipeline);
    let mut parts: BTreeMap<(String, String), BTreeSet<&'static str>> = BTreeMap::new();
    for row in directory.ownerships.iter() {
        let stands = row.since <= now && row.ends_at.is_none_or(|end| now < end);
        if !stands || !decides(row.role) {
            continue;
        }
        let members = row.group.as_ref().map(|key| directory.members(key)).unwrap_or_default();
        let scope = scope_of(row);
        for person in row.person.iter().cloned().chain(members) {
            parts
                .entry((directory.login(&person), scope.clone()))
                .or_default()
                .insert(row.role.as_str());
        }
    }
    let mut found = Vec::new();
    for ((person, place), roles) in parts {
        let roles: Vec<&str> = roles.into_iter().collect();
        for (at, one) in roles.iter().enumerate() {
            for other in &roles[at + 1..] {
                found.push(Conflict {
                    person: person.clone(),
                    rights: [(*one).to_owned(), (*other).to_owned()],
                    place: place.clone(),
                    why: "One person would give two words that rules ask from two people.".to_owned(),
                });
            }
        }
    }
    found
}

fn scope_of(row: &model::directory::Ownership) -> String {
    let scope = match (&row.service, &row.config_item, &row.class) {
        (Some(service), ..) => format!("service:{service}"),
        (_, Some(item), _) => format!("config_item:{item}"),
        (.., Some(class)) => format!("class:{}", json!(class).as_str().unwrap_or_default()),
        _ => "everything".to_owned(),
    };
    match &row.environment {
        Some(environment) => format!("{scope} in {environment}"),
        None => scope,
    }
}
