//! Seats in the two groups that every tenant has, and the roles that stand beside them. The base policies name the groups, and
//! rules ask role or group, so that a role without its seat would go on deciding: whoever has the role sits in the group, and
//! whoever leaves the group, by whatever door, has the role no more. A seat alone gives no role, for a group may seat peers who
//! only read; the provisioning directory is the exception, which has no other word for a role.

use std::collections::BTreeSet;

use model::core::enums::Role;
use model::core::ids::PersonId;
use model::directory::records::Given;
use model::directory::snapshot::{Directory, Group, Person};
use model::identity::provider::with_member;
use serde_json::{Value, json};

use crate::core::context::Context;
use crate::core::error::Result;

/// The roles that come with a group, which the base policies name.
pub(crate) const WITH_GROUP: [(Role, &str); 2] =
    [(Role::Security, "security"), (Role::ChangeManager, "change-managers")];

/// What somebody gets with a new seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comers {
    /// The seat.
    Seated,
    /// The seat and the role that stands beside it, unless they are a pipeline, a vendor or an auditor, who decide nothing.
    Empowered,
}

/// Saves a group; who leaves it by that loses the role that stands beside it. The caller judges open changes again.
///
/// # Errors
/// The store's.
pub(crate) fn put_group(cx: &mut Context<'_, '_>, group: Group, data: Value, comers: Comers) -> Result<Group> {
    let Some((role, _)) = WITH_GROUP.into_iter().find(|(_, key)| *key == group.key.as_str()) else {
        return cx.put_estate("group.set", group, data);
    };
    let known = cx.directory()?.groups.get(&group.key).cloned();
    let before = known.map(|known| known.members).unwrap_or_default();
    let saved = cx.put_estate("group.set", group, data.clone())?;
    for person in before.difference(&saved.members) {
        set_role(cx, person, (role, false), &data)?;
    }
    if comers == Comers::Empowered {
        for person in saved.members.difference(&before) {
            set_role(cx, person, (role, true), &data)?;
        }
    }
    Ok(saved)
}

/// Takes the roles of those whom many writes at once left without their seat.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, before: &Directory) -> Result<()> {
    for (role, key) in WITH_GROUP {
        let members = |directory: &Directory| -> BTreeSet<PersonId> {
            let group = directory.groups.get(&key.into());
            group.map(|group| group.members.clone()).unwrap_or_default()
        };
        for person in members(before).difference(&members(&*cx.directory()?)) {
            set_role(cx, person, (role, false), &json!({}))?;
        }
    }
    Ok(())
}

fn set_role(cx: &mut Context<'_, '_>, id: &PersonId, (role, has): (Role, bool), data: &Value) -> Result<()> {
    let Some(mut person) = cx.directory()?.people.get(id).cloned() else {
        return Ok(());
    };
    let moves = match has {
        // A directory's word on a seat is none on a role that somebody here refused.
        true if person.is_barred_from_deciding() || person.is_refused(Given::Role, role.as_str()) => false,
        true => person.roles.insert(role),
        false => person.roles.remove(&role),
    };
    if moves {
        cx.put_estate("person.edited", person, data.clone())?;
    }
    Ok(())
}

/// Seats whoever gets a role that comes with its group, or comes back with it. Who had it before without a seat, from a provider or
/// after a seat was taken, gets none by an act that says nothing of it.
///
/// # Errors
/// The store's.
pub(crate) fn join_well_known_groups(cx: &mut Context<'_, '_>, before: Option<&Person>, person: &Person) -> Result<()> {
    for (role, key) in WITH_GROUP {
        if before.is_some_and(|before| before.active && before.roles.contains(&role)) {
            continue;
        }
        let directory = cx.directory()?;
        let Some(group) = directory.groups.get(&key.into()).cloned() else {
            continue;
        };
        let belongs = person.active && person.roles.contains(&role);
        if !belongs || group.members.contains(&person.id) {
            continue;
        }
        let mut members = group.members.clone();
        members.insert(person.id.clone());
        cx.put_estate("group.set", Group { members, ..group }, json!({}))?;
    }
    Ok(())
}

/// Unseats whoever has such a role no more: they would else still decide as one of the group, which rules ask where nobody has
/// the role.
///
/// # Errors
/// The store's.
pub(crate) fn leave_well_known_groups(cx: &mut Context<'_, '_>, before: &Person, after: &Person) -> Result<()> {
    for (role, key) in WITH_GROUP {
        if !before.roles.contains(&role) || after.roles.contains(&role) {
            continue;
        }
        let group = cx.directory()?.groups.get(&key.into()).cloned();
        let Some(group) = group else { continue };
        if let Some(members) = with_member(&group.members, &after.id, false) {
            cx.put_estate("group.set", Group { members, ..group }, json!({}))?;
        }
    }
    Ok(())
}
