//! Which committed acts a transaction sees, by the log: figures that were found under a mark hold until an act moves it, on every
//! server and engine.

use jiff::{SignedDuration, Timestamp};
use store::audit::{event, log};
use store::report::projection;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::project_outcomes::NAME;

/// With more events that wait for their place in the log, nothing is kept.
const MOST_UNPLACED: usize = 64;

/// The acts that a transaction sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogMark {
    /// The size of the log: every event below it is seen.
    pub(crate) size: i64,
    /// The events that have no place yet.
    unplaced: Vec<String>,
    /// How far the projection of changes has come.
    position: i64,
    /// The number of the directory.
    pub(crate) generation: i64,
}

/// The mark of a reading act; none for one that writes, and where too many events are waiting to be sequenced.
///
/// # Errors
/// The store's.
pub(crate) fn find_mark(cx: &mut Context<'_, '_>) -> Result<Option<LogMark>> {
    if cx.writes {
        return Ok(None);
    }
    let most = i64::try_from(MOST_UNPLACED).unwrap_or(i64::MAX);
    let unplaced = event::ids_unsequenced(cx.tx, most.saturating_add(1))?;
    if unplaced.len() > MOST_UNPLACED {
        return Ok(None);
    }
    Ok(Some(LogMark {
        size: log::state(cx.tx)?.map_or(0, |state| state.size),
        unplaced,
        position: projection::position(cx.tx, NAME)?,
        generation: cx.generation()?,
    }))
}

/// Whether what was found at a time may be shown at another one, so many seconds later at most: the clock moves figures as well,
/// by windows, deadlines and the ends of delegations.
pub(crate) fn is_fresh(at: Timestamp, now: Timestamp, seconds: i64) -> bool {
    (SignedDuration::ZERO..=SignedDuration::from_secs(seconds)).contains(&now.duration_since(at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn figures_are_reused_for_some_seconds_and_never_before_they_were_found() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert!(is_fresh(at(100), at(100), 10) && is_fresh(at(100), at(110), 10));
        assert!(!is_fresh(at(100), at(111), 10), "too old");
        assert!(!is_fresh(at(100), at(99), 10), "the clock was set back");
    }
}
