//! Watches a change, or stops watching (`PUT` and `DELETE …/watchers`).

use crate::error::Result;
use crate::room::Room;

/// Watches a change, or stops watching (`PUT` and `DELETE …/watchers`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn watch_change(room: &mut Room<'_, '_>, key: &str, on: bool) -> Result<()> {
    room.on_change(key, |case| model::verbs::around::watch(case, on))
}
