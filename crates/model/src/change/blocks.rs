//! The people who may lift a block on a change: a `depends_on` link or a mandatory task. An approver's block is lifted by its
//! setter, its assignee, or somebody who could decide in the setter's place; never by a person whose only interest is to go on.

use jiff::Timestamp;

use crate::approval::authority::{able, approval_rules, targets_of};
use crate::change::change_file::{Case, ChangeFile, Linked};
use crate::change::eligible;
use crate::change::related_records::{ChangeTask, Link};
use crate::core::enums::{LinkKind, State};
use crate::core::ids::PersonId;
use crate::core::refusal::Refusal;
use crate::core::unmet::{Unmet, unmet};
use crate::directory::snapshot::{Directory, last_people, logins};

/// The rules of approval for which a person may decide on a change now: they make a block by this person an approver's block.
pub(crate) fn rules_of(file: &ChangeFile, directory: &Directory, person: &PersonId, now: Timestamp) -> Vec<String> {
    if file.wrote(person) {
        return Vec::new();
    }
    let decides = |rule: &str| {
        let mut standing = file.standing().filter(|word| &word.person == person);
        standing.any(|word| word.counted_for.iter().any(|row| row.rule == rule))
    };
    let rules = approval_rules(file).filter(|(row, rule)| {
        let id = &row.obligation.id;
        let is_able = || {
            targets_of(file, row).any(|target| {
                let holders = able(file, directory, (id, rule), target, now);
                holders.iter().any(|holder| &holder.person == person)
            })
        };
        decides(id) || is_able()
    });
    rules.map(|(row, _)| row.obligation.id.clone()).collect()
}

/// A block on a change, with its setter.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// The setter.
    pub setter: &'a PersonId,
    /// The rules for which the setter could decide at that time; empty for a setter who was no approver.
    pub rules: &'a [String],
    /// The assignee.
    pub assignee: Option<&'a PersonId>,
}

impl<'a> Block<'a> {
    pub(crate) fn of_task(task: &'a ChangeTask) -> Self {
        Self {
            setter: &task.by,
            rules: if task.mandatory { &task.set_under } else { &[] },
            assignee: task.assignee.as_ref(),
        }
    }

    pub(crate) fn of_link(link: &'a Link) -> Self {
        Self {
            setter: &link.by,
            rules: if link.kind == LinkKind::DependsOn {
                &link.set_under
            } else {
                &[]
            },
            assignee: None,
        }
    }

    /// Whether an approver set it.
    pub(crate) fn is_of_approver(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The people who may lift it: its setter, its assignee, and their equals. Where all of them have left, the last people who
    /// can decide here.
    pub(crate) fn lifters(&self, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
        let mut people: Vec<PersonId> = Vec::new();
        let named = [self.assignee, Some(self.setter)].into_iter().flatten().cloned();
        for person in named.chain(self.equals(file, directory, now)) {
            if directory.is_active(&person) && !people.contains(&person) {
                people.push(person);
            }
        }
        if people.is_empty() {
            let others = last_people(directory).into_iter();
            return others.filter(|person| !file.wrote(person)).collect();
        }
        people
    }

    fn equals(&self, file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<PersonId> {
        let rules = approval_rules(file).filter(|(row, _)| self.rules.contains(&row.obligation.id));
        let holders = rules.flat_map(|(row, rule)| {
            let targets = targets_of(file, row);
            targets.flat_map(move |target| able(file, directory, (&row.obligation.id, rule), target, now))
        });
        holders
            .map(|holder| holder.person)
            .filter(|person| !file.wrote(person))
            .collect()
    }
}

/// Whether a person may do or drop a task, as far as its setter is concerned.
#[must_use]
pub fn lets_do(
    task: &ChangeTask,
    person: &PersonId,
    (file, directory, now): (&ChangeFile, &Directory, Timestamp),
) -> bool {
    let block = Block::of_task(task);
    !block.is_of_approver() || block.lifters(file, directory, now).contains(person)
}

/// Refuses to lift a block of an approver to everybody but its setter, its assignee and their equals. The person who issued an
/// author's credential counts as that author.
///
/// # Errors
/// 403 with the people who may lift it.
pub(crate) fn check_lift(case: &Case<'_>, block: Block<'_>, what: &str) -> Result<(), Refusal> {
    if !block.is_of_approver() || case.actor.is_system {
        return Ok(());
    }
    let people = block.lifters(&case.file, &case.directory, case.now);
    let person = case.person();
    let is_named = block.assignee == Some(&person) || block.setter == &person;
    let is_own_hand = !is_named && case.file.wrote(case.actor.speaker());
    if people.contains(&person) && !is_own_hand {
        return Ok(());
    }
    let text = format!(
        "{} set this {what} as an approver of the change. Only they, its assignee or another possible approver can \
         remove it.",
        case.name(block.setter)
    );
    Err(Refusal::not_allowed("set_by_approver", text).with_others(logins(&case.directory, &people)))
}

/// Whether a change that another one depends on is finished: it succeeded, and is closed.
pub(crate) fn is_finished(linked: &Linked) -> bool {
    linked.state == State::Closed && linked.has_succeeded
}

/// The missing part of a change that this one depends on.
pub(crate) fn dependency_unmet(
    file: &ChangeFile,
    directory: &Directory,
    linked: &Linked,
    now: Timestamp,
) -> Option<Unmet> {
    if is_finished(linked) {
        return None;
    }
    let key = &linked.key;
    if !linked.state.is_final() {
        let owner = linked.owner.iter().map(|owner| directory.login(owner)).collect();
        return Some(unmet(
            "dependency_open",
            format!("The change depends on {key}, which is {}.", linked.state),
            format!("{key} must be closed as succeeded."),
            owner,
        ));
    }
    let links = file
        .links
        .iter()
        .filter(|link| link.kind == LinkKind::DependsOn && link.removed_at.is_none());
    let link = links
        .filter(|link| &link.to == key)
        .max_by_key(|link| Block::of_link(link).is_of_approver());
    let people = match link.map(Block::of_link) {
        Some(block) if block.is_of_approver() => block.lifters(file, directory, now),
        _ => eligible::writers(&file.change, directory),
    };
    Some(unmet(
        "dependency_open",
        format!(
            "The change depends on {key}, which is {} and did not succeed.",
            linked.state
        ),
        format!("Remove the link to {key} and, if the dependency remains, link a change that succeeds."),
        logins(directory, &people),
    ))
}
