//! `assent freeze`: times in which no change begins.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::client::{Client, encode};
use crate::clock;
use crate::commands::schedule::windows::{SpanEdit, edit};
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::{Output, text_of};

/// Times in which no change begins.
#[derive(Debug, Subcommand)]
pub enum Freeze {
    /// Set a freeze.
    #[command(
        after_help = "Example: assent freeze set --title 'Quarter end' --from 2026-12-28T00:00:00Z --to 2027-01-04T00:00:00Z"
    )]
    Set(FreezeSet),
    /// Change a freeze; its exceptions stay, and the gate does not open in between.
    #[command(after_help = "Example: assent freeze edit 01J… --to 2027-01-06T00:00:00Z")]
    Edit(FreezeEdit),
    /// List freezes.
    List,
    /// Propose to end a freeze; it stands until another person confirms.
    End {
        /// The freeze's id, as `list` shows it.
        id: String,
        /// Why it may end.
        #[arg(long)]
        reason: String,
    },
    /// Confirm that a freeze is ended or shortened.
    Confirm {
        /// The freeze's id.
        id: String,
    },
    /// Let one change pass a freeze.
    Except {
        /// The freeze's id.
        id: String,
        /// The change's key.
        #[arg(long)]
        change: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Let a change no longer pass a freeze.
    Withdraw {
        /// The freeze's id.
        id: String,
        /// The change's key.
        #[arg(long)]
        change: String,
    },
}

/// A freeze to set.
#[derive(Debug, Args)]
pub struct FreezeSet {
    /// What it is called.
    #[arg(long)]
    pub title: String,
    /// Its start, such as `now` or 2026-12-28T00:00:00Z.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: String,
    /// Its end, such as +4h.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: String,
    /// A service it lies over; all unless said.
    #[arg(long)]
    pub service: Vec<String>,
    /// An environment it lies over; all unless said.
    #[arg(long)]
    pub environment: Vec<String>,
    /// Also stop what is under way.
    #[arg(long)]
    pub halt: bool,
    /// Also stop the services that need those named: `dependants`, or `none`.
    #[arg(long, value_name = "REACH", value_parser = ["none", "dependants"])]
    pub reach: Option<String>,
    /// Why.
    #[arg(long)]
    pub reason: Option<String>,
}

/// What changes of a freeze.
#[derive(Debug, Args)]
pub struct FreezeEdit {
    /// What windows have as well.
    #[command(flatten)]
    pub span: SpanEdit,
    /// Whether it also stops what is under way.
    #[arg(long, group = "what")]
    pub halt: Option<bool>,
    /// Whether it also stops the services that need those named: `dependants`, or `none`.
    #[arg(long, value_name = "REACH", value_parser = ["none", "dependants"], group = "what")]
    pub reach: Option<String>,
    /// Why.
    #[arg(long, group = "what")]
    pub reason: Option<String>,
    /// Why it may cover less; another person confirms.
    #[arg(long)]
    pub edit_reason: Option<String>,
}

/// Changes a freeze.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
fn edit_freeze(wanted: &FreezeEdit, client: &Client, output: &Output) -> Result<()> {
    let mut body = wanted.span.body()?;
    if let Some(halt) = wanted.halt {
        body.insert("halt".to_owned(), json!(halt));
    }
    for (name, value) in [("reach", &wanted.reach), ("reason", &wanted.reason)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(reason) = &wanted.edit_reason {
        body.insert("edit_reason".to_owned(), json!(reason));
    }
    edit(client, output, &format!("/freezes/{}", encode(&wanted.span.id)), body)
}

/// Runs a command about freezes.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn freeze(freeze: &Freeze, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let heads = [
        "id",
        "title",
        "starts_at",
        "ends_at",
        "services",
        "environments",
        "halt",
        "ended",
    ];
    match freeze {
        Freeze::Set(set) => {
            let now = clock::now();
            let mut body = json!({
                "title": set.title,
                "starts_at": clock::moment(&set.from, now)?.to_string(),
                "ends_at": clock::moment(&set.to, now)?.to_string(),
                "services": set.service,
                "environments": set.environment,
                "halt": set.halt,
            });
            for (name, value) in [("reach", &set.reach), ("reason", &set.reason)] {
                if let Some(value) = value {
                    body[name] = json!(value);
                }
            }
            let made = client.post("/freezes", &body)?.body;
            output.data(&made, |output| output.line(&format!("set {}", text_of(&made, "id"))));
            output.next(&format!("assent freeze end {} --reason TEXT", text_of(&made, "id")));
        }
        Freeze::Edit(wanted) => edit_freeze(wanted, &client, output)?,
        Freeze::List => list(&client, output, "/freezes", &heads)?,
        Freeze::End { id, reason } => {
            let path = format!("/freezes/{}", encode(id));
            let proposed = client.delete_with(&path, &json!({"reason": reason}))?.body;
            output.data(&proposed, |output| output.line(&format!("proposed to end {id}")));
            output.next(&format!("another person: assent freeze confirm {id}"));
        }
        Freeze::Confirm { id } => {
            let path = format!("/freezes/{}/confirmation", encode(id));
            let freeze = client.post(&path, &json!({}))?.body;
            output.data(&freeze, |output| output.line(&format!("confirmed {id}")));
        }
        Freeze::Except { id, change, reason } => {
            let body = json!({"change": change, "reason": reason});
            let freeze = client.post(&format!("/freezes/{}/exceptions", encode(id)), &body)?.body;
            output.data(&freeze, |output| {
                output.line(&format!("{change} may pass {}", text_of(&freeze, "title")))
            });
        }
        Freeze::Withdraw { id, change } => {
            let path = format!("/freezes/{}/exceptions/{}", encode(id), encode(change));
            let freeze = client.delete(&path)?.body;
            output.data(&freeze, |output| {
                output.line(&format!("{change} may pass {} no more", text_of(&freeze, "title")))
            });
        }
    }
    Ok(0)
}
