//! What a tenant's retention no longer keeps: changes whose texts are still there, and raw bodies of deliveries. Each query
//! goes by an index that holds nothing else, so that what was erased long ago costs nothing.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;

/// Word by word the condition of the index `change_to_erase`, and what is asked of it.
pub(crate) const TO_ERASE: &str = "SELECT id FROM \"change\"
    WHERE tenant = $tenant AND state IN ('closed', 'cancelled') AND NOT is_kept AND updated_at < $before
    ORDER BY updated_at, id LIMIT $limit";

/// The same of the index `inbox_with_body`.
pub(crate) const FORGET: &str = "UPDATE inbox SET body = $empty WHERE tenant = $tenant AND id IN (
    SELECT id FROM inbox WHERE tenant = $tenant AND state = 'done' AND length(body) > 0 AND received_at < $before
    ORDER BY received_at, id LIMIT $limit)";

/// The ids of changes that ended and were last saved before `before`, whose texts are still there and which no legal hold
/// keeps; the oldest first.
pub fn changes_to_erase(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<Vec<String>> {
    tx.query(TO_ERASE, &[("before", before.into()), ("limit", limit.into())])?
        .iter()
        .map(|row| row.text("id"))
        .collect()
}

/// Forgets the raw bodies of deliveries that were worked off and came before `before`, the oldest first and at most `limit`
/// of them; their digests and what came of them stay. Answers how many went.
pub fn forget_deliveries(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64> {
    let empty: &[u8] = &[];
    tx.execute(
        FORGET,
        &[
            ("before", before.into()),
            ("limit", limit.into()),
            ("empty", empty.into()),
        ],
    )
}
