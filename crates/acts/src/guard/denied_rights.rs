//! Rights that this tenant refused a person: an access review, or an administrator who removed a right that an outside
//! source gave. No identity provider and no provisioning directory restores the right. An administrator who grants the
//! right lifts the refusal.

use std::collections::BTreeSet;

use model::core::enums::Role;
use model::core::ids::{GroupKey, PersonId, RecordId};
use model::directory::records::{Given, RefusedRight};
use model::directory::snapshot::{Group, Person};
use serde_json::{Value, json};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::providers;
use crate::guard::group_membership::WITH_GROUP;

/// The rights from outside sources: roles and memberships that an administrator alone could not end for good.
pub(crate) struct FromOutside {
    roles: BTreeSet<Role>,
    groups: BTreeSet<GroupKey>,
}

impl FromOutside {
    /// The mappings of identity providers, including inactive ones, and the groups that a directory provisions.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn find(cx: &mut Context<'_, '_>) -> Result<Self> {
        let providers = providers::providers(cx)?;
        let directory = cx.directory()?;
        let told = directory.groups.values().filter(|group| group.external_id.is_some());
        let mut groups: BTreeSet<GroupKey> = told.map(|group| group.key.clone()).collect();
        groups.extend(providers.iter().flat_map(|it| it.groups.values().cloned()));
        let roles = providers.iter().flat_map(|it| it.roles.values().copied()).collect();
        Ok(Self { roles, groups })
    }

    fn gives(&self, (kind, what): &(Given, String)) -> bool {
        match kind {
            Given::Role => self.roles.iter().any(|role| role.as_str() == what),
            Given::Group => self.groups.contains(&GroupKey::from(what.as_str())),
        }
    }
}

/// A right and its counterpart: a refused role of a deciding group also refuses membership of the group, and the other
/// way round, because either one lets the person decide.
fn with_other(kind: Given, what: &str) -> Vec<(Given, String)> {
    let mut both = vec![(kind, what.to_owned())];
    for (role, group) in WITH_GROUP {
        match kind {
            Given::Role if role.as_str() == what => both.push((Given::Group, group.to_owned())),
            Given::Group if group == what => both.push((Given::Role, role.as_str().to_owned())),
            _ => {}
        }
    }
    both
}

/// Notes on a person that a right is refused.
pub(crate) fn refuse(
    cx: &Context<'_, '_>,
    person: &mut Person,
    (kind, what): (Given, &str),
    review: Option<&RecordId>,
) {
    for (kind, what) in with_other(kind, what) {
        person.refuse(RefusedRight {
            kind,
            what,
            by: cx.actor.person.clone(),
            at: cx.now,
            review: review.cloned(),
        });
    }
}

/// Notes the rights that are removed here from a person and that an outside source would restore; lifts the refusals of
/// rights that are given.
pub(crate) fn note_roles(cx: &Context<'_, '_>, outside: &FromOutside, before: &Person, after: &mut Person) {
    let taken: Vec<Role> = before.roles.difference(&after.roles).copied().collect();
    let given: Vec<Role> = after.roles.difference(&before.roles).copied().collect();
    for role in taken {
        if with_other(Given::Role, role.as_str())
            .iter()
            .any(|it| outside.gives(it))
        {
            refuse(cx, after, (Given::Role, role.as_str()), None);
        }
    }
    for role in given {
        // A person who gets the role also gets the membership.
        for (kind, what) in with_other(Given::Role, role.as_str()) {
            after.lift(kind, &what);
        }
    }
}

/// Notes the members removed from a group into which an outside source would add them again. Lifts the refusals of the
/// members who are added. A new membership lifts no refused role, because a membership gives no role.
///
/// # Errors
/// The store's.
pub(crate) fn note_memberships(
    cx: &mut Context<'_, '_>,
    outside: &FromOutside,
    before: &BTreeSet<PersonId>,
    group: &Group,
) -> Result<()> {
    let key = group.key.as_str();
    let comes_back = with_other(Given::Group, key).iter().any(|it| outside.gives(it));
    if comes_back {
        for id in before.difference(&group.members) {
            refuse_membership(cx, id, (key, None), json!({}))?;
        }
    }
    for id in group.members.difference(before) {
        let Some(mut person) = cx.directory()?.people.get(id).cloned() else {
            continue;
        };
        if person.is_refused(Given::Group, key) {
            person.lift(Given::Group, key);
            cx.put_estate("person.right_allowed", person, json!({"group": key}))?;
        }
    }
    Ok(())
}

/// Notes that a person is refused a membership.
///
/// # Errors
/// The store's.
pub(crate) fn refuse_membership(
    cx: &mut Context<'_, '_>,
    id: &PersonId,
    (group, review): (&str, Option<&RecordId>),
    mut data: Value,
) -> Result<()> {
    let Some(mut person) = cx.directory()?.people.get(id).cloned() else {
        return Ok(());
    };
    refuse(cx, &mut person, (Given::Group, group), review);
    data["group"] = json!(group);
    cx.put_estate("person.right_refused", person, data).map(drop)
}
