//! The population of a sample, from the log as control reports have it: what somebody changes in the database past the program is in
//! no sample, and what somebody deletes there is missing from none.

use model::compliance::change_trail::ChangeTrail;
use model::compliance::control_report::rows::members;

use crate::compliance::report_controls::{position, read_trail};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::services::Begun;

/// Reads the changes whose work began from the whole log as it is now.
///
/// # Errors
/// The store's, or a fault of the log.
pub(crate) fn read_begun(cx: &mut Context<'_, '_>) -> Result<Begun> {
    let position = position(cx, None)?;
    let trail = read_trail(cx, &position, ChangeTrail::default())?;
    Ok(Begun {
        at: cx.now,
        size: position.size,
        members: members(&trail),
    })
}
