//! Finds the changes that a freeze hits: the moved ones, the ones that pass, and the next free times of those that it stops.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::change::record::Change;
use model::change::success::succeeded;
use model::core::enums::{Level, State};
use model::core::parse::later;
use model::directory::snapshot::Directory;
use model::schedule::calendar::{USUAL, zone};
use model::schedule::conflicts::{LONGEST, Planned};
use model::schedule::freeze::Freeze;
use model::schedule::freeze_steps::expected_failures;
use model::schedule::offer::{Judging, offer};
use model::schedule::repeat::Occurrence;
use model::schedule::slots::AHEAD_DAYS;
use serde::Serialize;
use store::queue::timer::{self, NewTimer};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::change_conflicts::planned_near;

/// The most changes that a preview lists; the count includes the rest.
const MOST_HITS: usize = 500;
/// Free times are searched for this many of them.
const MOST_OFFERED: usize = 50;
/// How many free times are offered to each.
const OFFERED: usize = 3;
/// The most ended changes of the last year that the expectation is made of.
const MOST_HISTORY: i64 = 2_000;
/// How many changes a report reads at once.
pub(crate) const MOST_REPORTED: i64 = 2_000;

/// A change that a freeze hits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its risk.
    pub risk: Level,
    /// Its state.
    pub state: State,
    /// Its owner: a login.
    pub owner: String,
    /// Its planned start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_start: Option<Timestamp>,
    /// Its planned end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Timestamp>,
    /// Whether the thaw lets it through.
    pub is_let_through: bool,
    /// Free starts for the change, in order.
    pub free_starts: Vec<Timestamp>,
}

/// The expected effects of a freeze.
#[derive(Debug, Clone, Serialize)]
pub struct Preview {
    /// Its times, in order.
    pub occurrences: Vec<Occurrence>,
    /// The changes that the freeze hits, by their planned start.
    pub hits: Vec<Hit>,
    /// How many it hits.
    pub hit_count: usize,
    /// How many open changes have planned times.
    pub open_count: usize,
    /// How many of the hit ones the thaw lets through.
    pub thaw_changes: usize,
    /// How many of those are expected to fail, by the last year.
    pub thaw_expected_failures: String,
}

/// How many changes a time of a freeze is expected to let through by its risk bound, by their present plans.
///
/// # Errors
/// The store's.
pub(crate) fn expectation(cx: &mut Context<'_, '_>, freeze: &Freeze, time: Occurrence) -> Result<(usize, String)> {
    let open = State::ALL.iter().filter(|state| state.is_open());
    let filter = Filter::new()
        .one_of("state", open.map(|state| state.as_str()))
        .less("planned_start", time.ends_at)
        .more("planned_end", time.starts_at)
        .order_by("number")
        .limit(MOST_REPORTED);
    let changes = record::bodies::<Change>(cx.tx, &filter)?;
    let directory = cx.directory()?;
    // Work that began before the time does not pass by the time's risk bound.
    let is_ahead = |it: &&Change| it.actual_start.is_none_or(|start| start >= time.starts_at);
    let passing = changes.iter().filter(is_ahead);
    let passing = passing.filter(|it| covers(&directory, freeze, it) && freeze.thaws(it));
    let levels: Vec<Level> = passing.map(|it| it.risk.level).collect();
    let expected = match levels.is_empty() {
        true => "0.00".to_owned(),
        false => expected_failures(&levels, &history(cx)?),
    };
    Ok((levels.len(), expected))
}

/// The changes that a freeze hits, in its given form.
///
/// # Errors
/// The store's.
pub(crate) fn preview(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<Preview> {
    let changes = planned(cx, None)?;
    let directory = cx.directory()?;
    let now = cx.now;
    let others = others_ahead(cx)?;
    let hit: Vec<&Change> = changes
        .iter()
        .filter(|change| is_hit(&directory, freeze, change, now))
        .collect();
    let thawed: Vec<Level> = hit
        .iter()
        .filter(|it| freeze.thaws(it))
        .map(|it| it.risk.level)
        .collect();
    let expected = match thawed.is_empty() {
        true => "0.00".to_owned(),
        false => expected_failures(&thawed, &history(cx)?),
    };
    let listed = hit.iter().take(MOST_HITS).enumerate();
    let hits = listed
        .map(|(place, change)| {
            let is_offered = place < MOST_OFFERED && !freeze.excepts(change);
            let free_starts = match is_offered {
                true => free_starts((&directory, freeze), change, &others, now),
                false => Vec::new(),
            };
            hit_of((&directory, freeze), change, free_starts)
        })
        .collect();
    Ok(Preview {
        occurrences: freeze.times().filter(|it| it.ends_at > now).collect(),
        hits,
        hit_count: hit.len(),
        open_count: changes.len(),
        thaw_changes: thawed.len(),
        thaw_expected_failures: expected,
    })
}

/// A place among the changes that a freeze hits: planned start and number, which stay where others come and go.
pub(crate) type Place = (Timestamp, i64);

/// The changes that a freeze stops behind a place, as many as free times are looked for at once, and the place of the last one
/// where more follow.
///
/// # Errors
/// The store's.
pub(crate) fn next_stopped(
    cx: &mut Context<'_, '_>,
    freeze: &Freeze,
    after: Option<Place>,
) -> Result<(Vec<Hit>, Option<Place>)> {
    let changes = planned(cx, after.map(|(start, _)| start))?;
    let (directory, now) = (cx.directory()?, cx.now);
    let others = others_ahead(cx)?;
    let place = |change: &Change| change.planned_start.map(|start| (start, change.number));
    let is_stopped = |change: &&Change| !freeze.excepts(change) && is_hit(&directory, freeze, change, now);
    let mut stopped: Vec<&Change> = changes
        .iter()
        .filter(|it| place(it) > after)
        .filter(is_stopped)
        .collect();
    let is_more = stopped.len() > MOST_OFFERED;
    stopped.truncate(MOST_OFFERED);
    let last = stopped.last().and_then(|it| place(it)).filter(|_| is_more);
    let hits = stopped.into_iter().map(|change| {
        let free_starts = free_starts((&directory, freeze), change, &others, now);
        hit_of((&directory, freeze), change, free_starts)
    });
    Ok((hits.collect(), last))
}

/// The keys of all changes that a freeze stops.
///
/// # Errors
/// The store's.
pub(crate) fn stopped(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<Vec<String>> {
    let changes = planned(cx, None)?;
    let (directory, now) = (cx.directory()?, cx.now);
    let is_stopped = |change: &Change| !freeze.excepts(change) && is_hit(&directory, freeze, change, now);
    let stopped = changes.into_iter().filter(is_stopped);
    Ok(stopped.map(|change| change.key).collect())
}

fn hit_of((directory, freeze): (&Directory, &Freeze), change: &Change, free_starts: Vec<Timestamp>) -> Hit {
    Hit {
        key: change.key.clone(),
        title: change.content.title.clone(),
        risk: change.risk.level,
        state: change.state,
        owner: directory.login(&change.content.owner),
        planned_start: change.planned_start,
        planned_end: change.window_end(),
        is_let_through: freeze.excepts(change),
        free_starts,
    }
}

/// The planned changes in the time that is searched for free slots.
fn others_ahead(cx: &mut Context<'_, '_>) -> Result<Vec<Planned>> {
    let (now, ahead) = (cx.now, SignedDuration::from_hours(24 * i64::from(AHEAD_DAYS)));
    planned_near(cx, now, later(later(now, ahead), LONGEST))
}

/// The open changes that have planned times and are not under way, by their start; those that start earlier are left out.
fn planned(cx: &mut Context<'_, '_>, from: Option<Timestamp>) -> Result<Vec<Change>> {
    let open = State::ALL
        .iter()
        .filter(|state| state.is_open() && **state < State::Implementing)
        .map(|state| state.as_str());
    let filter = Filter::new()
        .one_of("state", open)
        .is_set("planned_start")
        .order_by("planned_start")
        .order_by("number");
    let filter = match from {
        Some(from) => filter.at_least("planned_start", from),
        None => filter,
    };
    Ok(record::bodies::<Change>(cx.tx, &filter)?)
}

/// Whether a freeze covers one of a change's open targets and overlaps its planned times, as it would once it counts.
pub(crate) fn is_hit(directory: &Directory, freeze: &Freeze, change: &Change, now: Timestamp) -> bool {
    let Some((start, end)) = change.planned_start.zip(change.window_end()) else {
        return false;
    };
    covers(directory, freeze, change) && freeze.times().any(|it| it.overlaps(start.max(now), end))
}

/// Whether a freeze is about one of a change's targets, also where it was taken back.
pub(crate) fn covers(directory: &Directory, freeze: &Freeze, change: &Change) -> bool {
    let mut targets = change.content.targets.iter();
    if !freeze.ended {
        return targets.any(|target| directory.is_frozen_by(freeze, &target.service, &target.environment));
    }
    let scope = Freeze {
        ended: false,
        ..freeze.clone()
    };
    targets.any(|target| directory.is_frozen_by(&scope, &target.service, &target.environment))
}

/// Level and success of the changes that ended, the newest first.
fn history(cx: &mut Context<'_, '_>) -> Result<Vec<(Level, bool)>> {
    let year = cx.now - SignedDuration::from_hours(24 * 365);
    let filter = Filter::new()
        .equals("state", State::Closed.as_str())
        .more("created_at", year)
        .descending_by("number")
        .limit(MOST_HISTORY);
    let changes = record::bodies::<Change>(cx.tx, &filter)?;
    Ok(changes
        .iter()
        .filter_map(|it| Some((it.risk.level, succeeded(it)?)))
        .collect())
}

/// The best starts that no freeze, no other change and no maintenance takes, in order, each on its own day where there are days
/// enough.
fn free_starts(
    (directory, freeze): (&Directory, &Freeze),
    change: &Change,
    others: &[Planned],
    now: Timestamp,
) -> Vec<Timestamp> {
    let span = change.planned_start.zip(change.planned_end);
    let Some(mine) = Planned::of(change)
        .zip(span)
        .map(|(mine, (from, to))| mine.at(from, to))
    else {
        return Vec::new();
    };
    let length = mine.ends_at.duration_since(mine.starts_at);
    let zone = zone(directory.calendars.get(USUAL).map_or("UTC", |it| it.zone.as_str())).unwrap_or(TimeZone::UTC);
    let judging = Judging {
        directory,
        terms: &directory.planning(),
        mine: &mine,
        earliest: now,
        others,
        zone: &zone,
    };
    let mut days = BTreeSet::new();
    let mut starts: Vec<Timestamp> = offer(&judging, usize::MAX)
        .into_iter()
        .map(|slot| slot.starts_at)
        .filter(|at| !freeze.times().any(|it| it.overlaps(*at, later(*at, length))))
        .filter(|at| days.insert(at.to_zoned(zone.clone()).date()))
        .take(OFFERED)
        .collect();
    starts.sort_unstable();
    starts
}

/// The table of the timers, whose subject is the id of a freeze; the text after `@` is the change up to which owners are
/// notified.
pub(crate) const TELLING: &str = "freeze_hits";
/// Their kind.
const TELLING_KIND: &str = "freeze_hits";

/// Has the owners notified. A freeze that stops nothing yet notifies them when it is announced.
///
/// # Errors
/// The store's.
pub(crate) fn queue_notices(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    if freeze.ended || !freeze.course.counts() {
        return Ok(());
    }
    set_timer(cx, freeze.id.as_str(), cx.now)?;
    await_time(cx, freeze)
}

/// The suffix after a freeze's id in the subject of the timer that states what its times are expected to let through.
pub(crate) const TIMES: &str = "times";

/// Sets the timer for the statement of how many changes the next time of a freeze is expected to let through.
///
/// # Errors
/// The store's.
pub(crate) fn await_time(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    if freeze.ended || !freeze.course.counts() || freeze.course.thaw_risk.is_none() {
        return Ok(());
    }
    let now = cx.now;
    let is_unstated = |it: &Occurrence| it.ends_at > now && freeze.course.thaw_time(it.starts_at).is_none();
    let next = freeze.times().find(is_unstated);
    match next {
        Some(next) => set_timer(cx, &format!("{}@{TIMES}", freeze.id), next.starts_at.max(now)),
        None => Ok(()),
    }
}

/// Sets the timer that examines a freeze.
///
/// # Errors
/// The store's.
pub(crate) fn set_timer(cx: &mut Context<'_, '_>, subject: &str, run_at: Timestamp) -> Result<()> {
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TELLING,
        subject_id: subject,
        kind: TELLING_KIND,
        run_at,
    };
    Ok(timer::set(cx.tx, &new)?)
}
