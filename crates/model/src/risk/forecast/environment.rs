//! The model of one environment, in whole numbers, and the score that it gives.

use serde::{Deserialize, Serialize};

use crate::risk::forecast::base::{Count, Counts, Estimate, Group, Place, Strengths, interval, steps};
use crate::risk::forecast::fixed::{ONE, logit, probability, rounded};

/// An environment with fewer known outcomes gives no figure.
pub const LEAST_KNOWN: i64 = 20;
/// The widest 90 % interval of a figure, in parts per million; beyond, no figure is shown.
pub const WIDEST: i64 = 100_000;

/// One input of the regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Its name in records.
    pub name: &'static str,
    /// Whether more of it never makes a failure less likely.
    pub rising: bool,
}

/// The features of a model, in the order of inputs.
pub type Features<'f> = &'f [Feature];

/// The weight of a feature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coefficient {
    /// The input that adds nothing, in thousandths: the mean of the history.
    pub middle: i64,
    /// Micro-logits for each whole unit above it.
    pub weight: i64,
}

/// Changes of like probability, and how many of them failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// The number of changes.
    pub changes: i64,
    /// The number of failures.
    pub failures: i64,
    /// The mean of what was predicted, in parts per million.
    pub predicted_ppm: i64,
}

/// A former model's predictions for a year, beside the outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calibration {
    /// The start, in seconds since 1970; the predicting model knew nothing later.
    pub from: i64,
    /// The end.
    pub until: i64,
    /// The groups, the lowest probability first.
    pub bins: Vec<Bin>,
}

/// The regression over the features, on top of the base.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// The constant, in micro-logits.
    pub constant: i64,
    /// The weight of the base's distance from its middle, in millionths; never below zero.
    pub base_weight: i64,
    /// The mean base of the history, in micro-logits.
    pub base_middle: i64,
    /// The weight of each feature, in the order of features.
    pub coefficients: Vec<Coefficient>,
}

/// The model of one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentModel {
    /// Outcomes by level and group.
    pub counts: Counts,
    /// The weights of the levels above.
    pub strengths: Strengths,
    /// Absent where there is too little history for features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regression: Option<Regression>,
    /// The calibration of a former model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// The source of a part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The outcomes of a group.
    Group(Group),
    /// The regression's weight of the base as a whole.
    Base,
    /// A feature, by its place among the features.
    Feature(usize),
}

/// A score of a change at one place, whether or not it is narrow enough to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The probability of failure, in parts per million.
    pub ppm: i64,
    /// The lower end of the 90 % interval.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
    /// The parts of the probability, in parts per million; the first part is the environment as a whole.
    pub parts: Vec<(Source, i64)>,
    /// The outcomes of each group, the widest first, and its own interval.
    pub groups: Vec<(Group, Count, (i64, i64))>,
    /// The reason why it is not shown.
    pub missing: Option<Missing>,
}

/// The reason why there is no figure, and the missing history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The environment has too few known outcomes.
    TooFewOutcomes {
        /// The known number.
        known: i64,
        /// The needed number.
        needed: i64,
    },
    /// The interval is wider than [`WIDEST`].
    TooWide {
        /// The number of further outcomes of the narrowest group that would be enough.
        more: i64,
    },
}

impl EnvironmentModel {
    /// Scores a change at a place. Inputs are in the order of the features the model was fitted with.
    #[must_use]
    pub fn score(&self, place: &Place, inputs: &[i64]) -> Score {
        let steps = steps(&self.counts, &self.strengths, place);
        let mut parts = Vec::new();
        let mut told = 0;
        for step in &steps {
            parts.push((Source::Group(step.group), step.estimate.ppm - told));
            told = step.estimate.ppm;
        }
        let base = steps.last().map_or(FALLBACK, |step| step.estimate);
        let start = logit(base.ppm);
        let mut sum = start;
        let mut move_to = |source: Source, to: i64, sum: &mut i64| {
            let ppm = probability(to);
            parts.push((source, ppm - told));
            (told, *sum) = (ppm, to);
        };
        if let Some(regression) = &self.regression {
            move_to(Source::Base, regression.weighed(start), &mut sum);
            for (at, (coefficient, input)) in regression.coefficients.iter().zip(inputs).enumerate() {
                let to = sum.saturating_add(coefficient.adds(*input));
                move_to(Source::Feature(at), to, &mut sum);
            }
        }
        let (low_ppm, high_ppm) = shifted(interval(base), sum - start);
        Score {
            ppm: told,
            low_ppm: low_ppm.min(told),
            high_ppm: high_ppm.max(told),
            parts,
            groups: steps
                .iter()
                .map(|it| (it.group, it.count, interval(it.estimate)))
                .collect(),
            missing: self.missing(base, sum - start),
        }
    }

    /// The outcomes of the environment as a whole.
    #[must_use]
    pub fn total(&self) -> Count {
        self.counts
            .of(Group::Environment, &Place::default())
            .unwrap_or_default()
    }

    fn missing(&self, base: Estimate, shift: i64) -> Option<Missing> {
        let known = self.total().outcomes;
        if known < LEAST_KNOWN {
            return Some(Missing::TooFewOutcomes {
                known,
                needed: LEAST_KNOWN,
            });
        }
        let is_narrow = |more: i64| {
            let weight = base.weight + more * 1000;
            let (low, high) = shifted(interval(Estimate { weight, ..base }), shift);
            high - low <= WIDEST
        };
        if is_narrow(0) {
            return None;
        }
        let (mut low, mut high) = (1, MOST_MISSING);
        while low < high {
            let middle = i64::midpoint(low, high);
            if is_narrow(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some(Missing::TooWide { more: low })
    }
}

/// Where a place belongs to no group at all, which no place does.
const FALLBACK: Estimate = Estimate {
    ppm: ONE / 20,
    weight: 1,
};
/// The most missing outcomes that are shown; more are shown as this number.
const MOST_MISSING: i64 = 10_000;

impl Regression {
    /// The base with the regression's weight.
    fn weighed(&self, base: i64) -> i64 {
        let distance = i128::from(base - self.base_middle) * i128::from(self.base_weight);
        self.base_middle + self.constant + rounded(distance, i128::from(ONE))
    }
}

impl Coefficient {
    /// The contribution of an input, in micro-logits.
    fn adds(self, input: i64) -> i64 {
        rounded(i128::from(self.weight) * i128::from(input - self.middle), 1000)
    }
}

/// An interval moved by as many micro-logits as its estimate.
fn shifted((low, high): (i64, i64), shift: i64) -> (i64, i64) {
    if shift == 0 {
        return (low, high);
    }
    (probability(logit(low) + shift), probability(logit(high) + shift))
}
