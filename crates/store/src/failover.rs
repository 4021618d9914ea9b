//! How a PostgreSQL database is set up for the loss of its primary, as `assent doctor` reports it.

use crate::driver::{Address, Connection, PostgresConnection, Reach, hosts};
use crate::error::Result;
use crate::lanes::ask_primary;

/// The parts of the setup that one session can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailoverSetup {
    /// How many hosts the URL names. A proxy before several hosts counts as one.
    pub hosts: usize,
    /// Whether all of them are this machine: a database on it, or a proxy.
    pub is_loopback: bool,
    /// Whether the session is encrypted, as far as PostgreSQL sees it.
    pub is_encrypted: bool,
    /// Whether the session comes from the database's own machine, as far as PostgreSQL sees it.
    pub is_local: bool,
    /// The setting `synchronous_commit`, as a serving session has it.
    pub synchronous_commit: String,
    /// The setting `synchronous_standby_names`; empty without synchronous replication.
    pub synchronous_standby_names: String,
    /// How many standbys and backups stream from this primary now.
    pub standbys: i64,
    /// The present timeline, which grows with each promotion; `None` where the server does not report it.
    pub timeline: Option<i64>,
}

/// A row in `pg_stat_replication` is seen by everybody, its columns by few; so they are counted and nothing more.
const ASK: &str = "SELECT current_setting('synchronous_commit') AS commits,
        current_setting('synchronous_standby_names') AS names,
        (SELECT count(*) FROM pg_catalog.pg_stat_replication) AS standbys,
        coalesce((SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()), false) AS encrypted,
        coalesce(inet_client_addr() = inet_server_addr(), true) AS local";

/// Reads the primary's setup; nothing is changed.
///
/// # Errors
/// `Unavailable` and the like where no primary can be reached.
pub(crate) fn read_setup(address: &Address) -> Result<FailoverSetup> {
    let mut connection = Connection::Postgres(PostgresConnection::open(address, None)?);
    let timeline = ask_primary(&mut connection)?.map(|primary| primary.timeline);
    let rows = connection.query(ASK, &[], Reach::Across)?;
    let row = rows
        .first()
        .ok_or_else(|| crate::Error::other("PostgreSQL does not tell its settings"))?;
    let (hosts, is_loopback) = hosts(address)?;
    Ok(FailoverSetup {
        hosts,
        is_loopback,
        is_encrypted: row.bool("encrypted")?,
        is_local: row.bool("local")?,
        synchronous_commit: row.text("commits")?,
        synchronous_standby_names: row.text("names")?,
        standbys: row.int("standbys")?,
        timeline,
    })
}
