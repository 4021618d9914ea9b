//! The change or permit that explains a difference, and the next step of its finding. All functions are pure: the caller loads
//! the changes and permits of the place.

use jiff::{SignedDuration, Timestamp};

use crate::change::record::{Change, Target};
use crate::change::related_records::Permit;
use crate::core::enums::{DriftEnding, DriftOutcome, DriftState, Kind, Outcome, PermitState, State};
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::core::parse::later;
use crate::gate::build;
use crate::incident::drift::finding::DriftFinding;

/// The largest difference between a source's clock and this server's.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// The hours before the first report of a source that are matched.
pub const FIRST_HOURS: i64 = 24;
/// The most days before a report that are matched, however long its source was silent.
pub const MOST_DAYS: i64 = 7;

/// The place of a difference, by a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The service.
    pub service: ServiceKey,
    /// The environment.
    pub environment: EnvironmentKey,
    /// The config item, where the address is one.
    pub config_item: Option<String>,
    /// The rule that matched.
    pub rule: RecordId,
}

/// The span in which a difference appeared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The last time at which it was absent.
    pub since: Timestamp,
    /// The time at which it was seen.
    pub until: Timestamp,
}

impl Span {
    /// For a difference in a state report: since the last complete report, bounded.
    #[must_use]
    pub fn of_report(last: Option<Timestamp>, taken_at: Timestamp) -> Self {
        let back = |hours: i64| {
            taken_at
                .checked_sub(SignedDuration::from_hours(hours))
                .unwrap_or(Timestamp::MIN)
        };
        let since = match last {
            Some(last) => last.max(back(24 * MOST_DAYS)),
            None => back(FIRST_HOURS),
        };
        Self {
            since: since.min(taken_at),
            until: taken_at,
        }
    }

    /// For an event with its own time.
    #[must_use]
    pub fn of_event(at: Timestamp) -> Self {
        Self { since: at, until: at }
    }

    fn overlaps(self, from: Timestamp, until: Timestamp) -> bool {
        from <= later(self.until, TOLERANCE) && later(until, TOLERANCE) >= self.since
    }
}

/// The explanation of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The key of the change.
    pub change: String,
    /// The id of the permit, where one was used.
    pub permit: Option<RecordId>,
}

/// The explanation of a difference at a place: a permit that was used at the time, or a change at work at the time.
#[must_use]
pub fn explain(
    place: &Place,
    artifact: Option<&str>,
    span: Span,
    (changes, permits): (&[Change], &[Permit]),
    now: Timestamp,
) -> Option<Explanation> {
    let permit = permits
        .iter()
        .find(|permit| is_permitted(place, artifact, span, permit) && is_for(permit, place, changes));
    if let Some(permit) = permit {
        return Some(Explanation {
            change: permit.change_key.clone(),
            permit: Some(permit.id.clone()),
        });
    }
    let change = changes
        .iter()
        .find(|change| explains(change, place, artifact, span, now))?;
    Some(Explanation {
        change: change.key.clone(),
        permit: None,
    })
}

fn is_permitted(place: &Place, artifact: Option<&str>, span: Span, permit: &Permit) -> bool {
    let is_here = permit.service == place.service && permit.environment == place.environment;
    let is_used = permit.used_at.is_some_and(|at| span.overlaps(at, at)) && permit.state == PermitState::Issued;
    is_here && is_used && agrees(artifact, permit.artifact.as_deref())
}

/// Whether a permit is about a place. If its target names config items, the permit is for these alone.
#[must_use]
pub fn is_for(permit: &Permit, place: &Place, changes: &[Change]) -> bool {
    let own = changes.iter().filter(|change| change.id == permit.change);
    let mut targets = own.flat_map(|change| &change.content.targets);
    place.config_item.is_none() || targets.any(|target| target.id == permit.target && is_at(target, place))
}

/// Whether a change was lawfully at work at the place in that time. A change that was reported afterwards explains nothing
/// before its approver has confirmed it.
#[must_use]
pub fn explains(change: &Change, place: &Place, artifact: Option<&str>, span: Span, now: Timestamp) -> bool {
    if !is_lawful(change) {
        return false;
    }
    let mut targets = change.content.targets.iter().filter(|target| is_at(target, place));
    targets.any(|target| {
        let Some((from, until)) = worked(change, target, now) else {
            return false;
        };
        let mut builds = target.artifact.iter().chain(&target.rollback_to);
        let is_its = match (artifact, &target.artifact) {
            (Some(found), Some(_)) => builds.any(|build| build::are_one(found, build)),
            _ => true,
        };
        span.overlaps(from, until) && is_its
    })
}

/// Whether a target is about a place: a target that names config items is about these alone.
fn is_at(target: &Target, place: &Place) -> bool {
    let is_item = match &place.config_item {
        Some(item) => target.config_items.is_empty() || target.config_items.contains(item),
        None => true,
    };
    target.service == place.service && target.environment == place.environment && is_item
}

/// Whether the found and the named build are the same, as far as both are known.
fn agrees(found: Option<&str>, named: Option<&str>) -> bool {
    match (found, named) {
        (Some(found), Some(named)) => build::are_one(found, named),
        _ => true,
    }
}

fn is_lawful(change: &Change) -> bool {
    if let Some(told) = &change.retrospective {
        let is_confirmed = told.confirmation.as_ref().is_some_and(|it| it.confirmed);
        return is_confirmed && (!change.unauthorized || change.finding.is_some());
    }
    !change.unauthorized || change.finding.is_some()
}

/// The span of the work on a target; `None` where there was none, or where nothing was done.
fn worked(change: &Change, target: &Target, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let record = change.target_record(&target.id)?;
    if record.outcome == Some(Outcome::NotImplemented) && !record.was_rolled_back() {
        return None;
    }
    let from = record.actual_start.or(change.actual_start)?;
    let until = record.actual_end.or(change.actual_end).unwrap_or(now);
    Some((from, until.max(from)))
}

/// Whether the change behind a decision still supports it: a change of the right kind, at the place, that nobody rejected,
/// withdrew or denied, and whose work did not end before the difference could appear (`since`).
#[must_use]
pub fn carries(
    change: &Change,
    outcome: DriftOutcome,
    place: (&ServiceKey, &EnvironmentKey),
    since: Timestamp,
) -> bool {
    let mut targets = change.content.targets.iter();
    let is_done = matches!(change.state, State::Reviewing | State::Closed);
    let is_here = targets.any(|target| {
        let worked = worked(change, target, Timestamp::MAX);
        let is_timely = worked.map_or(!is_done, |(_, until)| later(until, TOLERANCE) >= since);
        (&target.service, &target.environment) == place && is_timely
    });
    let is_alive = !matches!(change.state, State::Cancelled | State::Rejected);
    let is_of_kind = match outcome {
        DriftOutcome::AcceptAsEmergency => change.content.kind == Kind::Emergency,
        DriftOutcome::ReportAfterwards => change.retrospective.as_ref().is_some_and(|told| {
            let is_denied = told.confirmation.as_ref().is_some_and(|it| !it.confirmed);
            !is_denied && (!change.unauthorized || change.finding.is_some())
        }),
        DriftOutcome::Revert => true,
    };
    is_here && is_alive && is_of_kind
}

/// The facts at the time when a difference is seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Whether a baseline silences it.
    pub is_expected: bool,
    /// Whether a change or a permit explains it.
    pub is_explained: bool,
    /// Whether what was found is what was found before.
    pub is_same: bool,
    /// Whether what was decided still holds.
    pub holds: bool,
    /// Whether it is an event with its own time.
    pub is_event: bool,
}

/// The next step of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is written.
    Ignored,
    /// It is seen once more.
    Again,
    /// It is open: a new finding, or an earlier one again.
    Opened,
    /// It is closed.
    Closed(DriftEnding),
}

/// The next step of the existing finding of a difference, or of a new one.
#[must_use]
pub fn step(known: Option<&DriftFinding>, seen: Seen) -> Step {
    if seen.is_expected {
        return match known {
            Some(known) if known.is_open() => Step::Closed(DriftEnding::Expected),
            _ => Step::Ignored,
        };
    }
    let state = known.map(|it| it.state);
    if seen.is_explained {
        return match (known, state) {
            // Later lawful work does not explain an earlier event, except where it was to take it back.
            (Some(known), Some(DriftState::Open | DriftState::Decided)) if seen.is_event => {
                match known.outcome == Some(DriftOutcome::Revert) {
                    true => Step::Closed(DriftEnding::Explained),
                    false => Step::Again,
                }
            }
            (Some(known), Some(DriftState::Closed)) if known.ending == Some(DriftEnding::Explained) && seen.is_same => {
                Step::Again
            }
            _ => Step::Closed(DriftEnding::Explained),
        };
    }
    match state {
        Some(DriftState::Open) => Step::Again,
        Some(DriftState::Decided) if seen.is_same && seen.holds => Step::Again,
        _ => Step::Opened,
    }
}
