//! Statistics for PostgreSQL's planner while tables grow fast. Autovacuum looks at a database once a minute at most; until then a
//! new one is planned for as if it were empty, and transactions read (and lock) far more than their rows.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use super::{Address, PostgresConnection};
use crate::error::{Error, Result};

/// Our tables that were never analysed, and those that have doubled since, the small ones first. Rows count, not changes: a queue
/// changes all the time and stays small. Ten rows are enough to learn that nearly all belong to one tenant; before, a primary key that
/// begins with the tenant seems to find as few rows as any other index. The counts are described in
/// <https://www.postgresql.org/docs/15/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW>. Each comparison has an operator of
/// exactly its types in `pg_catalog`, so that nobody's operator of the same name runs with the owner's rights.
const GROWN: &str = "SELECT pg_catalog.format('%I.%I', s.schemaname, s.relname), s.n_live_tup
    FROM pg_catalog.pg_stat_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
    WHERE s.schemaname = pg_catalog.current_schema() AND s.n_live_tup >= 10::bigint
      AND (c.reltuples < 0::real OR s.n_live_tup::float8 > 2::float8 * greatest(c.reltuples::float8, 25::float8))
      AND pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE')
      AND EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant'::name)
    ORDER BY s.n_live_tup";

/// A commit of statistics need not be safe, and must not wait for a standby that hangs.
const UNSAFE: &str = "SET synchronous_commit = off";

/// How many times as long as the first pause the pauses become while nothing grows, and while the owner cannot connect.
const CALM: u32 = 6;
const LOCKED_OUT: u32 = 360;

/// A thread that has grown tables analysed; it ends with this value.
pub(crate) struct Analysis {
    _until: SyncSender<()>,
}

impl Analysis {
    /// Starts the thread. It connects as the tables' owner for each look, since nobody else may analyse them. The first look comes
    /// after the time `every`.
    pub(crate) fn start(owner: Address, every: Duration) -> Result<Self> {
        let (until, ended) = sync_channel(0);
        let thread = Builder::new().name("store-statistics".to_owned());
        // Nobody waits for its end: the database may be one that hangs.
        thread
            .spawn(move || keep_looking(&owner, every, &ended))
            .map_err(|it| Error::Unavailable(format!("no thread for the planner's statistics: {it}")))?;
        Ok(Self { _until: until })
    }
}

fn keep_looking(owner: &Address, every: Duration, ended: &Receiver<()>) {
    let mut tried = HashMap::new();
    let mut pause = every;
    while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        pause = match analyze_grown(owner, &mut tried) {
            Ok(0) => (pause * 2).min(every * CALM),
            Ok(_) => every,
            // Without statistics plans are worse and nothing is wrong. Attempts that fail for ever look like an attack.
            Err(Error::Refused(why)) => {
                tracing::warn!(
                    why,
                    "the owner of the tables cannot connect; PostgreSQL's autovacuum alone analyses them"
                );
                every * LOCKED_OUT
            }
            Err(error) => {
                tracing::debug!(%error, "the planner's statistics were not looked at");
                (pause * 2).min(every * CALM)
            }
        };
    }
}

/// Has the grown tables analysed, and returns how many there were. A table that is still listed was locked or could not be read, so
/// it is `tried` again only when it has doubled.
fn analyze_grown(owner: &Address, tried: &mut HashMap<String, i64>) -> Result<usize> {
    let mut connection = PostgresConnection::open(owner, None)?;
    connection.batch(UNSAFE)?;
    let grown = connection.client.query(GROWN, &[]);
    let mut count = 0;
    for row in grown.map_err(|it| connection.named(&it))? {
        let (table, rows): (String, i64) = (row.get(0), row.get(1));
        if tried.get(&table).is_some_and(|before| rows < before.saturating_mul(2)) {
            continue;
        }
        count += 1;
        // Another server may be at it already.
        if let Err(error) = connection.batch(&format!("ANALYZE (SKIP_LOCKED) {table}")) {
            tracing::warn!(%error, table, "a table could not be analysed");
        }
        if connection.is_lost() {
            break;
        }
        tried.insert(table, rows);
    }
    Ok(count)
}
