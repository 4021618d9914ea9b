//! The parts that rose with a volume: for each cause, service and team the weekly count before the shift and since, the largest
//! rise first. The list shows where to look; it proves no cause.

use std::collections::BTreeMap;

use crate::report::evaluate::{Counted, Window};
use crate::report::population::{Dimension, Facts, values};

/// The most parts that are listed.
pub const MOST: usize = 5;
/// The dimensions that are searched.
const BY: [Dimension; 3] = [Dimension::Cause, Dimension::Service, Dimension::Team];
/// Thousandths of a count.
const MILLI: i64 = 1_000;

/// A part of a volume that rose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Risen {
    /// The dimension of the part.
    pub by: Dimension,
    /// The part: a cause, a service, a team.
    pub part: String,
    /// The weekly mean before, in thousandths.
    pub before_milli: i64,
    /// The weekly mean since, in thousandths.
    pub after_milli: i64,
}

/// The parts whose weekly mean rose most from one window to the other. Only hits are counted.
#[must_use]
pub fn risen(counted: &[Counted<'_>], facts: &Facts, (before, since): (Window, Window)) -> Vec<Risen> {
    let mut counts: BTreeMap<(Dimension, String), [i64; 2]> = BTreeMap::new();
    for it in counted.iter().filter(|it| it.is_hit && it.exclusion.is_none()) {
        let place = match (before.has(it.at), since.has(it.at)) {
            (true, _) => 0,
            (_, true) => 1,
            _ => continue,
        };
        for part in parts(it, facts) {
            counts.entry(part).or_default()[place] += 1;
        }
    }
    let weekly = |count: i64, window: Window| {
        let weeks = i64::try_from(window.weeks()).unwrap_or(i64::MAX).max(1);
        count.saturating_mul(MILLI) / weeks
    };
    let rates = counts.into_iter().map(|((by, part), [one, other])| Risen {
        by,
        part,
        before_milli: weekly(one, before),
        after_milli: weekly(other, since),
    });
    let mut found: Vec<Risen> = rates.filter(|it| it.after_milli > it.before_milli).collect();
    found.sort_by(|one, other| {
        let rise = |it: &Risen| it.after_milli - it.before_milli;
        rise(other)
            .cmp(&rise(one))
            .then_with(|| (one.by, &one.part).cmp(&(other.by, &other.part)))
    });
    found.truncate(MOST);
    found
}

/// The parts of one change, each once.
fn parts(it: &Counted<'_>, facts: &Facts) -> Vec<(Dimension, String)> {
    let mut found = Vec::new();
    for by in BY {
        let of_targets = it
            .row
            .targets
            .iter()
            .flat_map(|target| values(it.row, Some(target), facts, by));
        found.extend(of_targets.map(|part| (by, part)));
        if it.row.targets.is_empty() {
            found.extend(values(it.row, None, facts, by).into_iter().map(|part| (by, part)));
        }
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::report::change_outcome::ChangeOutcome;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn row(number: i64, cause: &str, service: &str, created: &str) -> ChangeOutcome {
        let text = json!({
            "change": format!("c{number}"), "version": 1, "number": number, "key": format!("CHG-{number}"), "kind": "emergency",
            "category": "application", "risk": "low", "state": "closed", "created_at": created, "cause": cause,
            "targets": [{"target": "1", "service": service, "environment": "production"},
                {"target": "2", "service": service, "environment": "staging"}],
        });
        serde_json::from_value(text).unwrap()
    }

    fn counted(row: &ChangeOutcome) -> Counted<'_> {
        Counted {
            row,
            target: None,
            approval: None,
            at: row.created_at,
            is_hit: true,
            minutes: None,
            exclusion: None,
            groups: Vec::new(),
        }
    }

    #[test]
    fn the_part_that_rose_most_a_week_is_named_first_and_each_change_counts_once() {
        let windows = (
            Window {
                from: at("2026-10-05T00:00:00Z"),
                to: at("2026-11-02T00:00:00Z"),
            },
            Window {
                from: at("2026-11-02T00:00:00Z"),
                to: at("2026-11-16T00:00:00Z"),
            },
        );
        let mut rows: Vec<ChangeOutcome> = (1..=4)
            .map(|number| row(number, "incident", "web", "2026-10-12T08:00:00Z"))
            .collect();
        rows.extend((5..=6).map(|number| row(number, "incident", "web", "2026-11-04T08:00:00Z")));
        rows.extend((7..=12).map(|number| row(number, "capacity", "pay", "2026-11-05T08:00:00Z")));
        rows.push(row(13, "capacity", "pay", "2026-09-01T08:00:00Z"));
        let all: Vec<Counted<'_>> = rows.iter().map(counted).collect();
        let found = risen(&all, &Facts::default(), windows);
        let told: Vec<(&str, i64, i64)> = found
            .iter()
            .map(|it| (it.part.as_str(), it.before_milli, it.after_milli))
            .collect();
        // Incidents on the web are 1 a week before and since; what did not rise is not named.
        assert_eq!(told, [("pay", 0, 3_000), ("capacity", 0, 3_000)]);
    }
}
