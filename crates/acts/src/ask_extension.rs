//! Asks for more time (`POST …/extension`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Asks for more time (`POST …/extension`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn ask_extension(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::work::ask_extension(case, body))
}
