//! Finds timers that were lost or moved: open changes and waiting checks that have none although the clock has made something
//! due, or will, and changes whose timer stands behind what is due. Every act sets them; this looks slowly for what a fault, or somebody in the database, took away. It writes nothing:
//! whoever asks runs what was found as its timer would have.

use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Case;
use model::change::timers;
use model::core::refusal::Refusal;
use store::queue::timer;

use crate::core::context::Room;
use crate::core::error::{Error, Result};
use crate::directory::remind_of_review;
use crate::directory::review_by_clock;
use crate::identity::audit_workload_trust;
use crate::identity::expire_federated_rights;

/// How many changes one round looks at.
const MOST: i64 = 20;

/// How many of those with a timer a round judges: that reads each of them whole.
const MOST_TIMED: i64 = 5;

/// A timer that fails is tried again nine minutes later at last, so that one may stand so far behind what is due.
const GRACE_MINUTES: i64 = 10;

/// What a round has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lost {
    /// Table and id of what has no timer and needs one.
    pub subjects: Vec<(&'static str, String)>,
    /// The id behind which the next round begins; `None` when all were looked at.
    pub mark: Option<String>,
}

/// Looks at some open changes behind `after` that have no timer.
///
/// # Errors
/// The store's.
pub fn find_lost_timers(room: &mut Room<'_, '_>, after: &str) -> Result<Lost> {
    let found = timer::changes_without(room.tx, after, MOST)?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == MOST);
    let mut lost = Lost {
        mark: found.last().cloned().filter(|_| is_full),
        ..Lost::default()
    };
    for id in found {
        if is_due(room, &id)? {
            lost.subjects.push(("change", id));
        }
    }
    if after.is_empty() {
        // A check that waits always has an end, and so a timer.
        let checks = timer::checks_without(room.tx, MOST)?;
        lost.subjects.extend(checks.into_iter().map(|id| ("gate_check", id)));
        let readers = timer::readers_without(room.tx, MOST)?;
        lost.subjects.extend(readers.into_iter().map(|id| ("person", id)));
        let parts = timer::reviews_without(room.tx, MOST)?;
        lost.subjects
            .extend(parts.into_iter().map(|id| (remind_of_review::TABLE, id)));
        let providers = expire_federated_rights::lost(room)?;
        lost.subjects
            .extend(providers.into_iter().map(|id| (expire_federated_rights::TABLE, id)));
        let doubted = audit_workload_trust::untold(room)?;
        lost.subjects
            .extend(doubted.into_iter().map(|id| (audit_workload_trust::TABLE, id)));
        if review_by_clock::is_lost(room)? {
            lost.subjects.push((review_by_clock::LOST, room.tenant()));
        }
    }
    Ok(lost)
}

/// Looks at some open changes behind `after`, whether their timers come in time.
///
/// # Errors
/// The store's.
pub fn find_late_timers(room: &mut Room<'_, '_>, after: &str) -> Result<Lost> {
    let found = timer::changes_timed(room.tx, after, MOST_TIMED)?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == MOST_TIMED);
    let mut late = Lost {
        mark: found.last().cloned().filter(|_| is_full),
        ..Lost::default()
    };
    for id in found {
        if timing(room, &id, timers::next_due)? != Timing::Right {
            late.subjects.push(("change", id));
        }
    }
    Ok(late)
}

/// How a change's timer stands to what the clock has to do for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timing {
    /// In time, or nothing is to be done.
    Right,
    /// There is none that a worker would take.
    Missing,
    /// It stands here, behind what is due.
    Late(Timestamp),
}

/// How a change's timer stands; `due` says when something is due at the latest.
pub(crate) fn timing(room: &mut Room<'_, '_>, id: &str, due: fn(&Case<'_>) -> Option<Timestamp>) -> Result<Timing> {
    let timers = timer::of_subject(room.tx, "change", id)?;
    let stands = timers
        .iter()
        .filter(|it| it.state == "waiting")
        .map(|it| it.run_at)
        .min();
    let Some(stands) = stands else {
        return Ok(if is_due(room, id)? {
            Timing::Missing
        } else {
            Timing::Right
        });
    };
    let due = match room.try_on_change(id, |case| Ok::<_, Refusal>(due(case))) {
        Err(Error::Refused(_)) => None,
        other => other?,
    };
    let latest = due.map(|due| due.max(room.now) + SignedDuration::from_mins(GRACE_MINUTES));
    Ok(match latest {
        Some(latest) if stands > latest => Timing::Late(stands),
        _ => Timing::Right,
    })
}

/// Whether the clock has something to do for a change, now or later.
fn is_due(room: &mut Room<'_, '_>, id: &str) -> Result<bool> {
    let tried = room.try_on_change(id, |case| {
        let later = timers::next_due(case).is_some();
        timers::run(case);
        Ok::<_, Refusal>(later || !case.events.is_empty())
    });
    match tried {
        Err(Error::Refused(_)) => Ok(false),
        other => other,
    }
}
