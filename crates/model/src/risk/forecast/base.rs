//! The explained base: outcomes of similar changes, from the whole environment down to the pair of service and team. Each level
//! starts from the level above and moves as far as its own outcomes allow (hierarchical beta-binomial).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::risk::forecast::fixed::{ONE, root, rounded};

/// Half the width of a 90 % interval in standard errors, in thousandths.
const Z_MILLI: i128 = 1645;
/// The prior of an environment before its own outcomes: one failure in twenty, with the weight of two outcomes.
const FIRST_PPM: i64 = 50_000;
const FIRST_WEIGHT: i64 = 2_000;

/// The levels of the hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// All changes in an environment.
    Environment,
    /// Those of a type.
    Type,
    /// Those of a service.
    Service,
    /// Those of a team.
    Team,
    /// Those of a team at a service.
    Pair,
}

impl Group {
    /// All levels, the widest first.
    pub const ALL: [Self; 5] = [Self::Environment, Self::Type, Self::Service, Self::Team, Self::Pair];

    /// The level as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Type => "type",
            Self::Service => "service",
            Self::Team => "team",
            Self::Pair => "pair",
        }
    }
}

/// The groups of a change inside an environment. No person is among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The type of change: its category.
    pub kind: String,
    /// The service.
    pub service: String,
    /// The team; empty where none is named.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub team: String,
}

impl Place {
    /// The key of the group of a level; nothing where the change belongs to none.
    #[must_use]
    pub fn key(&self, group: Group) -> Option<String> {
        let has_team = !self.team.is_empty();
        match group {
            Group::Environment => Some(String::new()),
            Group::Type => Some(self.kind.clone()),
            Group::Service => Some(self.service.clone()),
            Group::Team => has_team.then(|| self.team.clone()),
            Group::Pair => has_team.then(|| format!("{} {}", self.service, self.team)),
        }
    }
}

/// The outcomes of a group: how many were known, how many of them failed, and the same weighted by their age.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Outcomes.
    pub outcomes: i64,
    /// The failures among them.
    pub failures: i64,
    /// Outcomes weighted by age, in thousandths.
    pub weight: i64,
    /// Failures weighted by age, in thousandths.
    pub failure_weight: i64,
}

/// The counts of an environment by level and key. In records they are rows, because a member named by a key could be mistaken
/// for another field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<CountRow>", into = "Vec<CountRow>")]
pub struct Counts(pub BTreeMap<Group, BTreeMap<String, Count>>);

/// A count as records hold it. The name of a team is sealed like any text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRow {
    /// The level.
    pub group: Group,
    /// The key of the group, without its team; empty for an environment and a team.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The team, of a team or a pair.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub team: String,
    /// Outcomes.
    pub outcomes: i64,
    /// The failures among them.
    pub failures: i64,
    /// Outcomes weighted by age, in thousandths.
    pub weight: i64,
    /// Failures weighted by age, in thousandths.
    pub failure_weight: i64,
}

impl From<Counts> for Vec<CountRow> {
    fn from(counts: Counts) -> Self {
        let row = |group: Group, (name, count): (String, Count)| {
            let (key, team) = match group {
                Group::Team => (String::new(), name),
                Group::Pair => name
                    .split_once(' ')
                    .map(|(key, team)| (key.to_owned(), team.to_owned()))
                    .unwrap_or_default(),
                Group::Environment | Group::Type | Group::Service => (name, String::new()),
            };
            CountRow {
                group,
                key,
                team,
                outcomes: count.outcomes,
                failures: count.failures,
                weight: count.weight,
                failure_weight: count.failure_weight,
            }
        };
        let levels = counts.0.into_iter();
        levels
            .flat_map(|(group, keys)| keys.into_iter().map(move |it| row(group, it)))
            .collect()
    }
}

impl From<Vec<CountRow>> for Counts {
    fn from(rows: Vec<CountRow>) -> Self {
        let mut counts = Self::default();
        for row in rows {
            let name = match row.group {
                Group::Team => row.team,
                Group::Pair => format!("{} {}", row.key, row.team),
                Group::Environment | Group::Type | Group::Service => row.key,
            };
            let count = Count {
                outcomes: row.outcomes,
                failures: row.failures,
                weight: row.weight,
                failure_weight: row.failure_weight,
            };
            counts.0.entry(row.group).or_default().insert(name, count);
        }
        counts
    }
}

impl Counts {
    /// The count of the group of a level, zero where nothing is known of it; nothing where the change belongs to none.
    #[must_use]
    pub fn of(&self, group: Group, place: &Place) -> Option<Count> {
        let key = place.key(group)?;
        let known = self.0.get(&group).and_then(|keys| keys.get(&key));
        Some(known.copied().unwrap_or_default())
    }
}

/// The weight of a level above against a group's own outcomes, in thousandths, by level; fitted with the model. In records they
/// are rows, like counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<StrengthRow>", into = "Vec<StrengthRow>")]
pub struct Strengths(pub BTreeMap<Group, i64>);

/// The weight of the level above a group, as records hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrengthRow {
    /// The level.
    pub group: Group,
    /// The weight of the level above, in thousandths of an outcome.
    pub weight: i64,
}

impl From<Strengths> for Vec<StrengthRow> {
    fn from(strengths: Strengths) -> Self {
        strengths
            .0
            .into_iter()
            .map(|(group, weight)| StrengthRow { group, weight })
            .collect()
    }
}

impl From<Vec<StrengthRow>> for Strengths {
    fn from(rows: Vec<StrengthRow>) -> Self {
        Self(rows.into_iter().map(|row| (row.group, row.weight)).collect())
    }
}

impl Strengths {
    /// The weight of the level above, in thousandths of an outcome.
    #[must_use]
    pub fn of(&self, group: Group) -> i64 {
        self.0.get(&group).copied().unwrap_or(USUAL_STRENGTH)
    }
}

/// The weight of the level above if there is too little data to fit one.
pub const USUAL_STRENGTH: i64 = 50_000;

/// An estimate: a probability and how many outcomes it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The probability of failure, in parts per million.
    pub ppm: i64,
    /// Its weight in outcomes, in thousandths.
    pub weight: i64,
}

/// The estimate of a group from the level above and its own outcomes.
#[must_use]
pub fn narrowed(above: Estimate, own: Count, strength: i64) -> Estimate {
    let total = i128::from(own.weight + strength);
    let failed = i128::from(own.failure_weight) * i128::from(ONE) + i128::from(strength) * i128::from(above.ppm);
    // The weight of the level above: no more than its strength, and no more than its own weight.
    let lent = i128::from(strength) * i128::from(above.weight) / i128::from((strength + above.weight).max(1));
    Estimate {
        ppm: rounded(failed, total.max(1)).clamp(1, ONE - 1),
        weight: own.weight + i64::try_from(lent).unwrap_or(i64::MAX),
    }
}

/// A step from one level to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The level.
    pub group: Group,
    /// The group's own outcomes.
    pub count: Count,
    /// The estimate after it.
    pub estimate: Estimate,
}

/// The estimates of a place from the whole environment to the pair, for the levels that the place has.
#[must_use]
pub fn steps(counts: &Counts, strengths: &Strengths, place: &Place) -> Vec<Step> {
    let mut estimate = Estimate {
        ppm: FIRST_PPM,
        weight: FIRST_WEIGHT,
    };
    let mut found = Vec::new();
    for group in Group::ALL {
        let Some(count) = counts.of(group, place) else { continue };
        let strength = match group {
            Group::Environment => FIRST_WEIGHT,
            _ => strengths.of(group),
        };
        estimate = narrowed(estimate, count, strength);
        found.push(Step { group, count, estimate });
    }
    found
}

/// The 90 % interval of an estimate, in parts per million (Wilson's score interval).
#[must_use]
pub fn interval(estimate: Estimate) -> (i64, i64) {
    let one = i128::from(ONE);
    let (p, n) = (i128::from(estimate.ppm), i128::from(estimate.weight.max(1)));
    // With n in thousandths and z² in millionths, z²/n in parts per million is z² · 1000 / n.
    let share = Z_MILLI * Z_MILLI * 1000 / n;
    let centre = p + share / 2;
    let spread = root(p * (one - p) * share / one + share * share / 4);
    let bound = |value: i128| rounded(value * one, one + share).clamp(0, ONE);
    let (low, high) = (bound(centre - spread), bound(centre + spread));
    (low.min(estimate.ppm), high.max(estimate.ppm))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(outcomes: i64, failures: i64) -> Count {
        Count {
            outcomes,
            failures,
            weight: outcomes * 1000,
            failure_weight: failures * 1000,
        }
    }

    #[test]
    fn a_group_without_outcomes_keeps_the_estimate_of_the_level_above_and_is_worth_less() {
        let above = Estimate {
            ppm: 30_000,
            weight: 500_000,
        };
        let below = narrowed(above, Count::default(), 50_000);
        assert_eq!(below.ppm, 30_000);
        assert_eq!(below.weight, 45_454);
        assert_eq!(narrowed(above, count(50, 50), 50_000).ppm, 515_000);
    }

    #[test]
    fn the_interval_is_wilsons() {
        // 7 of 214 are 3.271 %; by the formula with z = 1.645 the interval is 1.783 % to 5.926 %.
        let of = |failed: i64, all: i64| {
            interval(Estimate {
                ppm: failed * ONE / all,
                weight: all * 1000,
            })
        };
        assert_eq!(of(7, 214), (17_831, 59_259));
        let (low, high) = of(1, 4);
        assert!(low < 80_000 && high > 580_000, "{low} {high}");
    }
}
