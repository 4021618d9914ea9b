//! Proposed values for policy parameters, from the outcomes of a quarter. A proposal only requires more: it covers changes
//! below the current value that failed more often than all others below it.

use serde::{Deserialize, Serialize};

use crate::policy::threshold::{Measure, Threshold};
use crate::report::statistics::share;
use crate::risk::closed_change::{ClosedChange, LEAST_CHANGES, LEAST_FAILED, Rate};

/// The probabilities that are proposed, in parts per million.
const STEPS: [i64; 9] = [5_000, 10_000, 20_000, 30_000, 50_000, 75_000, 100_000, 150_000, 200_000];
/// The levels that are proposed: low, medium and high. From level none on, a rule would apply to every change.
const LEVELS: [i64; 3] = [1, 2, 3];

/// Another value for a parameter, with its evidence and its back-test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterProposal {
    /// The parameter.
    pub name: String,
    /// The measure of its rules.
    pub measure: Measure,
    /// The rules that apply from its value on.
    pub rules: Vec<String>,
    /// The value in force, as a file of parameters writes it.
    pub before: String,
    /// The proposed value.
    pub after: String,
    /// The proposed value as the number that rules compare.
    pub from: i64,
    /// The number of changes between the two values.
    pub of: i64,
    /// The number of failures among them.
    pub failed: i64,
    /// The share that failed.
    pub rate: Rate,
    /// The same of all changes below both.
    pub rest: Rate,
    /// The proposal on the stored facts.
    #[serde(default)]
    pub back_test: ParameterTest,
}

/// A proposed value tried on the facts that were stored with the decisions of the quarter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterTest {
    /// The number of changes with stored facts.
    pub changes: i64,
    /// The number of changes on which the current rules require the same as recorded. Only these are compared.
    pub reproduced: i64,
    /// The number of changes on which more would have been required.
    pub asked: i64,
    /// The number of failures among them.
    pub failures_met: i64,
    /// The usual time of the added rules, summed over the changes on which more would have been required; in minutes.
    pub minutes_added: i64,
    /// The number of these changes without a time, because the rules applied to no change of the quarter.
    pub without_minutes: i64,
    /// The changes on which more would have been required.
    pub rows: Vec<StricterCase>,
}

/// A change on which more would have been required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StricterCase {
    /// Its key.
    pub key: String,
    /// The rules that would have applied.
    pub rules: Vec<String>,
    /// Whether it failed.
    pub has_failed: bool,
}

/// The values that the outcomes support, without their back-tests. The same changes give the same values.
#[must_use]
pub fn propose(changes: &[ClosedChange], thresholds: &[Threshold]) -> Vec<ParameterProposal> {
    thresholds.iter().filter_map(|it| propose_one(changes, it)).collect()
}

/// The mildest value that covers changes which failed more often than the rest.
fn propose_one(changes: &[ClosedChange], threshold: &Threshold) -> Option<ParameterProposal> {
    let steps: &[i64] = match threshold.measure {
        Measure::Probability => &STEPS,
        Measure::Risk | Measure::Impact => &LEVELS,
    };
    let below = |change: &&ClosedChange| measured(change, threshold).is_some_and(|it| it < threshold.from);
    let below: Vec<&ClosedChange> = changes
        .iter()
        .filter(|it| it.has_failed.is_some())
        .filter(below)
        .collect();
    let is_allowed = |value: &&i64| (threshold.floor..threshold.from).contains(*value);
    let mut values = steps.iter().rev().filter(is_allowed);
    values.find_map(|value| judged(&below, threshold, *value))
}

fn judged(below: &[&ClosedChange], threshold: &Threshold, value: i64) -> Option<ParameterProposal> {
    let is_taken_in = |change: &&ClosedChange| measured(change, threshold).is_some_and(|it| it >= value);
    let (of, rest): (Vec<&ClosedChange>, Vec<&ClosedChange>) = below.iter().copied().partition(is_taken_in);
    let failures = |of: &[&ClosedChange]| of.iter().filter(|it| it.has_failed == Some(true)).count();
    let (failed, others) = (failures(&of), failures(&rest));
    if of.len() < LEAST_CHANGES || rest.len() < LEAST_CHANGES || failed < LEAST_FAILED {
        return None;
    }
    let rate = share(failed as u64, of.len() as u64)?;
    let other = share(others as u64, rest.len() as u64)?;
    if rate.low <= other.high {
        return None;
    }
    Some(ParameterProposal {
        name: threshold.parameter.clone(),
        measure: threshold.measure,
        rules: threshold.rules.clone(),
        before: threshold.measure.written(threshold.from),
        after: threshold.measure.written(value),
        from: value,
        of: i64::try_from(of.len()).unwrap_or(i64::MAX),
        failed: i64::try_from(failed).unwrap_or(i64::MAX),
        rate: rate.into(),
        rest: other.into(),
        back_test: ParameterTest::default(),
    })
}

/// The measured value of a change when it was approved last; without stored facts it is not compared.
fn measured(change: &ClosedChange, threshold: &Threshold) -> Option<i64> {
    let (told, _) = change.told.as_ref()?;
    threshold.measure.of(told)
}
