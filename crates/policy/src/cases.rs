//! Cases: what a set must answer, told in lines that a change manager can read.
//!
//! ```text
//! given quiet                                    # what a case does not say is this; a case uses the last `given` above it
//!   people       rita roles requester, olga roles owner in own-pay, paul roles pipeline by token
//!   service      pay, criticality medium, regimes none, data_class unstated, owners olga
//!   environment  prod, production yes
//!   target       artifact yes                    # or: none
//!   change       kind normal, risk low, touches none, requester rita
//! case a SOX service in production wants two owners
//!   service      regimes sox
//!   requires                                     # exactly these; a row that is an id alone says nothing about its words
//!     sox.require.owners   approval, from owner, count 2, covers what, distinct_from author+implementer, step_up
//!     base.require.validation
//!   olga approve_change as asked+implementer  no   sox.act.approve_own
//!   olga approve_change as asked              yes  base.act.decide
//!   rita approve_change                       no   # without an id: no policy allows it
//! ```
//!
//! `given` and `case` stand at the line's beginning, facts and questions are indented, rows of `requires` further.
//! Facts are `field value` separated by commas; sets are words joined by `+`, or `none`; a name alone is the key.
//! `as` gives the person's parts. Everything from a `#` with a blank before it is a comment.

mod facts;
mod parse;

use std::collections::BTreeSet;

use model::obligation::{Duty, Obligation};
use model::words::TaskKind;

use crate::judge::Answer;
use crate::question::Question;
use crate::values::{asked_word, due_word, party_word};
use crate::{Finding, PolicySet, SourceFile};
use parse::{Case, Expectation};

/// What running cases has shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CasesReport {
    /// How many cases hold.
    pub passed: usize,
    /// One row for each line that does not hold or cannot be read.
    pub failed: Vec<Finding>,
    /// The policies that decided in no case, sorted.
    pub never_deciding: Vec<String>,
}

/// Runs every case of these files. The caller's thread needs a stack of [`crate::STACK_BYTES`].
pub fn run_cases(set: &PolicySet, files: &[SourceFile]) -> CasesReport {
    let mut report = CasesReport {
        passed: 0,
        failed: Vec::new(),
        never_deciding: Vec::new(),
    };
    let mut decided = BTreeSet::new();
    for file in files {
        let cases = parse::cases(file, set).unwrap_or_else(|findings| {
            report.failed.extend(findings);
            Vec::new()
        });
        for case in cases {
            let failed = run(set, file, &case, &mut decided);
            report.passed += usize::from(failed.is_empty());
            report.failed.extend(failed);
        }
    }
    let never = set
        .sources()
        .map(|source| &source.id)
        .filter(|id| !decided.contains(*id));
    report.never_deciding = never.cloned().collect();
    report
}

/// Runs every case as activation does: refuses a failed case, and a policy that decides in none.
///
/// # Errors
/// All failed lines, and one row for each policy that no case makes decide.
pub fn check_cases(set: &PolicySet, files: &[SourceFile]) -> Result<CasesReport, Vec<Finding>> {
    let report = crate::on_policy_thread(|| run_cases(set, files));
    let mut findings = report.failed.clone();
    for source in report.never_deciding.iter().filter_map(|id| set.source(id)) {
        findings.push(Finding {
            file: source.file.clone(),
            line: source.line,
            code: "never_decides",
            text: format!("no case makes `{}` decide", source.id),
            help: None,
        });
    }
    if findings.is_empty() {
        Ok(report)
    } else {
        Err(findings)
    }
}

/// Runs one case; gives what does not hold, and notes who decided.
fn run(
    set: &PolicySet,
    file: &SourceFile,
    case: &Case,
    decided: &mut BTreeSet<String>,
) -> Vec<Finding> {
    let mut failed = Vec::new();
    let mut decided_here = BTreeSet::new();
    for expectation in &case.expectations {
        let wrong = match expectation {
            Expectation::Requires { line, rows } => {
                requires(set, case, *line, rows, &mut decided_here)
            }
            Expectation::Act { .. } => act(set, case, expectation, &mut decided_here)
                .into_iter()
                .collect(),
        };
        failed.extend(wrong.into_iter().map(|(line, text)| Finding {
            file: file.name.clone(),
            line,
            code: "case",
            text: format!("{}: {text}", case.name),
            help: None,
        }));
    }
    // A case that does not hold covers nothing.
    if failed.is_empty() {
        decided.extend(decided_here);
    }
    failed
}

type Wrong = (u32, String);

fn requires(
    set: &PolicySet,
    case: &Case,
    line: u32,
    rows: &[(u32, String, String)],
    decided: &mut BTreeSet<String>,
) -> Vec<Wrong> {
    let requirements = set.require(&case.world.change, &case.world.targets());
    if let Some(stop) = requirements.stop {
        return vec![(line, format!("the policies stop: {stop}"))];
    }
    let mut wrong = Vec::new();
    let found: Vec<&Obligation> = requirements
        .obligations
        .iter()
        .map(|row| &row.obligation)
        .collect();
    for (line, id, expected) in rows {
        match found.iter().find(|obligation| obligation.id == *id) {
            None => wrong.push((
                *line,
                format!("says nothing of `{id}`, the case says it is required"),
            )),
            Some(obligation) => {
                let says = words(obligation);
                if !expected.is_empty() && says != *expected {
                    wrong.push((
                        *line,
                        format!("`{id}` says `{says}`, the case says `{expected}`"),
                    ));
                }
            }
        }
    }
    for obligation in &found {
        if !rows.iter().any(|(_, id, _)| *id == obligation.id) {
            let text = format!(
                "requires `{}` ({}), the case does not say so",
                obligation.id,
                words(obligation)
            );
            wrong.push((line, text));
        }
        decided.insert(obligation.id.clone());
    }
    wrong
}

fn act(
    set: &PolicySet,
    case: &Case,
    expectation: &Expectation,
    decided: &mut BTreeSet<String>,
) -> Option<Wrong> {
    let Expectation::Act {
        line,
        actor,
        action,
        allowed,
        id,
    } = expectation
    else {
        return None;
    };
    let (line, allowed) = (*line, *allowed);
    let change = &case.world.change;
    let targets = case.world.targets();
    let verdict = set.may(actor, action, Some((change, &targets)));
    let answer = deciding(set, actor, action, case);
    let reasons = answer
        .as_ref()
        .map(|answer| answer.reasons.join(", "))
        .unwrap_or_default();
    let says = match (verdict.allowed, reasons.as_str()) {
        (true, _) => format!("yes ({reasons})"),
        (false, "") => "no (no policy allows it)".to_owned(),
        (false, _) => format!("no ({reasons})"),
    };
    let word = if allowed { "yes" } else { "no" };
    let expected = id
        .as_deref()
        .map_or_else(|| word.to_owned(), |id| format!("{word} {id}"));
    let wrong = || {
        Some((
            line,
            format!("`{action}` says {says}, the case says {expected}"),
        ))
    };
    let Some(answer) = answer else { return wrong() };
    let is_named = match id {
        Some(id) => answer.reasons.contains(id),
        None => allowed || answer.reasons.is_empty(),
    };
    if verdict.allowed != allowed || !is_named {
        return wrong();
    }
    decided.extend(answer.reasons);
    None
}

/// The bare answer for the case's one target: unlike a verdict, it tells a forbid from a permit that did not match.
fn deciding(
    set: &PolicySet,
    actor: &model::facts::ActorFacts,
    action: &str,
    case: &Case,
) -> Option<Answer> {
    let is_of_change = model::act::Act::ALL
        .iter()
        .any(|act| act.as_str() == action);
    let question = if is_of_change {
        let target = case.world.has_target.then_some(&case.world.target);
        Question::act(actor, action, &case.world.change, target, &set.words)
    } else {
        Question::in_tenant(actor, action)
    };
    set.ask(question.ok()?).ok()
}

/// An obligation in words, as the rows of `requires` write it: the kind, then every annotation that holds.
pub(crate) fn words(obligation: &Obligation) -> String {
    let mut words: Vec<String> = Vec::new();
    let due = format!("due {}", due_word(obligation.due));
    let parties = |parties: &[model::obligation::Party]| {
        parties
            .iter()
            .map(|party| party_word(*party))
            .collect::<Vec<_>>()
            .join("+")
    };
    match &obligation.duty {
        Duty::Approval(rule) => {
            words.push("approval".to_owned());
            words.push(format!("from {}", asked_word(&rule.from)));
            words.push(format!("count {}", rule.count));
            words.push(format!("covers {}", rule.covers));
            if !rule.distinct_from.is_empty() {
                words.push(format!("distinct_from {}", parties(&rule.distinct_from)));
            }
            words.extend(
                rule.valid_for_minutes
                    .map(|minutes| format!("valid_for {}", duration(minutes))),
            );
            words.extend(rule.step_up.then(|| "step_up".to_owned()));
            words.extend(
                rule.ack_sla_minutes
                    .map(|minutes| format!("ack_sla {}", duration(minutes))),
            );
            words.extend(rule.dual_control.then(|| "dual_control".to_owned()));
        }
        Duty::Evidence {
            aspect,
            environment,
        } => {
            words.push(format!("evidence, aspect {aspect}"));
            words.extend(
                environment
                    .as_ref()
                    .map(|environment| format!("environment {environment}")),
            );
            words.push(due);
        }
        Duty::PeerReview { count, from } => {
            words.push(format!("peer_review, count {count}"));
            words.extend(from.as_ref().map(|group| format!("from {group}")));
            words.push(due);
        }
        Duty::Checklist { items } => {
            words.push(format!("checklist, items {}, {due}", items.join("; ")))
        }
        Duty::Task { kind, title } => words.push(task(*kind, title)),
        Duty::Validation {
            distinct_from,
            from,
        } => {
            words.push("validation".to_owned());
            words.extend(
                from.as_ref()
                    .map(|asked| format!("from {}", asked_word(asked))),
            );
            if !distinct_from.is_empty() {
                words.push(format!("distinct_from {}", parties(distinct_from)));
            }
        }
        Duty::Review {} => words.push("review".to_owned()),
        Duty::LeadTime { minutes } => words.push(format!("lead_time {}", duration(*minutes))),
        Duty::Permit {
            minutes,
            ahead,
            max_list_age_seconds,
        } => {
            words.push("permit".to_owned());
            words.extend(minutes.map(|minutes| format!("minutes {minutes}")));
            words.extend(ahead.then(|| "ahead".to_owned()));
            words.extend(
                max_list_age_seconds
                    .map(|seconds| format!("max_list_age {}", duration(seconds / 60))),
            );
        }
    }
    words.join(", ")
}

fn task(kind: TaskKind, title: &str) -> String {
    format!("task, kind {kind}, title {title}")
}

/// Minutes as an annotation writes them, in the largest unit that fits.
fn duration(minutes: i64) -> String {
    match minutes {
        m if m % (24 * 60) == 0 => format!("{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("{}h", m / 60),
        m => format!("{m}m"),
    }
}
