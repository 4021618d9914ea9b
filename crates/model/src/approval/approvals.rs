//! The rules of approval: the open ones, the stage that may decide now, and the missing part of each.

use jiff::Timestamp;

use crate::approval::authority::{
    Yes, able_on, approval_rules, approvers_name, approving_rights, open_stage, targets_of,
};
use crate::approval::obligation::{ApprovalRule, Asked, TargetObligation};
use crate::approval::separation_of_duties::keeps_apart;
use crate::cab::board::{quorum_unmet, too_small_board};
use crate::change::change_file::ChangeFile;
use crate::change::eligible;
use crate::change::record::Target;
use crate::core::enums::{self, Role};
use crate::core::ids::{GroupKey, PersonId};
use crate::core::unmet::{Unmet, sentence, unmet};
use crate::directory::basis::Holder;
use crate::directory::snapshot::{Directory, logins};

/// The missing parts of a rule on *what* or on *when*: one row for each set of people that the rule waits for.
pub(crate) fn approval_unmet(
    file: &ChangeFile,
    directory: &Directory,
    row: &TargetObligation,
    rule: &ApprovalRule,
    now: Timestamp,
    what: bool,
) -> Vec<Unmet> {
    let mut rows: Vec<Unmet> = Vec::new();
    if keeps_apart(rule) {
        rows.extend(committers_unmet(file, directory, &row.obligation.id));
    }
    for target in targets_of(file, row) {
        let Some(found) = approval_unmet_for(file, directory, row, rule, target, now, what) else {
            continue;
        };
        let same = rows
            .iter()
            .any(|known| known.code == found.code && known.waiting_on == found.waiting_on);
        if !same {
            rows.push(found);
        }
    }
    rows
}

fn approval_unmet_for(
    file: &ChangeFile,
    directory: &Directory,
    row: &TargetObligation,
    rule: &ApprovalRule,
    target: &Target,
    now: Timestamp,
    what: bool,
) -> Option<Unmet> {
    let rule_id = &row.obligation.id;
    let yes = approving_rights(file, (rule_id, rule), &target.id, now, what);
    if yes.meets(rule) {
        return None;
    }
    if yes.count() >= rule.count as usize {
        // Enough people are available, so the rule lacks a quorum or a known author of the commits.
        return quorum_unmet((file, directory), (rule_id, rule), &target.id, now, what);
    }
    let able = able_on(file, directory, (rule_id, rule), target, now, what);
    let open = yes.helping(rule, &able.iter().collect::<Vec<_>>());
    let covered = if what { "what is done" } else { "the planned times" };
    if yes.count_with(&open) < rule.count as usize {
        if !what && !file.change.planned_by.is_empty() {
            return Some(planner_is_needed(file, directory, rule_id, rule));
        }
        return Some(unmet(
            "cannot_be_met",
            format!(
                "Rule `{rule_id}` requires a decision of {} for {}, and no independent approver is available.",
                approvers_name(&unstaffed(rule, &yes, &open)),
                target.service
            ),
            who_is_added(&unstaffed(rule, &yes, &open)),
            logins(directory, &directory.with_role(enums::Role::Admin)),
        ));
    }
    let stage = open_stage(file, now);
    if rule.stage > stage {
        let too_small = too_small_board((file, directory), (rule_id, rule));
        let people = || logins(directory, &approvers_of_stage(file, directory, stage, now));
        return Some(too_small.unwrap_or_else(|| later_stage(rule_id, (rule.stage, stage), people())));
    }
    let mut people: Vec<PersonId> = Vec::new();
    for holder in open {
        if !people.contains(&holder.person) {
            people.push(holder.person.clone());
        }
    }
    // Before a board can vote it must meet.
    if let Some(found) = quorum_unmet((file, directory), (rule_id, rule), &target.id, now, what) {
        return Some(found);
    }
    Some(unmet(
        "approval_missing",
        format!(
            "{} {} of {} approvals on {covered} have been given for {}.",
            sentence(&row.obligation.reason),
            yes.count(),
            rule.count,
            target.service
        ),
        who_satisfies(rule_id, rule, &yes),
        logins(directory, &people),
    ))
}

/// People of a later stage may not decide while an earlier stage is open, so the row names the people of the open stage.
fn later_stage(rule_id: &str, (own, open): (u32, u32), people: Vec<String>) -> Unmet {
    unmet(
        "approval_missing",
        format!("Rule `{rule_id}` belongs to stage {own}, and stage {open} is still open."),
        "Its approvers are asked once all earlier stages are met.",
        people,
    )
}

/// The people whose approval would help the open rules of a stage.
fn approvers_of_stage(file: &ChangeFile, directory: &Directory, stage: u32, now: Timestamp) -> Vec<PersonId> {
    let mut people: Vec<PersonId> = Vec::new();
    let rules = approval_rules(file).filter(|(_, rule)| rule.stage == stage);
    for (row, rule) in rules {
        let parts = [rule.covers.what().then_some(true), rule.covers.when().then_some(false)];
        for (target, what) in
            targets_of(file, row).flat_map(|target| parts.into_iter().flatten().map(move |it| (target, it)))
        {
            let yes = approving_rights(file, (&row.obligation.id, rule), &target.id, now, what);
            if yes.meets(rule) {
                continue;
            }
            let able = able_on(file, directory, (&row.obligation.id, rule), target, now, what);
            for holder in yes.helping(rule, &able.iter().collect::<Vec<_>>()) {
                if !people.contains(&holder.person) {
                    people.push(holder.person.clone());
                }
            }
        }
    }
    people
}

/// Nobody is left to approve the times because of the person who planned them: with another planner, all approvers of the rule
/// may decide.
fn planner_is_needed(file: &ChangeFile, directory: &Directory, rule_id: &str, rule: &ApprovalRule) -> Unmet {
    let change = &file.change;
    let set_by: Vec<String> = change.planned_by.iter().map(|person| directory.name(person)).collect();
    let others = eligible::writers(change, directory);
    let others: Vec<PersonId> = others
        .into_iter()
        .filter(|it| !change.planned_by.contains(it))
        .collect();
    unmet(
        "cannot_be_met",
        format!(
            "Rule `{rule_id}` requires a decision of {} on the planned times, but {} set them and cannot approve \
             their own times.",
            approvers_name(&rule.from),
            set_by.join(" and ")
        ),
        "Another person must set the planned times, even the same ones (PUT …/schedule).",
        logins(directory, &others),
    )
}

/// With distinct groups, the groups that could still count a person and have no possible approver left.
fn unstaffed(rule: &ApprovalRule, yes: &Yes<'_>, open: &[&Holder]) -> Asked {
    let Some(keys) = rule.from.distinct_groups() else {
        return rule.from.clone();
    };
    let is_empty = |key: &&GroupKey| {
        let key = key.as_str();
        yes.takes(key) && !open.iter().any(|holder| holder.group() == Some(key))
    };
    let empty: Vec<GroupKey> = keys.iter().filter(is_empty).cloned().collect();
    // Where each has somebody, they are the same people: all of the groups together have too few.
    Asked::Groups(if empty.is_empty() { keys.to_vec() } else { empty })
}

/// The sentence on how to give a rule one more possible approver.
fn who_is_added(asked: &Asked) -> String {
    match asked {
        Asked::Owner => "Add another owner of the service.".to_owned(),
        Asked::TechnicalLead => "Add another technical lead of the service.".to_owned(),
        Asked::Data => "Add another data owner of the service.".to_owned(),
        Asked::Security => {
            "Add another security owner of the service, or another person with the role `security`.".to_owned()
        }
        Asked::ChangeManager => "Give another person the role `change_manager`.".to_owned(),
        Asked::Tester => "Name another `tester`.".to_owned(),
        Asked::Group(key) => format!("Add another member to the group {key}."),
        Asked::Groups(_) => "Add another member to one of the groups.".to_owned(),
    }
}

/// The sentence that names the missing approvers, and whether they need a second factor.
fn who_satisfies(rule_id: &str, rule: &ApprovalRule, yes: &Yes<'_>) -> String {
    let who = missing_approvers_text(rule_id, rule, yes);
    match rule.second_factor {
        true => format!("{who} This requires a second factor."),
        false => who,
    }
}

/// The sentence that names the missing approvers; with distinct groups only the groups that still lack a person.
fn missing_approvers_text(rule_id: &str, rule: &ApprovalRule, yes: &Yes<'_>) -> String {
    let Some(keys) = rule.from.distinct_groups() else {
        return format!("{} must approve (rule `{rule_id}`).", approvers_name(&rule.from));
    };
    let open: Vec<GroupKey> = keys.iter().filter(|key| yes.takes(key.as_str())).cloned().collect();
    let lacking = (rule.count as usize).saturating_sub(yes.count());
    let several = open.len() > 1;
    let who = approvers_name(&Asked::Groups(open));
    match (several, lacking) {
        (false, _) => format!("{who} must approve (rule `{rule_id}`)."),
        (true, 1) => format!("one of {who} must approve (rule `{rule_id}`)."),
        (true, _) => format!("{lacking} of {who} must approve, each by a different person (rule `{rule_id}`)."),
    }
}

/// A row for each committer without an account, for each push that did not list all of its commits, and for each commit with
/// more earlier pushes than the search follows.
pub fn committers_unmet(file: &ChangeFile, directory: &Directory, rule: &str) -> Vec<Unmet> {
    let admins = logins(directory, &directory.with_role(Role::Admin));
    let planners = logins(directory, &eligible::planners(&file.change, directory));
    let unknown = file.committers.unknown.iter().map(|one| {
        let mark = one.marks().next();
        let satisfy = match mark {
            Some(mark) => format!(
                "An administrator assigns the account to a person: `assent person account LOGIN --add {mark}` (rule \
                 `{rule}`)."
            ),
            None => format!("Recreate the commit with its author's address (rule `{rule}`)."),
        };
        unmet(
            "committer_unknown",
            format!(
                "{} contributed to the commits of this change but is not known here, so separation of duties cannot \
                 be checked.",
                one.called()
            ),
            satisfy,
            admins.clone(),
        )
    });
    let not_told = file.committers.not_told.iter().map(|commit| {
        unmet(
            "committers_not_told",
            format!("The push of {commit} did not list all of its commits, so their authors are not known."),
            format!("Push the commits to another branch, a few at a time (rule `{rule}`)."),
            planners.clone(),
        )
    });
    let too_far = file.committers.too_far.iter().map(|commit| {
        unmet(
            "committers_too_far",
            format!(
                "This change includes more pushes than Assent examines, so the authors of the commits before \
                 {commit} are not known."
            ),
            format!("First deploy an earlier commit to the same place with a change of its own (rule `{rule}`)."),
            planners.clone(),
        )
    });
    unknown.chain(not_told).chain(too_far).collect()
}
