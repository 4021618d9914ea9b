//! Somebody leaves. What rests on them is flagged; where their account was compromised, their word and what they hold
//! fall at once.

use serde_json::json;

use crate::file::{Case, ChangeFile};
use crate::ids::PersonId;
use crate::records::{Coverage, Permit};
use crate::settle::{lapse_conditions, recompute, revoke_permits, settle};
use crate::words::{ApprovalState, State, TaskState};

/// What a decision says that was voided with its author's account.
const REASON: &str = "the account that gave it is compromised";

/// Takes a deactivated person out of an open change. Nobody asks them any more; a decision they gave lawfully stands,
/// unless the account was compromised: then their decisions and peer reviews are void, the permits that rest on them
/// or that they hold are revoked, and a break-glass of theirs ends.
pub fn leave(case: &mut Case<'_>, person: &PersonId, compromised: bool) {
    let parts = parts_in(&case.file, person);
    if compromised {
        distrust(case, person);
    }
    if !parts.is_empty() {
        case.tell(
            "change.rests_on_leaver",
            json!({"person": person, "parts": parts, "compromised": compromised}),
        );
        tell_people(case, person, &parts, compromised);
    }
    recompute(case);
    settle(case);
}

/// What a person is to a change, in words of the log; empty when it does not rest on them.
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

fn tell_people(case: &mut Case<'_>, person: &PersonId, parts: &[&str], compromised: bool) {
    let how = if compromised {
        "; the account is compromised, so their decisions are void and their permits revoked"
    } else {
        ""
    };
    let news = format!(
        "{} may no longer act, and {} rests on them ({}){how}.",
        case.name(person),
        case.change().key,
        parts.join(", ")
    );
    let mark = format!("{person}/{}", case.now);
    for reader in case.people_in_charge() {
        let next = "Look whether somebody else has to take over.";
        case.write_to(&reader, "rests_on_leaver", &mark, news.clone(), next);
    }
}

fn distrust(case: &mut Case<'_>, person: &PersonId) {
    let decided = void_word(case, person);
    let reviewed = void_reviews(case, person);
    let opened = end_glass(case, person);
    let shaken = decided || reviewed;
    if shaken && case.change().state == State::Implementing {
        case.file.change.distrusted = true;
    }
    revoke_permits(case, "an account behind it is compromised", |permit: &Permit| {
        shaken || opened || &permit.by == person
    });
}

/// Voids the person's standing decision, whole. Answers whether there was one that counted.
fn void_word(case: &mut Case<'_>, person: &PersonId) -> bool {
    let mut voided = Vec::new();
    for approval in &mut case.file.approvals {
        if &approval.person != person || approval.state != ApprovalState::Standing {
            continue;
        }
        for part in [&mut approval.what, &mut approval.when] {
            if *part == Coverage::Standing {
                *part = Coverage::Voided;
            }
        }
        approval.state = ApprovalState::Voided;
        approval.ended = Some(REASON.to_owned());
        voided.push((approval.id.clone(), approval.is_yes()));
    }
    for (id, _) in &voided {
        lapse_conditions(case, id);
        case.tell(
            "approval.voided",
            json!({"approval": id, "person": person, "what": true, "when": true, "compromised": true}),
        );
    }
    voided.iter().any(|(_, yes)| *yes)
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

/// A break-glass that the person opened or co-signed ends now. Answers whether there was one.
fn end_glass(case: &mut Case<'_>, person: &PersonId) -> bool {
    let now = case.now;
    let Some(glass) = case.file.change.break_glass.as_mut().filter(|glass| !glass.ended) else {
        return false;
    };
    let signed = glass.cosigned.as_ref().is_some_and(|word| &word.by == person);
    if &glass.by != person && !signed {
        return false;
    }
    glass.until = glass.until.min(now);
    true
}
