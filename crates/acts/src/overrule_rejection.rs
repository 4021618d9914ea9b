//! Lets others with the same artifact go on in spite of a rejection (`POST …/overruling`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Lets others with the same artifact go on in spite of a rejection (`POST …/overruling`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn overrule_rejection(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::decide::overrule(case, body))
}
