//! `assent look`: looks from outside at the work of small teams.

use clap::Subcommand;
use serde_json::json;

use crate::client::Client;
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::{Output, array};

/// Looks from outside at the work of small teams.
#[derive(Debug, Subcommand)]
pub enum Look {
    /// Record that you looked, and what you saw.
    #[command(after_help = "Example: assent look record outside --text 'Four changes, each approved by the other.'")]
    Record {
        /// The group of those who look from outside.
        group: String,
        /// What you saw.
        #[arg(long)]
        text: String,
    },
    /// List looks.
    List,
}

/// Runs a command about looks from outside.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn look(look: &Look, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match look {
        Look::Record { group, text } => {
            let made = client
                .post("/outside-looks", &json!({"group": group, "text": text}))?
                .body;
            let count = array(&made, "changes").len();
            output.data(&made, |output| output.line(&format!("recorded, about {count} changes")));
        }
        Look::List => list(&client, output, "/outside-looks", &["at", "group", "by", "text"])?,
    }
    Ok(0)
}
