//! `assent field`: fields that a tenant adds to its changes.

use clap::Subcommand;
use serde_json::json;

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::Output;

/// Fields of changes.
#[derive(Debug, Subcommand)]
pub enum Fields {
    /// Add a field, or change one.
    #[command(
        after_help = "Example: assent field set tier --name 'Customer tier' --holds choice --choice gold --choice silver --needed"
    )]
    Set {
        /// The field's key.
        key: String,
        /// The words above it.
        #[arg(long)]
        name: String,
        /// What it holds; never changes.
        #[arg(long, default_value = "text", value_parser = ["text", "choice", "number", "date", "person", "service", "link"])]
        holds: String,
        /// One sentence that helps to fill it in.
        #[arg(long)]
        description: Option<String>,
        /// For a choice: something to choose from; may be given several times.
        #[arg(long)]
        choice: Vec<String>,
        /// A kind of change that has it; all unless given.
        #[arg(long, value_parser = ["normal", "standard", "emergency"])]
        kind: Vec<String>,
        /// Changes written from now on cannot be submitted without it.
        #[arg(long)]
        needed: bool,
    },
    /// List fields.
    List,
    /// Take a field out of use; what changes say in it stays.
    End {
        /// The field's key.
        key: String,
    },
}

/// Runs a command about fields.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn run(fields: &Fields, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match fields {
        Fields::Set {
            key,
            name,
            holds,
            description,
            choice,
            kind,
            needed,
        } => {
            let mut body = json!({"key": key, "name": name, "holds": holds, "is_needed": needed});
            if let Some(description) = description {
                body["description"] = json!(description);
            }
            for (field, values) in [("choices", choice), ("kinds", kind)] {
                if !values.is_empty() {
                    body[field] = json!(values);
                }
            }
            let made = client.post("/custom-fields", &body)?.body;
            output.data(&made, |output| output.line(&format!("set {key}")));
            output.next(&format!("assent change new --field {key}=…"));
        }
        Fields::List => {
            let heads = ["key", "name", "holds", "choices", "kinds", "needed_since", "is_over"];
            list(&client, output, "/custom-fields", &heads)?;
        }
        Fields::End { key } => {
            let ended = client.delete(&format!("/custom-fields/{}", encode(key)))?.body;
            output.data(&ended, |output| output.line(&format!("{key} is out of use")));
        }
    }
    Ok(0)
}
