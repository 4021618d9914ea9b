//! The fence against a former primary: after a failover the former primary may be back, act as the primary, and hold data that
//! no other node has.
//!
//! Each promotion begins a timeline with a higher number, and the number is written into every segment of PostgreSQL's own log.
//! A server that has been connected to timeline 4 of a cluster refuses a primary that is still on 3. A former primary that was
//! promoted a second time takes the same number as its successor did. The number then does not show it, but its log is behind,
//! so on one timeline the position of the log on the disk may not go back. The position detects the former primary until it has
//! written as much as its successor had; after that, the marks of Assent's own log show missing entries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::driver::{Connection, Reach};
use crate::error::{Error, Result};

/// A primary's report about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Primary {
    /// The cluster's number, made by `initdb` and shared with its standbys.
    pub(crate) cluster: i64,
    /// How many promotions there were, and one.
    pub(crate) timeline: i64,
    /// The position up to which its log is on its disk, in bytes.
    pub(crate) flushed: i64,
}

/// `pg_walfile_name` begins with the timeline that is written now, in eight hexadecimal digits. The timeline of
/// `pg_control_checkpoint` is that of the last checkpoint, which a promotion does not wait for.
const ASK: &str = "SELECT system_identifier AS cluster,
        ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int8 AS timeline,
        (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::int8 AS flushed
    FROM pg_control_system()";

/// Queries a primary. `None` where the server has no such data, as with services that keep their own kind of log.
///
/// # Errors
/// `Unavailable` from a standby, and where the connection breaks.
pub(crate) fn query_primary(connection: &mut Connection) -> Result<Option<Primary>> {
    let rows = match connection.query(ASK, &[], Reach::Across) {
        Err(Error::Other(_) | Error::Retry) => {
            tracing::debug!("PostgreSQL does not tell its timeline, so a former primary is not known by it");
            return Ok(None);
        }
        answered => answered?,
    };
    let row = rows
        .first()
        .ok_or_else(|| Error::other("PostgreSQL does not tell its cluster"))?;
    Ok(Some(Primary {
        cluster: row.int("cluster")?,
        timeline: row.int("timeline")?,
        flushed: row.int("flushed")?,
    }))
}

/// The newest primary that this process has met.
#[derive(Debug, Default)]
pub(crate) struct Fence(Mutex<Option<Primary>>);

impl Fence {
    /// Queries a primary on a session, accepts it when it is no former one, and returns its timeline; 0 where it reports none.
    ///
    /// # Errors
    /// `Unavailable` for a standby, a former primary and another cluster, and where the connection breaks.
    pub(crate) fn pass(&self, connection: &mut Connection) -> Result<i64> {
        // The state known before the query is never ahead of the present primary's report.
        let floor = *self.lock();
        let Some(primary) = query_primary(connection)? else {
            return Ok(0);
        };
        self.admit(primary, floor)?;
        Ok(primary.timeline)
    }

    /// The timeline of the newest primary that was met; 0 before the first one.
    pub(crate) fn timeline(&self) -> i64 {
        self.lock().map_or(0, |known| known.timeline)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Primary>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a primary that is at least as new as any before it, and on one timeline at least as far as `floor`.
    fn admit(&self, primary: Primary, floor: Option<Primary>) -> Result<()> {
        let mut newest = self.lock();
        let Some(known) = *newest else {
            *newest = Some(primary);
            return Ok(());
        };
        if known.cluster != primary.cluster {
            return Err(Error::Unavailable(
                "another PostgreSQL cluster answers at this address; restart the server if that is meant".to_owned(),
            ));
        }
        if primary.timeline < known.timeline {
            return Err(Error::Unavailable(format!(
                "a former primary answers: its timeline is {}, and {} has been promoted since",
                primary.timeline, known.timeline
            )));
        }
        let floor = floor.filter(|floor| floor.timeline == primary.timeline);
        if let Some(floor) = floor.filter(|floor| primary.flushed < floor.flushed) {
            return Err(Error::Unavailable(format!(
                "another primary answers on timeline {}: its log ends {} bytes before what was seen",
                primary.timeline,
                floor.flushed - primary.flushed
            )));
        }
        // Two threads may query at once, and the earlier result may come last.
        if primary.timeline > known.timeline || primary.flushed > known.flushed {
            *newest = Some(primary);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::{Fence, Primary};
    use crate::error::{Error, Result};

    /// Like `pass`, with the report of a primary on this timeline and so far.
    fn meet(fence: &Fence, cluster: i64, timeline: i64, flushed: i64) -> Result<()> {
        let floor = *fence.lock();
        let primary = Primary {
            cluster,
            timeline,
            flushed,
        };
        fence.admit(primary, floor)
    }

    /// Patroni 3.0.2 promoted a frozen primary a second time, on the number of its successor's timeline.
    #[test]
    fn a_second_primary_on_the_same_timeline_is_refused_while_it_is_behind() {
        let fence = Fence::default();
        for flushed in [300, 300, 400] {
            meet(&fence, 7, 3, flushed).unwrap();
        }
        let second = meet(&fence, 7, 3, 399);
        assert!(
            matches!(&second, Err(Error::Unavailable(why)) if why.contains("timeline 3: its log ends 1 bytes")),
            "{second:?}"
        );
        // A new timeline begins where the standby was.
        meet(&fence, 7, 4, 200).unwrap();
        meet(&fence, 7, 4, 200).unwrap();
        assert!(meet(&fence, 7, 4, 199).is_err());
    }

    /// A thread that paused between its query and the result has still met the present primary.
    #[test]
    fn an_answer_that_another_one_overtook_is_taken_and_sets_nothing_back() {
        let fence = Fence::default();
        meet(&fence, 7, 3, 100).unwrap();
        let floor = *fence.lock();
        meet(&fence, 7, 3, 900).unwrap();
        let late = Primary {
            cluster: 7,
            timeline: 3,
            flushed: 150,
        };
        fence.admit(late, floor).unwrap();
        assert!(meet(&fence, 7, 3, 899).is_err());
    }

    #[test]
    fn a_former_primary_is_refused_after_its_successor_was_met() {
        let fence = Fence::default();
        assert_eq!(fence.timeline(), 0);
        for timeline in [3, 3, 5] {
            meet(&fence, 7, timeline, 100).unwrap();
        }
        let former = meet(&fence, 7, 4, 900);
        assert!(
            matches!(&former, Err(Error::Unavailable(why)) if why.contains("is 4, and 5")),
            "{former:?}"
        );
        // The refused one has moved nothing.
        assert_eq!(fence.timeline(), 5);
        meet(&fence, 7, 5, 100).unwrap();
        assert!(meet(&fence, 7, 3, 900).is_err());
    }

    #[test]
    fn another_cluster_is_refused_whatever_its_timeline() {
        let fence = Fence::default();
        meet(&fence, 7, 2, 100).unwrap();
        for timeline in [1, 2, 9] {
            let other = meet(&fence, 8, timeline, 900);
            assert!(
                matches!(&other, Err(Error::Unavailable(why)) if why.contains("another PostgreSQL cluster")),
                "{other:?}"
            );
        }
        meet(&fence, 7, 2, 100).unwrap();
    }
}
