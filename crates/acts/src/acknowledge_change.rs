//! The one asked says that they have seen it (`POST …/acknowledgements`).

use crate::error::Result;
use crate::room::Room;

/// The one asked says that they have seen it (`POST …/acknowledgements`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn acknowledge_change(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    room.on_change(key, model::verbs::decide::acknowledge)
}
