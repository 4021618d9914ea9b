//! Another person validates a break-glass (`POST …/break-glass/validation`).

use model::verbs::Body;

use crate::error::Result;
use crate::room::Room;

/// Another person validates a break-glass (`POST …/break-glass/validation`).
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn validate_break_glass(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    room.on_change(key, |case| model::verbs::glass::validate(case, body))
}
