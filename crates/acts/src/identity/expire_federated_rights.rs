//! Roles and memberships that an identity provider gives last for `rights_last_days` after the last sign-in through that
//! provider. Then they end as after a sign-in that names no group. A person who signs in again gets them back; a person who
//! left does not. The person is notified before the end and at the end.
//!
//! Each provider has one timer. The end is stored with the person; the timer only wakes the check.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use model::core::enums::Role;
use model::core::ids::{GroupKey, PersonId};
use model::directory::records::Vouched;
use model::directory::snapshot::{self, Directory, Person};
use model::identity::provider::{IdentityProvider, with_member};
use serde_json::json;
use store::queue::timer::{self, NewTimer};
use store::record;

use crate::case::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::providers::providers;
use crate::core::write::{Written, draft};
use crate::guard::{group_membership, last_administrator};

/// The table of the timers.
pub const TABLE: &str = "identity_provider";
const KIND: &str = "unconfirmed";
/// How long before the end the person is notified, in hours; never more than a quarter of the whole time.
const TOLD_HOURS: i64 = 7 * 24;
/// How many people one run ends the rights of; the next follows at once.
const AT_ONCE: usize = 200;

fn of<'a>(person: &'a Person, provider: &IdentityProvider) -> Option<&'a Vouched> {
    let mut all = person.vouched.iter();
    all.find(|it| it.provider == provider.key)
}

fn holding<'a>(person: &'a Person, provider: &IdentityProvider) -> Option<&'a Vouched> {
    of(person, provider).filter(|it| !it.is_empty())
}

/// When a person is notified that roles or memberships will end.
fn notified_at(vouched: &Vouched) -> Timestamp {
    let whole = vouched.until.duration_since(vouched.confirmed_at);
    let ahead = SignedDuration::from_secs(whole.as_secs() / 4).min(SignedDuration::from_hours(TOLD_HOURS));
    vouched.until.checked_sub(ahead).unwrap_or(vouched.until)
}

/// The roles and groups that a provider maps and that a person who signs in there has without the provider's confirmation: they
/// were given by hand, or mapped after the last sign-in.
fn unnoted(
    directory: &Directory,
    provider: &IdentityProvider,
    person: &Person,
) -> Option<(BTreeSet<Role>, BTreeSet<GroupKey>)> {
    let is_of = |subject: &String| {
        let rest = subject.strip_prefix(provider.issuer.as_str());
        rest.is_some_and(|rest| rest.starts_with(' '))
    };
    let comes = person.subjects.iter().any(is_of);
    if provider.groups_claim.is_none() || !comes || of(person, provider).is_some() {
        return None;
    }
    let mapped: BTreeSet<Role> = provider.roles.values().copied().collect();
    let roles: BTreeSet<Role> = person.roles.intersection(&mapped).copied().collect();
    let sits = |key: &&GroupKey| {
        directory
            .groups
            .get(*key)
            .is_some_and(|it| it.members.contains(&person.id))
    };
    let groups: BTreeSet<GroupKey> = provider.groups.values().filter(sits).cloned().collect();
    (!roles.is_empty() || !groups.is_empty()).then_some((roles, groups))
}

/// Sets a provider's timer to the next notice or end; sets no timer when nothing is due.
///
/// # Errors
/// The store's.
pub(crate) fn set_again(cx: &mut Context<'_, '_>, provider: &IdentityProvider, after: Timestamp) -> Result<()> {
    let directory = cx.directory()?;
    let people = directory.people.values();
    let points = people.filter_map(|person| holding(person, provider)).map(|vouched| {
        let told = notified_at(vouched);
        if told > after { told } else { vouched.until }
    });
    match points.min() {
        Some(run_at) => set(cx, provider, run_at.max(cx.now)),
        None => timer::cancel(cx.tx, TABLE, provider.id.as_str(), KIND)
            .map(drop)
            .map_err(Into::into),
    }
}

fn set(cx: &mut Context<'_, '_>, provider: &IdentityProvider, run_at: Timestamp) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: provider.id.as_str(),
        kind: KIND,
        run_at,
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Makes sure that a provider's timer runs no later than the person's next notice.
///
/// # Errors
/// The store's.
pub(crate) fn set_for(cx: &mut Context<'_, '_>, provider: &IdentityProvider, person: &PersonId) -> Result<()> {
    let directory = cx.directory()?;
    let known = directory.people.get(person);
    let Some(wanted) = known.and_then(|person| holding(person, provider)).map(notified_at) else {
        return Ok(());
    };
    let known = timer::of_subject(cx.tx, TABLE, provider.id.as_str())?;
    if known.iter().any(|it| it.kind == KIND && it.run_at <= wanted) {
        return Ok(());
    }
    set(cx, provider, wanted)
}

/// The providers without their timer: the timer was lost, or no right of the provider was confirmed yet.
///
/// # Errors
/// The store's.
pub(crate) fn lost(cx: &mut Context<'_, '_>) -> Result<Vec<String>> {
    let directory = cx.directory()?;
    let mut found = Vec::new();
    for provider in providers(cx)? {
        let mut people = directory.people.values();
        let needs = people.any(|it| holding(it, &provider).is_some() || unnoted(&directory, &provider, it).is_some());
        if needs && timer::of_subject(cx.tx, TABLE, provider.id.as_str())?.is_empty() {
            found.push(provider.id.0);
        }
    }
    Ok(found)
}

/// Ends rights that were not confirmed in time, notifies the people whose time is nearly over, and starts the time of
/// unconfirmed rights.
///
/// # Errors
/// The store's.
pub(crate) fn run(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(stored) = record::load::<IdentityProvider>(cx.tx, id)? else {
        return Ok(());
    };
    let (provider, directory) = (stored.record, cx.directory()?);
    let mut seen = 0;
    let mut has_moved = false;
    for person in directory.people.values() {
        if seen >= AT_ONCE {
            break;
        }
        if let Some((roles, groups)) = unnoted(&directory, &provider, person) {
            note(cx, &provider, person, (roles, groups))?;
            seen += 1;
        }
        let Some(vouched) = holding(person, &provider) else {
            continue;
        };
        if vouched.until <= cx.now {
            has_moved |= end(cx, &provider, (&person.id, vouched))?;
            seen += 1;
        } else if notified_at(vouched) <= cx.now && person.active {
            notify_expiry(cx, &provider, (person, vouched), false)?;
        }
    }
    if has_moved {
        settle_open::settle_with_approvers(cx)?;
    }
    if seen >= AT_ONCE {
        return set(cx, &provider, cx.now);
    }
    set_again(cx, &provider, cx.now)
}

/// Starts the time after which unconfirmed rights end.
fn note(
    cx: &mut Context<'_, '_>,
    provider: &IdentityProvider,
    person: &Person,
    (roles, groups): (BTreeSet<Role>, BTreeSet<GroupKey>),
) -> Result<()> {
    let mut after = person.clone();
    after.vouched.push(Vouched {
        provider: provider.key.clone(),
        confirmed_at: cx.now,
        until: provider.lasts_until(cx.now),
        roles,
        groups,
    });
    let data = json!({"provider": provider.key});
    cx.put_estate("person.confirmed", after, data).map(drop)
}

/// Removes the roles and memberships that a provider gave, unless another provider gives them too; returns whether a membership
/// was removed.
fn end(cx: &mut Context<'_, '_>, provider: &IdentityProvider, (id, over): (&PersonId, &Vouched)) -> Result<bool> {
    let Some(before) = cx.directory()?.people.get(id).cloned() else {
        return Ok(false);
    };
    let now = cx.now;
    let others = before
        .vouched
        .iter()
        .filter(|it| it.provider != over.provider && now < it.until);
    let (roles, groups): (Vec<_>, Vec<_>) = others.map(|it| (&it.roles, &it.groups)).unzip();
    let ends_role = |role: &Role| over.roles.contains(role) && !roles.iter().any(|it| it.contains(role));
    let ends_seat = |key: &&GroupKey| !groups.iter().any(|it| it.contains(*key));
    let mut after = before.clone();
    after.roles.retain(|role| !ends_role(role));
    if last_administrator::is_last(&*cx.directory()?, &after) {
        // As after a sign-in without this role: the last administrator keeps the role until another person has it.
        after.roles.insert(Role::Admin);
    }
    for vouched in after.vouched.iter_mut().filter(|it| it.provider == over.provider) {
        (vouched.roles, vouched.groups) = (BTreeSet::new(), BTreeSet::new());
    }
    let data = json!({
        "provider": provider.key, "roles": over.roles, "groups": over.groups,
        "confirmed_at": over.confirmed_at.to_string(),
    });
    let after = cx.put_estate("person.rights_ended", after, data.clone())?;
    group_membership::leave_well_known_groups(cx, &before, &after)?;
    settle_open::settle_person(cx, Some(&before), &after)?;
    let mut has_moved = false;
    for key in over.groups.iter().filter(ends_seat) {
        let Some(group) = cx.directory()?.groups.get(key).cloned() else {
            continue;
        };
        if let Some(members) = with_member(&group.members, id, false) {
            let unseated = snapshot::Group { members, ..group };
            group_membership::put_group(cx, unseated, data.clone(), group_membership::Comers::Seated)?;
            has_moved = true;
        }
    }
    if before.active {
        notify_expiry(cx, provider, (&before, over), true)?;
    }
    Ok(has_moved)
}

/// Notifies a person, once each, that a provider's roles and memberships end soon or have ended.
fn notify_expiry(
    cx: &mut Context<'_, '_>,
    provider: &IdentityProvider,
    (person, vouched): (&Person, &Vouched),
    is_over: bool,
) -> Result<()> {
    let url = format!("{}/t/{}/sign-in", cx.services.tools().public_url, cx.tenant());
    let (subject, text) = if is_over {
        let text = format!(
            "You have not signed in at {} since {}, so that what it gives you here has ended. Sign in there once, and you \
             have it again.\n{url}\n",
            provider.name, vouched.confirmed_at
        );
        ("Your rights have ended", text)
    } else {
        let text = format!(
            "You have not signed in at {} since {}. What it gives you here ends at {}, unless you sign in there before.\n{url}\n",
            provider.name, vouched.confirmed_at, vouched.until
        );
        ("Your rights end soon", text)
    };
    let dedup = format!("rights_end/{}/{}/{}/{is_over}", provider.id, person.id, vouched.until);
    let letter = ("rights_end", subject, text.as_str(), dedup.as_str());
    let mut written = Written::default();
    save_message(cx, &mut written, &person.id, None, letter)?;
    if written.is_empty() {
        return Ok(());
    }
    let data = json!({"provider": provider.key, "until": vouched.until.to_string()});
    let event = draft("person.told_of_end", ("person", person.id.0.clone()), cx.now, data);
    cx.emit(vec![event], written)
}
