//! `assent incident`: incidents.

use crate::client::Client;
use crate::common::Common;
use crate::failure::Result;
use crate::lists::{Listed, list};
use crate::output::Output;

/// Columns of incidents.
const INCIDENTS: [&str; 6] = ["key", "severity", "services", "started_at", "resolved_at", "title"];

/// Lists incidents.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn incident(_: &Listed, common: &Common, output: &Output) -> Result<u8> {
    list(&Client::new(common)?, output, "/incidents", &INCIDENTS)?;
    Ok(0)
}
