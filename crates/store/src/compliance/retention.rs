//! Data beyond a tenant's retention: changes whose texts are still there, and raw bodies of deliveries. Each query uses an
//! index with only such rows, so that data erased long ago cost nothing.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;

/// Exactly the condition of the index `change_to_erase`, and the query's own.
pub(crate) const TO_ERASE: &str = "SELECT id, updated_at FROM \"change\"
    WHERE tenant = $tenant AND state IN ('closed', 'cancelled') AND NOT is_kept AND updated_at >= $from AND updated_at < $before
    AND (updated_at > $from OR id > $after) ORDER BY updated_at, id LIMIT $limit";

/// The same of the index `inbox_with_body`.
pub(crate) const FORGET: &str = "UPDATE inbox SET body = $empty WHERE tenant = $tenant AND id IN (
    SELECT id FROM inbox WHERE tenant = $tenant AND state = 'done' AND length(body) > 0 AND received_at >= $from
    AND received_at < $before ORDER BY received_at, id LIMIT $limit)";

/// The number of rows that [`FORGET`] would take.
pub(crate) const COUNT: &str = "SELECT count(*) AS found FROM (
    SELECT id FROM inbox WHERE tenant = $tenant AND state = 'done' AND length(body) > 0 AND received_at >= $from
    AND received_at < $before ORDER BY received_at, id LIMIT $limit) AS due";

/// The ids of changes that ended and were last saved before `before`, with texts that are still there and without a legal hold
/// of their own; the oldest first.
pub fn changes_to_erase(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<Vec<String>> {
    let found = changes_to_erase_after(tx, before, None, limit)?;
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// The same behind a change, each with when it was last saved.
pub fn changes_to_erase_after(
    tx: &mut Tx<'_>,
    before: Timestamp,
    after: Option<&(Timestamp, String)>,
    limit: i64,
) -> Result<Vec<(Timestamp, String)>> {
    let (from, id) = after.map_or((Timestamp::UNIX_EPOCH, ""), |(at, id)| (*at, id.as_str()));
    let params = [
        ("before", before.into()),
        ("from", from.into()),
        ("after", id.into()),
        ("limit", limit.into()),
    ];
    tx.query(TO_ERASE, &params)?
        .iter()
        .map(|row| Ok((row.time("updated_at")?, row.text("id")?)))
        .collect()
}

/// Removes the raw bodies of deliveries that were processed and came before `before`, the oldest first and at most `limit` of
/// them; their digests and results stay. Returns how many were removed.
pub fn forget_deliveries(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64> {
    forget_deliveries_between(tx, (Timestamp::UNIX_EPOCH, before), limit)
}

/// The same for deliveries that came in a span, its end not included.
pub fn forget_deliveries_between(tx: &mut Tx<'_>, (from, before): (Timestamp, Timestamp), limit: i64) -> Result<u64> {
    let empty: &[u8] = &[];
    tx.execute(
        FORGET,
        &[
            ("from", from.into()),
            ("before", before.into()),
            ("limit", limit.into()),
            ("empty", empty.into()),
        ],
    )
}

/// How many of them still have their bodies, counted up to `limit`.
pub fn count_deliveries(tx: &mut Tx<'_>, (from, before): (Timestamp, Timestamp), limit: i64) -> Result<i64> {
    let params = [
        ("from", from.into()),
        ("before", before.into()),
        ("limit", limit.into()),
    ];
    let rows = tx.query(COUNT, &params)?;
    rows.first().map_or(Ok(0), |row| row.int("found"))
}
