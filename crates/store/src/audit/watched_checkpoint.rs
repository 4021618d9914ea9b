//! How far this tenant, as a witness, has seen the logs of others.

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// The last checkpoint of a log that was cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedCheckpoint {
    /// The origin of the log.
    pub origin: String,
    /// Its size.
    pub size: i64,
    /// Its root, as `sha256:` and hexadecimal digits.
    pub root: String,
    /// When it was cosigned, in seconds since 1970.
    pub time: i64,
}

/// The last one of a log; `None` before there is any.
pub fn find(tx: &mut Tx<'_>, origin: &str) -> Result<Option<WatchedCheckpoint>> {
    let sql = "SELECT * FROM watched_checkpoint WHERE tenant = $tenant AND origin = $origin";
    tx.query_one(sql, &[("origin", origin.into())])?
        .map(|row| watched(&row))
        .transpose()
}

/// Keeps a checkpoint in the place of the one with the size `old`; the first one of a log has none before it. `false` when
/// another one was faster, so that nothing may be signed.
pub fn advance(tx: &mut Tx<'_>, old: i64, next: &WatchedCheckpoint) -> Result<bool> {
    let done = tx.execute(
        "INSERT INTO watched_checkpoint (tenant, origin, size, root, time) VALUES ($tenant, $origin, $size, $root, $time)
         ON CONFLICT (tenant, origin) DO UPDATE SET size = $size, root = $root, time = $time
         WHERE watched_checkpoint.size = $old",
        &[
            ("origin", next.origin.as_str().into()),
            ("size", next.size.into()),
            ("root", next.root.as_str().into()),
            ("time", next.time.into()),
            ("old", old.into()),
        ],
    )?;
    Ok(done > 0)
}

fn watched(row: &Row) -> Result<WatchedCheckpoint> {
    Ok(WatchedCheckpoint {
        origin: row.text("origin")?,
        size: row.int("size")?,
        root: row.text("root")?,
        time: row.int("time")?,
    })
}
