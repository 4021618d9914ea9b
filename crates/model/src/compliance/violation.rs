//! Violations: rules over what the log states about one change. Each names an exception of a control, in a sentence for an
//! auditor; none of them decides anything about a change.

use jiff::{SignedDuration, Timestamp};

use crate::compliance::change_trail::{ApprovalFacts, ChangeFacts, EvidenceFacts};
use crate::compliance::gate_trail::{GatedRun, Passage};
pub use crate::core::enums::Severity;
use crate::core::enums::{EvidenceResult, Kind, Level};
use crate::gate::build;

/// How long after its end a break-glass may wait for its review before a report names it, and for its validation where no due
/// time is recorded.
pub const LATE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A rule that finds one kind of violation.
pub struct Rule {
    /// Its id, which never changes: `approval_after_start`.
    pub id: &'static str,
    /// The finding, as a heading.
    pub title: &'static str,
    /// The comparison, in one sentence.
    pub test: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Whether the rule applies to a change. A change to which it does not apply is not counted as tested.
    pub applies: fn(&ChangeFacts) -> bool,
    /// The violation in a sentence, judged as of a moment; `None` where there is none.
    pub find: fn(&ChangeFacts, Timestamp) -> Option<String>,
}

/// The rule that finds deployments without a lawful start. They are judged by their own time, also where no work began.
pub const UNAUTHORIZED_WORK: &str = "unauthorized_work";

/// Every rule, in the order of reports.
pub const RULES: &[Rule] = &[
    Rule {
        id: "approval_after_start",
        title: "Work began without approval",
        test: "An approval of the change is in the log before its first start; break-glass and work reported \
               afterwards are judged by rules of their own.",
        severity: Severity::High,
        applies: begins_by_approval,
        find: approval_after_start,
    },
    Rule {
        id: "same_person",
        title: "Somebody approved their own change",
        test: "No approval that is counted, or was when the work began, is by the requester or an author of the change, by an account \
               in one hand with theirs, or by a way in that they handed out.",
        severity: Severity::High,
        applies: |it| it.counted().next().is_some(),
        find: same_person,
    },
    Rule {
        id: "counted_twice",
        title: "One person was counted twice",
        test: "No two approvals that one hand gave are counted for the same rule.",
        severity: Severity::High,
        applies: |it| it.counted().next().is_some(),
        find: counted_twice,
    },
    Rule {
        id: "self_validated",
        title: "The implementer validated the work alone",
        test: "Emergency work and break-glass are validated by somebody who did not implement the change.",
        severity: Severity::Medium,
        applies: is_validated_apart,
        find: self_validated,
    },
    Rule {
        id: "missing_evidence",
        title: "No passed test on record",
        test: "A normal change of medium or high risk has evidence that passed for its build or plan before its work \
               began.",
        severity: Severity::High,
        applies: owes_evidence,
        find: missing_evidence,
    },
    Rule {
        id: "late_validation",
        title: "Break-glass was not validated in time",
        test: "A break-glass is validated by the time that was set when it was opened; within seven days after it ended \
               where none was.",
        severity: Severity::Medium,
        applies: |it| it.break_glass.is_some(),
        find: late_validation,
    },
    Rule {
        id: "bypass_without_review",
        title: "Break-glass without a review",
        test: "A change with a break-glass has a post-implementation review within seven days after it ended.",
        severity: Severity::High,
        applies: |it| it.break_glass.is_some(),
        find: bypass_without_review,
    },
    Rule {
        id: "standard_misuse",
        title: "A standard change outside its template",
        test: "A standard change has no high risk and stays a standard change until its work ends.",
        severity: Severity::High,
        applies: |it| it.kind == Kind::Standard || it.has("change.turned_normal"),
        find: standard_misuse,
    },
    Rule {
        id: UNAUTHORIZED_WORK,
        title: "A deployment without an approved change",
        test: "No deployment was recorded as unauthorized.",
        severity: Severity::High,
        applies: |_| true,
        find: unauthorized_work,
    },
    Rule {
        id: "gate_off",
        title: "The gate was off",
        test: "Where a gate stands, the log has a permit or a go of the gate for the same purpose, with no stop after it, before each \
               deployment of the change; break-glass and work reported afterwards are judged by rules of their own.",
        severity: Severity::High,
        applies: is_gated,
        find: gate_off,
    },
    Rule {
        id: "told_late",
        title: "A deployment was reported late, for a time before its gate existed",
        test: "Of each deployment that was told after a gate stood at its place, as of a time before, the log has the end of the work \
               before the gate.",
        severity: Severity::Medium,
        applies: is_gated,
        find: recorded_late,
    },
    Rule {
        id: "unexplained_work",
        title: "Unauthorized work without a finding",
        test: "Each unauthorized deployment has a stated finding.",
        severity: Severity::Medium,
        applies: |it| it.unauthorized,
        find: unexplained_work,
    },
    Rule {
        id: "in_freeze",
        title: "Work during a freeze",
        test: "No work ran during a freeze that did not except it.",
        severity: Severity::Medium,
        applies: |_| true,
        find: in_freeze,
    },
    Rule {
        id: "failure_without_review",
        title: "A failed change was closed without a review",
        test: "A change that did not succeed has a post-implementation review when it is closed.",
        severity: Severity::High,
        applies: |it| it.closed_at.is_some() && it.succeeded() == Some(false),
        find: failure_without_review,
    },
    Rule {
        id: "overrun",
        title: "Work ran past its planned end",
        test: "No work ran past its planned end.",
        severity: Severity::Low,
        applies: |_| true,
        find: overrun,
    },
];

/// The rule with this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

fn begins_by_approval(facts: &ChangeFacts) -> bool {
    let is_judged_apart = facts.break_glass.is_some() || facts.retrospective.is_some() || facts.unauthorized;
    !is_judged_apart && facts.has("change.implementing")
}

fn approval_after_start(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    if !begins_by_approval(facts) {
        return None;
    }
    let began = facts.first("change.implementing")?;
    let before = facts.approval_until(|it| it.index < began.index);
    let lost = match before {
        Some((_, true)) => return None,
        Some((lost, false)) if facts.first("change.approved").is_some_and(|it| it.index < lost.index) => Some(lost.at),
        _ => None,
    };
    let mut later = facts.moments.iter().filter(|it| it.index > began.index);
    let later = later.find(|it| it.kind == "change.approved");
    Some(match (lost, later) {
        (Some(lost), _) => format!(
            "The work began at {}, the approval before it counted no longer since {lost}.",
            began.at
        ),
        (None, Some(approved)) => format!("The work began at {}, the approval came at {}.", began.at, approved.at),
        (None, None) => format!("The work began at {} and no approval is on record.", began.at),
    })
}

fn same_person(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let own = facts.counted().find(|it| it.is_own)?;
    Some(format!("An author of the change approved it at {}.", own.at))
}

fn counted_twice(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let words: Vec<_> = facts.counted().collect();
    let rules = |it: &ApprovalFacts| it.counted_for.clone().unwrap_or_default();
    words.iter().enumerate().find_map(|(place, one)| {
        let mut others = words.iter().skip(place + 1).filter(|it| it.hand == one.hand);
        others.find_map(|other| {
            let known = rules(one);
            let rule = rules(other).into_iter().find(|rule| known.contains(rule))?;
            Some(format!(
                "Approvals by one person at {} and {} are both counted for `{rule}`.",
                one.at, other.at
            ))
        })
    })
}

fn is_validated_apart(facts: &ChangeFacts) -> bool {
    (facts.kind == Kind::Emergency || facts.break_glass.is_some()) && !facts.validations.is_empty()
}

fn self_validated(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    if !is_validated_apart(facts) {
        return None;
    }
    let last = facts.validations.last()?;
    let is_alone = facts.validations.iter().all(|it| facts.implemented_by.contains(&it.by));
    is_alone.then(|| format!("Only an implementer validated the work, at {}.", last.at))
}

fn owes_evidence(facts: &ChangeFacts) -> bool {
    let is_asked = facts.kind == Kind::Normal && facts.risk.level.is_some_and(|level| level != Level::Low);
    let has_ended = facts.outcome.is_some_and(|outcome| outcome.is_success());
    is_asked && has_ended && facts.retrospective.is_none()
}

/// Whether a piece of evidence passed before the work began, for the plan or for a build that the change brings.
fn is_test_before(facts: &ChangeFacts, it: &EvidenceFacts) -> bool {
    let is_before = match (it.at, facts.started()) {
        (Some(at), Some(began)) => at <= began,
        _ => true,
    };
    let is_bound = match it.artifact.as_deref() {
        Some(tested) => {
            let mut brought = facts.targets.iter().filter_map(|target| target.artifact.as_deref());
            brought.any(|artifact| build::are_one(tested, artifact))
        }
        None => it.plan_digest.is_some(),
    };
    it.result == EvidenceResult::Passed && is_before && is_bound
}

fn missing_evidence(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let has_passed = facts.evidence.iter().any(|it| is_test_before(facts, it));
    let is_missing = owes_evidence(facts) && !has_passed;
    is_missing.then(|| "The work ended without evidence that passed for its build or plan before it began.".to_owned())
}

fn late_validation(facts: &ChangeFacts, now: Timestamp) -> Option<String> {
    let glass = facts.break_glass.as_ref()?;
    let by_then = glass.counted.as_ref().map(|it| it.validate_by);
    let due = by_then.or_else(|| glass.until.saturating_add(LATE_AFTER).ok())?;
    let validated = facts.first("break_glass.validated").map(|it| it.at);
    match validated {
        Some(at) if at <= due => None,
        Some(at) => Some(format!(
            "Its break-glass ended by {} and was validated at {at}.",
            glass.until
        )),
        None if now <= due => None,
        None => Some(format!(
            "Its break-glass ended by {} and was never validated.",
            glass.until
        )),
    }
}

fn bypass_without_review(facts: &ChangeFacts, now: Timestamp) -> Option<String> {
    let glass = facts.break_glass.as_ref()?;
    let due = glass.until.saturating_add(LATE_AFTER).ok()?;
    let first = facts.reviews.iter().map(|it| it.at).min();
    match first {
        Some(at) if at <= due => None,
        Some(at) => Some(format!(
            "Its break-glass ended by {} and was reviewed at {at}, too late.",
            glass.until
        )),
        None if now > due || facts.closed_at.is_some() => Some(format!(
            "Its break-glass was opened at {} and no review is on record.",
            glass.at
        )),
        None => None,
    }
}

fn standard_misuse(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    if facts.kind == Kind::Standard && facts.risk.level == Some(Level::High) {
        return Some("It is a standard change of high risk.".to_owned());
    }
    let turned = facts.first("change.turned_normal")?;
    let began = facts.first("change.implementing")?;
    (began.index < turned.index).then(|| format!("It left its template at {}, after the work began.", turned.at))
}

fn unauthorized_work(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let Some(stray) = facts.strays.first() else {
        let text = "A deployment was reported that no approved change covered.";
        return facts.unauthorized.then(|| text.to_owned());
    };
    let more = match facts.strays.len() {
        1 => String::new(),
        all => format!(" {all} of them were reported."),
    };
    Some(format!(
        "A deployment of {} to {} at {} was reported that no approved change covered.{more}",
        stray.service, stray.environment, stray.at
    ))
}

fn is_gated(facts: &ChangeFacts) -> bool {
    !facts.gated.is_empty() && facts.break_glass.is_none() && facts.retrospective.is_none()
}

fn gate_off(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    if !is_gated(facts) {
        return None;
    }
    let is_past = |run: &&GatedRun| matches!(run.passage, Passage::NotAsked | Passage::Refused);
    let mut past = facts.gated.iter().filter(is_past);
    let first = past.next()?;
    let more = match past.count() {
        0 => String::new(),
        others => format!(" {} deployments went past it.", others + 1),
    };
    let why = match first.passage {
        Passage::Refused => "although the gate had answered no or revoked the permit",
        _ => "and the log has neither a go of the gate nor a permit for it, though a gate stands there",
    };
    Some(format!(
        "{} was deployed to {} at {}, {why}.{more}",
        first.service, first.environment, first.at
    ))
}

fn recorded_late(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    if !is_gated(facts) {
        return None;
    }
    let mut late = facts.gated.iter().filter(|run| run.passage == Passage::ToldOlder);
    let first = late.next()?;
    let more = match late.count() {
        0 => String::new(),
        others => format!(" {} deployments were told so.", others + 1),
    };
    Some(format!(
        "{} was told at {} to have been deployed to {} at {}, before the gate there was asked first; the log does not show that the \
         work had ended by then.{more}",
        first.service, first.told_at, first.environment, first.at
    ))
}

fn unexplained_work(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let is_missing = facts.unauthorized && facts.finding.is_none() && facts.retrospective.is_none();
    is_missing.then(|| "Nobody stated a finding on the unauthorized deployment.".to_owned())
}

fn in_freeze(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    facts.in_freeze.then(|| "Its work ran during a freeze.".to_owned())
}

fn failure_without_review(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let closed = facts.closed_at?;
    let is_missing = facts.succeeded() == Some(false) && facts.reviews.is_empty();
    is_missing.then(|| format!("It was closed at {closed} without success and without a review."))
}

fn overrun(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let late = facts.first("change.overrun")?;
    Some(format!("Its planned end passed at {} while the work went on.", late.at))
}
