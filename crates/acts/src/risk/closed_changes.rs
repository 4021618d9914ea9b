//! The closed changes of a span of time with what rules asked of them, what that found, and what came of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::approval::obligation::Duty;
use model::change::record::Change;
use model::change::related_records::{Approval, Evidence, PeerReview};
use model::change::success::succeeded;
use model::core::enums::{Decision, EvidenceResult, Level, PeerVerdict, RiskRating, State};
use model::core::ids::ChangeId;
use model::incident::review_answer::ReviewAnswer;
use model::policy::decision_facts::DecisionFacts;
use model::risk::closed_change::{Asked, ClosedChange};
use model::risk::risk_adjustment::MOST_CHANGES;
use policy::PolicySet;
use store::record::{self, Filter, Record};

use crate::core::context::Context;
use crate::core::error::Result;

/// How many changes are read at once.
const AT_ONCE: i64 = 500;

/// What belongs to one change.
struct Around<'r> {
    approvals: &'r [Approval],
    evidence: &'r [Evidence],
    reviews: &'r [PeerReview],
    facts: Option<&'r DecisionFacts>,
}

/// Finds them in the order of their ids, at most [`MOST_CHANGES`]; the number says how many more there are.
///
/// # Errors
/// The store's.
pub(crate) fn find_closed(
    cx: &mut Context<'_, '_>,
    (from, to): (Timestamp, Timestamp),
) -> Result<(Vec<ClosedChange>, usize)> {
    let (mut found, mut left_out) = (Vec::new(), 0);
    let mut after = String::new();
    loop {
        // A change is saved when it is closed, or later.
        let filter = Filter::new()
            .equals("state", State::Closed.as_str())
            .at_least("updated_at", from)
            .more("id", after.as_str());
        let page = record::bodies::<Change>(cx.tx, &filter.order_by("id").limit(AT_ONCE))?;
        let of_span = |change: &&Change| change.closed_at.is_some_and(|at| from <= at && at < to);
        let mut wanted: Vec<&Change> = page.iter().filter(of_span).collect();
        let room = MOST_CHANGES - found.len();
        left_out += wanted.len().saturating_sub(room);
        wanted.truncate(room);
        found.extend(closed(cx, &wanted)?);
        match page.last() {
            Some(last) if page.len() as i64 >= AT_ONCE => last.id.0.clone_into(&mut after),
            _ => return Ok((found, left_out)),
        }
    }
}

fn closed(cx: &mut Context<'_, '_>, changes: &[&Change]) -> Result<Vec<ClosedChange>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = changes.iter().map(|change| change.id.as_str()).collect();
    let approvals = by_change::<Approval>(cx, &ids, |row| &row.change)?;
    let evidence = by_change::<Evidence>(cx, &ids, |row| &row.change)?;
    let reviews = by_change::<PeerReview>(cx, &ids, |row| &row.change)?;
    let facts = by_change::<DecisionFacts>(cx, &ids, |row| &row.change)?;
    let ratings = ratings(cx, changes)?;
    let policies = cx.policies()?;
    let of = |change: &&Change| {
        let id = change.id.as_str();
        let approvals = approvals.get(id).map_or(&[][..], Vec::as_slice);
        let around = Around {
            approvals,
            evidence: evidence.get(id).map_or(&[][..], Vec::as_slice),
            reviews: reviews.get(id).map_or(&[][..], Vec::as_slice),
            facts: facts_at_approval(approvals, facts.get(id).map_or(&[][..], Vec::as_slice)),
        };
        let ratings = ratings.get(&change.key).cloned().unwrap_or_default();
        closed_change(change, &around, &policies, ratings)
    };
    Ok(changes.iter().map(of).collect())
}

fn by_change<R: Record>(
    cx: &mut Context<'_, '_>,
    ids: &[&str],
    change: fn(&R) -> &ChangeId,
) -> Result<BTreeMap<String, Vec<R>>> {
    let filter = Filter::new().one_of("change_id", ids.iter().copied()).order_by("id");
    let mut found: BTreeMap<String, Vec<R>> = BTreeMap::new();
    for row in record::bodies::<R>(cx.tx, &filter)? {
        found.entry(change(&row).0.clone()).or_default().push(row);
    }
    Ok(found)
}

fn ratings(cx: &mut Context<'_, '_>, changes: &[&Change]) -> Result<BTreeMap<String, Vec<RiskRating>>> {
    let keys = changes.iter().map(|change| change.key.as_str());
    let filter = Filter::new().one_of("change_key", keys).order_by("id");
    let mut found: BTreeMap<String, Vec<RiskRating>> = BTreeMap::new();
    for answer in record::bodies::<ReviewAnswer>(cx.tx, &filter)? {
        found.entry(answer.change_key).or_default().push(answer.rating);
    }
    Ok(found)
}

/// What was told of a change when it was approved last.
fn facts_at_approval<'r>(approvals: &[Approval], facts: &'r [DecisionFacts]) -> Option<&'r DecisionFacts> {
    let last = approvals.iter().filter(|row| row.is_yes()).max_by_key(|row| row.at)?;
    facts.iter().find(|row| row.digest == last.facts_digest)
}

fn closed_change(change: &Change, around: &Around<'_>, policies: &PolicySet, ratings: Vec<RiskRating>) -> ClosedChange {
    let content = &change.content;
    let rules = rules(change, around, policies);
    let plain = ClosedChange {
        key: change.key.clone(),
        kind: content.kind,
        category: content.category,
        touches: content.touches.clone(),
        risk: change.risk.level,
        impact: content.impact.highest(),
        complexity: content.complexity.unwrap_or(Level::High),
        rules,
        has_failed: succeeded(change).map(|is_success| !is_success),
        ratings,
        told: around.facts.map(|facts| (facts.told.clone(), facts.targets.clone())),
    };
    let Some(told) = around.facts.map(|facts| &facts.told) else {
        return plain;
    };
    ClosedChange {
        kind: told.kind,
        category: told.category,
        touches: told.touches.iter().copied().collect(),
        risk: told.risk,
        impact: told
            .impact_data
            .max(told.impact_availability)
            .max(told.impact_compliance),
        complexity: told.complexity,
        ..plain
    }
}

/// The rules that asked something of a change. Rules on approvals are those that the record names; those on evidence and on peer
/// reviews are those of the set in force that ask for them, where the change has some.
fn rules(change: &Change, around: &Around<'_>, policies: &PolicySet) -> BTreeMap<String, Asked> {
    let mut found: BTreeMap<String, Asked> = BTreeMap::new();
    for clock in &change.clocks {
        let until = clock.met_at.or(change.closed_at).unwrap_or(clock.asked_at);
        let minutes = until.duration_since(clock.asked_at).as_mins().max(0);
        found.entry(clock.rule.clone()).or_default().minutes += minutes;
    }
    for decision in around.approvals {
        for row in &decision.counted_for {
            found.entry(row.rule.clone()).or_default();
        }
    }
    for decision in around.approvals.iter().filter(|row| has_found(row.decision)) {
        let is_named = |rule: &str| decision.counted_for.iter().any(|row| row.rule == rule);
        // A decision that counts for no rule was about all of them.
        for (rule, asked) in &mut found {
            asked.has_found |= decision.counted_for.is_empty() || is_named(rule);
        }
    }
    if let Some(facts) = around.facts {
        for it in policies.require(&facts.told, &facts.targets).obligations {
            if let Some(has_found) = judged(&it.obligation.duty, around) {
                found.entry(it.obligation.id).or_default().has_found |= has_found;
            }
        }
    }
    found
}

fn has_found(decision: Decision) -> bool {
    matches!(
        decision,
        Decision::ApproveWithConditions | Decision::Return | Decision::Reject
    )
}

/// Whether evidence or peers found something; `None` for other duties, and where there is none of either.
fn judged(duty: &Duty, around: &Around<'_>) -> Option<bool> {
    match duty {
        Duty::Evidence { aspect, .. } => {
            let mut of = around.evidence.iter().filter(|row| row.aspect == *aspect).peekable();
            of.peek()?;
            Some(of.any(|row| matches!(row.result, EvidenceResult::Failed | EvidenceResult::Unknown)))
        }
        Duty::PeerReview { .. } => {
            let mut of = around.reviews.iter().peekable();
            of.peek()?;
            Some(of.any(|row| row.verdict == PeerVerdict::Disagree))
        }
        _ => None,
    }
}
