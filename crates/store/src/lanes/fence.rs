//! The fence against a former primary: after a failover it may be back, believe that it is still the primary, and hold what
//! nobody else has.
//!
//! Each promotion begins a timeline with a higher number, and the number is written into every segment of PostgreSQL's own log.
//! A server that has been connected to timeline 4 of a cluster refuses a primary that is still on 3. A former primary that was
//! promoted a second time takes the same number as its successor did. Its own log is behind then, so on one timeline the place up
//! to which the log is on the disk may not go back. That finds it out as long as it has not written as much as its successor had;
//! behind that, the marks of Assent's own log find out that entries are gone.

use std::sync::{Mutex, PoisonError};

use crate::driver::{Connection, Reach};
use crate::error::{Error, Result};

/// What a primary says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Primary {
    /// The cluster's number, made by `initdb` and shared with its standbys.
    pub(crate) cluster: i64,
    /// How many promotions there were, and one.
    pub(crate) timeline: i64,
    /// Up to which byte its log is on its disk.
    pub(crate) flushed: i64,
}

/// `pg_walfile_name` begins with the timeline that is written now, in eight hexadecimal digits. The timeline of
/// `pg_control_checkpoint` is that of the last checkpoint, which a promotion does not wait for.
const ASK: &str = "SELECT system_identifier AS cluster,
        ('x' || substr(pg_walfile_name(pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int8 AS timeline,
        (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::int8 AS flushed
    FROM pg_control_system()";

/// Asks a primary. `None` where the server does not tell, as services do that keep their own kind of log.
///
/// # Errors
/// `Unavailable` from a standby, and where the connection breaks.
pub(crate) fn ask(connection: &mut Connection) -> Result<Option<Primary>> {
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

/// How much one session's answer may be behind another's that overtook it on the way, in bytes.
const SLACK: i64 = 64 * 1024;

/// The newest primary that this process has met.
#[derive(Debug, Default)]
pub(crate) struct Fence(Mutex<Option<Primary>>);

impl Fence {
    /// Takes a primary that is at least as new as any before it.
    ///
    /// # Errors
    /// `Unavailable` for one on an earlier timeline, and for one of another cluster.
    pub(crate) fn admit(&self, primary: Primary) -> Result<()> {
        let mut newest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let is_same = primary.timeline == known.timeline;
        if is_same && primary.flushed < known.flushed.saturating_sub(SLACK) {
            return Err(Error::Unavailable(format!(
                "another primary answers on timeline {}: its log ends {} bytes before what was seen",
                primary.timeline,
                known.flushed - primary.flushed
            )));
        }
        // Two threads may ask at once, and the earlier answer may come last.
        if !is_same || primary.flushed > known.flushed {
            *newest = Some(primary);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::{Fence, Primary, SLACK};
    use crate::error::Error;

    fn primary(cluster: i64, timeline: i64) -> Primary {
        at(cluster, timeline, 10 << 20)
    }

    fn at(cluster: i64, timeline: i64, flushed: i64) -> Primary {
        Primary {
            cluster,
            timeline,
            flushed,
        }
    }

    /// Patroni 3.0.2 promoted a primary a second time that had stood still, on the number of its successor's timeline.
    #[test]
    fn a_second_primary_on_the_same_timeline_is_refused_while_it_is_behind() {
        let fence = Fence::default();
        for flushed in [30 << 20, (30 << 20) - SLACK, 40 << 20] {
            fence.admit(at(7, 3, flushed)).unwrap();
        }
        let second = fence.admit(at(7, 3, (40 << 20) - SLACK - 1));
        assert!(
            matches!(&second, Err(Error::Unavailable(why)) if why.contains("on timeline 3")),
            "{second:?}"
        );
        // What a promotion leaves behind it is legal: a new timeline begins where the standby was.
        fence.admit(at(7, 4, 20 << 20)).unwrap();
        fence.admit(at(7, 4, 20 << 20)).unwrap();
    }

    #[test]
    fn a_former_primary_is_refused_after_its_successor_was_met() {
        let fence = Fence::default();
        for timeline in [3, 3, 5] {
            fence.admit(primary(7, timeline)).unwrap();
        }
        let former = fence.admit(primary(7, 4));
        assert!(
            matches!(&former, Err(Error::Unavailable(why)) if why.contains("is 4, and 5")),
            "{former:?}"
        );
        // The refused one has moved nothing.
        fence.admit(primary(7, 5)).unwrap();
        assert!(fence.admit(primary(7, 3)).is_err());
    }

    #[test]
    fn another_cluster_is_refused_whatever_its_timeline() {
        let fence = Fence::default();
        fence.admit(primary(7, 2)).unwrap();
        for timeline in [1, 2, 9] {
            let other = fence.admit(primary(8, timeline));
            assert!(
                matches!(&other, Err(Error::Unavailable(why)) if why.contains("another PostgreSQL cluster")),
                "{other:?}"
            );
        }
        fence.admit(primary(7, 2)).unwrap();
    }
}
