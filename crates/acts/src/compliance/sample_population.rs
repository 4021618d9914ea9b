//! The population of a sample, from the log as in control reports. Rows that somebody edits in the database outside of
//! Assent enter no sample, and rows that somebody deletes there are missing from none.

use model::compliance::control_report::rows::members;

use crate::compliance::read_trail::{position, with_trail};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::services::Begun;

/// Reads the changes whose work has begun from the whole present log.
///
/// # Errors
/// The store's, or a fault of the log.
pub(crate) fn read_begun(cx: &mut Context<'_, '_>) -> Result<Begun> {
    let position = position(cx, None)?;
    Ok(Begun {
        at: cx.now,
        size: position.size,
        members: with_trail(cx, &position, None, members)?,
    })
}
