//! Known outcomes, the material of a model: what was known of a change when it was assessed, and how it ended.

use std::collections::BTreeMap;

use crate::risk::forecast::base::{Count, Counts, Group, Place};

/// Outcomes by environment.
pub type ByEnvironment = BTreeMap<String, Vec<Outcome>>;

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// The age in days at which an outcome has half the weight.
pub const HALF_LIFE_DAYS: i64 = 730;

/// The outcome of a change at one service in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The time at which the change was to be judged, in seconds since 1970; its inputs were known then.
    pub at: i64,
    /// The time from which the outcome was known, in seconds since 1970. Before that it counts nowhere.
    pub known_at: i64,
    /// Its groups.
    pub place: Place,
    /// Its inputs, in the order of the features, in thousandths.
    pub inputs: Vec<i64>,
    /// Whether it failed.
    pub failed: bool,
}

/// The outcomes that were known at an instant, in the order of time.
#[must_use]
pub fn known(outcomes: &[Outcome], now: i64) -> Vec<&Outcome> {
    let is_known = |it: &&Outcome| it.known_at <= now && it.at < now;
    let mut found: Vec<&Outcome> = outcomes.iter().filter(is_known).collect();
    found.sort_by(|left, right| (left.at, &left.place, left.failed).cmp(&(right.at, &right.place, right.failed)));
    found
}

/// The weight of an outcome of this age, from 1 down to 0.
#[must_use]
pub fn weight(age_seconds: i64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds of some decades are exact in a double"
    )]
    let half_lives = age_seconds.max(0) as f64 / (HALF_LIFE_DAYS * DAY) as f64;
    (-half_lives).exp2()
}

/// The counts of outcomes by level and group, weighted by their age at an instant.
#[must_use]
pub fn counts(known: &[&Outcome], now: i64) -> Counts {
    let mut found = Counts::default();
    for outcome in known {
        let weight = thousandths(weight(now - outcome.known_at));
        for group in Group::ALL {
            let Some(key) = outcome.place.key(group) else { continue };
            let count: &mut Count = found.0.entry(group).or_default().entry(key).or_default();
            count.outcomes += 1;
            count.weight += weight;
            if outcome.failed {
                count.failures += 1;
                count.failure_weight += weight;
            }
        }
    }
    found
}

/// A number in thousandths, rounded.
#[must_use]
pub fn thousandths(number: f64) -> i64 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "weights are far below the limit of a whole number"
    )]
    let whole = (number * 1000.0).round() as i64;
    whole
}
