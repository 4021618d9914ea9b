//! Deployments: the targets on which work ended, each with its failure, its exclusion by a rule, and the recovery time of the
//! service. A return to an earlier build fails the deployment before it, unless the return is planned or one of a burst.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::core::enums::Outcome;
use crate::core::ids::EnvironmentKey;
use crate::report::change_outcome::{ChangeOutcome, TargetOutcome};
use crate::report::definition::Exclusion;
use crate::report::population::Facts;
use crate::report::window::Window;

/// The number of returns in one environment within [`BURST_MINUTES`] that form a burst: a mass merge, and no failures.
pub const BURST_RETURNS: usize = 5;
/// The span of a burst.
pub const BURST_MINUTES: i64 = 10;
/// The days within which a return to an earlier build fails the deployment that it reverts.
pub const FAILURE_DAYS: i64 = 7;
/// An earlier try of the same build at the same place counts as a rerun if it ended within so many hours before.
pub const RERUN_HOURS: i64 = 24;

/// The terms by which a deployment is a failure; definitions can set the bound differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureTerms {
    /// The days within which a return fails the deployment that it reverts.
    pub return_days: i64,
    /// Confirmed incidents count up to this severity: 1 is the gravest. One whose severity is not known counts.
    pub up_to_severity: i64,
}

impl FailureTerms {
    /// The terms of the definitions: returns within [`FAILURE_DAYS`], and incidents of every severity.
    pub const DEFINED: Self = Self {
        return_days: FAILURE_DAYS,
        up_to_severity: i64::MAX,
    };

    /// Whether one of the confirmed incidents of a change counts.
    #[must_use]
    pub fn has_incident(&self, row: &ChangeOutcome, facts: &Facts) -> bool {
        let counts = |key: &String| facts.severities.get(key).is_none_or(|it| *it <= self.up_to_severity);
        row.incidents.iter().any(counts)
    }
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment<'r> {
    /// The change.
    pub row: &'r ChangeOutcome,
    /// The target.
    pub target: &'r TargetOutcome,
    /// When its work ended.
    pub at: Timestamp,
    /// Whether it failed.
    pub failed: bool,
    /// The reason for its exclusion.
    pub exclusion: Option<Exclusion>,
    /// For a failure: the time at which the service had recovered.
    pub recovered_at: Option<Timestamp>,
    /// Whether it returned its place to an earlier build, planned or not.
    pub is_return: bool,
}

impl Deployment<'_> {
    /// The start of its work; the end if no start was recorded.
    #[must_use]
    pub fn began_at(&self) -> Timestamp {
        self.target.started_at.unwrap_or(self.at)
    }

    fn is_counted(&self) -> bool {
        self.exclusion.is_none()
    }
}

/// The deployments of the rows whose work ended in or around a window, in that order, before failures are marked. Reruns,
/// rollbacks and bursts are the same under all terms, so one such list serves several terms.
#[derive(Debug, Clone, Default)]
pub struct Deployed<'r> {
    ended: Vec<Deployment<'r>>,
    /// The deployments of each service in each environment.
    places: Vec<Vec<usize>>,
    /// The returns outside of bursts, each with the deployment that it reverted.
    returns: Vec<(usize, usize)>,
}

impl<'r> Deployed<'r> {
    /// Orders the deployments of the rows. The window alone decides which rows are used, however many are given, so that a
    /// figure and its rows agree.
    #[must_use]
    pub fn of(rows: &'r [ChangeOutcome], window: Window) -> Self {
        let wide = window.wide();
        let targets = rows
            .iter()
            .flat_map(|row| row.targets.iter().map(move |target| (row, target)));
        let ended = targets.filter_map(|(row, target)| ended(row, target));
        let mut found: Vec<Deployment<'r>> = ended.filter(|it| wide.has(it.at)).collect();
        found.sort_by(|one, other| {
            let key = |it: &Deployment<'_>| (it.at, it.row.number);
            key(one)
                .cmp(&key(other))
                .then_with(|| one.target.target.cmp(&other.target.target))
        });
        let places: Vec<Vec<usize>> = places(&found).into_values().collect();
        for place in &places {
            note_reruns(&mut found, place);
        }
        let returns: Vec<(usize, usize)> = places.iter().flat_map(|place| returns(&found, place)).collect();
        let returns = without_bursts(&mut found, &returns);
        Self {
            ended: found,
            places,
            returns,
        }
    }

    /// The deployments with the results under these terms: whether each failed, and when the service had recovered.
    #[must_use]
    pub fn under(&self, facts: &Facts, terms: FailureTerms) -> Vec<Deployment<'r>> {
        let mut found = self.ended.clone();
        for it in &mut found {
            let is_excused = it.target.fails_by_incidents && !terms.has_incident(it.row, facts);
            it.failed = it.failed && !is_excused;
        }
        for returned in &self.returns {
            note_return(&mut found, *returned, terms);
        }
        for place in &self.places {
            note_recoveries(&mut found, place, facts);
        }
        found
    }
}

fn ended<'r>(row: &'r ChangeOutcome, target: &'r TargetOutcome) -> Option<Deployment<'r>> {
    let (at, outcome) = (target.ended_at?, target.outcome?);
    let exclusion = if outcome == Outcome::NotImplemented {
        Some(Exclusion::Skipped)
    } else if target.started_at.is_some_and(|began| began > at) {
        Some(Exclusion::Clock)
    } else {
        None
    };
    Some(Deployment {
        row,
        target,
        at,
        failed: target.failed == Some(true),
        exclusion,
        recovered_at: None,
        is_return: false,
    })
}

type Places<'r> = BTreeMap<(&'r str, &'r str), Vec<usize>>;

/// The deployments of each service in each environment, in their order.
fn places<'r>(found: &[Deployment<'r>]) -> Places<'r> {
    let mut places = Places::new();
    for (at, it) in found.iter().enumerate() {
        let place = (it.target.environment.as_str(), it.target.service.as_str());
        places.entry(place).or_default().push(at);
    }
    places
}

/// Excludes earlier tries of one build; only the last try counts. A try that was rolled back or caused an incident stays a
/// failure of its own.
fn note_reruns(found: &mut [Deployment<'_>], place: &[usize]) {
    let counted: Vec<usize> = place.iter().copied().filter(|at| found[*at].is_counted()).collect();
    for pair in counted.windows(2) {
        let (earlier, later) = (&found[pair[0]], &found[pair[1]]);
        let is_same = earlier.target.build.is_some() && earlier.target.build == later.target.build;
        let is_soon = later.at.duration_since(earlier.at) <= SignedDuration::from_hours(RERUN_HOURS);
        let has_hurt = earlier.target.was_rolled_back || !earlier.row.incidents.is_empty();
        if is_same && is_soon && !has_hurt {
            found[pair[0]].exclusion = Some(Exclusion::Rerun);
        }
    }
}

/// The returns of a place to an earlier build, each with the deployment that it took back.
fn returns(found: &[Deployment<'_>], place: &[usize]) -> Vec<(usize, usize)> {
    let mut returns = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let mut last: Option<usize> = None;
    for at in place.iter().copied().filter(|at| found[*at].is_counted()) {
        let Some(build) = found[at].target.build.as_deref() else {
            continue;
        };
        let before = last.and_then(|it| found[it].target.build.as_deref());
        if let Some(taken_back) = last.filter(|_| before != Some(build) && seen.contains(&build)) {
            returns.push((at, taken_back));
        }
        if !seen.contains(&build) {
            seen.push(build);
        }
        last = Some(at);
    }
    returns
}

/// Excludes the rollbacks that are part of a burst in their environment, and returns the others.
fn without_bursts(found: &mut [Deployment<'_>], returns: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut by_environment: BTreeMap<&EnvironmentKey, Vec<usize>> = BTreeMap::new();
    let unplanned = |(at, taken_back): &&(usize, usize)| !is_planned(&found[*at], &found[*taken_back]);
    for (at, _) in returns.iter().filter(unplanned) {
        by_environment
            .entry(&found[*at].target.environment)
            .or_default()
            .push(*at);
    }
    let mut bursts: Vec<usize> = Vec::new();
    let span = SignedDuration::from_mins(BURST_MINUTES);
    for mut all in by_environment.into_values() {
        all.sort_unstable();
        for few in all.windows(BURST_RETURNS) {
            let (first, last) = (few[0], few[BURST_RETURNS - 1]);
            if found[last].at.duration_since(found[first].at) <= span {
                bursts.extend_from_slice(few);
            }
        }
    }
    for at in &bursts {
        found[*at].exclusion = Some(Exclusion::Burst);
    }
    returns.iter().copied().filter(|(at, _)| !bursts.contains(at)).collect()
}

/// Whether a rollback is planned: the change that it reverts had declared its undo and the undo was due, or the rollback was
/// linked to this very change before that one's work ended. A later link describes the rollback, but does not make it planned.
fn is_planned(back: &Deployment<'_>, taken_back: &Deployment<'_>) -> bool {
    let is_declared = taken_back.row.undo_from.is_some_and(|from| from <= back.at);
    let mut follows = back.row.follows.iter();
    is_declared || follows.any(|it| it.change == taken_back.row.change && it.linked_at <= taken_back.at)
}

/// Records a rollback's facts on the rollback itself and on the deployment that it reverted.
fn note_return(found: &mut [Deployment<'_>], (at, taken_back): (usize, usize), terms: FailureTerms) {
    found[at].is_return = true;
    if is_planned(&found[at], &found[taken_back]) {
        found[at].exclusion = Some(Exclusion::PlannedUndo);
        return;
    }
    let returned_at = found[at].at;
    let earlier = &mut found[taken_back];
    if returned_at.duration_since(earlier.at) > SignedDuration::from_hours(24 * terms.return_days) {
        return;
    }
    earlier.failed = true;
    earlier.recovered_at = Some(returned_at);
}

/// Records the end of each failure: the end of the last incident that it caused, else its rollback or return, else the next
/// deployment of the place that did not fail.
fn note_recoveries(found: &mut [Deployment<'_>], place: &[usize], facts: &Facts) {
    let mut next_good: Option<Timestamp> = None;
    for at in place.iter().rev().copied() {
        let it = &mut found[at];
        if !it.failed {
            if it.is_counted() || it.exclusion == Some(Exclusion::PlannedUndo) {
                next_good = Some(it.at);
            }
            continue;
        }
        let ends: Option<Vec<Timestamp>> = it
            .row
            .incidents
            .iter()
            .map(|key| facts.resolved.get(key).copied())
            .collect();
        let of_incidents = ends.as_ref().and_then(|all| all.iter().max().copied());
        let is_back = it.target.outcome == Some(Outcome::RolledBack);
        it.recovered_at = match (it.row.incidents.is_empty(), of_incidents) {
            // An incident that lasts is no recovery, whatever was deployed since.
            (false, ends) => ends,
            (true, _) if is_back => Some(it.at),
            (true, _) => it.recovered_at.or(next_good),
        };
    }
}
