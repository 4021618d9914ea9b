//! Finds the rules of a set that nobody in this organisation can meet: they ask more people than there are, or people with a job
//! function or a training that nobody has. Such a set would stop every change that the rule is about, so it does not go in
//! force. Whether people enough are left for one service and one author is told by [`crate::find_unstaffed`].

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::directory::Directory;
use model::ids::{GroupKey, PersonId};
use model::obligation::{ApprovalRule, Asked, Duty, Obligation};
use policy::{Finding, PolicySet};

/// Every rule of a set that nobody can meet, by file and line.
pub(crate) fn find_unmeetable(set: &PolicySet, directory: &Directory, now: Timestamp) -> Vec<Finding> {
    let mut found: Vec<Finding> = set
        .obligations()
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
    let example = match there {
        0 => "name others, such as `@from(\"owner\")`, or first give people what it asks".to_owned(),
        many => format!("ask fewer, such as `@count(\"{many}\")`, or first add people"),
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

/// Whom a duty asks, how many of them there are, and how many it needs, where these are too few.
fn shortage(duty: &Duty, directory: &Directory, now: Timestamp) -> Option<(String, usize, usize)> {
    let (whom, there, needed) = match duty {
        Duty::Approval(rule) => {
            let needed = rule.count.max(rule.quorum.unwrap_or_default()) as usize;
            (of_rule(rule), fit_people(rule, directory, now).len(), needed)
        }
        Duty::PeerReview {
            count,
            from: Some(group),
        } => (of_group(group), directory.members(group).len(), *count as usize),
        Duty::OutsideLook { from, .. } => (of_group(from), directory.members(from).len(), 1),
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
            format!("of the groups {}", keys.join(" and "))
        }
        _ => "of all people".to_owned(),
    };
    let function = rule
        .function
        .as_ref()
        .map(|word| format!(" with the job function {word}"));
    let training = rule
        .training
        .as_ref()
        .map(|word| format!(" with a valid training {word}"));
    [Some(from), function, training].into_iter().flatten().collect()
}

/// The people whom a rule could ask at all: of its groups, or anybody where the target says who.
fn fit_people(rule: &ApprovalRule, directory: &Directory, now: Timestamp) -> BTreeSet<PersonId> {
    let mut people: BTreeSet<PersonId> = match &rule.from {
        Asked::Group(group) => directory.members(group).into_iter().collect(),
        Asked::Groups(groups) => groups.iter().flat_map(|group| directory.members(group)).collect(),
        _ => directory.people.keys().cloned().collect(),
    };
    people.retain(|person| is_fit(rule, person, directory, now));
    people
}

fn is_fit(rule: &ApprovalRule, person: &PersonId, directory: &Directory, now: Timestamp) -> bool {
    let Some(found) = directory.people.get(person).filter(|found| found.active) else {
        return false;
    };
    let has_function = rule.function.as_ref().is_none_or(|word| found.functions.contains(word));
    let is_trained = |word: &String| directory.is_trained(person, word, now);
    has_function && rule.training.as_ref().is_none_or(is_trained)
}
