//! Who answers for whom: the manager that somebody named here, else the one that a provisioning directory tells.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::directory::{Directory, Person};
use crate::ids::PersonId;
use crate::reading::Reading;

/// The extension of SCIM in which a directory tells who somebody's manager is.
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

impl Directory {
    /// The manager of a person, active or not; nobody is their own.
    pub fn manager_of(&self, person: &Person) -> Option<&Person> {
        let named = person.manager.as_ref().and_then(|id| self.people.get(id));
        let found = named.or_else(|| self.told_manager(person));
        found.filter(|manager| manager.id != person.id)
    }

    fn told_manager(&self, person: &Person) -> Option<&Person> {
        let (_, text) = person.attributes.iter().find(|(name, _)| name == ENTERPRISE)?;
        let told: Value = serde_json::from_str(text).ok()?;
        let name = told["manager"]["value"].as_str()?;
        let by_id = self.people.get(&PersonId::from(name));
        by_id.or_else(|| {
            let mut people = self.people.values();
            people.find(|it| it.external_id.as_deref() == Some(name))
        })
    }

    /// The logins by which somebody would at last be their own manager, from the new manager up; `None` when they would not.
    fn ring(&self, person: &PersonId, manager: &Person) -> Option<Vec<String>> {
        let (mut above, mut seen) = (Some(manager), BTreeSet::new());
        let mut way = Vec::new();
        while let Some(next) = above {
            way.push(next.login.clone());
            if &next.id == person {
                return Some(way);
            }
            // A ring that a directory tells of others is not this request's.
            if !seen.insert(next.id.clone()) {
                return None;
            }
            above = self.manager_of(next);
        }
        None
    }
}

/// Reads `manager`, a login, into a person; empty or null takes it away. Nobody manages themselves, at no distance.
pub fn read(reading: &mut Reading<'_>, directory: &Directory, person: &mut Person) {
    if !reading.says("manager") {
        return;
    }
    person.manager = crate::input::person(reading, "manager", directory);
    let Some(manager) = person.manager.as_ref().and_then(|id| directory.people.get(id)) else {
        return;
    };
    if manager.id == person.id {
        let text = format!(
            "Nobody is their own manager: name somebody else than `{}`.",
            person.login
        );
        reading.wrong("manager", "own_manager", text);
    } else if let Some(way) = directory.ring(&person.id, manager) {
        let text = format!(
            "`{}` would be their own manager: {} → {}. Change one of these first.",
            person.login,
            person.login,
            way.join(" → ")
        );
        reading.wrong("manager", "manager_cycle", text);
    }
}
