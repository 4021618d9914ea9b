//! Time stamps over checkpoints of the log (RFC 3161).

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// A time stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeStamp {
    /// The size of the log at the checkpoint that was stamped.
    pub size: i64,
    /// The id of the authority.
    pub authority: String,
    /// The attested time, in seconds since 1970.
    pub time: i64,
    /// The token in base64.
    pub token: String,
}

/// Keeps a time stamp. `false` when the authority stamped that size already.
pub fn save(tx: &mut Tx<'_>, it: &TimeStamp) -> Result<bool> {
    let done = tx.execute(
        "INSERT INTO time_stamp (tenant, size, authority, time, token)
         VALUES ($tenant, $size, $authority, $time, $token) ON CONFLICT DO NOTHING",
        &[
            ("size", it.size.into()),
            ("authority", it.authority.as_str().into()),
            ("time", it.time.into()),
            ("token", it.token.as_str().into()),
        ],
    )?;
    Ok(done > 0)
}

/// The newest one of an authority.
pub fn newest(tx: &mut Tx<'_>, authority: &str) -> Result<Option<TimeStamp>> {
    let sql = "SELECT * FROM time_stamp WHERE tenant = $tenant AND authority = $authority ORDER BY size DESC LIMIT 1";
    tx.query_one(sql, &[("authority", authority.into())])?
        .map(|row| time_stamp(&row))
        .transpose()
}

/// Those over checkpoints of at least this size, the smallest first.
pub fn covering(tx: &mut Tx<'_>, size: i64, limit: i64) -> Result<Vec<TimeStamp>> {
    let sql = "SELECT * FROM time_stamp WHERE tenant = $tenant AND size >= $size ORDER BY size, authority LIMIT $limit";
    tx.query(sql, &[("size", size.into()), ("limit", limit.into())])?
        .iter()
        .map(time_stamp)
        .collect()
}

fn time_stamp(row: &Row) -> Result<TimeStamp> {
    Ok(TimeStamp {
        size: row.int("size")?,
        authority: row.text("authority")?,
        time: row.int("time")?,
        token: row.text("token")?,
    })
}
