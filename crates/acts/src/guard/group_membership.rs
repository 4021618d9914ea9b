//! Membership of the two groups that every tenant has, and the roles that belong to them. The base policies name the
//! groups, and rules require a role or a group, so a role without its membership would still decide. A person with the
//! role is therefore a member of the group, and a person who leaves the group in any way loses the role. Membership
//! alone gives no role, because a group may have members who only read. The provisioning directory is the exception: it
//! has no other field for a role.

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

/// The rights that a new member gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comers {
    /// The membership.
    Seated,
    /// The membership and its role. A pipeline, a vendor or an auditor decides nothing and gets no role.
    Empowered,
}

/// Saves a group; a person who leaves the group loses its role. The caller evaluates open changes again.
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

/// Removes the roles of people whose membership many writes at once removed.
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
        // A directory's membership does not restore a role that was refused here.
        true if person.is_barred_from_deciding() || person.is_refused(Given::Role, role.as_str()) => false,
        true => person.roles.insert(role),
        false => person.roles.remove(&role),
    };
    if moves {
        cx.put_estate("person.edited", person, data.clone())?;
    }
    Ok(())
}

/// Adds a person to the group of a role that is new or comes back. A person who had the role before without a
/// membership (from a provider, or after a removal) gets none by an act on other fields.
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

/// Removes a person who lost such a role from its group: rules accept any member of the group when nobody has the role,
/// so the person could still decide.
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
