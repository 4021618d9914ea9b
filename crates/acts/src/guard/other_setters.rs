//! Lists the people other than one who may be the second to set policies.

use jiff::SignedDuration;
use model::change::change_file;
use model::core::act;
use model::core::enums::Role;
use model::core::ids::PersonId;
use model::directory::snapshot::Person;
use model::directory::two_people::REMEMBERED_HOURS;
use model::policy::permission;

use crate::core::context::Context;
use crate::core::error::Result;

/// The logins of the people other than `person` who set policies and may be the second.
///
/// # Errors
/// The store's.
pub(crate) fn others_who_set(cx: &mut Context<'_, '_>, besides: &PersonId) -> Result<Vec<String>> {
    let directory = cx.directory()?;
    let policies = cx.policies()?;
    let mut others = Vec::new();
    for person in directory.people.values().filter(|it| it.active && it.id != *besides) {
        let actor = change_file::Actor {
            person: person.id.clone(),
            by_token: false,
            ..cx.actor.clone()
        };
        let facts = permission::actor_facts(&actor, &directory, Vec::new(), cx.now);
        if policies.may(&facts, act::actions::SET_POLICY, None).allowed {
            others.push(person.login.clone());
        }
    }
    others.sort();
    Ok(others)
}

/// Whether a person who set policies was deactivated within the last day: with one stolen account an attacker would
/// deactivate the other person and be alone.
pub(crate) fn has_lost_another(cx: &mut Context<'_, '_>) -> Result<bool> {
    let since = cx.now - SignedDuration::from_hours(REMEMBERED_HOURS);
    let set = |person: &Person| person.roles.contains(&Role::Admin) || person.roles.contains(&Role::ChangeManager);
    let is_gone = |person: &Person| person.deactivation.as_ref().is_some_and(|it| it.at > since);
    let directory = cx.directory()?;
    Ok(directory.people.values().any(|person| set(person) && is_gone(person)))
}
