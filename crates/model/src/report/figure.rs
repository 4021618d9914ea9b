//! A figure: the value of a metric over what was counted, with its interval, or why there is not enough data.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::ids::PersonId;
use crate::directory::impersonation::LinkedAccounts;
use crate::report::definition::{Definition, Exclusion, Formula, Measure};
use crate::report::evaluate::{Counted, Window};
use crate::report::statistics::{self, Estimate};

/// With fewer approvers, a time to approve would reveal individual people: of two, each can calculate the other's.
pub const FEWEST_APPROVERS: usize = 3;

/// The value of a metric, in the unit of its formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The value with its interval; `None` below the minimum of the definition.
    pub estimate: Option<Estimate>,
    /// The number of hits: for a share, the rows that meet its measure; else all rows that have a value.
    pub hits: u64,
    /// The number of counted rows.
    pub of: u64,
    /// For times: the mean in minutes; `None` below the minimum, like every value.
    pub mean: Option<i64>,
    /// For times: the 90th percentile in minutes.
    pub p90: Option<i64>,
    /// For times to approve: the medians of queue, touch and pause, in minutes.
    pub parts: Option<[i64; 3]>,
    /// For times to approve: the sum of the minutes, which is the most that a shorter stage could save.
    pub total: Option<i64>,
    /// The excluded rows, by reason.
    pub excluded: BTreeMap<Exclusion, u64>,
    /// The level of maturity, where the metric has levels and there is a value.
    pub level: Option<String>,
    /// For times to approve: the approvers.
    pub approvers: BTreeSet<PersonId>,
    /// Whether its value is hidden from the reader, by [`Figure::shown_to`].
    pub is_withheld: bool,
}

impl Figure {
    /// The figure for a reader who may not see how fast others decide: without its values where fewer than [`FEWEST_APPROVERS`]
    /// people decided, unless the reader alone did. Accounts of one person count once.
    #[must_use]
    pub fn shown_to(self, reader: &PersonId, hands: &LinkedAccounts) -> Self {
        let is_own = self.approvers.len() == 1 && self.approvers.contains(reader);
        if self.approvers.is_empty() || hands.count(&self.approvers) >= FEWEST_APPROVERS || is_own {
            return self;
        }
        Self {
            estimate: None,
            mean: None,
            p90: None,
            parts: None,
            total: None,
            level: None,
            is_withheld: true,
            ..self
        }
    }

    /// Whether there is enough data for a value.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.estimate.is_some()
    }
}

/// Computes a figure over all rows of a definition.
#[must_use]
pub fn figure(definition: &Definition, counted: &[&Counted<'_>], window: Window) -> Figure {
    let mut excluded = BTreeMap::new();
    for why in counted.iter().filter_map(|it| it.exclusion) {
        *excluded.entry(why).or_insert(0) += 1;
    }
    let kept: Vec<&Counted<'_>> = counted.iter().copied().filter(|it| it.exclusion.is_none()).collect();
    let of = kept.len() as u64;
    let hits = kept.iter().filter(|it| it.is_hit).count() as u64;
    let mut times: Vec<i64> = kept.iter().filter_map(|it| it.minutes).collect();
    times.sort_unstable();
    let is_time = definition.formula == Formula::Median;
    let (value, enough) = match definition.formula {
        Formula::Share => (statistics::share(hits, of), of),
        Formula::PerDay => (statistics::per_day(of, window.days()), of),
        // The minimum of a weekly volume is one of weeks.
        Formula::PerWeek => (statistics::per_day(hits, window.days()).map(in_a_week), window.weeks()),
        Formula::Median => (statistics::median(&times), times.len() as u64),
    };
    let is_enough = enough >= definition.minimum;
    let estimate = value.filter(|_| is_enough);
    let is_time = is_time && is_enough;
    Figure {
        level: estimate.and_then(|it| definition.level(it.value)).map(str::to_owned),
        estimate,
        hits,
        of,
        mean: statistics::mean(&times).filter(|_| is_time),
        p90: statistics::percentile(&times, 90).filter(|_| is_time),
        parts: parts(definition, &kept).filter(|_| is_enough),
        total: (definition.measure == Measure::Approval && is_enough).then(|| times.iter().sum()),
        excluded,
        approvers: kept.iter().filter_map(|it| it.approval?.approver.clone()).collect(),
        is_withheld: false,
    }
}

fn in_a_week(day: Estimate) -> Estimate {
    Estimate {
        value: day.value * 7,
        low: day.low * 7,
        high: day.high * 7,
    }
}

/// The medians of queue, touch and pause.
fn parts(definition: &Definition, kept: &[&Counted<'_>]) -> Option<[i64; 3]> {
    if definition.measure != Measure::Approval {
        return None;
    }
    let spans: Vec<_> = kept.iter().filter_map(|it| it.approval).collect();
    let middle = |part: fn(&crate::report::change_outcome::ApprovalSpan) -> i64| {
        let mut all: Vec<i64> = spans.iter().map(|it| part(it) / 60).collect();
        all.sort_unstable();
        statistics::percentile(&all, 50)
    };
    Some([
        middle(|it| it.queue_seconds)?,
        middle(|it| it.touch_seconds)?,
        middle(|it| it.paused_seconds)?,
    ])
}

/// The figures of the groups, by the name of the group.
#[must_use]
pub fn by_group(definition: &Definition, counted: &[Counted<'_>], window: Window) -> BTreeMap<String, Figure> {
    let mut groups: BTreeMap<&str, Vec<&Counted<'_>>> = BTreeMap::new();
    for it in counted {
        for group in &it.groups {
            groups.entry(group).or_default().push(it);
        }
    }
    let figures = groups
        .into_iter()
        .map(|(name, all)| (name.to_owned(), figure(definition, &all, window)));
    figures.collect()
}

/// Counts what was counted in each calendar week of seven days from the beginning of a window, hits alone. The last week is left
/// out where it is not whole.
#[must_use]
pub fn weekly(counted: &[Counted<'_>], window: Window) -> Vec<u32> {
    weekly_shares(counted, window)
        .into_iter()
        .map(|(hits, _)| hits)
        .collect()
}

/// The same with how many were counted in each week: hits first, then all.
#[must_use]
pub fn weekly_shares(counted: &[Counted<'_>], window: Window) -> Vec<(u32, u32)> {
    const WEEK_SECONDS: i64 = 7 * 24 * 3_600;
    let weeks = window.to.duration_since(window.from).as_secs() / WEEK_SECONDS;
    let mut counts = vec![(0_u32, 0_u32); usize::try_from(weeks).unwrap_or(0)];
    for it in counted.iter().filter(|it| it.exclusion.is_none()) {
        let week = it.at.duration_since(window.from).as_secs() / WEEK_SECONDS;
        let place = usize::try_from(week).ok().and_then(|week| counts.get_mut(week));
        if let Some((hits, of)) = place {
            *hits += u32::from(it.is_hit);
            *of += 1;
        }
    }
    counts
}
