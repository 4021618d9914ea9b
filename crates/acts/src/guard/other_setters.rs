//! Names the people besides one who may be the second to set policies.

use model::change::change_file;
use model::core::act;
use model::core::ids::PersonId;
use model::policy::permission;

use crate::core::context::Room;
use crate::core::error::Result;

/// The logins of those besides a person who set policies: who may be the second.
///
/// # Errors
/// The store's.
pub(crate) fn others_who_set(room: &mut Room<'_, '_>, besides: &PersonId) -> Result<Vec<String>> {
    let directory = room.directory()?;
    let policies = room.policies()?;
    let mut others = Vec::new();
    for person in directory.people.values().filter(|it| it.active && it.id != *besides) {
        let actor = change_file::Actor {
            person: person.id.clone(),
            by_token: false,
            ..room.actor.clone()
        };
        let facts = permission::actor_facts(&actor, &directory, Vec::new(), room.now);
        if policies.may(&facts, act::actions::SET_POLICY, None).allowed {
            others.push(person.login.clone());
        }
    }
    others.sort();
    Ok(others)
}
