//! Draws a sample of changes from a population so that anybody can draw the same again.
//!
//! The lot of a change is SHA-256 over the seed, a line feed and its key; `printf '%s\n%s' SEED KEY | sha256sum` repeats it. A
//! stratum gives the changes with the smallest lots.

use std::collections::BTreeMap;

use proof::crypto::digest_text;

/// The most changes of a sample.
pub const MOST: usize = 500;

/// A change of the population.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// `CHG-1042`.
    pub key: String,
    /// The stratum: kind, risk and, for samples by service, the service.
    pub stratum: String,
}

/// A stratum of the population and what it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stratum {
    /// Its name.
    pub name: String,
    /// How many changes it has.
    pub changes: usize,
    /// How many of them are in the sample.
    pub drawn: usize,
}

/// A drawn sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The keys, by stratum and within it by lot.
    pub keys: Vec<String>,
    /// The strata, by name.
    pub strata: Vec<Stratum>,
}

/// How many changes auditors usually test, by how often the control operated in the span: the lower bounds of the table that
/// audit firms use for SOX (once 1, quarterly 2, monthly 2, weekly 5, daily 20, more often 25).
#[must_use]
pub fn usual_size(population: usize) -> usize {
    match population {
        0..=1 => population,
        2..=12 => 2,
        13..=52 => 5,
        53..=250 => 20,
        _ => 25,
    }
}

/// The digest by which a change is drawn, in hexadecimal.
#[must_use]
pub fn lot(seed: &str, key: &str) -> String {
    let text = digest_text(format!("{seed}\n{key}").as_bytes());
    text.trim_start_matches("sha256:").to_owned()
}

/// Draws `size` changes. Each stratum gives in proportion to its size, and at least one where the size of the sample allows it.
/// A key counts once, in the first of its strata.
#[must_use]
pub fn draw(mut population: Vec<Candidate>, seed: &str, size: usize) -> Drawn {
    population.sort();
    population.dedup_by(|one, other| one.key == other.key);
    let mut by_stratum: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for it in population {
        by_stratum
            .entry(it.stratum)
            .or_default()
            .push((lot(seed, &it.key), it.key));
    }
    let counts: Vec<usize> = by_stratum.values().map(Vec::len).collect();
    let shares = shares(&counts, size);
    let mut drawn = Drawn {
        keys: Vec::new(),
        strata: Vec::new(),
    };
    for ((name, mut lots), share) in by_stratum.into_iter().zip(shares) {
        lots.sort();
        drawn.strata.push(Stratum {
            name,
            changes: lots.len(),
            drawn: share,
        });
        drawn.keys.extend(lots.into_iter().take(share).map(|(_, key)| key));
    }
    drawn
}

/// How many places each stratum has: in proportion, none more than it holds.
fn shares(counts: &[usize], size: usize) -> Vec<usize> {
    let whole: usize = counts.iter().sum();
    let size = size.min(whole);
    let mut given = vec![0; counts.len()];
    for _ in 0..size {
        // The stratum with the largest gap to its share; a stratum without a place comes first.
        let behind = |at: usize| (counts[at] * size) as i128 - (given[at] * whole) as i128;
        let next = (0..counts.len())
            .filter(|&at| given[at] < counts[at])
            .max_by_key(|&at| (given[at] == 0, behind(at), std::cmp::Reverse(at)));
        if let Some(at) = next {
            given[at] += 1;
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn population(counts: &[usize]) -> Vec<Candidate> {
        let of = |(stratum, count): (usize, &usize)| {
            (0..*count)
                .map(|number| Candidate {
                    key: format!("CHG-{stratum}-{number}"),
                    stratum: format!("s{stratum}"),
                })
                .collect::<Vec<_>>()
        };
        counts.iter().enumerate().flat_map(of).collect()
    }

    #[test]
    fn the_lot_is_the_documented_digest() {
        // printf '%s\n%s' seed CHG-1 | sha256sum
        assert_eq!(
            lot("seed", "CHG-1"),
            "d976ac74f55dd055b7c2a65239a2db4759177693f748bc12938b49c9595b1ffb"
        );
    }

    #[test]
    fn a_rare_stratum_is_tested_beside_a_large_one() {
        let drawn = draw(population(&[97, 2, 1]), "seed", 20);
        let counts: Vec<usize> = drawn.strata.iter().map(|it| it.drawn).collect();
        assert_eq!(counts, [18, 1, 1]);
    }

    proptest! {
        #[test]
        fn a_sample_is_a_share_of_each_stratum_and_the_same_in_any_order(
            counts in prop::collection::vec(0_usize..40, 1..8), size in 0_usize..60, seed in "[a-z]{1,8}",
        ) {
            let whole: usize = counts.iter().sum();
            let drawn = draw(population(&counts), &seed, size);
            let mut turned = population(&counts);
            turned.reverse();
            turned.extend(population(&counts));
            prop_assert_eq!(&drawn, &draw(turned, &seed, size));
            prop_assert_eq!(drawn.keys.len(), size.min(whole));
            let present = counts.iter().filter(|count| **count > 0).count();
            prop_assert_eq!(drawn.strata.len(), present);
            prop_assert!(size < present || drawn.strata.iter().all(|it| it.drawn > 0));
            prop_assert!(drawn.strata.iter().all(|it| it.drawn <= it.changes));
        }
    }
}
