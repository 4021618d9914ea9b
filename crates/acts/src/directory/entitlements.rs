//! The rights of people as an access review shows them, and how each right is removed.

use std::collections::BTreeMap;

use model::approval::absence::Delegation;
use model::core::enums::Role;
use model::core::ids::{GroupKey, PersonId, RecordId};
use model::directory::access_review::{HeldRight, PERSON};
use model::directory::records::Given;
use model::directory::snapshot::{Directory, Group, Ownership, Person, Token};
use model::identity::provider::with_member;
use model::integration::workload::Workload;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::{denied_rights, group_membership, last_administrator, two_people};
use crate::identity::set_workload;

/// The most characters of a right's scope: many rows are in one entry of the log.
const MOST_SCOPE: usize = 160;

/// Rights of everybody while they are gathered.
#[derive(Default)]
struct Found(BTreeMap<PersonId, Vec<HeldRight>>);

impl Found {
    fn put(&mut self, person: &PersonId, kind: &str, what: &str, scope: Option<String>) {
        let scope = scope.map(|text| match text.char_indices().nth(MOST_SCOPE) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        });
        self.0.entry(person.clone()).or_default().push(HeldRight {
            row: 0,
            person: person.clone(),
            kind: kind.to_owned(),
            what: what.to_owned(),
            scope,
            refused: false,
        });
    }
}

/// All rights of all people: roles in the tenant, job functions, group memberships, ownership rows, delegations,
/// tokens, and pipeline jobs that act for a person. A time on call gives nobody a right, and a training is no right.
///
/// # Errors
/// The store's.
pub(crate) fn rights(cx: &mut Context<'_, '_>, directory: &Directory) -> Result<BTreeMap<PersonId, Vec<HeldRight>>> {
    let mut found = Found::default();
    for person in directory.people.values() {
        for role in &person.roles {
            found.put(&person.id, "role", role.as_str(), None);
        }
        for function in &person.functions {
            found.put(&person.id, "function", function, None);
        }
    }
    for group in directory.groups.values().filter(|it| !it.removed) {
        for member in &group.members {
            found.put(member, "group", group.key.as_str(), None);
        }
    }
    let now = cx.now;
    for row in directory.ownerships.iter().filter(|row| row.is_in_force(now)) {
        if let Some(person) = &row.person {
            found.put(person, "ownership", row.id.as_str(), Some(row.natural_key()));
        }
    }
    for row in directory.delegations.iter().filter(|row| now < row.ends_at) {
        found.put(&row.delegate, "delegation", row.id.as_str(), Some(lent(row)));
    }
    let filter = Filter::new().equals("revoked", false).order_by("id");
    for stored in record::find::<Token>(cx.tx, &filter)? {
        let token = stored.record;
        if token.expires_at.is_none_or(|end| now < end) {
            found.put(&token.person, "token", token.id.as_str(), Some(token.prefix.clone()));
        }
    }
    for workload in set_workload::workloads(cx)?.into_iter().filter(|it| it.active) {
        found.put(
            &workload.person,
            "workload",
            workload.id.as_str(),
            Some(workload.key.clone()),
        );
    }
    Ok(found.0)
}

/// The delegator, parts and services of a delegation: `person:…: owner, security; payments`. The log shows it in clear,
/// so it contains neither a login nor a name.
fn lent(row: &Delegation) -> String {
    let mut text = format!("{PERSON}{}", row.delegator);
    let parts: Vec<&str> = row.parts.iter().map(String::as_str).collect();
    let services: Vec<&str> = row.services.iter().map(|key| key.as_str()).collect();
    for (before, words) in [(": ", parts), ("; ", services)] {
        if !words.is_empty() {
            text = format!("{text}{before}{}", words.join(", "));
        }
    }
    text
}

/// Removes a right; a right that is gone meanwhile needs nothing. The caller evaluates open changes again.
///
/// # Errors
/// 409 if it needs two people; the store's.
pub(crate) fn take_away(cx: &mut Context<'_, '_>, right: &HeldRight, review: &RecordId) -> Result<()> {
    let data = json!({"access_review": review});
    match right.kind.as_str() {
        "role" => narrow(cx, right, data, |cx, person| {
            let is_other = |it: &Role| it.as_str() != right.what;
            person.roles = person.roles.iter().copied().filter(is_other).collect();
            // This is done even if the right is gone meanwhile: a claim would restore it.
            denied_rights::refuse(cx, person, (Given::Role, &right.what), Some(review));
        }),
        "function" => narrow(cx, right, data, |_, person| {
            person.functions.remove(&right.what);
        }),
        "group" => unseat(cx, right, review, data),
        "ownership" => {
            let found = record::load::<Ownership>(cx.tx, &right.what)?.map(|stored| stored.record);
            if let Some(row) = found.filter(|row| row.ends_at.is_none_or(|end| cx.now < end)) {
                let ends_at = Some(cx.now);
                cx.put_estate("ownership.ended", Ownership { ends_at, ..row }, data)?;
            }
            Ok(())
        }
        "delegation" => {
            let found = record::load::<Delegation>(cx.tx, &right.what)?.map(|stored| stored.record);
            if let Some(row) = found.filter(|row| cx.now < row.ends_at) {
                let ends_at = cx.now;
                cx.put_estate("delegation.ended", Delegation { ends_at, ..row }, data)?;
            }
            Ok(())
        }
        "workload" => {
            let found = record::load::<Workload>(cx.tx, &right.what)?.map(|stored| stored.record);
            if let Some(workload) = found.filter(|it| it.active && it.person == right.person) {
                let ended = Workload {
                    active: false,
                    ..workload
                };
                cx.put_estate("workload.ended", ended, data)?;
            }
            Ok(())
        }
        _ => {
            let found = record::load::<Token>(cx.tx, &right.what)?.map(|stored| stored.record);
            if let Some(token) = found.filter(|token| !token.revoked) {
                cx.put_estate("token.revoked", Token { revoked: true, ..token }, data)?;
            }
            Ok(())
        }
    }
}

/// Removes a role or a job function from a person.
fn narrow(
    cx: &mut Context<'_, '_>,
    right: &HeldRight,
    data: Value,
    take: impl Fn(&Context<'_, '_>, &mut Person),
) -> Result<()> {
    let Some(person) = cx.directory()?.people.get(&right.person).cloned() else {
        return Ok(());
    };
    let mut after = person.clone();
    take(cx, &mut after);
    if after == person {
        return Ok(());
    }
    last_administrator::check(cx, &after)?;
    // Removing the second administrator's role and ending a bar need two people, under a signature as well. Otherwise
    // one administrator could begin and sign a review, take `admin` from the other and be alone at once.
    two_people::check_person(cx, &after)?;
    let after = cx.put_estate("person.edited", after, data)?;
    group_membership::leave_well_known_groups(cx, &person, &after)?;
    settle_open::settle_person(cx, Some(&person), &after)
}

fn unseat(cx: &mut Context<'_, '_>, right: &HeldRight, review: &RecordId, data: Value) -> Result<()> {
    let key = GroupKey::from(right.what.as_str());
    let Some(group) = cx.directory()?.groups.get(&key).cloned() else {
        return Ok(());
    };
    if let Some(members) = with_member(&group.members, &right.person, false) {
        let unseated = Group { members, ..group };
        group_membership::put_group(cx, unseated, data.clone(), group_membership::Comers::Seated)?;
    }
    denied_rights::refuse_membership(cx, &right.person, (&right.what, Some(review)), data)
}
