//! How long pipelines waited at the gate, by the cause of the wait.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::change::related_records::{GateCheck, Waited};
use model::core::enums::CheckState;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most checks that one report reads.
const MOST: i64 = 10_000;

/// Spans of one kind, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spans {
    /// Half of the checks waited no longer.
    pub p50: i64,
    /// 95 of 100 waited no longer.
    pub p95: i64,
    /// The longest.
    pub longest: i64,
    /// All together.
    pub sum: i64,
}

impl Spans {
    fn of(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        let at = |share: usize| {
            // The nearest rank: the smallest value that at least this share does not exceed.
            let rank = (values.len() * share).div_ceil(100).max(1);
            values.get(rank - 1).copied().unwrap_or_default()
        };
        Self {
            p50: at(50),
            p95: at(95),
            longest: values.last().copied().unwrap_or_default(),
            sum: values.iter().sum(),
        }
    }
}

/// One pipeline's waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The login of the asker.
    pub pipeline: String,
    /// About which service.
    pub service: String,
    /// In which environment.
    pub environment: String,
    /// The number of checks that no longer wait.
    pub checks: usize,
    /// Waits for decisions of people.
    pub people: Spans,
    /// Waits for a window, a freeze or another step of the clock.
    pub queue: Spans,
    /// Waits for the gate itself, from the event to the permit.
    pub decision: Spans,
}

/// The waiting times of each pipeline since an instant, the longest first.
///
/// # Errors
/// The store's.
pub fn gate_waits(cx: &mut Context<'_, '_>, from: Timestamp) -> Result<Vec<Budget>> {
    let newest = Filter::new().descending_by("id").limit(MOST);
    let mut groups: BTreeMap<(String, String, String), Vec<Waited>> = BTreeMap::new();
    let directory = cx.directory()?;
    for check in record::bodies::<GateCheck>(cx.tx, &newest)? {
        if check.asked_at < from || matches!(check.state, CheckState::Waiting | CheckState::Collectable) {
            continue;
        }
        let (service, environment) = check.place();
        let key = (directory.login(&check.by), service.to_owned(), environment.to_owned());
        groups.entry(key).or_default().push(check.waited);
    }
    let mut found: Vec<Budget> = groups
        .into_iter()
        .map(|((pipeline, service, environment), waits)| {
            let of = |part: fn(&Waited) -> i64| Spans::of(waits.iter().map(part).collect());
            Budget {
                pipeline,
                service,
                environment,
                checks: waits.len(),
                people: of(|waited| waited.people_ms),
                queue: of(|waited| waited.queue_ms),
                decision: of(|waited| waited.decision_ms),
            }
        })
        .collect();
    found.sort_by_key(|row| std::cmp::Reverse(row.people.sum + row.queue.sum + row.decision.sum));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let spans = Spans::of((1..=20).rev().collect());
        assert_eq!((spans.p50, spans.p95, spans.longest, spans.sum), (10, 19, 20, 210));
        assert_eq!(Spans::of(Vec::new()), Spans::default());
        assert_eq!(Spans::of(vec![7]).p50, 7);
    }
}
