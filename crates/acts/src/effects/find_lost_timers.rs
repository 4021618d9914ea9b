//! Finds timers that were lost or moved: open changes and waiting checks without a timer although the clock has made
//! something due, or will, and changes whose timer is later than the due time. Every act sets the timers; this slow
//! scan finds those that a fault, or an edit in the database, removed. It writes nothing: the caller runs the work that
//! was found as its timer would have.

use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Case;
use model::change::timers;
use model::core::refusal::Refusal;
use store::queue::timer;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::directory::{review_by_clock, review_items};
use crate::identity::{audit_workload_trust, expire_federated_rights};
use crate::notify::action_items;
use crate::report::send_dashboard;
use crate::schedule::{expand_spans, keep_conflicts};

/// How many changes one round reads.
const MOST: i64 = 20;

/// How many changes with a timer a round evaluates: each of them is read as a whole.
const MOST_TIMED: i64 = 5;

/// A failed timer is retried after nine minutes at the latest, so a timer may be this late.
const GRACE_MINUTES: i64 = 10;

/// The findings of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost {
    /// Table and id of records that need a timer and have none.
    pub subjects: Vec<(&'static str, String)>,
    /// The id after which the next round begins; `None` when all were read.
    pub mark: Option<String>,
}

/// Checks some open changes after `after` that have no timer.
///
/// # Errors
/// The store's.
pub fn find_lost_timers(cx: &mut Context<'_, '_>, after: &str) -> Result<Lost> {
    let found = timer::changes_without(cx.tx, after, MOST)?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == MOST);
    let mut lost = Lost {
        mark: found.last().cloned().filter(|_| is_full),
        ..Lost::default()
    };
    for id in found {
        if is_due(cx, &id)? {
            lost.subjects.push(("change", id));
        }
    }
    if after.is_empty() {
        // A waiting check always has an end, and so a timer.
        let checks = timer::checks_without(cx.tx, MOST)?;
        lost.subjects.extend(checks.into_iter().map(|id| ("gate_check", id)));
        let readers = timer::readers_without(cx.tx, MOST)?;
        lost.subjects.extend(readers.into_iter().map(|id| ("person", id)));
        let items = timer::items_without(cx.tx, MOST)?;
        lost.subjects
            .extend(items.into_iter().map(|id| (action_items::TABLE, id)));
        let letters = send_dashboard::lost(cx)?;
        lost.subjects
            .extend(letters.into_iter().map(|id| (send_dashboard::TABLE, id)));
        let parts = timer::reviews_without(cx.tx, MOST)?;
        lost.subjects
            .extend(parts.into_iter().map(|id| (review_items::TABLE, id)));
        let providers = expire_federated_rights::lost(cx)?;
        lost.subjects
            .extend(providers.into_iter().map(|id| (expire_federated_rights::TABLE, id)));
        let doubted = audit_workload_trust::unreported(cx)?;
        lost.subjects
            .extend(doubted.into_iter().map(|id| (audit_workload_trust::TABLE, id)));
        lost.subjects.extend(expand_spans::run_out(cx)?);
        lost.subjects.extend(keep_conflicts::pending_work(cx)?);
        if review_by_clock::is_lost(cx)? {
            lost.subjects.push((review_by_clock::LOST, cx.tenant()));
        }
    }
    Ok(lost)
}

/// Checks whether the timers of some open changes after `after` come in time.
///
/// # Errors
/// The store's.
pub fn find_late_timers(cx: &mut Context<'_, '_>, after: &str) -> Result<Lost> {
    let found = timer::changes_timed(cx.tx, after, MOST_TIMED)?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == MOST_TIMED);
    let mut late = Lost {
        mark: found.last().cloned().filter(|_| is_full),
        ..Lost::default()
    };
    for id in found {
        if timing(cx, &id, timers::next_due)? != Timing::Right {
            late.subjects.push(("change", id));
        }
    }
    Ok(late)
}

/// How a change's timer compares with its due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// In time, or nothing is due.
    Right,
    /// There is no timer that a worker would take.
    Missing,
    /// The timer is at this time, later than the due time.
    Late(Timestamp),
}

/// How a change's timer compares with its due time; `due` returns the latest time at which something is due.
pub(crate) fn timing(cx: &mut Context<'_, '_>, id: &str, due: fn(&Case<'_>) -> Option<Timestamp>) -> Result<Timing> {
    let timers = timer::of_subject(cx.tx, "change", id)?;
    let stands = timers
        .iter()
        .filter(|it| it.state == "waiting")
        .map(|it| it.run_at)
        .min();
    let Some(stands) = stands else {
        return Ok(if is_due(cx, id)? {
            Timing::Missing
        } else {
            Timing::Right
        });
    };
    let due = match cx.try_on_change(id, |case| Ok::<_, Refusal>(due(case))) {
        Err(Error::Refused(_)) => None,
        other => other?,
    };
    let latest = due.map(|due| due.max(cx.now) + SignedDuration::from_mins(GRACE_MINUTES));
    Ok(match latest {
        Some(latest) if stands > latest => Timing::Late(stands),
        _ => Timing::Right,
    })
}

/// Whether the clock has a step for a change, now or later.
fn is_due(cx: &mut Context<'_, '_>, id: &str) -> Result<bool> {
    let tried = cx.try_on_change(id, |case| {
        let later = timers::next_due(case).is_some();
        timers::run(case);
        Ok::<_, Refusal>(later || !case.events.is_empty())
    });
    match tried {
        Err(Error::Refused(_)) => Ok(false),
        other => other,
    }
}
