//! Who may decide: the people whom rules ask, those whom they bar, and when a word counts.

use jiff::{SignedDuration, Timestamp};

use crate::change::Target;
use crate::directory::{Directory, Holder};
use crate::file::ChangeFile;
use crate::ids::{GroupKey, PersonId, TargetId};
use crate::obligation::{ApprovalRule, Asked, Duty, Party};
use crate::records::{Approval, CountedFor, Coverage};
use crate::words::{OwnershipRole, Role};

/// A rule that asks a person, and what their word would count for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The rule.
    pub rule: ApprovalRule,
    /// What a decision would count for.
    pub counted: CountedFor,
}

/// The rules that ask a person about the change as it stands, whatever its state.
pub fn asking(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> Vec<Asking> {
    let mut found = Vec::new();
    for row in &file.requirements.obligations {
        let Duty::Approval(rule) = &row.obligation.duty else {
            continue;
        };
        if is_barred(file, rule, person) {
            continue;
        }
        let mut targets = Vec::new();
        let mut why = String::new();
        for target in file
            .change
            .content
            .targets
            .iter()
            .filter(|target| row.targets.contains(&target.id))
        {
            let holder = candidates(file, directory, &rule.from, target)
                .into_iter()
                .find(|h| &h.person == person);
            if let Some(holder) = holder {
                targets.push(target.id.clone());
                why = holder.why;
            }
        }
        if !targets.is_empty() {
            let valid_until = rule
                .valid_for_minutes
                .map(|minutes| now + SignedDuration::from_mins(minutes));
            let (what, when) = (rule.covers.what(), rule.covers.when());
            let counted = CountedFor {
                rule: row.obligation.id.clone(),
                targets,
                why,
                what,
                when,
                valid_until,
            };
            found.push(Asking {
                rule: rule.clone(),
                counted,
            });
        }
    }
    found
}

/// Who may decide for a rule on a target, authors and other barred people included.
pub fn candidates(file: &ChangeFile, directory: &Directory, asked: &Asked, target: &Target) -> Vec<Holder> {
    let owned = |role| directory.holders(&target.service, &target.environment, role);
    match asked {
        Asked::Owner => owned(OwnershipRole::Owner),
        Asked::TechnicalLead => owned(OwnershipRole::TechnicalLead),
        Asked::Data => owned(OwnershipRole::Data),
        Asked::Security => {
            let holders = owned(OwnershipRole::Security);
            if holders.is_empty() {
                by_role_or_group(directory, Role::Security, "security")
            } else {
                holders
            }
        }
        Asked::ChangeManager => by_role_or_group(directory, Role::ChangeManager, "change-managers"),
        Asked::Tester => file
            .change
            .content
            .tester
            .iter()
            .map(|person| Holder {
                person: person.clone(),
                why: "named tester".to_owned(),
            })
            .collect(),
        Asked::Group(key) => directory
            .members(key)
            .into_iter()
            .map(|person| Holder {
                person,
                why: format!("member of the group {key}"),
            })
            .collect(),
    }
}

fn by_role_or_group(directory: &Directory, role: Role, group: &str) -> Vec<Holder> {
    let name = role.as_str().replace('_', " ");
    let mut found: Vec<Holder> = directory
        .with_role(role)
        .into_iter()
        .map(|person| Holder {
            person,
            why: format!("has the role {name}"),
        })
        .collect();
    if !found.is_empty() {
        return found;
    }
    for person in directory.members(&GroupKey::from(group)) {
        found.push(Holder {
            person,
            why: format!("member of the group {group}"),
        });
    }
    found
}

/// Whether a rule forbids this person's word: its author never counts, nor whom `@distinct_from` names.
pub fn is_barred(file: &ChangeFile, rule: &ApprovalRule, person: &PersonId) -> bool {
    let change = &file.change;
    let peer = file.agreeing_peers().any(|review| &review.person == person);
    change.authors.contains(person)
        || rule.distinct_from.iter().any(|party| match party {
            Party::Author => change.authors.contains(person),
            Party::Requester => &change.requester == person,
            Party::Implementer => {
                change.content.implementers.contains(person) || change.implemented_by.contains(person)
            }
            Party::Approver => peer,
        })
}

/// Whether an approval counts for a rule on a target now.
pub fn counts(approval: &Approval, rule_id: &str, target: &TargetId, now: Timestamp, what: bool) -> bool {
    if !approval.is_yes() {
        return false;
    }
    let part = if what { approval.what } else { approval.when };
    part == Coverage::Standing
        && approval.counted_for.iter().any(|row| {
            row.rule == rule_id
                && row.targets.contains(target)
                && (if what { row.what } else { row.when })
                && row.valid_until.is_none_or(|until| now < until)
        })
}

/// How sentences call those whom a rule asks.
pub fn asked_word(asked: &Asked) -> String {
    match asked {
        Asked::Owner => "the service's owner".to_owned(),
        Asked::TechnicalLead => "the technical lead".to_owned(),
        Asked::Security => "security".to_owned(),
        Asked::Data => "the data owner".to_owned(),
        Asked::ChangeManager => "a change manager".to_owned(),
        Asked::Tester => "the tester".to_owned(),
        Asked::Group(key) => format!("the group {key}"),
    }
}

/// Whether this person's peer review counts.
pub fn peer_counts(file: &ChangeFile, directory: &Directory, person: &PersonId, from: Option<&GroupKey>) -> bool {
    let wrote = file.change.authors.contains(person);
    let approves = file
        .standing()
        .any(|approval| &approval.person == person && approval.is_yes());
    let belongs = from.is_none_or(|key| directory.members(key).contains(person));
    !wrote && !approves && belongs
}
