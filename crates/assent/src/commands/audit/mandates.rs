//! `assent audit confirm-mandate`: the second person of a mandate of an auditor.

use clap::Args;
use serde_json::json;

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// Which mandate to confirm.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent audit confirm-mandate 01kaqxyz\n\n\
    `assent audit-mandate propose` proposes one, `assent audit-mandate list` names them.")]
pub struct Confirm {
    /// The id of the mandate.
    pub mandate: String,
}

/// Runs the command.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn confirm(asked: &Confirm, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let path = format!("/audit-mandates/{}/confirmation", encode(&asked.mandate));
    let given = client.post(&path, &json!({}))?.body;
    output.data(&given, |output| {
        let (person, until) = (text_of(&given, "person"), text_of(&given, "ends_at"));
        output.line(&format!("{person} may read inside of the mandate until {until}"));
    });
    Ok(0)
}
