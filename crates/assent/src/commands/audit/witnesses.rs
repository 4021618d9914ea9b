//! `assent witness` and `assent log`: who else signs the log, and whether everybody reads it.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::{Result, read_text};
use crate::output::{Output, array, text_of};

/// Witnesses of the log: programs of others that cosign its checkpoints.
#[derive(Debug, Subcommand)]
pub enum Witness {
    /// Add a witness by its verifier key.
    #[command(after_help = "Example: assent witness add 'witness.example/w1+41ab2c3d+BK…'")]
    Add {
        /// Its verifier key (C2SP signed-note), of the type of cosignatures.
        key: String,
    },
    /// List the witnesses, with what each cosigned last.
    List,
    /// Take no more of a witness.
    End {
        /// The witness's id, as `list` shows it.
        id: String,
    },
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
/// The server's refusal, or why it could not be asked.
pub fn witness(witness: &Witness, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match witness {
        Witness::Add { key } => {
            let added = client.post("/witnesses", &json!({"key": key}))?.body;
            output.data(&added, |output| output.line(&text_of(&added, "id")));
        }
        Witness::List => {
            let list = client.get("/witnesses")?.body;
            output.data(&list, |output| tell_list(output, &list));
        }
        Witness::End { id } => {
            let ended = client.delete(&format!("/witnesses/{}", encode(id)))?.body;
            output.data(&ended, |output| {
                output.line(&format!("ended {}", text_of(&ended, "name")))
            });
        }
        Witness::Cosign { file } => {
            let body = json!({"checkpoint": read_text(file)?});
            let taken = client.post("/log/cosignatures", &body)?.body;
            output.data(&taken, |output| {
                output.line(&format!("taken: {}", text_of(&taken, "witnesses")))
            });
        }
    }
    Ok(0)
}

fn tell_list(output: &Output, list: &Value) {
    let row = |item: &Value| {
        let last = |field: &str| text_of(&item["cosigned"], field);
        vec![text_of(item, "id"), text_of(item, "name"), last("size"), last("at")]
    };
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(&["id", "name", "cosigned size", "at"], &rows);
}

/// Runs a command about the log's readers.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
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
