//! Violations: rules over what the log states about one change. Each names an exception of a control, in a sentence for an
//! auditor; none of them decides anything about a change.

use jiff::{SignedDuration, Timestamp};

use crate::compliance::change_trail::ChangeFacts;
pub use crate::core::enums::Severity;
use crate::core::enums::{Decision, EvidenceResult, Kind, Level};

/// How long after the work a break-glass may wait for its validation and its review before a report names it.
pub const LATE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A rule that finds one kind of violation.
pub struct Rule {
    /// Its id, which never changes: `approval_after_start`.
    pub id: &'static str,
    /// What it finds, as a heading.
    pub title: &'static str,
    /// What it compares, in one sentence.
    pub test: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The violation in a sentence, judged as of a moment; `None` where there is none.
    pub find: fn(&ChangeFacts, Timestamp) -> Option<String>,
}

/// Every rule, in the order of reports.
pub const RULES: &[Rule] = &[
    Rule {
        id: "approval_after_start",
        title: "Work began without approval",
        test: "An approval of the change is in the log before its first start; break-glass and work reported \
               afterwards are judged by rules of their own.",
        severity: Severity::High,
        find: approval_after_start,
    },
    Rule {
        id: "same_person",
        title: "Somebody approved their own change",
        test: "No approval is by the requester or an author of the change.",
        severity: Severity::High,
        find: same_person,
    },
    Rule {
        id: "self_validated",
        title: "The implementer validated the work alone",
        test: "Emergency work and break-glass are validated by somebody who did not implement the change.",
        severity: Severity::Medium,
        find: self_validated,
    },
    Rule {
        id: "missing_evidence",
        title: "No passed test on record",
        test: "A normal change of medium or high risk has passed evidence when its work begins or later.",
        severity: Severity::High,
        find: missing_evidence,
    },
    Rule {
        id: "late_validation",
        title: "Break-glass was not validated in time",
        test: "A break-glass is validated within seven days after it ended.",
        severity: Severity::Medium,
        find: late_validation,
    },
    Rule {
        id: "bypass_without_review",
        title: "Break-glass without a review",
        test: "A change with a break-glass has a post-implementation review within seven days after it ended.",
        severity: Severity::High,
        find: bypass_without_review,
    },
    Rule {
        id: "standard_misuse",
        title: "A standard change outside its template",
        test: "A standard change has no high risk and stays a standard change until its work ends.",
        severity: Severity::High,
        find: standard_misuse,
    },
    Rule {
        id: "unauthorized_work",
        title: "A deployment without an approved change",
        test: "No deployment was recorded as unauthorized.",
        severity: Severity::High,
        find: unauthorized_work,
    },
    Rule {
        id: "unexplained_work",
        title: "Unauthorized work without a finding",
        test: "Each unauthorized deployment has a stated finding.",
        severity: Severity::Medium,
        find: unexplained_work,
    },
    Rule {
        id: "in_freeze",
        title: "Work during a freeze",
        test: "No work ran during a freeze that did not except it.",
        severity: Severity::Medium,
        find: in_freeze,
    },
    Rule {
        id: "failure_without_review",
        title: "A failed change was closed without a review",
        test: "A change that did not succeed has a post-implementation review when it is closed.",
        severity: Severity::High,
        find: failure_without_review,
    },
    Rule {
        id: "overrun",
        title: "Work ran past its planned end",
        test: "No work ran past its planned end.",
        severity: Severity::Low,
        find: overrun,
    },
];

/// The rule with this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

fn approval_after_start(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    if facts.break_glass.is_some() || facts.retrospective.is_some() || facts.unauthorized {
        return None;
    }
    let began = facts.first("change.implementing")?;
    match facts.first("change.approved") {
        Some(approved) if approved.index < began.index => None,
        Some(approved) => Some(format!(
            "The work began at {}, the approval came at {}.",
            began.at, approved.at
        )),
        None => Some(format!("The work began at {} and no approval is on record.", began.at)),
    }
}

fn same_person(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let is_own = |person: &String| *person == facts.requester || facts.authors.contains(person);
    let own = facts
        .approvals
        .iter()
        .find(|it| it.decision == Decision::Approve && is_own(&it.person))?;
    Some(format!("An author of the change approved it at {}.", own.at))
}

fn self_validated(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    if facts.kind != Kind::Emergency && facts.break_glass.is_none() {
        return None;
    }
    let last = facts.validations.last()?;
    let is_alone = facts.validations.iter().all(|it| facts.implemented_by.contains(&it.by));
    is_alone.then(|| format!("Only an implementer validated the work, at {}.", last.at))
}

fn missing_evidence(facts: &ChangeFacts, _: Timestamp) -> Option<String> {
    let is_asked = facts.kind == Kind::Normal && facts.risk.level.is_some_and(|level| level != Level::Low);
    let has_ended = facts.outcome.is_some_and(|outcome| outcome.is_success());
    let has_passed = facts.evidence.iter().any(|it| it.result == EvidenceResult::Passed);
    let is_missing = is_asked && has_ended && facts.retrospective.is_none() && !has_passed;
    is_missing.then(|| "The work ended without passed evidence.".to_owned())
}

fn late_validation(facts: &ChangeFacts, now: Timestamp) -> Option<String> {
    let glass = facts.break_glass.as_ref()?;
    let due = glass.until.saturating_add(LATE_AFTER).ok()?;
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
    let is_missing = facts.reviews.is_empty() && (now > due || facts.closed_at.is_some());
    is_missing.then(|| format!("Its break-glass was opened at {} and no review is on record.", glass.at))
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
    facts
        .unauthorized
        .then(|| "A deployment was reported that no approved change covered.".to_owned())
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
