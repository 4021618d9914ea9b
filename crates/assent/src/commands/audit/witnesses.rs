//! `assent witness` and `assent log`: other signers of the log, and whether everybody may read it.

use clap::Subcommand;
use serde_json::json;
use wire::nouns as noun;

use crate::client::Client;
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::{Result, read_text};
use crate::output::{Output, text_of};

/// Witnesses of the log: programs of others that cosign its checkpoints.
#[derive(Debug, Subcommand)]
pub enum Witness {
    /// Add, list and end witnesses.
    #[command(flatten)]
    Verb(Verbs<noun::Witness>),
    /// Hand in a checkpoint of this log that a witness cosigned.
    #[command(after_help = "Example: assent witness cosign checkpoint.signed")]
    Cosign {
        /// The note's file with the witness's line, `-` for standard input.
        file: String,
    },
}

/// Who reads the log.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Open the log to everybody. It needs a fresh factor: sign in with --as.
    #[command(after_help = "Example: assent --as acme/adam log publish --reason 'Customers verify it'")]
    Publish {
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Close the log again: auditors alone read it. It needs a fresh factor: sign in with --as.
    #[command(after_help = "Example: assent --as acme/adam log close --reason 'The trial is over'")]
    Close {
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Runs a command about witnesses.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn witness(witness: &Witness, common: &Common, output: &Output) -> Result<u8> {
    match witness {
        Witness::Verb(verbs) => run_verb(verbs, common, output),
        Witness::Cosign { file } => {
            let body = json!({"checkpoint": read_text(file)?});
            let taken = Client::new(common)?.post("/log/cosignatures", &body)?.body;
            output.data(&taken, |output| {
                output.line(&format!("taken: {}", text_of(&taken, "witnesses")))
            });
            Ok(0)
        }
    }
}

/// Runs a command about the log's readers.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn log(log: &Log, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let (path, reason) = match log {
        Log::Publish { reason } => ("/log/publication", reason),
        Log::Close { reason } => ("/log/publication/end", reason),
    };
    let tenant = client.post(path, &json!({"reason": reason}))?.body;
    let is_public = tenant["log_is_public"] == true;
    output.data(&tenant, |output| {
        output.line(if is_public {
            "everybody reads the log"
        } else {
            "auditors read the log"
        })
    });
    Ok(0)
}
