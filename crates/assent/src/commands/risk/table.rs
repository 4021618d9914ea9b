//! `assent risk`: the risk table in force, and another one.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::Client;
use crate::commands::policy::proposals::{activate, print_proposal};
use crate::commands::risk::{adjustment, affected, forecast};
use crate::common::Common;
use crate::failure::{Failure, Result, read_text};
use crate::output::{Output, text_of};

/// The risk table.
#[derive(Debug, Subcommand)]
pub enum Risk {
    /// Show the table in force.
    Show,
    /// Show what a change reaches, with the way to each thing.
    #[command(after_help = "Example: assent risk affected CHG-1042")]
    Affected {
        /// The change.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Show how likely a change fails, and what that comes from.
    #[command(after_help = "Example: assent risk forecast CHG-1042")]
    Forecast {
        /// The change.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// List the models of failure.
    Models,
    /// Show where a change is in the matrix, and what would move it.
    #[command(after_help = "Example: assent risk matrix CHG-1042")]
    Matrix {
        /// The change.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Adopt a quarterly adjustment: its risk table is proposed, and another person puts that in force.
    #[command(after_help = "Example: assent risk adopt 2026-Q3 --reason 'Three network changes failed'")]
    Adopt {
        /// The quarter.
        #[arg(value_name = "QUARTER")]
        quarter: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// A set of policies or a risk table that is adopted in place of the proposed one, by its id.
        #[arg(long, value_name = "ID")]
        configuration: Option<String>,
    },
    /// Decline a quarterly adjustment.
    #[command(after_help = "Example: assent risk decline 2026-Q3 --reason 'All three were one exercise'")]
    Decline {
        /// The quarter.
        #[arg(value_name = "QUARTER")]
        quarter: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Propose a table, or put a proposal in force.
    #[command(
        after_help = "Example: assent risk apply table.toml --reason 'Medium impact is never low'\n\n\
        The file has a row for each highest impact and a column for each complexity:\n\
        none   = { low = \"low\", medium = \"low\", high = \"medium\" }\n\
        low    = { low = \"low\", medium = \"low\", high = \"medium\" }\n\
        medium = { low = \"medium\", medium = \"medium\", high = \"high\" }\n\
        high   = { low = \"medium\", medium = \"high\", high = \"high\" }"
    )]
    Apply {
        /// The table, TOML.
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
pub fn run(risk: &Risk, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match risk {
        Risk::Show => {
            let found = client.get("/risk-table")?.body;
            output.data(&found, |output| {
                let rows: Vec<Vec<String>> = ["none", "low", "medium", "high"]
                    .into_iter()
                    .map(|impact| {
                        let cells = &found["table"][impact];
                        vec![
                            impact.to_owned(),
                            text_of(cells, "low"),
                            text_of(cells, "medium"),
                            text_of(cells, "high"),
                        ]
                    })
                    .collect();
                output.rows(&["highest impact", "complexity low", "medium", "high"], &rows);
            });
            Ok(0)
        }
        Risk::Affected { key } => affected::show(&client, key, output),
        Risk::Forecast { key } => forecast::show(&client, key, output),
        Risk::Models => forecast::models(&client, output),
        Risk::Matrix { key } => forecast::matrix(&client, key, output),
        Risk::Adopt {
            quarter,
            reason,
            configuration,
        } => {
            let body = adjustment::adoption(reason, configuration.as_deref());
            adjustment::decide(&client, quarter, &body, output)
        }
        Risk::Decline { quarter, reason } => {
            let body = json!({"adopted": false, "reason": reason});
            adjustment::decide(&client, quarter, &body, output)
        }
        Risk::Apply {
            activate: Some(id),
            change,
            ..
        } => activate(&client, id, change.as_deref(), output),
        Risk::Apply {
            file, reason, change, ..
        } => {
            let file = file.as_deref().unwrap_or_default();
            let table: Value = toml::from_str(&read_text(file)?)
                .map_err(|error| Failure::could_not(format!("`{file}` is no TOML: {}.", error.message())))?;
            let made = client
                .post("/risk-table", &json!({"table": table, "reason": reason}))?
                .body;
            match change {
                Some(key) => activate(&client, &text_of(&made, "id"), Some(key), output),
                None => {
                    print_proposal(&made, "risk apply", output);
                    Ok(0)
                }
            }
        }
    }
}
