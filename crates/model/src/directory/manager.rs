//! Managers of people: the manager recorded here, else the one from a provisioning directory.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::change::read_content;
use crate::core::ids::PersonId;
use crate::core::parse::Reading;
use crate::directory::records::Person;
use crate::directory::snapshot::Directory;

/// The extension of SCIM that holds a person's manager.
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The source of a person's manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Somebody here, by name.
    Named,
    /// The directory that provisions the person.
    Provisioned,
}

impl Origin {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Provisioned => "scim",
        }
    }
}

impl Directory {
    /// All recorded managers of a person, the one that counts first ([`Directory::manager_of`]).
    pub fn managers_of(&self, person: &Person) -> Vec<(&Person, Origin)> {
        let named = person.manager.as_ref().and_then(|id| self.people.get(id));
        let named = named.map(|it| (it, Origin::Named));
        let told = self.told_manager(person).map(|it| (it, Origin::Provisioned));
        named.into_iter().chain(told).collect()
    }

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

    /// The logins of the loop in which a person would become their own manager, from the new manager up; `None` without a loop.
    fn ring(&self, person: &PersonId, manager: &Person) -> Option<Vec<String>> {
        let (mut above, mut seen) = (Some(manager), BTreeSet::new());
        let mut way = Vec::new();
        while let Some(next) = above {
            way.push(next.login.clone());
            if &next.id == person {
                return Some(way);
            }
            // A loop among other people in a directory is not this request's fault.
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
    person.manager = read_content::person(reading, "manager", directory);
    let Some(manager) = person.manager.as_ref().and_then(|id| directory.people.get(id)) else {
        return;
    };
    if manager.id == person.id {
        let text = format!(
            "A person cannot be their own manager: choose another person than `{}`.",
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

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    pub(crate) fn somebody(id: &str, login: &str) -> Person {
        let told =
            json!({"id": id, "version": 1, "login": login, "name": login, "roles": [], "zone": "UTC", "active": true});
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn the_manager_who_was_named_stands_before_the_one_that_a_directory_tells() {
        let mut directory = Directory::default();
        let mut kari = somebody("p1", "kari");
        for (id, login) in [("p2", "mona"), ("p3", "lena")] {
            directory.people.insert(id.into(), somebody(id, login));
        }
        let told = |directory: &Directory, person: &Person| -> Vec<(String, &'static str)> {
            let found = directory.managers_of(person).into_iter();
            found.map(|(it, origin)| (it.login.clone(), origin.as_str())).collect()
        };
        assert_eq!(told(&directory, &kari), []);
        kari.attributes = vec![(ENTERPRISE.to_owned(), json!({"manager": {"value": "p3"}}).to_string())];
        assert_eq!(told(&directory, &kari), [("lena".to_owned(), "scim")]);
        kari.manager = Some("p2".into());
        assert_eq!(
            told(&directory, &kari),
            [("mona".to_owned(), "named"), ("lena".to_owned(), "scim")]
        );
        assert_eq!(directory.manager_of(&kari).unwrap().login, "mona");
    }
}
