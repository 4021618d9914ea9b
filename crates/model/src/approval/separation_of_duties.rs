//! The people whose approval a rule does not count: authors, requesters, implementers, committers and those with a conflict of
//! interest.

use crate::approval::obligation::{ApprovalRule, Asked, Party};
use crate::change::change_file::ChangeFile;
use crate::change::record::Change;
use crate::core::ids::{GroupKey, PersonId};
use crate::directory::basis::Holder;

/// Whether a rule keeps its approvers apart from the authors of the change's content.
pub fn keeps_apart(rule: &ApprovalRule) -> bool {
    rule.dual_control || rule.distinct_from.contains(&Party::Author)
}

/// Whether a rule that keeps people apart does not know them all yet.
pub(crate) fn are_unsure(file: &ChangeFile) -> bool {
    let made = &file.committers;
    !made.unknown.is_empty() || !made.not_told.is_empty() || !made.too_far.is_empty()
}

/// The group of a board's rule.
pub(crate) fn board_of(rule: &ApprovalRule) -> Option<&GroupKey> {
    match (&rule.from, rule.quorum) {
        (Asked::Group(key), Some(_)) => Some(key),
        _ => None,
    }
}

/// Whether a person declared a conflict of interest about the change, at whatever board's meeting: it bars them from every rule.
pub(crate) fn has_conflict(file: &ChangeFile, person: &PersonId) -> bool {
    file.meetings
        .iter()
        .any(|row| row.has_conflict(person, &file.change.id))
}

/// Whether a person is the requester, the owner or an author of a change. None of them overrules its rejection.
#[must_use]
pub fn is_of_interest(change: &Change, person: &PersonId) -> bool {
    of_interest(change).any(|part| part == person)
}

/// The people with an interest in a change: requester, owner and authors.
pub fn of_interest(change: &Change) -> impl Iterator<Item = &PersonId> {
    let named = [&change.requester, &change.content.owner];
    named.into_iter().chain(&change.authors)
}

/// Whether a rule bars a holder: the delegate, or a person for whom the delegate decides. Dual control counts no delegate.
pub fn is_barred_holder(file: &ChangeFile, rule: &ApprovalRule, holder: &Holder) -> bool {
    let lent = !holder.basis.delegators.is_empty();
    is_barred(file, rule, &holder.person)
        || (lent && rule.dual_control)
        || holder
            .basis
            .delegators
            .iter()
            .any(|person| is_barred(file, rule, person))
}

/// Whether a rule bars a holder on *what* or on *when*.
pub fn is_barred_holder_on(file: &ChangeFile, rule: &ApprovalRule, holder: &Holder, what: bool) -> bool {
    is_barred_holder(file, rule, holder)
        || is_barred_on(file, rule, &holder.person, what)
        || (holder.basis.delegators.iter()).any(|person| is_barred_on(file, rule, person, what))
}

/// Whether a rule bars this person on *what* or on *when*: a person who set the planned times does not approve them.
pub fn is_barred_on(file: &ChangeFile, rule: &ApprovalRule, person: &PersonId, what: bool) -> bool {
    let planned = |person: &PersonId| file.change.planned_by.contains(person);
    is_barred(file, rule, person) || (!what && file.hands.same(person).into_iter().any(planned))
}

/// Whether a rule bars this person on all that it covers: the author and the parties of `@distinct_from` never count. A
/// committer is barred where the rule keeps its approvers apart from the author, and by dual control always; a planner is
/// barred where the rule covers only the times.
pub fn is_barred(file: &ChangeFile, rule: &ApprovalRule, person: &PersonId) -> bool {
    let same = file.hands.same(person);
    file.is_behind(person) || same.into_iter().any(|person| is_barred_alone(file, rule, person))
}

/// The same of an account as itself.
fn is_barred_alone(file: &ChangeFile, rule: &ApprovalRule, person: &PersonId) -> bool {
    let change = &file.change;
    let peer = file.agreeing_peers().any(|review| &review.person == person);
    change.authors.contains(person)
        || (!rule.covers.what() && change.planned_by.contains(person))
        || (rule.dual_control && file.wrote(person))
        || has_conflict(file, person)
        || rule.distinct_from.iter().any(|party| match party {
            Party::Author => file.wrote(person),
            Party::Requester => &change.requester == person,
            Party::Implementer => {
                change.content.implementers.contains(person) || change.implemented_by.contains(person)
            }
            Party::Approver => peer,
        })
}
