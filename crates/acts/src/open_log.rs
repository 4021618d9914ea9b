//! Opens a tenant's log.
use crate::error::Result;
use crate::room::Room;
/// Opens the log.
///
/// # Errors
/// The store's.
pub fn open_log(room: &mut Room<'_, '_>) -> Result<()> { let _ = room; Ok(()) }
