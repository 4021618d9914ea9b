//! Parity of a vendor with internal teams: whether the vendor's changes hold the same facts and evidence, keep to their times and
//! succeed as often. Shares are parts per million with Wilson's interval ([`crate::report::statistics::share`]).

use serde::Serialize;

use crate::change::read_content::new_change::NewChange;
use crate::change::record::Change;
use crate::change::success;
use crate::core::enums::{ParityMeasure, ParityVerdict};
use crate::report::statistics::{Estimate, PPM, share};

/// The fewest changes on each side from which a measure is compared.
pub const MINIMUM: u64 = 10;

/// A change whose work has ended, in the form for parity. Vendors and internal teams have the same fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParityRow {
    /// Its key.
    pub change: String,
    /// Whether all facts are recorded.
    pub facts: bool,
    /// The facts that are not recorded.
    pub lacks: Vec<&'static str>,
    /// Whether evidence is attached.
    pub evidence: bool,
    /// Whether it was recorded before the work, and the work stayed in its planned times.
    pub timeliness: bool,
    /// Whether it succeeded; absent where nothing was implemented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<bool>,
}

/// One side of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// The number of changes that meet it.
    pub hits: u64,
    /// The number of changes that it applies to.
    pub of: u64,
    /// The share in parts per million; `None` of fewer than [`MINIMUM`].
    pub estimate: Option<Estimate>,
}

/// A measure on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// The compared measure.
    pub measure: ParityMeasure,
    /// The vendor.
    pub vendor: Side,
    /// Internal teams.
    pub internal: Side,
    /// The result of the comparison.
    pub verdict: ParityVerdict,
}

/// The row of a change; `None` while its work has not ended.
#[must_use]
pub fn row_of(change: &Change, has_evidence: bool) -> Option<ParityRow> {
    change.outcome?;
    let content = &change.content;
    let has_times = change.planned_start.is_some() && change.planned_end.is_some();
    let has_way_back = !content.rollback_plan.is_empty() || content.no_rollback_reason.is_some();
    let facts = [
        (NewChange::DESCRIPTION.name, content.description.is_some()),
        (NewChange::JUSTIFICATION.name, content.justification.is_some()),
        (NewChange::PLAN.name, !content.plan.is_empty()),
        (NewChange::ROLLBACK_PLAN.name, has_way_back),
        (NewChange::PLANNED_START.name, has_times),
        (NewChange::IMPLEMENTERS.name, !content.implementers.is_empty()),
        (NewChange::TARGETS.name, !content.targets.is_empty()),
    ];
    let lacks: Vec<&'static str> = facts.iter().filter(|(_, is)| !is).map(|(name, _)| *name).collect();
    let within = match (
        change.planned_start,
        change.planned_end,
        change.actual_start,
        change.actual_end,
    ) {
        (Some(from), Some(to), Some(start), Some(end)) => from <= start && end <= to,
        _ => false,
    };
    Some(ParityRow {
        change: change.key.clone(),
        facts: lacks.is_empty(),
        lacks,
        evidence: has_evidence,
        timeliness: within && change.retrospective.is_none(),
        outcomes: success::succeeded(change),
    })
}

/// Whether a row meets a measure; `None` where the measure does not apply.
fn meets(row: &ParityRow, measure: ParityMeasure) -> Option<bool> {
    match measure {
        ParityMeasure::Facts => Some(row.facts),
        ParityMeasure::Evidence => Some(row.evidence),
        ParityMeasure::Timeliness => Some(row.timeliness),
        ParityMeasure::Outcomes => row.outcomes,
    }
}

fn side(rows: &[ParityRow], measure: ParityMeasure) -> Side {
    let (mut hits, mut of) = (0, 0);
    for met in rows.iter().filter_map(|row| meets(row, measure)) {
        of += 1;
        hits += u64::from(met);
    }
    let estimate = if of < MINIMUM { None } else { share(hits, of) };
    Side { hits, of, estimate }
}

/// Every measure on both sides.
#[must_use]
pub fn compare(vendor: &[ParityRow], internal: &[ParityRow]) -> Vec<Compared> {
    let one = |measure: &ParityMeasure| {
        let (vendor, internal) = (side(vendor, *measure), side(internal, *measure));
        let verdict = match (vendor.estimate, internal.estimate) {
            (Some(theirs), Some(ours)) if theirs.high < ours.low => ParityVerdict::Behind,
            (Some(theirs), Some(ours)) if theirs.low > ours.high => ParityVerdict::Ahead,
            (Some(_), Some(_)) => ParityVerdict::Alike,
            _ => ParityVerdict::NotEnough,
        };
        Compared {
            measure: *measure,
            vendor,
            internal,
            verdict,
        }
    };
    ParityMeasure::ALL.iter().map(one).collect()
}

/// The score in parts per million: one, less the vendor's mean shortfall in the compared measures. Better values of the vendor
/// compensate for nothing. `None` where nothing is compared.
#[must_use]
pub fn score(compared: &[Compared]) -> Option<i64> {
    let short = |it: &Compared| Some((it.internal.estimate?.value - it.vendor.estimate?.value).max(0));
    let shorts: Vec<i64> = compared.iter().filter_map(short).collect();
    let count = i64::try_from(shorts.len()).ok().filter(|count| *count > 0)?;
    Some(PPM - shorts.iter().sum::<i64>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, met: usize) -> Vec<ParityRow> {
        let row = |place: usize| ParityRow {
            change: format!("CHG-{place}"),
            facts: place < met,
            lacks: Vec::new(),
            evidence: true,
            timeliness: true,
            outcomes: Some(true),
        };
        (0..count).map(row).collect()
    }

    fn facts(vendor: &[ParityRow], internal: &[ParityRow]) -> Compared {
        compare(vendor, internal)[0]
    }

    #[test]
    fn a_side_with_too_few_changes_is_not_compared() {
        let few = facts(&rows(9, 0), &rows(100, 100));
        assert_eq!((few.verdict, few.vendor.estimate), (ParityVerdict::NotEnough, None));
        assert_eq!((few.vendor.hits, few.vendor.of), (0, 9));
        assert_eq!(score(&compare(&rows(9, 0), &rows(100, 100))), None);
        assert_ne!(facts(&rows(10, 0), &rows(100, 100)).verdict, ParityVerdict::NotEnough);
    }

    #[test]
    fn only_intervals_that_do_not_overlap_make_a_difference() {
        assert_eq!(facts(&rows(40, 10), &rows(40, 38)).verdict, ParityVerdict::Behind);
        assert_eq!(facts(&rows(40, 38), &rows(40, 10)).verdict, ParityVerdict::Ahead);
        assert_eq!(facts(&rows(40, 30), &rows(40, 32)).verdict, ParityVerdict::Alike);
    }

    #[test]
    fn the_score_is_whole_less_the_mean_shortfall_and_better_makes_up_for_nothing() {
        let alike = rows(20, 20);
        assert_eq!(score(&compare(&alike, &alike)), Some(PPM));
        // Half as many hits in one of four measures.
        assert_eq!(score(&compare(&rows(20, 10), &alike)), Some(875_000));
        assert_eq!(score(&compare(&alike, &rows(20, 10))), Some(PPM));
    }

    #[test]
    fn a_change_without_an_outcome_counts_for_the_other_measures_alone() {
        let mut vendor = rows(20, 20);
        for row in vendor.iter_mut().take(15) {
            row.outcomes = None;
        }
        let compared = compare(&vendor, &rows(20, 20));
        assert_eq!(compared[3].measure, ParityMeasure::Outcomes);
        assert_eq!(
            (compared[3].vendor.of, compared[3].verdict),
            (5, ParityVerdict::NotEnough)
        );
        assert_eq!(compared[0].vendor.of, 20);
    }
}
