//! One person across all rules of a change: the people who count as one, and the holder's right for which an approval counts.

use jiff::Timestamp;

use crate::approval::absence::Delegation;
use crate::approval::obligation::{ApprovalRule, Duty};
use crate::change::change_file::ChangeFile;
use crate::change::related_records::{Approval, CountedFor, Coverage};
use crate::core::ids::PersonId;
use crate::directory::snapshot::Directory;

/// The people who count as one with a person on a change, that person first: the people for whom the person decided, those who
/// decided for the person, and those with a delegation between them since the change was made. None of them alone is
/// independent of the others' acts.
pub fn counts_with(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> Vec<PersonId> {
    let mut found = vec![person.clone()];
    let mut add = |other: &PersonId| {
        if !found.contains(other) {
            found.push(other.clone());
        }
    };
    for approval in file.standing().filter(|approval| approval.is_yes()) {
        for row in &approval.counted_for {
            if &approval.person == person {
                row.basis.delegators.iter().for_each(&mut add);
            }
            if row.basis.delegators.contains(person) {
                add(&approval.person);
            }
        }
    }
    let since = file.change.created_at.min(now);
    let targets = &file.change.content.targets;
    let is_about = |row: &&Delegation| row.is_on(now) || row.overlaps(since, now);
    let rows = directory.delegations.iter().filter(is_about);
    let rows =
        rows.filter(|row| row.services.is_empty() || targets.iter().any(|it| row.services.contains(&it.service)));
    for row in rows {
        if &row.delegator == person {
            add(&row.delegate);
        }
        if &row.delegate == person {
            add(&row.delegator);
        }
    }
    found
}

/// The holder of the right that a row uses.
pub(crate) fn root_of<'a>(approval: &'a Approval, row: &'a CountedFor) -> &'a PersonId {
    row.basis.delegators.first().unwrap_or(&approval.person)
}

/// The right for which an approval counts on this change. A person who decides for others decides for one of them or for
/// themselves, over all rules together: otherwise one delegate would be as many people as gave them a delegation. A right that
/// a rule still needs goes before a right that others have used, and a right lent by an absent holder goes before the
/// delegate's own.
pub(crate) fn right_of<'a>(file: &ChangeFile, approval: &'a Approval) -> &'a PersonId {
    let mut roots: Vec<&PersonId> = Vec::new();
    for row in approval
        .counted_for
        .iter()
        .filter(|row| rule_of(file, &row.rule).is_some())
    {
        let root = root_of(approval, row);
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots.sort_by_key(|root| **root == approval.person);
    let needs = |root: &&&PersonId| {
        let rows = approval
            .counted_for
            .iter()
            .filter(|row| root_of(approval, row) == **root);
        rows.into_iter().any(|row| is_needed(file, approval, row))
    };
    let needed = roots.iter().find(needs).or(roots.first());
    needed.copied().unwrap_or(&approval.person)
}

/// Whether a rule would lack approvers without this approval: only approvals in a person's own right are counted, so that the
/// result depends on nobody's choice.
fn is_needed(file: &ChangeFile, approval: &Approval, row: &CountedFor) -> bool {
    let Some(rule) = rule_of(file, &row.rule) else {
        return false;
    };
    let is_own = |other: &CountedFor| other.rule == row.rule && other.basis.delegators.is_empty();
    let others = file
        .standing()
        .filter(|other| other.is_yes() && other.person != approval.person);
    let count = others
        .filter(|other| other.what == Coverage::Standing || other.when == Coverage::Standing)
        .filter(|other| other.counted_for.iter().any(is_own))
        .count();
    count < rule.count as usize
}

fn rule_of<'a>(file: &'a ChangeFile, id: &str) -> Option<&'a ApprovalRule> {
    let mut rows = file.requirements.obligations.iter();
    rows.find_map(|row| match &row.obligation.duty {
        Duty::Approval(rule) if row.obligation.id == id => Some(rule),
        _ => None,
    })
}

/// Whether a person's approval would count for this right too: the person has not decided yet, or decided for the same right.
pub(crate) fn may_still_count_for(file: &ChangeFile, person: &PersonId, root: &PersonId) -> bool {
    let mut said = file
        .standing()
        .filter(|approval| &approval.person == person && approval.is_yes());
    said.all(|approval| right_of(file, approval) == root)
}
