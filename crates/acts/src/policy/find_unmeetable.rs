//! Finds the rules of a set that nobody in this organisation can meet: they need more people than there are, or people with a
//! job function or a training that nobody has, or an owner role that no row of the matrix gives for any service. Such a set
//! would stop every change that the rule is about, so it does not go in force. [`crate::policy::find_unstaffed`] checks whether
//! enough people are left for one service and one author.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::approval::authority::is_fit;
use model::approval::distinct_groups::Apart;
use model::approval::obligation::{ApprovalRule, Asked, Duty, Obligation};
use model::core::enums::{OwnershipRole, Role};
use model::core::ids::{GroupKey, PersonId};
use model::directory::ownership_matrix::Place;
use model::directory::snapshot::Directory;
use policy::{Finding, PolicySet};

use crate::policy::find_unstaffed::fitness;

/// The groups that replace a role which nobody has.
const CHANGE_MANAGERS: &str = "change-managers";
const SECURITY: &str = "security";

/// Every rule of a set that nobody can meet, by file and line. An unchanged rule in force is not reported: refusing the set
/// would keep the rule in force.
pub(crate) fn find_unmeetable(
    set: &PolicySet,
    in_force: &PolicySet,
    (directory, now): (&Directory, Timestamp),
) -> Vec<Finding> {
    let stands = |it: &&Obligation| in_force.obligations().any(|known| known == *it);
    let mut found: Vec<Finding> = set
        .obligations()
        .filter(|it| !stands(it))
        .filter_map(|obligation| finding(set, obligation, directory, now))
        .collect();
    found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    found
}

fn finding(set: &PolicySet, obligation: &Obligation, directory: &Directory, now: Timestamp) -> Option<Finding> {
    let (whom, there, needed) = shortage(&obligation.duty, directory, now)?;
    let source = set.source(&obligation.id)?;
    let people = match there {
        0 => "there is nobody".to_owned(),
        1 => "there is one person".to_owned(),
        many => format!("there are {many} people"),
    };
    let of_matrix = match &obligation.duty {
        Duty::Approval(rule) => rule.from.ownership_role(),
        _ => None,
    };
    let example = match (there, of_matrix) {
        (0, Some(role)) => format!(
            "name others, such as `@from(\"change_manager\")`, or first say who it is: a row of the matrix with the role \
             `{role}`"
        ),
        (0, None) => "name others, such as `@from(\"owner\")`, or first give people what it asks".to_owned(),
        (many, _) => format!("ask fewer, such as `@count(\"{many}\")`, or first add people"),
    };
    Some(Finding {
        file: source.file.clone(),
        line: source.line,
        code: "nobody_can",
        text: format!(
            "Nobody can meet `{}`: it asks {needed} {whom}, and {people}.",
            source.id
        ),
        help: Some(example),
    })
}

/// The people that a duty needs, how many of them there are, and how many are needed, when these are too few.
pub(crate) fn shortage(duty: &Duty, directory: &Directory, now: Timestamp) -> Option<(String, usize, usize)> {
    let (whom, there, needed) = match duty {
        Duty::Approval(rule) => {
            let needed = rule.count.max(rule.quorum.unwrap_or_default()) as usize;
            (of_rule(rule), how_many(rule, needed, directory, now), needed)
        }
        Duty::PeerReview {
            count,
            from: Some(group),
        } => (of_group(group), directory.members(group).len(), *count as usize),
        Duty::PeerReview { count, from: None } => {
            let there = directory.people.values().filter(|person| person.active).count();
            ("of all people".to_owned(), there, *count as usize)
        }
        Duty::OutsideLook { from, .. } => (of_group(from), directory.members(from).len(), 1),
        Duty::Communication {
            ready_from: Some(Asked::Group(group)),
            ..
        } => (of_group(group), directory.members(group).len(), 1),
        Duty::Communication {
            ready_from: Some(Asked::Groups(groups)),
            ..
        } => {
            let empty = groups.iter().find(|group| directory.members(group).is_empty())?;
            (of_group(empty), 0, 1)
        }
        _ => return None,
    };
    (there < needed).then_some((whom, there, needed))
}

fn of_group(group: &GroupKey) -> String {
    format!("of the group {group}")
}

fn of_rule(rule: &ApprovalRule) -> String {
    let from = match &rule.from {
        Asked::Group(group) => of_group(group),
        Asked::Groups(groups) => {
            let keys: Vec<&str> = groups.iter().map(GroupKey::as_str).collect();
            format!("of the groups {}, each of another one", keys.join(" and "))
        }
        Asked::ChangeManager => "of the change managers".to_owned(),
        Asked::Tester => "of the tester, who is one".to_owned(),
        Asked::Owner => "of the owners of any one service".to_owned(),
        Asked::TechnicalLead => "of the technical leads of any one service".to_owned(),
        Asked::Data => "of the data owners of any one service".to_owned(),
        Asked::Security => "of those who answer for the security of any one service".to_owned(),
    };
    from + &fitness(rule)
}

/// How many people a rule could count at once: of its groups, or, for owners, of the service that has most of them. The count
/// stops at the first service with as many as needed.
fn how_many(rule: &ApprovalRule, needed: usize, directory: &Directory, now: Timestamp) -> usize {
    let is_there = |person: &PersonId| directory.people.get(person).is_some_and(|found| found.active);
    let fit = |people: Vec<PersonId>| -> BTreeSet<PersonId> {
        let fit = |person: &PersonId| is_there(person) && is_fit(directory, rule, person, now);
        people.into_iter().filter(fit).collect()
    };
    match &rule.from {
        Asked::Group(group) => fit(directory.members(group)).len(),
        Asked::Groups(groups) => {
            let members: Vec<_> = groups
                .iter()
                .map(|group| (group, fit(directory.members(group))))
                .collect();
            let rows = members
                .iter()
                .flat_map(|(group, people)| people.iter().map(|person| (person, group.as_str())));
            Apart::of(rows).count()
        }
        Asked::ChangeManager => fit(by_role_or_group(directory, Role::ChangeManager, CHANGE_MANAGERS)).len(),
        Asked::Tester => fit(directory.people.keys().cloned().collect()).len().min(1),
        Asked::Owner | Asked::TechnicalLead | Asked::Data | Asked::Security => {
            most_at_a_service(rule, needed, (directory, now), &|people| fit(people).len())
        }
    }
}

/// How many owners a rule could count at the service that has most of them.
fn most_at_a_service(
    rule: &ApprovalRule,
    needed: usize,
    (directory, now): (&Directory, Timestamp),
    fit: &dyn Fn(Vec<PersonId>) -> usize,
) -> usize {
    // Before there are services and environments, future owners are unknown, so everybody counts.
    let (services, places) = (&directory.services, &directory.environments);
    let Some(role) = rule
        .from
        .ownership_role()
        .filter(|_| !services.is_empty() && !places.is_empty())
    else {
        return fit(directory.people.keys().cloned().collect());
    };
    let stand_ins = match role {
        OwnershipRole::Security => by_role_or_group(directory, Role::Security, SECURITY),
        _ => Vec::new(),
    };
    let mut most = 0;
    for place in services
        .keys()
        .flat_map(|service| places.keys().map(move |it| Place::new(service, it)))
    {
        let holders = directory.holders_at(&place, role, now);
        let mut people: Vec<PersonId> = holders.into_iter().map(|holder| holder.person).collect();
        if people.is_empty() {
            people.clone_from(&stand_ins);
        }
        most = most.max(fit(people));
        if most >= needed {
            break;
        }
    }
    most
}

fn by_role_or_group(directory: &Directory, role: Role, group: &str) -> Vec<PersonId> {
    let found = directory.with_role(role);
    match found.is_empty() {
        true => directory.members(&GroupKey::from(group)),
        false => found,
    }
}
