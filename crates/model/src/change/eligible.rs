//! The people who may do the acts that a change waits for, as far as the model decides it; the policies may narrow it further.
//! A row lists only people who may do the act: others would be woken at night for nothing.

use jiff::Timestamp;

use crate::approval::authority::{approved_apart, candidates};
use crate::approval::obligation::{Duty, Obligation, Party};
use crate::approval::one_hand;
use crate::approval::one_person::counts_with;
use crate::approval::separation_of_duties::{has_conflict, is_of_interest};
use crate::change::change_file::{ChangeFile, RejectedElsewhere};
use crate::change::record::{Change, Retrospective};
use crate::core::enums::{Kind, OwnershipRole, Role};
use crate::core::ids::PersonId;
use crate::directory::ownership_matrix::Place;
use crate::directory::snapshot::Directory;
use crate::emergency::owed::{let_it_begin, reviewed_it, validated_it};
use crate::emergency::records;
use crate::policy::facts::Part;
use crate::policy::permission::parts_of;

/// The most peers who are named where every one here could review.
const MOST_PEERS: usize = 50;

/// Why a person's decision is not independent.
pub(crate) enum Dependence<'a> {
    /// A rule keeps its approvers apart from a part that the person had.
    OfRule(&'a Obligation),
    /// The person did the work.
    Implemented,
    /// The person approved an emergency.
    Approved,
    /// The person let the work begin by breaking the glass, or reviewed work under it.
    UnderGlass,
    /// The person recorded the work afterwards, and the record of its implementers rests on that person alone.
    Told,
    /// They declared a conflict of interest.
    Conflict,
}

fn once_each(people: impl IntoIterator<Item = PersonId>, may: impl Fn(&PersonId) -> bool) -> Vec<PersonId> {
    let mut found: Vec<PersonId> = Vec::new();
    for person in people {
        if !found.contains(&person) && may(&person) {
            found.push(person);
        }
    }
    found
}

/// The people who edit, submit, assess and cancel: requester and owner, or the change managers once both have left.
pub(crate) fn writers(change: &Change, directory: &Directory) -> Vec<PersonId> {
    let named = [change.requester.clone(), change.content.owner.clone()];
    let found = once_each(named, |person| directory.is_active(person));
    if found.is_empty() {
        return directory.with_role(Role::ChangeManager);
    }
    found
}

/// The people who plan the times: the owner, or the other writers.
pub(crate) fn planners(change: &Change, directory: &Directory) -> Vec<PersonId> {
    let owner = &change.content.owner;
    if directory.is_active(owner) {
        return vec![owner.clone()];
    }
    writers(change, directory)
}

/// The people who add the evidence: the tester and the requester; once both have left the owners, then the implementers, then a
/// pipeline.
pub(crate) fn witnesses(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let change = &file.change;
    let named = change.content.tester.iter().chain([&change.requester]).cloned();
    let is_there = |person: &PersonId| directory.is_active(person);
    let lines: [&dyn Fn() -> Vec<PersonId>; 4] = [
        &|| once_each(named.clone(), is_there),
        &|| once_each(owners_of(file, directory, now), is_there),
        &|| implementers(file, directory, now),
        &|| directory.with_role(Role::Pipeline),
    ];
    let first = lines.iter().map(|line| line()).find(|people| !people.is_empty());
    first.unwrap_or_default()
}

/// The people who could review as a peer where a rule names no group: those who know the work here. The caller leaves out
/// people whose review would not count.
pub(crate) fn peers(directory: &Directory) -> Vec<PersonId> {
    let roles = [
        Role::Owner,
        Role::Security,
        Role::Implementer,
        Role::ChangeManager,
        Role::Requester,
    ];
    let people = roles.into_iter().flat_map(|role| directory.with_role(role));
    let mut found = once_each(people, |_| true);
    found.truncate(MOST_PEERS);
    found
}

/// The people who confirm work that was recorded afterwards: the named verbal approver, unless that person has left or is the
/// requester.
pub(crate) fn confirmers(change: &Change, retro: &Retrospective, directory: &Directory) -> Vec<PersonId> {
    once_each([retro.verbal_approver.clone()], |person| {
        directory.is_active(person) && person != &change.requester
    })
}

/// The people who lift the rejection of another change: its requester revises or cancels it; change managers with no interest
/// in either change overrule it.
pub(crate) fn lifters(change: &Change, other: &RejectedElsewhere, directory: &Directory) -> Vec<PersonId> {
    let requester = std::iter::once(other.requester.clone()).filter(|person| directory.is_active(person));
    let managers = directory.with_role(Role::ChangeManager).into_iter();
    let managers = managers.filter(|person| !is_of_interest(change, person) && !other.of_interest_to.contains(person));
    once_each(requester.chain(managers), |_| true)
}

/// The people who except it from a freeze: the change managers who did not request it.
pub(crate) fn excepters(change: &Change, directory: &Directory) -> Vec<PersonId> {
    let managers = directory.with_role(Role::ChangeManager);
    once_each(managers, |person| person != &change.requester)
}

/// The people who get a change past a freeze: its planners, and those who except it. A change manager who planned the times
/// could no longer approve them, so the planners come first.
pub(crate) fn past_a_freeze(change: &Change, directory: &Directory) -> Vec<PersonId> {
    let people = planners(change, directory)
        .into_iter()
        .chain(excepters(change, directory));
    once_each(people, |_| true)
}

/// The people who start a change and record its targets' outcomes: the named implementers; else those who did some of the work,
/// then the holders of the part at a target, then the holders of the role.
pub(crate) fn implementers(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let change = &file.change;
    let may = |person: &PersonId| directory.is_active(person) && approved_apart(file, person).is_none();
    let named = &change.content.implementers;
    if !named.is_empty() {
        return once_each(named.iter().cloned(), may);
    }
    let works = |person: &PersonId| parts_of(file, directory, person, now).contains(&Part::Implementer);
    let known = once_each(change.implemented_by.iter().cloned(), |person| {
        may(person) && works(person)
    });
    let holders = |role| {
        let targets = change.content.targets.iter();
        let rows = targets.flat_map(|target| directory.holders_at(&Place::from(target), role, now));
        once_each(rows.map(|holder| holder.person), may)
    };
    let with_role = |role| once_each(directory.with_role(role), may);
    let lines: [&dyn Fn() -> Vec<PersonId>; 5] = [
        &|| known.clone(),
        &|| holders(OwnershipRole::Implementer),
        &|| with_role(Role::Implementer),
        &|| holders(OwnershipRole::Pipeline),
        &|| with_role(Role::Pipeline),
    ];
    let first = lines.iter().map(|line| line()).find(|people| !people.is_empty());
    first.unwrap_or_default()
}

/// The people who validate: the tester, else the owners and those whom a rule names; never a person who is not independent,
/// nor, before the work, a named implementer.
pub(crate) fn testers(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let change = &file.change;
    let will_work =
        |person: &PersonId| change.implemented_by.is_empty() && change.content.implementers.contains(person);
    let may = |person: &PersonId| {
        directory.is_active(person) && is_independent((file, directory, now), person) && !will_work(person)
    };
    let tester = once_each(file.change.content.tester.iter().cloned(), may);
    if !tester.is_empty() {
        return tester;
    }
    let mut people = owners_of(file, directory, now);
    for row in &file.requirements.obligations {
        let Duty::Validation { from: Some(asked), .. } = &row.obligation.duty else {
            continue;
        };
        let targets = file.change.content.targets.iter();
        for target in targets.filter(|target| row.targets.contains(&target.id)) {
            let holders = candidates(file, directory, asked, target, now);
            people.extend(holders.into_iter().map(|holder| holder.person));
        }
    }
    once_each(people, may)
}

/// The people who write the post-implementation review: the owners and the change managers; never the only implementer, nor the
/// only named one while no work is done.
pub(crate) fn reviewers(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let change = &file.change;
    let works = match change.implemented_by.is_empty() {
        true => &change.content.implementers,
        false => &change.implemented_by,
    };
    let people = owners_of(file, directory, now)
        .into_iter()
        .chain(directory.with_role(Role::ChangeManager));
    once_each(people, |person| {
        let is_alone = works.as_slice() == std::slice::from_ref(person);
        directory.is_active(person) && !is_alone && !validated_it(change, person)
    })
}

/// The people who validate a break-glass: the owners, security and the change managers; for a team over its budget only the
/// change managers, or security where there is no other change manager. Never the person who broke it.
pub(crate) fn glass_validators(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let glass = file.change.break_glass.as_ref();
    let is_hand = |person: &PersonId| {
        let by = glass
            .into_iter()
            .flat_map(|glass| [Some(&glass.by), glass.handed_by.as_ref()]);
        by.flatten()
            .any(|by| one_hand::is_one_holder(directory, (by, person), now))
    };
    let is_over = glass.is_some_and(|glass| glass.counted.as_ref().is_some_and(records::Counted::is_over));
    let may = |person: &PersonId| directory.is_active(person) && !is_hand(person) && !reviewed_it(&file.change, person);
    let managers = once_each(directory.with_role(Role::ChangeManager), may);
    let security = once_each(directory.with_role(Role::Security), may);
    if is_over {
        return if managers.is_empty() { security } else { managers };
    }
    let people = owners_of(file, directory, now).into_iter().chain(security);
    once_each(people.chain(managers), may)
}

/// The people who state the finding on unauthorized work: the change managers who neither requested nor did it.
pub(crate) fn finders(change: &Change, directory: &Directory) -> Vec<PersonId> {
    let managers = directory.with_role(Role::ChangeManager);
    once_each(managers, |person| !has_stake(change, person))
}

/// The owners of the change and of its targets.
pub fn owners_of(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
    let mut people = vec![file.change.content.owner.clone()];
    for target in &file.change.content.targets {
        for holder in directory.holders_at(&Place::from(target), OwnershipRole::Owner, now) {
            if !people.contains(&holder.person) {
                people.push(holder.person);
            }
        }
    }
    people
}

/// Why a person's decision on the work is not independent: the part that the person, or an account that counts with the person,
/// had in it.
pub(crate) fn dependence<'a>(
    (file, directory, now): (&'a ChangeFile, &Directory, Timestamp),
    person: &PersonId,
) -> Option<Dependence<'a>> {
    if has_conflict(file, person) {
        return Some(Dependence::Conflict);
    }
    let people = counts_with(file, directory, person, now);
    people.iter().find_map(|person| part_in_the_work(file, person))
}

fn part_in_the_work<'a>(file: &'a ChangeFile, person: &PersonId) -> Option<Dependence<'a>> {
    let change = &file.change;
    let approved = || {
        allowed_aloud(change, person)
            || let_it_begin(change, person)
            || file.standing().any(|it| &it.person == person && it.is_yes())
    };
    let has_part = |party: &Party| match party {
        Party::Implementer => change.implemented_by.contains(person),
        Party::Approver => approved(),
        Party::Author => file.wrote(person),
        Party::Requester => &change.requester == person,
    };
    for row in &file.requirements.obligations {
        if let Duty::Validation { distinct_from, .. } = &row.obligation.duty
            && distinct_from.iter().any(has_part)
        {
            return Some(Dependence::OfRule(&row.obligation));
        }
    }
    if change.implemented_by.contains(person) {
        return Some(Dependence::Implemented);
    }
    if change.retrospective.is_some() && &change.requester == person {
        return Some(Dependence::Told);
    }
    if let_it_begin(change, person) || reviewed_it(change, person) {
        return Some(Dependence::UnderGlass);
    }
    (change.content.kind == Kind::Emergency && approved()).then_some(Dependence::Approved)
}

/// Whether a person is named as verbal approver of the work and did not deny it.
fn allowed_aloud(change: &Change, person: &PersonId) -> bool {
    change.retrospective.as_ref().is_some_and(|retro| {
        let denied = retro.confirmation.as_ref().is_some_and(|it| !it.confirmed);
        &retro.verbal_approver == person && !denied
    })
}

/// Whether a person's decision on the work would be independent.
#[must_use]
pub fn is_independent(about: (&ChangeFile, &Directory, Timestamp), person: &PersonId) -> bool {
    dependence(about, person).is_none()
}

/// Whether a person requested a change, wrote it or did its work.
#[must_use]
pub fn has_stake(change: &Change, person: &PersonId) -> bool {
    &change.requester == person || change.authors.contains(person) || change.implemented_by.contains(person)
}
