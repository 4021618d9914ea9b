//! The report of a freeze: the changes that it hit, the exceptions with their authors and reasons, the changes that passed by
//! their risk with the expected and the actual failures, and the outcome of the rest.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::change::record::Change;
use model::change::success::succeeded;
use model::core::act;
use model::core::enums::{FreezeFate, FreezeStage, Level, State};
use model::core::ids::PersonId;
use model::directory::snapshot::Directory;
use model::schedule::freeze::Freeze;
use model::schedule::freeze_steps::{MOST_THAW_TIMES, PastException};
use model::schedule::repeat::Occurrence;
use serde::Serialize;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::find_hits::{MOST_REPORTED, covers};
use crate::schedule::set_freeze::load;

/// The most pages of changes that are examined.
const MOST_PAGES: usize = 20;
/// The most changes of its times that are listed, but for the last page.
const MOST_LISTED: usize = 2_000;
/// How many changes are read by their keys at once.
const AT_ONCE: usize = 500;

/// A change in the report of a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// Its key.
    pub key: String,
    /// Its title.
    pub title: String,
    /// Its risk.
    pub risk: Level,
    /// Its state.
    pub state: State,
    /// The effect of the freeze on it.
    pub fate: FreezeFate,
    /// Why it was excepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The author of the exception: a login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excepted_by: Option<String>,
    /// When it was excepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excepted_at: Option<Timestamp>,
    /// When the exception was withdrawn or lapsed before the change started under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
    /// Whether the change succeeded; absent before its work ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub succeeded: Option<bool>,
}

/// One time of a freeze in its report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimeReported {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// How many changes in it were excepted.
    pub excepted: usize,
    /// How many of those failed.
    pub excepted_failed: usize,
    /// How many passed by their risk.
    pub let_through: usize,
    /// How many of those failed.
    pub let_through_failed: usize,
    /// How many were expected to pass by their risk when it began; absent where nothing was stated then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_changes: Option<i64>,
    /// How many of those were expected to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_failures: Option<String>,
    /// The exceptions that were signed for it, also of changes that moved out of it since.
    pub exceptions: Vec<TimeException>,
}

/// An exception that was signed for one time of a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TimeException {
    /// The key of the change.
    pub change: String,
    /// Why.
    pub reason: String,
    /// Its author: a login.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When it was withdrawn or lapsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// The effects of a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FreezeReport {
    /// The freeze's id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Where it stands.
    pub stage: FreezeStage,
    /// The times that began so far.
    pub past: Vec<Occurrence>,
    /// The times that lie ahead.
    pub ahead: Vec<Occurrence>,
    /// How many changes it hit: all of the list.
    pub hit: usize,
    /// How many of these changes still wait.
    pub stopped: usize,
    /// How many got another time, or were cancelled.
    pub moved: usize,
    /// How many were excepted.
    pub excepted: usize,
    /// How many lost their exception before they started.
    pub excepted_withdrawn: usize,
    /// How many passed by their risk.
    pub let_through: usize,
    /// How many of those passed failed.
    pub let_through_failed: usize,
    /// How many of those excepted failed.
    pub excepted_failed: usize,
    /// How many changes the bound of risk was expected to let through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_changes: Option<i64>,
    /// How many of them were expected to fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_failures: Option<String>,
    /// The latest times that began, each with the expected and the actual number of passed changes, and those ahead for which an
    /// exception was signed, in order.
    pub times: Vec<TimeReported>,
    /// The changes.
    pub changes: Vec<Reported>,
    /// Whether there are more than are examined.
    pub is_cut: bool,
}

/// The effects of a freeze (`GET /freezes/{id}/report`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_freeze_report(cx: &mut Context<'_, '_>, id: &str) -> Result<FreezeReport> {
    cx.allow(act::actions::READ)?;
    let freeze = load(cx, id)?;
    let (directory, now) = (cx.directory()?, cx.now);
    let times = freeze.repeat.since_start(freeze.once(), &directory.calendars, now);
    let (found, is_cut) = candidates(cx, &freeze, &times)?;
    let person = cx.actor.person.clone();
    let (mut changes, mut places) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for change in found.iter().filter(|it| directory.sees(&person, it)) {
        seen.insert(change.key.as_str());
        let place = time_of(&times, change);
        if let Some(row) = reported(&directory, (&freeze, &times, place), change) {
            places.push(place);
            changes.push(row);
        }
    }
    let count = |fate: FreezeFate| changes.iter().filter(|it| it.fate == fate).count();
    let failed = |fate: FreezeFate| {
        let those = changes.iter().filter(|it| it.fate == fate);
        those.filter(|it| it.succeeded == Some(false)).count()
    };
    let withdrawn = changes.iter().filter(|it| it.withdrawn_at.is_some()).count();
    let (past, ahead): (Vec<Occurrence>, Vec<Occurrence>) = times.into_iter().partition(|it| it.starts_at <= now);
    let latest = past.iter().skip(past.len().saturating_sub(MOST_THAW_TIMES));
    let told = |time: &Occurrence| {
        let placed = places.iter().zip(&changes).filter(|(place, _)| **place == Some(*time));
        let signed = exceptions_for((&directory, &freeze), *time, &seen);
        time_reported(&freeze, *time, signed, placed.map(|(_, row)| row))
    };
    let excepted_ahead = ahead.iter().map(told).filter(|it| !it.exceptions.is_empty());
    let by_time = latest.map(told).chain(excepted_ahead).collect();
    Ok(FreezeReport {
        id: freeze.id.0.clone(),
        title: freeze.title.clone(),
        stage: freeze.stage(now),
        past,
        ahead,
        hit: changes.len(),
        stopped: count(FreezeFate::Stopped),
        moved: count(FreezeFate::Moved),
        excepted: count(FreezeFate::Excepted),
        excepted_withdrawn: withdrawn,
        let_through: count(FreezeFate::LetThrough),
        let_through_failed: failed(FreezeFate::LetThrough),
        excepted_failed: failed(FreezeFate::Excepted),
        expected_changes: freeze.course.thaw_changes,
        expected_failures: freeze.course.thaw_expected_failures.clone(),
        times: by_time,
        changes,
        is_cut,
    })
}

/// The time of a freeze in which a change began, or is planned.
fn time_of(times: &[Occurrence], change: &Change) -> Option<Occurrence> {
    let at = change.actual_start.or(change.planned_start)?;
    let begun = times.iter().find(|it| it.starts_at <= at && at < it.ends_at);
    let planned = || {
        let end = change.window_end()?;
        times.iter().find(|it| it.overlaps(at, end))
    };
    begun.or_else(planned).copied()
}

/// The expectation for a time, and the outcomes of the changes in it.
fn time_reported<'r>(
    freeze: &Freeze,
    time: Occurrence,
    exceptions: Vec<TimeException>,
    rows: impl Iterator<Item = &'r Reported>,
) -> TimeReported {
    let stated = freeze.course.thaw_time(time.starts_at);
    let mut told = TimeReported {
        starts_at: time.starts_at,
        ends_at: time.ends_at,
        excepted: 0,
        excepted_failed: 0,
        let_through: 0,
        let_through_failed: 0,
        expected_changes: stated.map(|it| it.thaw_changes),
        expected_failures: stated.map(|it| it.thaw_expected_failures.clone()),
        exceptions,
    };
    for row in rows {
        let failed = usize::from(row.succeeded == Some(false));
        match row.fate {
            FreezeFate::Excepted => {
                told.excepted += 1;
                told.excepted_failed += failed;
            }
            FreezeFate::LetThrough => {
                told.let_through += 1;
                told.let_through_failed += failed;
            }
            FreezeFate::Stopped | FreezeFate::Moved | FreezeFate::UnderWay => {}
        }
    }
    told
}

/// The exceptions that were signed for one time of a freeze, of the changes with these keys, in the order of their signatures.
fn exceptions_for(
    (directory, freeze): (&Directory, &Freeze),
    time: Occurrence,
    seen: &BTreeSet<&str>,
) -> Vec<TimeException> {
    let is_its = |named: Option<Occurrence>| named.is_some() && freeze.is_for(named, time);
    let past = freeze.course.past_exceptions.iter().filter(|it| is_its(it.time));
    let past = past.map(|it| (&it.change_key, &it.reason, &it.by, it.at, Some(it.ended_at)));
    let present = freeze.exceptions.iter().filter(|it| is_its(it.time));
    let present = present.map(|it| (&it.change_key, &it.reason, &it.by, it.at, None));
    let rows = past.chain(present).filter(|(key, ..)| seen.contains(key.as_str()));
    let mut found: Vec<TimeException> = rows
        .map(|(change, reason, by, at, ended_at)| TimeException {
            change: change.clone(),
            reason: reason.clone(),
            by: directory.login(by),
            at,
            ended_at,
        })
        .collect();
    found.sort_by_key(|it| it.at);
    found
}

/// Changes planned in the freeze, and those that the announcement or an exception named.
fn candidates(cx: &mut Context<'_, '_>, freeze: &Freeze, times: &[Occurrence]) -> Result<(Vec<Change>, bool)> {
    let (mut found, is_cut) = planned_in(cx, freeze, times)?;
    let known: BTreeSet<&str> = found.iter().map(|it| it.key.as_str()).collect();
    let announced = freeze.course.announcement().into_iter().flat_map(|step| &step.hits);
    let excepted = freeze.exceptions.iter().map(|it| &it.change_key);
    let past = freeze.course.past_exceptions.iter().map(|it| &it.change_key);
    let named: BTreeSet<&str> = announced.chain(excepted).chain(past).map(String::as_str).collect();
    let named: Vec<&str> = named.difference(&known).copied().collect();
    let mut more = Vec::new();
    for keys in named.chunks(AT_ONCE) {
        let filter = Filter::new().one_of("key", keys.iter().copied()).order_by("number");
        more.extend(record::bodies::<Change>(cx.tx, &filter)?);
    }
    found.extend(more);
    Ok((found, is_cut))
}

/// The changes in the freeze's scope that are planned in one of its times, in the order of their numbers, and whether there may
/// be more.
fn planned_in(cx: &mut Context<'_, '_>, freeze: &Freeze, times: &[Occurrence]) -> Result<(Vec<Change>, bool)> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Ok((Vec::new(), false));
    };
    let directory = cx.directory()?;
    let (mut found, mut after) = (Vec::new(), -1_i64);
    for _ in 0..MOST_PAGES {
        let filter = Filter::new()
            .less("planned_start", last.ends_at)
            .more("planned_end", first.starts_at)
            .more("number", after)
            .order_by("number")
            .limit(MOST_REPORTED);
        let page = record::bodies::<Change>(cx.tx, &filter)?;
        let Some(newest) = page.last() else {
            return Ok((found, false));
        };
        after = newest.number;
        let is_in = |it: &Change| covers(&directory, freeze, it) && is_planned_in(times, it);
        found.extend(page.into_iter().filter(is_in));
        if found.len() >= MOST_LISTED {
            break;
        }
    }
    Ok((found, true))
}

fn is_planned_in(times: &[Occurrence], change: &Change) -> bool {
    let planned = change.planned_start.zip(change.window_end());
    planned.is_some_and(|(start, end)| times.iter().any(|it| it.overlaps(start, end)))
}

/// The reason, author and time of a change's exception in its time of the freeze: an active one, or one that ended after the
/// change started under it.
fn exception_of<'a>(
    freeze: &'a Freeze,
    change: &Change,
    place: Option<Occurrence>,
) -> Option<(&'a str, &'a PersonId, Timestamp)> {
    let is_here = |named: Option<Occurrence>| place.is_none_or(|time| freeze.is_for(named, time));
    let mut present = freeze.exceptions.iter();
    let present = present.find(|it| it.change == change.id && is_here(it.time));
    let started = change.actual_start;
    let has_passed = |it: &&PastException| {
        it.change == change.id && is_here(it.time) && started.is_some_and(|start| it.at <= start && start < it.ended_at)
    };
    let past = freeze.course.past_exceptions.iter().find(has_passed);
    let present = present.map(|it| (it.reason.as_str(), &it.by, it.at));
    present.or_else(|| past.map(|it| (it.reason.as_str(), &it.by, it.at)))
}

/// The last exception in its time of the freeze that ended before the change started under it.
fn withdrawn_of<'a>(freeze: &'a Freeze, change: &Change, place: Option<Occurrence>) -> Option<&'a PastException> {
    let is_here = |named: Option<Occurrence>| place.is_none_or(|time| freeze.is_for(named, time));
    let mut ended = freeze.course.past_exceptions.iter().rev();
    ended.find(|it| it.change == change.id && is_here(it.time))
}

/// The effect of the freeze on a change; `None` where the freeze does not touch it.
fn reported(
    directory: &Directory,
    (freeze, times, place): (&Freeze, &[Occurrence], Option<Occurrence>),
    change: &Change,
) -> Option<Reported> {
    let was_named = freeze
        .course
        .announcement()
        .is_some_and(|step| step.hits.contains(&change.key));
    let is_in = covers(directory, freeze, change) && is_planned_in(times, change);
    let standing = exception_of(freeze, change, place);
    let withdrawn = withdrawn_of(freeze, change, place).filter(|_| standing.is_none());
    let exception = standing.or_else(|| withdrawn.map(|it| (it.reason.as_str(), &it.by, it.at)));
    let is_gone = matches!(change.state, State::Cancelled | State::Rejected);
    let is_thawed = match change.actual_start {
        Some(start) => freeze.thawed_at(change, start),
        None => freeze.thaws(change),
    };
    let fate = match (standing.is_some(), is_in && !is_gone) {
        (true, _) => FreezeFate::Excepted,
        (false, true) if is_thawed => FreezeFate::LetThrough,
        (false, true) if change.actual_start.is_some() => FreezeFate::UnderWay,
        (false, true) => FreezeFate::Stopped,
        (false, false) if was_named || withdrawn.is_some() => FreezeFate::Moved,
        (false, false) => return None,
    };
    Some(Reported {
        key: change.key.clone(),
        title: change.content.title.clone(),
        risk: change.risk.level,
        state: change.state,
        fate,
        reason: exception.map(|(reason, ..)| reason.to_owned()),
        excepted_by: exception.map(|(_, by, _)| directory.login(by)),
        excepted_at: exception.map(|(.., at)| at),
        withdrawn_at: withdrawn.map(|it| it.ended_at),
        succeeded: succeeded(change),
    })
}
