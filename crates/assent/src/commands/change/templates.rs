//! `assent template`: templates of standard changes.

use crate::client::Client;
use crate::common::Common;
use crate::failure::Result;
use crate::lists::{Listed, list};
use crate::output::Output;

/// Columns of templates.
const TEMPLATES: [&str; 5] = ["key", "state", "template_version", "review_by", "title"];

/// Lists templates.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn template(_: &Listed, common: &Common, output: &Output) -> Result<u8> {
    list(&Client::new(common)?, output, "/templates", &TEMPLATES)?;
    Ok(0)
}
