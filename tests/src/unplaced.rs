//! Whether a server has placed all its events. A log that grows slowly looks for a while as one that is whole, so the database
//! is queried.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How many events of the demo's first tenant have no place in its log.
const WAITING: &str = "SELECT COUNT(*) FROM event WHERE tenant = 'halden' AND seq IS NULL";

/// Where the events of a server are.
pub(crate) enum Events {
    /// In this file.
    Sqlite(PathBuf),
    /// In the database of this URL.
    Postgres(String),
}

impl Events {
    /// The number of entries that wait for their place; nothing while the database does not respond.
    pub(crate) fn unplaced(&self) -> Option<i64> {
        match self {
            Self::Sqlite(file) => {
                let base = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).ok()?;
                base.busy_timeout(Duration::from_secs(10)).ok()?;
                base.query_row(WAITING, [], |row| row.get(0)).ok()
            }
            Self::Postgres(url) => {
                let mut base = postgres::Client::connect(url, postgres::NoTls).ok()?;
                // Row security shows a session that names no tenant nothing.
                base.batch_execute("SET assent.across = 'on'").ok()?;
                Some(base.query_one(WAITING, &[]).ok()?.get(0))
            }
        }
    }
}
