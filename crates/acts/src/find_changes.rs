//! Finds changes by a filter, newest first, a page at a time.

use model::act::actions::READ;
pub use store::changes::{ChangeFilter, ChangeRow, TargetRow};

use crate::error::Result;
use crate::room::Room;

/// A page of changes.
#[derive(Debug, Clone, Default)]
pub struct FoundChanges {
    /// The changes, each with its targets.
    pub rows: Vec<(ChangeRow, Vec<TargetRow>)>,
    /// The number after which the next page begins; `None` on the last page.
    pub next: Option<i64>,
}

/// Finds at most `limit` changes below the number `after`.
///
/// # Errors
/// 403, or the store's.
pub fn find_changes(
    room: &mut Room<'_, '_>,
    filter: &ChangeFilter,
    limit: i64,
    after: Option<i64>,
) -> Result<FoundChanges> {
    room.allow(READ)?;
    let mut rows = store::changes::list_changes(room.tx, filter, limit + 1, after)?;
    let is_more = rows.len() as i64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().map(|row| row.number).filter(|_| is_more);
    let mut found = FoundChanges { rows: Vec::new(), next };
    for row in rows {
        let targets = store::changes::targets_of(room.tx, &row.id)?;
        found.rows.push((row, targets));
    }
    Ok(found)
}
