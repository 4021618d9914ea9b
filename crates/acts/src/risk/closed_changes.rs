//! The closed changes of a span of time with the requirements of rules, their findings, and the outcomes. A fact that becomes
//! known after a change's own quarter counts in the quarter in which it became known, so that it counts once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use model::approval::obligation::Duty;
use model::change::record::Change;
use model::change::related_records::{Approval, Evidence, PeerReview};
use model::change::success::succeeded;
use model::core::enums::{Decision, EvidenceResult, Level, PeerVerdict, RiskRating, State};
use model::core::ids::ChangeId;
use model::incident::review_answer::ReviewAnswer;
use model::policy::decision_facts::DecisionFacts;
use model::risk::closed_change::{ClosedChange, RuleEffort};
use model::risk::risk_adjustment::MOST_CHANGES;
use policy::PolicySet;
use store::record::{self, Filter, Record};

use crate::core::context::Context;
use crate::core::error::Result;

/// How many changes are read at once.
const AT_ONCE: i64 = 500;

/// From when to when.
type Span = (Timestamp, Timestamp);

/// The ratings of changes by incident reviews, by the change's key.
type Ratings = BTreeMap<String, Vec<(Timestamp, RiskRating)>>;

/// The policies that decisions name, by their digest.
type Sets = BTreeMap<String, Option<Arc<PolicySet>>>;

/// The data that are read once for all changes.
struct Material {
    span: Span,
    ratings: Ratings,
    sets: Sets,
}

/// The data of one change.
struct Around<'r> {
    /// The policies at its last approval, where they are known.
    policies: Option<&'r PolicySet>,
    approvals: &'r [Approval],
    evidence: &'r [Evidence],
    reviews: &'r [PeerReview],
    facts: Option<&'r DecisionFacts>,
}

/// Finds them in the order of their ids, then those of earlier quarters with new facts in this one; at most [`MOST_CHANGES`],
/// and the number is how many more there are.
///
/// # Errors
/// The store's.
pub(crate) fn find_closed(cx: &mut Context<'_, '_>, span: Span) -> Result<(Vec<ClosedChange>, usize)> {
    let mut material = Material {
        span,
        ratings: ratings_until(cx, span.1)?,
        sets: Sets::new(),
    };
    let (mut found, mut left_out) = (Vec::new(), 0);
    let mut seen = BTreeSet::new();
    let mut after = String::new();
    loop {
        // A change is saved when it is closed, when an incident becomes known, or later.
        let filter = Filter::new()
            .also_one_of("state", [State::Closed.as_str()])
            .at_least("updated_at", span.0)
            .more("id", after.as_str());
        let page = record::bodies::<Change>(cx.tx, &filter.order_by("id").limit(AT_ONCE))?;
        left_out += add(cx, &mut material, &page, &mut found)?;
        seen.extend(page.iter().map(|change| change.key.clone()));
        match page.last() {
            Some(last) if page.len() as i64 >= AT_ONCE => last.id.0.clone_into(&mut after),
            _ => break,
        }
    }
    // An answer in a review does not save the change.
    let unseen = material.ratings.iter().filter(|(key, _)| !seen.contains(*key));
    let answered = unseen.filter(|(_, said)| said.iter().any(|(at, _)| *at >= span.0));
    let answered: Vec<String> = answered.map(|(key, _)| key.clone()).collect();
    for keys in answered.chunks(usize::try_from(AT_ONCE).unwrap_or(usize::MAX)) {
        let filter = Filter::new()
            .equals("state", State::Closed.as_str())
            .one_of("key", keys.iter().map(String::as_str));
        let page = record::bodies::<Change>(cx.tx, &filter.order_by("id"))?;
        left_out += add(cx, &mut material, &page, &mut found)?;
    }
    Ok((found, left_out))
}

/// Adds the given changes that belong to the span; returns how many had no room.
fn add(
    cx: &mut Context<'_, '_>,
    material: &mut Material,
    page: &[Change],
    found: &mut Vec<ClosedChange>,
) -> Result<usize> {
    let mut wanted: Vec<&Change> = page.iter().filter(|change| is_of_span(change, material)).collect();
    let room = MOST_CHANGES.saturating_sub(found.len());
    let left_out = wanted.len().saturating_sub(room);
    wanted.truncate(room);
    found.extend(closed(cx, material, &wanted)?);
    Ok(left_out)
}

/// Whether a change was closed in the span, or was closed before and something about it became known in the span.
fn is_of_span(change: &Change, material: &Material) -> bool {
    let (from, to) = material.span;
    match change.closed_at {
        Some(at) if at >= from => at < to,
        Some(_) => failed_in(change, material.span).is_some() || !ratings_of(change, material).is_empty(),
        None => false,
    }
}

/// Whether a change was closed before a span.
fn is_late(change: &Change, (from, _): Span) -> bool {
    change.closed_at.is_some_and(|at| at < from)
}

/// Whether a change failed, by the incidents that were known when the span ended. One that was closed before counted in its own
/// quarter, and counts here only where an incident of the span made a failure of it.
fn failed_in(change: &Change, span: Span) -> Option<bool> {
    let known_at = |time: Timestamp| {
        if change.caused_incidents.iter().all(|row| row.at < time) {
            return succeeded(change);
        }
        let mut known = change.clone();
        known.caused_incidents.retain(|row| row.at < time);
        succeeded(&known)
    };
    let is_failure = known_at(span.1).map(|is_success| !is_success);
    if !is_late(change, span) {
        return is_failure;
    }
    (is_failure == Some(true) && known_at(span.0) == Some(true)).then_some(true)
}

/// The ratings of a change that count in the span: those given in it, and earlier ones where the change was closed in it.
fn ratings_of(change: &Change, material: &Material) -> Vec<RiskRating> {
    let from = match is_late(change, material.span) {
        true => material.span.0,
        false => Timestamp::MIN,
    };
    let said = material.ratings.get(&change.key).into_iter().flatten();
    said.filter(|(at, _)| *at >= from).map(|(_, rating)| *rating).collect()
}

fn closed(cx: &mut Context<'_, '_>, material: &mut Material, changes: &[&Change]) -> Result<Vec<ClosedChange>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = changes.iter().map(|change| change.id.as_str()).collect();
    let approvals = by_change::<Approval>(cx, &ids, |row| &row.change)?;
    let evidence = by_change::<Evidence>(cx, &ids, |row| &row.change)?;
    let reviews = by_change::<PeerReview>(cx, &ids, |row| &row.change)?;
    let facts = by_change::<DecisionFacts>(cx, &ids, |row| &row.change)?;
    for last in approvals.values().filter_map(|rows| last_yes(rows)) {
        if let Entry::Vacant(unread) = material.sets.entry(last.policy_digest.clone()) {
            unread.insert(cx.policies_of(&last.policy_digest)?);
        }
    }
    let material = &*material;
    let of = |change: &&Change| {
        let id = change.id.as_str();
        let approvals = approvals.get(id).map_or(&[][..], Vec::as_slice);
        let last = last_yes(approvals);
        let set = last.and_then(|row| material.sets.get(&row.policy_digest));
        let mut facts = facts.get(id).into_iter().flatten();
        let around = Around {
            policies: set.and_then(Option::as_deref),
            approvals,
            evidence: evidence.get(id).map_or(&[][..], Vec::as_slice),
            reviews: reviews.get(id).map_or(&[][..], Vec::as_slice),
            facts: last.and_then(|row| facts.find(|it| it.digest == row.facts_digest)),
        };
        closed_change(change, &around, material)
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

/// All ratings that were given before a time.
fn ratings_until(cx: &mut Context<'_, '_>, to: Timestamp) -> Result<Ratings> {
    let mut found = Ratings::new();
    let mut after = String::new();
    loop {
        let filter = Filter::new().more("id", after.as_str()).order_by("id").limit(AT_ONCE);
        let page = record::bodies::<ReviewAnswer>(cx.tx, &filter)?;
        for answer in page.iter().filter(|it| it.at < to) {
            let of_change = found.entry(answer.change_key.clone()).or_default();
            of_change.push((answer.at, answer.rating));
        }
        match page.last() {
            Some(last) if page.len() as i64 >= AT_ONCE => last.id.0.clone_into(&mut after),
            _ => return Ok(found),
        }
    }
}

/// The approval that was given last.
fn last_yes(approvals: &[Approval]) -> Option<&Approval> {
    approvals.iter().filter(|row| row.is_yes()).max_by_key(|row| row.at)
}

fn closed_change(change: &Change, around: &Around<'_>, material: &Material) -> ClosedChange {
    let content = &change.content;
    let rules = rules(change, around);
    let plain = ClosedChange {
        key: change.key.clone(),
        kind: content.kind,
        category: content.category,
        touches: content.touches.clone(),
        risk: change.risk.level,
        impact: content.impact.highest(),
        complexity: content.complexity.unwrap_or(Level::High),
        rules,
        has_failed: failed_in(change, material.span),
        ratings: ratings_of(change, material),
        is_late: is_late(change, material.span),
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

/// The rules with a requirement for a change. Approval rules are those that the record names; evidence and peer-review rules
/// are those that applied at the last approval, where the change has evidence or reviews.
fn rules(change: &Change, around: &Around<'_>) -> BTreeMap<String, RuleEffort> {
    let mut found: BTreeMap<String, RuleEffort> = BTreeMap::new();
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
    if let Some((facts, policies)) = around.facts.zip(around.policies) {
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
