//! The facts of a change that count. On each axis the higher of the stated and the derived value counts, until an approver of
//! *what* who did not write the change accepts the lower value with a reason.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::change::change_file::ChangeFile;
use crate::change::lowered::{Lowered, Lowering};
use crate::change::record::{Change, Impact, Risk};
use crate::change::related_records::{Approval, Coverage};
use crate::core::enums::{Level, RatedFact, Touch};
use crate::directory::snapshot::Directory;
use crate::risk::complexity::Facts;
use crate::risk::{assessment, complexity, derived};

/// The facts that count, and the risk that follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The impact.
    pub impact: Impact,
    /// The complexity; unknown in a fresh draft.
    pub complexity: Option<Level>,
    /// Sensitive things that the change touches.
    pub touches: BTreeSet<Touch>,
    /// The risk.
    pub risk: Risk,
}

/// The facts of a change that count now. This is the only place that combines stated and derived values; every judgement by
/// risk, impact, complexity or touches uses it.
pub fn effective(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Effective {
    supposing(file, directory, now, &Supposed::default())
}

/// The assumptions of a question, beside the recorded facts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Supposed {
    /// Other facts of the complexity.
    pub facts: Option<Facts>,
    /// The fact whose lower value an approver accepts.
    pub accepted: Option<RatedFact>,
}

/// The facts that would count under a supposition.
pub(crate) fn supposing(file: &ChangeFile, directory: &Directory, now: Timestamp, supposed: &Supposed) -> Effective {
    weigh(&file.change, directory, Some((file, now)), supposed)
}

/// The same without any acceptance.
pub fn unaccepted(change: &Change, directory: &Directory) -> Effective {
    weigh(change, directory, None, &Supposed::default())
}

fn weigh(
    change: &Change,
    directory: &Directory,
    decisions: Option<(&ChangeFile, Timestamp)>,
    supposed: &Supposed,
) -> Effective {
    let mut weighing = Weighing {
        change,
        decisions,
        accepted: supposed.accepted,
        lowered: Vec::new(),
    };
    let touches = weighing.touches(&derived::held(directory, &change.content.targets));
    let is_rehearsed = decisions.is_some_and(|(file, _)| complexity::is_rehearsed(file));
    let facts = || Facts::of(change, directory, is_rehearsed);
    let facts = supposed.facts.clone().unwrap_or_else(facts);
    let least = complexity::least(change, directory, &touches, &facts);
    let complexity = weighing.complexity(least.level);
    let impact = weighing.impact(directory);
    let table = directory.tenant.as_ref();
    let table = table.map(|tenant| tenant.risk_table.clone()).unwrap_or_default();
    let by_table = table.level(impact.highest(), complexity);
    let stated = weighing.level(by_table);
    let mut risk = assessment::assess(by_table, impact, complexity, stated);
    let is_below = change
        .content
        .complexity
        .is_some_and(|stated| Some(stated) < least.level);
    if is_below {
        risk.reasons.extend(least.told());
    }
    risk.reasons.extend(weighing.lowered.iter().filter_map(sentence));
    risk.lowered = weighing.lowered;
    Effective {
        impact,
        complexity,
        touches,
        risk,
    }
}

struct Weighing<'f> {
    change: &'f Change,
    /// The decisions that may accept lower values, and the time; absent where none counts.
    decisions: Option<(&'f ChangeFile, Timestamp)>,
    /// The fact of which a lower value is supposed to be accepted.
    accepted: Option<RatedFact>,
    lowered: Vec<Lowered>,
}

impl Weighing<'_> {
    /// The touches that count: those that the change names, and those of its services and items.
    fn touches(&mut self, held: &BTreeSet<Touch>) -> BTreeSet<Touch> {
        let stated = self.change.content.touches.clone();
        let unnamed: BTreeSet<Touch> = held.difference(&stated).copied().collect();
        if unnamed.is_empty() || self.is_lower(RatedFact::Touches, joined(&stated), joined(&unnamed)) {
            return stated;
        }
        stated.union(&unnamed).copied().collect()
    }

    /// The complexity that counts. Without a stated value it counts as high anyway.
    fn complexity(&mut self, derived: Option<Level>) -> Option<Level> {
        let stated = self.change.content.complexity?;
        Some(derived.map_or(stated, |derived| self.axis(RatedFact::Complexity, stated, derived)))
    }

    fn impact(&mut self, directory: &Directory) -> Impact {
        let change = self.change;
        let content = &change.content;
        let derived = derived::impact(directory, &content.targets);
        let unstated = derived::unstated_impact(directory, &content.targets, content.kind);
        let mut axis = |fact: RatedFact, stated: Level, derived: Level, unstated: Level| match is_stated(change, fact) {
            true => self.axis(fact, stated, derived),
            false => unstated,
        };
        let stated = content.impact;
        Impact {
            data: axis(RatedFact::Data, stated.data, derived.data, unstated.data),
            availability: axis(
                RatedFact::Availability,
                stated.availability,
                derived.availability,
                unstated.availability,
            ),
            compliance: axis(
                RatedFact::Compliance,
                stated.compliance,
                derived.compliance,
                unstated.compliance,
            ),
        }
    }

    /// The level that the assessment stated in place of the table's, and whether it counts if it is lower.
    fn level(&mut self, by_table: Level) -> Option<(Level, bool)> {
        let stated = self.change.content.risk_override.as_ref()?.level;
        let counts = stated < by_table
            && self.is_lower(
                RatedFact::RiskOverride,
                stated.as_str().to_owned(),
                by_table.as_str().to_owned(),
            );
        Some((stated, counts))
    }

    fn axis(&mut self, fact: RatedFact, stated: Level, derived: Level) -> Level {
        if stated >= derived || self.is_lower(fact, stated.as_str().to_owned(), derived.as_str().to_owned()) {
            return stated;
        }
        derived
    }

    /// Records that a fact is stated below the derived value, and returns whether the lower value counts.
    fn is_lower(&mut self, fact: RatedFact, stated: String, derived: String) -> bool {
        let accepted = self
            .decisions
            .and_then(|(file, now)| acceptance(file, fact, &derived, now));
        let accepted_by = accepted.map(|approval| approval.id.clone());
        let counts = accepted_by.is_some() || self.accepted == Some(fact);
        self.lowered.push(Lowered {
            fact,
            stated,
            derived,
            accepted_by,
        });
        counts
    }
}

/// Whether the change itself states an axis of impact. A value that was derived when the change was written follows the
/// directory.
fn is_stated(change: &Change, fact: RatedFact) -> bool {
    !change.origins.contains_key(fact.as_str())
}

/// The approval that accepts less than the derived value of a fact. It approves the present *what*, comes from people and
/// credentials that did not write the change, counts for a rule on *what*, and accepted no less than the value derived now.
fn acceptance<'f>(file: &'f ChangeFile, fact: RatedFact, derived: &str, now: Timestamp) -> Option<&'f Approval> {
    file.standing().find(|approval| {
        let covers = |lowering: &Lowering| {
            let mut facts = lowering.facts.iter();
            facts.any(|seen| seen.fact == fact && is_at_most(fact, derived, &seen.derived))
        };
        approval.is_yes()
            && approval.what == Coverage::Standing
            && approval.what_digest == file.change.digests.what
            && approval.lowering.as_ref().is_some_and(covers)
            && is_of_another(file, approval)
            && speaks_of_what(approval, now)
    })
}

/// Whether none of the people behind an approval wrote the change.
fn is_of_another(file: &ChangeFile, approval: &Approval) -> bool {
    let delegators = approval.counted_for.iter().flat_map(|row| &row.basis.delegators);
    let mut hands = [&approval.person, approval.speaker()].into_iter().chain(delegators);
    hands.all(|person| !file.wrote_by_hand(person))
}

/// Whether an approval counts for a rule on *what* now.
fn speaks_of_what(approval: &Approval, now: Timestamp) -> bool {
    let mut rows = approval.counted_for.iter();
    rows.any(|row| row.what && row.valid_until.is_none_or(|until| now < until))
}

/// Whether the value derived now is no more than the value derived then.
fn is_at_most(fact: RatedFact, now: &str, then: &str) -> bool {
    if fact == RatedFact::Touches {
        let seen: BTreeSet<&str> = then.split(SEPARATOR).collect();
        return now.split(SEPARATOR).all(|touch| seen.contains(touch));
    }
    match (now.parse::<Level>(), then.parse::<Level>()) {
        (Ok(now), Ok(then)) => now <= then,
        _ => false,
    }
}

const SEPARATOR: &str = ", ";

fn joined(touches: &BTreeSet<Touch>) -> String {
    if touches.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<&str> = touches.iter().map(|touch| touch.as_str()).collect();
    words.join(SEPARATOR)
}

/// The sentence about a lowered fact among the reasons. A level below the table has other sentences there.
fn sentence(lowered: &Lowered) -> Option<String> {
    let Lowered { stated, derived, .. } = lowered;
    let subject = match lowered.fact {
        RatedFact::Data => "Impact on data",
        RatedFact::Availability => "Impact on availability",
        RatedFact::Compliance => "Impact on compliance",
        RatedFact::Complexity => "Complexity",
        RatedFact::Touches => {
            let held = derived.replace('_', " ");
            return Some(match lowered.accepted_by {
                None => format!("The services and config items hold {held}, so the change touches them"),
                Some(_) => format!(
                    "The services and config items hold {held}; an approver accepted that the change touches none of \
                     them"
                ),
            });
        }
        RatedFact::RiskOverride => return None,
    };
    Some(match lowered.accepted_by {
        None => format!(
            "{subject} is stated as {stated} and derived as {derived}: the higher value applies until an approver \
             accepts the lower one"
        ),
        Some(_) => format!("{subject} is derived as {derived}: an approver accepted {stated}"),
    })
}
