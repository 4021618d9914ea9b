//! Fits a model of one environment from its known outcomes: weights of the levels, counts, and where there is enough history a
//! logistic regression over the features. All arithmetic with fractions ends here: the model holds whole numbers.

use crate::risk::forecast::base::{Count, Counts, Group, Strengths, steps};
use crate::risk::forecast::environment::{Bin, Calibration, Coefficient, EnvironmentModel, Features, Regression};
use crate::risk::forecast::fixed::{ONE, logit};
use crate::risk::forecast::logistic::{Column, Row, fit as fit_rows};
use crate::risk::forecast::outcome::{DAY, Outcome, counts, known, thousandths, weight};
use crate::risk::forecast::strengths::choose;

/// The fewest outcomes for features.
pub const LEAST_OUTCOMES: usize = 300;
/// The fewest failures for features.
pub const LEAST_FAILURES: usize = 30;
/// The penalty on the square of a feature's coefficient.
const PENALTY: f64 = 20.0;
/// The penalty on the square of how far the base's weight is from one.
const BASE_PENALTY: f64 = 20.0;
/// The most days at the end of the history for which a former model is compared with the outcomes.
const HELD_BACK_DAYS: i64 = 365;
/// In how many groups of like probability predicted and observed failures are compared.
const BINS: usize = 10;

/// The most groups of a level that a model stores: those with the most outcomes.
const MOST_GROUPS: usize = 1_000;

/// Fits the model of an environment from what was known at an instant, and compares the model that could have been fitted a
/// year before, or at the middle of a shorter history, with what happened since.
#[must_use]
pub fn fit(outcomes: &[Outcome], features: Features, now: i64) -> EnvironmentModel {
    let mut model = fit_alone(outcomes, features, now);
    model.calibration = compare(outcomes, features, now);
    model
}

/// The same without the comparison.
#[must_use]
pub fn fit_alone(outcomes: &[Outcome], features: Features, now: i64) -> EnvironmentModel {
    let known = known(outcomes, now);
    let counts = counts(&known, now);
    let strengths = choose(&counts, &known);
    let failures = known.iter().filter(|outcome| outcome.failed).count();
    let mut model = EnvironmentModel {
        counts: largest(counts),
        strengths,
        ..EnvironmentModel::default()
    };
    if known.len() >= LEAST_OUTCOMES && failures >= LEAST_FAILURES {
        model.regression = Some(regression(&known, &model.strengths, features, now));
    }
    model
}

/// The counts without the smallest groups of a level that has too many: these then start from the level above.
fn largest(mut counts: Counts) -> Counts {
    for keys in counts.0.values_mut().filter(|keys| keys.len() > MOST_GROUPS) {
        let mut sizes: Vec<i64> = keys.values().map(|count| count.outcomes).collect();
        sizes.sort_unstable_by(|left, right| right.cmp(left));
        let least = sizes[MOST_GROUPS];
        keys.retain(|_, count| count.outcomes > least);
    }
    counts
}

#[expect(clippy::cast_precision_loss, reason = "inputs are thousandths of small numbers")]
fn regression(known: &[&Outcome], strengths: &Strengths, features: Features, now: i64) -> Regression {
    let offsets = bases(known, strengths);
    let middle_base = mean(&offsets);
    let scales: Vec<(f64, f64)> = (0..features.len()).map(|at| scale(known, at)).collect();
    let rows: Vec<Row> = known
        .iter()
        .zip(&offsets)
        .map(|(outcome, offset)| {
            let inputs = outcome.inputs.iter().zip(&scales);
            let inputs = inputs.map(|(value, (middle, spread))| (*value as f64 - middle) / spread);
            Row {
                offset: *offset,
                columns: [1.0, offset - middle_base].into_iter().chain(inputs).collect(),
                failed: outcome.failed,
                weight: weight(now - outcome.known_at),
            }
        })
        .collect();
    let fixed = [(0.0, false), (BASE_PENALTY, false)];
    let inputs = features.iter().map(|feature| (PENALTY, feature.rising));
    let columns: Vec<Column> = fixed
        .into_iter()
        .chain(inputs)
        .map(|(penalty, rising)| Column { penalty, rising })
        .collect();
    let found = fit_rows(&rows, &columns);
    let coefficients = scales.iter().zip(&found[2..]);
    Regression {
        constant: millionths(found[0]),
        // Never below zero: more failures never lower a score.
        base_weight: (ONE + millionths(found[1])).max(0),
        base_middle: millionths(middle_base),
        coefficients: coefficients
            .map(|((middle, spread), coefficient)| Coefficient {
                middle: thousandths(middle / 1000.0),
                weight: millionths(coefficient / spread * 1000.0),
            })
            .collect(),
    }
}

fn mean(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of outcomes")]
    let count = values.len().max(1) as f64;
    values.iter().sum::<f64>() / count
}

/// The mean and the standard deviation of an input; a constant one has the deviation of one unit.
#[expect(clippy::cast_precision_loss, reason = "inputs are thousandths of small numbers")]
fn scale(known: &[&Outcome], at: usize) -> (f64, f64) {
    let values: Vec<f64> = known.iter().map(|outcome| outcome.inputs[at] as f64).collect();
    let middle = mean(&values).round();
    let squares: Vec<f64> = values.iter().map(|value| (value - middle).powi(2)).collect();
    let spread = mean(&squares).sqrt();
    (middle, if spread < 1.0 { 1000.0 } else { spread })
}

fn millionths(number: f64) -> i64 {
    thousandths(number * 1000.0)
}

/// The log-odds of the base for each outcome, from what was known before it alone.
fn bases(known: &[&Outcome], strengths: &Strengths) -> Vec<f64> {
    let mut by_known: Vec<&Outcome> = known.to_vec();
    by_known.sort_by_key(|outcome| outcome.known_at);
    let mut waiting = by_known.into_iter().peekable();
    let mut counts = Counts::default();
    let mut of_age = 0;
    let mut found = Vec::with_capacity(known.len());
    for outcome in known {
        while let Some(next) = waiting.next_if(|next| next.known_at < outcome.at) {
            add(&mut counts, next, &mut of_age);
        }
        let base = steps(&counts, strengths, &outcome.place);
        let ppm = base.last().map_or(ONE / 20, |step| step.estimate.ppm);
        #[expect(clippy::cast_precision_loss, reason = "log-odds are below fourteen million")]
        found.push(logit(ppm) as f64 / ONE as f64);
    }
    found
}

/// Counts one more outcome. Once a quarter all counts are reduced by their age.
fn add(counts: &mut Counts, outcome: &Outcome, of_age: &mut i64) {
    const QUARTER: i64 = 91 * DAY;
    if *of_age == 0 {
        *of_age = outcome.known_at;
    }
    while outcome.known_at - *of_age >= QUARTER {
        *of_age += QUARTER;
        let kept = thousandths(weight(QUARTER));
        for count in counts.0.values_mut().flat_map(|keys| keys.values_mut()) {
            count.weight = count.weight * kept / 1000;
            count.failure_weight = count.failure_weight * kept / 1000;
        }
    }
    for group in Group::ALL {
        let Some(key) = outcome.place.key(group) else { continue };
        let count: &mut Count = counts.0.entry(group).or_default().entry(key).or_default();
        count.outcomes += 1;
        count.weight += 1000;
        if outcome.failed {
            count.failures += 1;
            count.failure_weight += 1000;
        }
    }
}

/// A former model's predictions for the outcomes since, beside the outcomes. `None` where there was too little history.
fn compare(outcomes: &[Outcome], features: Features, now: i64) -> Option<Calibration> {
    let oldest = known(outcomes, now).first()?.at;
    let then = now - (HELD_BACK_DAYS * DAY).min((now - oldest) / 2);
    let former = fit_alone(outcomes, features, then);
    let mut told: Vec<(i64, bool)> = known(outcomes, now)
        .into_iter()
        .filter(|outcome| outcome.at >= then)
        .map(|outcome| (former.score(&outcome.place, &outcome.inputs), outcome.failed))
        .filter(|(score, _)| score.missing.is_none())
        .map(|(score, failed)| (score.ppm, failed))
        .collect();
    if told.len() < LEAST_OUTCOMES / 3 {
        return None;
    }
    told.sort_unstable();
    let bin = |rows: &[(i64, bool)]| Bin {
        changes: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        failures: rows.iter().map(|row| i64::from(row.1)).sum(),
        predicted_ppm: rows.iter().map(|row| row.0).sum::<i64>() / i64::try_from(rows.len().max(1)).unwrap_or(i64::MAX),
    };
    let size = told.len().div_ceil(BINS);
    Some(Calibration {
        from: then,
        until: now,
        bins: told.chunks(size).map(bin).collect(),
    })
}
