//! `assent environment`: the environments there are.

use crate::client::Client;
use crate::common::Common;
use crate::failure::Result;
use crate::lists::{Listed, list};
use crate::output::Output;

/// Columns of environments.
const ENVIRONMENTS: [&str; 3] = ["key", "name", "is_production"];

/// Lists environments.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn environment(_: &Listed, common: &Common, output: &Output) -> Result<u8> {
    list(&Client::new(common)?, output, "/environments", &ENVIRONMENTS)?;
    Ok(0)
}
