//! `assent sla`: the times to acknowledge and to decide, and other ones.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::Client;
use crate::commands::policy::proposals::{activate, print_proposal};
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, text_of};

/// The times that people are given.
#[derive(Debug, Subcommand)]
pub enum Sla {
    /// Show the table in force.
    Show,
    /// Propose other times, or put a proposal in force.
    #[command(
        after_help = "Example: assent sla apply slas.toml --reason 'We decide within a day'\n\n\
        The file names the rows that are to be otherwise; the others stay:\n\
        emergency = { acknowledge = \"10m\", decide = \"30m\" }\n\
        expedited = { acknowledge = \"2bh\", decide = \"8bh\" }\n\
        high      = { acknowledge = \"4bh\", decide = \"2bd\" }\n\
        medium    = { acknowledge = \"1bd\", decide = \"3bd\" }\n\
        low       = { acknowledge = \"1bd\", decide = \"5bd\" }\n\n\
        15m, 4h and 2d are times on the wall; 4bh and 2bd are working hours and days."
    )]
    Apply {
        /// The rows, TOML.
        #[arg(
            value_name = "FILE",
            required_unless_present = "activate",
            conflicts_with = "activate"
        )]
        file: Option<String>,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "activate")]
        reason: Option<String>,
        /// Put this proposal of another person in force, by its id.
        #[arg(long, value_name = "ID")]
        activate: Option<String>,
        /// An approved change one of whose targets has the table's digest as its artifact.
        #[arg(long, value_name = "KEY")]
        change: Option<String>,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(sla: &Sla, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match sla {
        Sla::Show => {
            let found = client.get("/sla-table")?.body;
            output.data(&found, |output| {
                let row = |name: &str| {
                    let cells = &found["table"][name];
                    vec![name.to_owned(), text_of(cells, "acknowledge"), text_of(cells, "decide")]
                };
                let rows: Vec<Vec<String>> = model_rows().into_iter().map(row).collect();
                output.rows(&["", "acknowledge", "decide"], &rows);
            });
            Ok(0)
        }
        Sla::Apply {
            activate: Some(id),
            change,
            ..
        } => activate(&client, id, change.as_deref(), output),
        Sla::Apply {
            file, reason, change, ..
        } => {
            let file = file.as_deref().unwrap_or_default();
            let table: Value = toml::from_str(&read_text(file)?)
                .map_err(|error| Failure::could_not(format!("`{file}` is no TOML: {}.", error.message())))?;
            let made = client
                .post("/sla-table", &json!({"table": table, "reason": reason}))?
                .body;
            match change {
                Some(key) => activate(&client, &text_of(&made, "id"), Some(key), output),
                None => {
                    print_proposal(&made, "sla apply", output);
                    Ok(0)
                }
            }
        }
    }
}

/// The rows of the table, in order.
fn model_rows() -> [&'static str; 5] {
    ["emergency", "expedited", "high", "medium", "low"]
}
