//! Says whether it works (`POST …/validation`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Says whether it works (`POST …/validation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn validate_change(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::after::validate(case, body))
}
