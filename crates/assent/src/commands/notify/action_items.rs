//! `assent action-item`: tasks of people about a record, and their due times.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What somebody has to do about a record, and until when.
#[derive(Debug, Subcommand)]
pub enum ActionItem {
    /// Open and show action items.
    #[command(flatten)]
    Verb(Verbs<noun::ActionItem>),
    /// List action items, the oldest first.
    #[command(after_help = "Example: assent action-item list --whose mine --open")]
    List(Filters),
    /// Acknowledge an action item.
    Acknowledge {
        /// Its key, such as ACT-101.
        key: String,
    },
    /// Give an action item another owner.
    #[command(after_help = "Example: assent action-item assign ACT-101 --owner olga")]
    Assign {
        /// Its key, such as ACT-101.
        key: String,
        /// Who has to do it: a login.
        #[arg(long, value_name = "LOGIN", required_unless_present = "group")]
        owner: Option<String>,
        /// Or the key of the group that has to do it.
        #[arg(long, value_name = "KEY", conflicts_with = "owner")]
        group: Option<String>,
    },
    /// Settle an action item with a reason. One with a condition is settled by that alone.
    #[command(after_help = "Example: assent action-item settle ACT-101 --reason 'The certificate was renewed.'")]
    Settle {
        /// Its key, such as ACT-101.
        key: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Nothing is to be done.
        #[arg(long)]
        dismiss: bool,
    },
}

/// Which items are listed.
#[derive(Debug, Args)]
pub struct Filters {
    /// Yours, those of your groups, or those without an owner.
    #[arg(long, value_parser = ["mine", "team", "unowned"])]
    pub whose: Option<String>,
    /// Only of this owner: a login.
    #[arg(long, value_name = "LOGIN", conflicts_with_all = ["whose", "group"])]
    pub owner: Option<String>,
    /// Only of this group: its key.
    #[arg(long, value_name = "KEY", conflicts_with = "whose")]
    pub group: Option<String>,
    /// Only in this state.
    #[arg(long, value_parser = ["open", "acknowledged", "done", "dismissed"])]
    pub state: Option<String>,
    /// Only of this kind, such as resolve_violation.
    #[arg(long)]
    pub kind: Option<String>,
    /// Only about records of this kind, such as change.
    #[arg(long)]
    pub about_kind: Option<String>,
    /// Only about the record with this key.
    #[arg(long, value_name = "KEY")]
    pub about: Option<String>,
    /// Only what is still to be done.
    #[arg(long)]
    pub open: bool,
    /// Only what is overdue.
    #[arg(long)]
    pub overdue: bool,
}

/// Runs a command about action items.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(command: &ActionItem, common: &Common, output: &Output) -> Result<u8> {
    match command {
        ActionItem::Verb(verbs) => run_verb(verbs, common, output),
        ActionItem::List(filters) => list(filters, common, output),
        ActionItem::Acknowledge { key } => send(key, ("acknowledgement", &json!({})), common, output),
        ActionItem::Assign { key, owner, group } => {
            let body = match (owner, group) {
                (Some(owner), _) => json!({"owner": owner}),
                (None, group) => json!({"group": group}),
            };
            send(key, ("assignment", &body), common, output)
        }
        ActionItem::Settle { key, reason, dismiss } => {
            let state = if *dismiss { "dismissed" } else { "done" };
            let body = json!({"state": state, "reason": reason});
            send(key, ("settlement", &body), common, output)
        }
    }
}

fn send(key: &str, (verb, body): (&str, &Value), common: &Common, output: &Output) -> Result<u8> {
    let path = format!("/action-items/{}/{verb}", encode(key));
    let item = Client::new(common)?.post(&path, body)?.body;
    output.data(&item, |output| {
        output.line(&format!("{} is {}", text_of(&item, "key"), text_of(&item, "state")));
    });
    Ok(0)
}

fn list(filters: &Filters, common: &Common, output: &Output) -> Result<u8> {
    let texts = [
        ("whose", &filters.whose),
        ("owner", &filters.owner),
        ("group", &filters.group),
        ("state", &filters.state),
        ("kind", &filters.kind),
        ("about_kind", &filters.about_kind),
        ("about", &filters.about),
    ];
    let mut path = "/action-items?limit=200".to_owned();
    for (name, value) in texts {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encode(value)));
        }
    }
    for (name, is_set) in [("open", filters.open), ("overdue", filters.overdue)] {
        if is_set {
            path.push_str(&format!("&{name}=true"));
        }
    }
    let list = Client::new(common)?.get(&path)?.body;
    output.data(&list, |output| {
        let heads = ["key", "kind", "title", "owner", "group", "state", "due_at"];
        let row = |item: &Value| heads.iter().map(|name| text_of(item, name)).collect();
        let rows: Vec<Vec<String>> = array(&list, "items").iter().map(row).collect();
        output.rows(&heads, &rows);
    });
    Ok(0)
}
