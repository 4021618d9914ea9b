//! The weight of the level above against a group's own outcomes, chosen by maximum likelihood (marginal likelihood of the
//! beta-binomial).

use crate::risk::forecast::base::{Count, Counts, Group, Place, Strengths, USUAL_STRENGTH, steps};
use crate::risk::forecast::fixed::ONE;
use crate::risk::forecast::outcome::Outcome;

/// The weights that are tried, in thousandths of an outcome.
const TRIED: [i64; 7] = [20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 3_000_000];
/// With fewer groups a level keeps the usual weight, because there is nothing to compare.
const LEAST_GROUPS: usize = 5;

/// Chooses the weights from the widest level to the narrowest.
#[must_use]
pub fn choose(counts: &Counts, known: &[&Outcome]) -> Strengths {
    let mut chosen = Strengths::default();
    let mut places: Vec<&Place> = known.iter().map(|outcome| &outcome.place).collect();
    places.sort_unstable();
    places.dedup();
    for group in Group::ALL.into_iter().skip(1) {
        let rows = rows(counts, &chosen, &places, group);
        let mut best = (f64::NEG_INFINITY, USUAL_STRENGTH);
        for strength in TRIED.into_iter().filter(|_| rows.len() >= LEAST_GROUPS) {
            let likelihood: f64 = rows
                .iter()
                .map(|(count, above)| log_likelihood(*count, *above, strength))
                .sum();
            if likelihood > best.0 {
                best = (likelihood, strength);
            }
        }
        chosen.0.insert(group, best.1);
    }
    chosen
}

/// The groups of a level with the estimate of the level above them, each once.
fn rows(counts: &Counts, chosen: &Strengths, places: &[&Place], group: Group) -> Vec<(Count, i64)> {
    let mut seen = std::collections::BTreeSet::new();
    let mut found = Vec::new();
    for place in places {
        let Some(key) = place.key(group) else { continue };
        if !seen.insert(key) {
            continue;
        }
        let above = steps(counts, chosen, place)
            .into_iter()
            .take_while(|step| step.group < group)
            .last();
        let own = counts.of(group, place);
        found.extend(above.zip(own).map(|(above, own)| (own, above.estimate.ppm)));
    }
    found
}

#[expect(
    clippy::cast_precision_loss,
    reason = "thousandths of outcomes are exact in a double"
)]
fn log_likelihood(count: Count, above_ppm: i64, strength: i64) -> f64 {
    let (weight, failed) = (count.weight as f64 / 1000.0, count.failure_weight as f64 / 1000.0);
    let mean = above_ppm as f64 / ONE as f64;
    let (a, b) = (mean * strength as f64 / 1000.0, (1.0 - mean) * strength as f64 / 1000.0);
    ln_beta(a + failed, b + (weight - failed).max(0.0)) - ln_beta(a, b)
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// Stirling's series after moving the argument above eight.
fn ln_gamma(x: f64) -> f64 {
    let mut shift = 0.0;
    let mut x = x;
    while x < 8.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square / 1260.0));
    shift + (x - 0.5) * x.ln() - x + 0.918_938_533_204_672_7 + series
}
