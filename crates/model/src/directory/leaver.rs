//! Somebody leaves. The leaver's open parts are flagged; with a compromised account, their decisions and rights end at once.

use std::collections::BTreeSet;

use serde_json::json;

use crate::approval::authority;
use crate::change::change_file::{Case, ChangeFile};
use crate::change::related_records::{Approval, CountedFor, Coverage, Permit};
use crate::change::settle::{lapse_conditions, recompute, revoke_permits, settle};
use crate::core::enums::{ApprovalState, State, TaskState};
use crate::core::ids::PersonId;
use crate::core::statement::Stated;
use crate::emergency::records::BreakGlass;

/// The reason recorded with a decision that was voided with its author's account.
const COMPROMISED: &str = "the account that gave it is compromised";
/// The reason recorded with a decision that a rule no longer counts because its author left.
const LEFT: &str = "its author is no longer active";

/// Takes a deactivated person out of an open change. The leaver's requests are withdrawn; a lawful decision stays in force
/// unless a rule for which it counts has `@while_active`: then the decision is void, and so are the permits that rest on it.
/// With a compromised account, its decisions and peer reviews are void, also those given by a credential that the account
/// issued or given in its stead; its acceptances and findings are open again, the permits that rest on them or belong to the
/// account are revoked, and its break-glass ends.
pub fn leave(case: &mut Case<'_>, person: &PersonId, compromised: bool) {
    let parts = parts_in(&case.file, person);
    match compromised {
        true => distrust(case, person),
        false => drop_unless_active(case, person),
    }
    if !parts.is_empty() {
        case.emit(
            "change.rests_on_leaver",
            json!({"person": person, "parts": parts, "compromised": compromised}),
        );
        notify_people(case, person, &parts, compromised);
    }
    recompute(case);
    settle(case);
}

/// Whether a person is involved in a change: by a part in it, a decision, or records that rest on their account.
pub fn has_part(file: &ChangeFile, person: &PersonId) -> bool {
    let said = |by: Option<&Stated>| by.is_some_and(|said| &said.by == person);
    !parts_in(file, person).is_empty()
        || file.approvals.iter().any(|it| counts_as_of(it, person))
        || file.peer_reviews.iter().any(|it| &it.person == person)
        || file.evidence.iter().any(|it| said(it.accepted.as_ref()))
        || file
            .conditions
            .iter()
            .any(|it| it.met.as_ref().is_some_and(|met| &met.by == person))
        || file.permits.iter().any(|it| &it.by == person)
        || file
            .change
            .break_glass
            .as_ref()
            .is_some_and(|glass| is_glass_of(glass, person))
}

/// A person's parts in a change, in the log's phrases; empty for a person without a part.
pub fn parts_in(file: &ChangeFile, person: &PersonId) -> Vec<&'static str> {
    let (change, content) = (&file.change, &file.change.content);
    let decided = file.standing().any(|approval| &approval.person == person);
    let checks = file
        .conditions
        .iter()
        .any(|it| &it.checker == person && it.met.is_none() && !it.lapsed);
    let works = file
        .tasks
        .iter()
        .any(|task| task.assignee.as_ref() == Some(person) && task.state == TaskState::Open);
    [
        (&change.requester == person, "requester"),
        (&content.owner == person, "owner"),
        (content.implementers.contains(person), "implementer"),
        (content.tester.as_ref() == Some(person), "tester"),
        (decided, "approver"),
        (checks, "checker"),
        (works, "assignee"),
        (change.requests.iter().any(|request| &request.person == person), "asked"),
    ]
    .into_iter()
    .filter_map(|(has, part)| has.then_some(part))
    .collect()
}

fn notify_people(case: &mut Case<'_>, person: &PersonId, parts: &[&str], compromised: bool) {
    let how = if compromised {
        "; the account is compromised, so their decisions are void and their permits revoked"
    } else {
        ""
    };
    let news = format!(
        "{} is no longer active, and {} depends on them ({}){how}.",
        case.name(person),
        case.change().key,
        parts.join(", ")
    );
    let mark = format!("{person}/{}", case.now);
    for reader in case.people_in_charge() {
        let next = "Check whether another person has to take over.";
        case.write_to(&reader, "rests_on_leaver", &mark, news.clone(), next);
    }
}

fn distrust(case: &mut Case<'_>, person: &PersonId) {
    let own = void_decisions(case, COMPROMISED, |approval| &approval.person == person);
    // A decision by another person's credential is reported with the owner's name, for the owner's account is sound.
    let theirs = format!(
        "the account of {}, by which it was given, is compromised",
        case.name(person)
    );
    let lent = void_decisions(case, &theirs, |approval| counts_as_of(approval, person));
    let decided = own || lent;
    let reviewed = void_reviews(case, person);
    let opened = end_glass(case, person);
    let stated = take_back(case, person);
    let shaken = decided || reviewed || stated;
    if shaken && case.change().state == State::Implementing {
        case.file.change.distrusted = true;
    }
    revoke_permits(case, "an account behind it is compromised", |permit: &Permit| {
        shaken || opened || &permit.by == person
    });
}

/// Voids a leaver's decision for rules that count no leavers.
fn drop_unless_active(case: &mut Case<'_>, person: &PersonId) {
    let rules = authority::approval_rules(&case.file).filter(|(_, rule)| rule.while_active);
    let rules: BTreeSet<String> = rules.map(|(row, _)| row.obligation.id.clone()).collect();
    let counts = |approval: &Approval| approval.counted_for.iter().any(|row| rules.contains(&row.rule));
    if void_decisions(case, LEFT, |approval| &approval.person == person && counts(approval)) {
        revoke_permits(case, "its approver is no longer active", |_| true);
    }
}

/// Whether a decision counts as a person's: their own, one by a credential that they issued, or one in their stead.
pub fn counts_as_of(approval: &Approval, person: &PersonId) -> bool {
    let is_lent = |row: &CountedFor| row.basis.delegators.contains(person);
    &approval.person == person
        || approval.handed_by.as_ref() == Some(person)
        || approval.counted_for.iter().any(is_lent)
}

/// Whether a person opened or co-signed a break-glass, or issued the credential by which it was opened.
pub fn is_glass_of(glass: &BreakGlass, person: &PersonId) -> bool {
    let signed = glass.cosigned.as_ref().is_some_and(|word| &word.by == person);
    &glass.by == person || signed || glass.handed_by.as_ref() == Some(person)
}

/// Reopens a person's findings: failed evidence that they accepted, conditions that they found met. Returns whether there was
/// any.
fn take_back(case: &mut Case<'_>, person: &PersonId) -> bool {
    let mut found = Vec::new();
    for evidence in &mut case.file.evidence {
        if evidence.accepted.as_ref().is_some_and(|said| &said.by == person) {
            evidence.accepted = None;
            found.push((
                "evidence.acceptance_voided",
                json!({"evidence": evidence.id, "person": person}),
            ));
        }
    }
    for condition in &mut case.file.conditions {
        if condition.met.as_ref().is_some_and(|said| &said.by == person) {
            condition.met = None;
            found.push((
                "condition.reopened",
                json!({"condition": condition.id, "person": person}),
            ));
        }
    }
    let is_any = !found.is_empty();
    for (kind, data) in found {
        case.emit(kind, data);
    }
    is_any
}

/// Voids decisions in force, whole. Returns whether one of them counted.
fn void_decisions(case: &mut Case<'_>, reason: &str, is_meant: impl Fn(&Approval) -> bool) -> bool {
    let mut voided = Vec::new();
    for approval in &mut case.file.approvals {
        if !is_meant(approval) || approval.state != ApprovalState::Standing {
            continue;
        }
        for part in [&mut approval.what, &mut approval.when] {
            if *part == Coverage::Standing {
                *part = Coverage::Voided;
            }
        }
        approval.state = ApprovalState::Voided;
        approval.ended = Some(reason.to_owned());
        voided.push((approval.id.clone(), approval.person.clone(), approval.is_yes()));
    }
    for (id, author, _) in &voided {
        lapse_conditions(case, id);
        case.emit(
            "approval.voided",
            json!({"approval": id, "person": author, "what": true, "when": true, "compromised": reason != LEFT}),
        );
    }
    voided.iter().any(|(_, _, yes)| *yes)
}

fn void_reviews(case: &mut Case<'_>, person: &PersonId) -> bool {
    let mut any = false;
    for review in &mut case.file.peer_reviews {
        if &review.person == person && review.state == ApprovalState::Standing {
            review.state = ApprovalState::Voided;
            any = true;
        }
    }
    any
}

/// A break-glass of the person ends now. Returns whether there was one.
fn end_glass(case: &mut Case<'_>, person: &PersonId) -> bool {
    let now = case.now;
    let Some(glass) = case.file.change.break_glass.as_mut().filter(|glass| !glass.ended) else {
        return false;
    };
    if !is_glass_of(glass, person) {
        return false;
    }
    glass.until = glass.until.min(now);
    true
}
