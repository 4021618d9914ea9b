//! Cases: expected results of a set, in lines that a change manager can read.
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
//! A case covers the base, its own pack (the folder of its file) and every pack whose policies it names. Further requirements
//! of other packs contradict nothing, so that packs can be combined freely.
//!
//! `given` and `case` begin a line, facts and questions are indented, rows of `requires` further. Facts are `field value`
//! separated by commas; sets are names joined by `+`, or `none`; a name alone is the key. `as` gives the person's parts.
//! Everything from a `#` with a blank before it is a comment.

mod facts;
mod parse;
mod words;

use std::collections::BTreeSet;

use cedar_policy::PolicyId;
use model::approval::obligation::Obligation;

use crate::judge::CedarResult;
use crate::question::Question;
use crate::{Finding, PolicySet, SourceFile};
use parse::{Case, Expectation};
pub(crate) use words::duration;
pub use words::obligation_text;

/// The result of running cases.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CasesReport {
    /// The number of cases that hold.
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
        .filter(|id| !decided.contains(*id) && !set.has_set_level(id));
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
            text: format!("no case tests `{}`", source.id),
            help: Some(covering(set, &source.id)),
        });
    }
    if findings.is_empty() { Ok(report) } else { Err(findings) }
}

/// A template of a case that covers a policy, by the policy's kind.
fn covering(set: &PolicySet, id: &str) -> String {
    let key = PolicyId::new(id);
    let holds = |(_, policies): &(&String, &cedar_policy::PolicySet)| policies.policy(&key).is_some();
    let act = set.by_action.iter().filter(holds).map(|(action, _)| action).min();
    let line = match act {
        Some(act) if act != "require" => {
            let answer = if set.forbids(act).contains(&id) { "no" } else { "yes" };
            format!("indented under it `olga {act} {answer} {id}`")
        }
        _ => format!("indented under it `requires`, and under that `{id}`"),
    };
    let pack = pack_of(id);
    format!("a case shows what it does: in `{pack}/cases/{pack}.cases`, for example `case it decides`, and {line}")
}

/// Runs one case; returns the failures, and records the deciding policies.
fn run(set: &PolicySet, file: &SourceFile, case: &Case, decided: &mut BTreeSet<String>) -> Vec<Finding> {
    let mut failed = Vec::new();
    let mut decided_here = BTreeSet::new();
    for expectation in &case.expectations {
        let wrong = match expectation {
            Expectation::Requires { line, rows } => {
                let packs = packs_of(file, rows);
                requires(set, case, *line, (rows, &packs), &mut decided_here)
            }
            Expectation::Act { .. } => act(set, case, expectation, &mut decided_here).into_iter().collect(),
        };
        failed.extend(wrong.into_iter().map(|(line, text)| Finding {
            file: file.name.clone(),
            line,
            code: "case",
            text: format!("{}: {text}", case.name),
            help: None,
        }));
    }
    // A failed case covers nothing.
    if failed.is_empty() {
        decided.extend(decided_here);
    }
    failed
}

type Wrong = (u32, String);

/// The pack of a policy: its id up to the first dot.
fn pack_of(id: &str) -> &str {
    id.split('.').next().unwrap_or_default()
}

/// The packs of a case.
fn packs_of<'a>(file: &'a SourceFile, rows: &'a [(u32, String, String)]) -> BTreeSet<&'a str> {
    let own = file.name.split('/').next().unwrap_or_default();
    let named = rows.iter().map(|(_, id, _)| pack_of(id));
    named.chain(["base", own]).collect()
}

fn requires(
    set: &PolicySet,
    case: &Case,
    line: u32,
    (rows, packs): (&[(u32, String, String)], &BTreeSet<&str>),
    decided: &mut BTreeSet<String>,
) -> Vec<Wrong> {
    let requirements = set.require(&case.world.change, &case.world.targets());
    if let Some(stop) = requirements.stop {
        return vec![(line, format!("the policies stop: {stop}"))];
    }
    let mut wrong = Vec::new();
    let found: Vec<&Obligation> = requirements.obligations.iter().map(|row| &row.obligation).collect();
    for (line, id, expected) in rows {
        match found.iter().find(|obligation| obligation.id == *id) {
            None if set.has_set_level(id) => {}
            None => wrong.push((*line, format!("does not require `{id}`, but the case expects it"))),
            Some(obligation) => {
                let says = obligation_text(obligation);
                if !expected.is_empty() && says != *expected {
                    wrong.push((
                        *line,
                        format!("`{id}` requires `{says}`, but the case expects `{expected}`"),
                    ));
                }
            }
        }
    }
    for obligation in found
        .iter()
        .filter(|obligation| packs.contains(pack_of(&obligation.id)))
    {
        let is_told = rows.iter().any(|(_, id, _)| *id == obligation.id);
        if !is_told && !set.has_set_level(&obligation.id) {
            let text = format!(
                "requires `{}` ({}), but the case does not expect it",
                obligation.id,
                obligation_text(obligation)
            );
            wrong.push((line, text));
        }
        decided.insert(obligation.id.clone());
    }
    wrong
}

fn act(set: &PolicySet, case: &Case, expectation: &Expectation, decided: &mut BTreeSet<String>) -> Option<Wrong> {
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
            format!("`{action}` results in {says}, but the case expects {expected}"),
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

/// The raw result for the case's one target: unlike a verdict, it distinguishes a forbid from a permit that did not match.
fn deciding(
    set: &PolicySet,
    actor: &model::policy::facts::ActorFacts,
    action: &str,
    case: &Case,
) -> Option<CedarResult> {
    let is_of_change = model::core::act::Act::ALL.iter().any(|act| act.as_str() == action);
    let question = if is_of_change {
        let target = case.world.has_target.then_some(&case.world.target);
        Question::act(actor, action, &case.world.change, target, &set.words)
    } else {
        Question::in_tenant(actor, action)
    };
    set.ask(question.ok()?).ok()
}
