//! Finds timers that were lost: open changes and waiting checks that have none although the clock will make something
//! due. Every act sets them; this looks slowly for what a fault, or somebody in the database, took away.

use crate::error::Result;
use crate::room::Room;

/// How many records one round looks at.
const MOST: i64 = 20;

/// Where a round ended: the id behind which the next one begins; `None` when all were looked at.
pub type Mark = Option<String>;

/// Looks at some open changes without a timer, as their timer would have; answers where it stopped.
///
/// # Errors
/// The store's.
pub fn find_lost_timers(room: &mut Room<'_, '_>, after: &str) -> Result<Mark> {
    let found = store::timer::changes_without(room.tx, after, MOST)?;
    for id in &found {
        crate::run_timer::run_timer(room, "change", id)?;
    }
    if after.is_empty() {
        for id in store::timer::checks_without(room.tx, MOST)? {
            crate::run_timer::run_timer(room, "gate_check", &id)?;
        }
    }
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == MOST);
    Ok(found.into_iter().last().filter(|_| is_full))
}
