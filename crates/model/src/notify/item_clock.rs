//! The escalation of action items, on business calendars. Nothing is settled by silence; more people hear of it.
//!
//! | Step | When | Who is notified |
//! |---|---|---|
//! | 1 | half of the working time until the due time is over, not while the owner is away, never once acknowledged | the owner |
//! | 2 | the due time | the owner, deputies, the owner's manager, owners of the services, those on duty of the group that it names |
//! | 3 | a working day later | those above: change managers, and whom the kind adds; those on duty then |
//! | 4 … | each working day for what is urgent, else each week of five working days | the owner and those above |
//!
//! The validation of a break-glass counts all days, because its clock runs at night.
//!
//! If no owner is active, the item goes to an owner of its services, then to the change managers, else to administrators.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::core::enums::{ActionKind, OwnershipRole, Role, Severity};
use crate::core::ids::{GroupKey, PersonId, ServiceKey};
use crate::directory::snapshot::{Directory, last_people};
use crate::notify::action_item::{ActionItem, Due, Owner};
use crate::schedule::calendar::{Clock, Span};

/// The step at which an item is due.
pub const DUE: i64 = 2;
/// The step at which the next level is notified.
pub const ABOVE: i64 = 3;
/// The step at which the owner is reminded.
const REMINDER: i64 = 1;
/// The working days between the last steps of an item that is not urgent.
const WEEK: i64 = 5;
/// The most missed steps that are checked at once: a year of working days.
const MOST_MISSED: i64 = 260;

/// The stored owner of an item: a person, a group, or neither for the change managers. Nobody of `involved` is chosen from the
/// owners of services.
pub fn resolve(
    directory: &Directory,
    owner: &Owner,
    (services, involved): (&BTreeSet<ServiceKey>, &BTreeSet<PersonId>),
    now: Timestamp,
) -> (Option<PersonId>, Option<GroupKey>) {
    match owner {
        Owner::Person(person) if directory.is_active(person) => return (Some(person.clone()), None),
        Owner::Group(group) if !directory.members(group).is_empty() => return (None, Some(group.clone())),
        Owner::ChangeManagers => return (None, None),
        Owner::Person(_) | Owner::Group(_) | Owner::ServiceOwner => {}
    }
    let found = service_owners(directory, services, now);
    (found.into_iter().find(|person| !involved.contains(person)), None)
}

/// The due time, by the calendar of its owner.
pub fn due_at(
    directory: &Directory,
    (person, group): (Option<&PersonId>, Option<&GroupKey>),
    due: Due,
    now: Timestamp,
) -> Timestamp {
    match due {
        Due::At(at) => at,
        Due::Within(span) => clock(directory, person, group).after(now, span),
    }
}

fn clock<'a>(directory: &'a Directory, person: Option<&PersonId>, group: Option<&GroupKey>) -> Clock<'a> {
    match person {
        Some(person) => directory.clock_of(person),
        None => directory.clock_of_group(group),
    }
}

/// The owners of services who take part, in the order of services and environments.
fn service_owners(directory: &Directory, services: &BTreeSet<ServiceKey>, now: Timestamp) -> Vec<PersonId> {
    let mut found: Vec<PersonId> = Vec::new();
    for service in services {
        for environment in directory.environments.keys() {
            for holder in directory.holders(service, environment, OwnershipRole::Owner, now) {
                if directory.takes_part(&holder.person) && !found.contains(&holder.person) {
                    found.push(holder.person);
                }
            }
        }
    }
    found
}

/// The people who have to do an item. Empty only where the tenant has neither change managers nor administrators.
pub fn owners(directory: &Directory, item: &ActionItem, now: Timestamp) -> Vec<PersonId> {
    if let Some(person) = item.owner.as_ref().filter(|person| directory.is_active(person)) {
        return vec![person.clone()];
    }
    let members = item
        .group
        .as_ref()
        .map(|group| directory.members(group))
        .unwrap_or_default();
    if !members.is_empty() {
        return members;
    }
    if item.owner.is_some() || item.group.is_some() {
        let mut found = service_owners(directory, &item.services, now);
        found.retain(|person| !item.involved.contains(person));
        if !found.is_empty() {
            return found;
        }
    }
    last_people(directory)
}

/// Whether the named owner of an item is no longer active, so that the item goes to the next.
pub fn is_ownerless(directory: &Directory, item: &ActionItem) -> bool {
    let has_person = item.owner.as_ref().is_some_and(|person| directory.is_active(person));
    let has_group = item
        .group
        .as_ref()
        .is_some_and(|group| !directory.members(group).is_empty());
    (item.owner.is_some() || item.group.is_some()) && !has_person && !has_group
}

/// Whether a person may acknowledge, assign and settle an item: its owners, their deputies once it is due, change managers.
pub fn is_responsible(directory: &Directory, item: &ActionItem, person: &PersonId, now: Timestamp) -> bool {
    let is_late = item.is_overdue(now);
    owners(directory, item, now).contains(person)
        || last_people(directory).contains(person)
        || (is_late && deputies(directory, item, now).contains(person))
}

/// Whether a person may acknowledge an item. For an announcement, only its owner and their delegates may, since the
/// acknowledgement confirms their own knowledge.
pub fn acknowledges(directory: &Directory, item: &ActionItem, person: &PersonId, now: Timestamp) -> bool {
    if item.announced_to().is_none() {
        return is_responsible(directory, item, person, now);
    }
    owners(directory, item, now).contains(person) || delegates(directory, item, now).any(|it| it == person)
}

/// The delegates of the owner of an item at an instant.
fn delegates<'a>(directory: &'a Directory, item: &'a ActionItem, now: Timestamp) -> impl Iterator<Item = &'a PersonId> {
    let rows = directory.delegations.iter();
    let theirs = rows.filter(move |row| Some(&row.delegator) == item.owner.as_ref() && row.is_on(now));
    theirs.map(|row| &row.delegate)
}

/// The deputies for the owner of an item once it is due: their delegates, their manager, and the owners of the services.
fn deputies(directory: &Directory, item: &ActionItem, now: Timestamp) -> Vec<PersonId> {
    let mut found = Vec::new();
    if let Some(owner) = &item.owner {
        found.extend(delegates(directory, item, now).cloned());
        let manager = directory
            .people
            .get(owner)
            .and_then(|person| directory.manager_of(person));
        found.extend(manager.map(|manager| manager.id.clone()));
    }
    found.extend(service_owners(directory, &item.services, now));
    found.extend(on_duty(directory, item, now));
    found
}

/// The people on call now of the group that an item names for its escalation.
fn on_duty(directory: &Directory, item: &ActionItem, now: Timestamp) -> Vec<PersonId> {
    let group = item.escalate_to.as_ref();
    group
        .map(|group| directory.reached_on_duty(group, now))
        .unwrap_or_default()
}

/// The next level, which step three notifies.
fn above(directory: &Directory, kind: ActionKind) -> Vec<PersonId> {
    let mut found = last_people(directory);
    let roles: &[Role] = match kind {
        ActionKind::ValidateBreakGlass => &[Role::Executive],
        ActionKind::ReviewAccess => &[Role::Admin, Role::Auditor],
        _ => &[],
    };
    found.extend(roles.iter().flat_map(|role| directory.with_role(*role)));
    found
}

/// The people whom a step notifies, each once. A person limited to some services gets only items that they own.
pub fn notified(directory: &Directory, item: &ActionItem, step: i64, now: Timestamp) -> BTreeSet<PersonId> {
    let mut found = owners(directory, item, now);
    if step == DUE {
        found.extend(deputies(directory, item, now));
    }
    if step >= ABOVE {
        found.extend(above(directory, item.kind));
        found.extend(on_duty(directory, item, now));
    }
    let may_know = |person: &PersonId| {
        let is_scoped = directory
            .people
            .get(person)
            .is_some_and(|found| !found.services.is_empty());
        directory.is_active(person) && (!is_scoped || item.owner.as_ref() == Some(person))
    };
    found.into_iter().filter(may_know).collect()
}

/// The latest step that is due and not done; `None` where there is none.
pub fn due_step(directory: &Directory, item: &ActionItem, now: Timestamp) -> Option<i64> {
    if !item.state.is_open() {
        return None;
    }
    let first = next_step(item);
    // Of several steps that passed while no server ran, only the last one is done.
    let passed = |step: &i64| step_at(directory, item, *step, now) <= now;
    (first..first + MOST_MISSED).take_while(passed).last()
}

/// When the next step is due; `None` once the item is settled.
pub fn next_at(directory: &Directory, item: &ActionItem, now: Timestamp) -> Option<Timestamp> {
    let is_open = item.state.is_open();
    is_open.then(|| step_at(directory, item, next_step(item), now))
}

fn next_step(item: &ActionItem) -> i64 {
    let is_seen = item.acknowledged_at.is_some();
    if is_seen {
        (item.steps + 1).max(DUE)
    } else {
        item.steps + 1
    }
}

fn step_at(directory: &Directory, item: &ActionItem, step: i64, now: Timestamp) -> Timestamp {
    let clock = clock_of(directory, item);
    match step {
        ..=REMINDER => {
            let worked = clock.worked(item.asked_at, item.due_at).as_secs() / 2;
            let half = clock.after_worked(item.asked_at, SignedDuration::from_secs(worked.max(0)));
            let back = item.owner.as_ref().and_then(|owner| directory.absent_until(owner, now));
            back.map_or(half, |back| back.max(half)).min(item.due_at)
        }
        DUE => item.due_at,
        later => {
            let days = if is_urgent(item) { 1 } else { WEEK };
            clock.after(item.due_at, Span::WorkDays(1 + (later - ABOVE) * days))
        }
    }
}

/// The clock of an item's escalation: its owner's calendar. Work that began under break-glass does not rest at night.
fn clock_of<'a>(directory: &'a Directory, item: &ActionItem) -> Clock<'a> {
    match item.kind {
        ActionKind::ValidateBreakGlass => Clock::new(None, None),
        _ => clock(directory, item.owner.as_ref(), item.group.as_ref()),
    }
}

fn is_urgent(item: &ActionItem) -> bool {
    item.kind == ActionKind::ValidateBreakGlass || item.severity == Some(Severity::High)
}
