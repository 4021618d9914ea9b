//! `assent view`: filters of lists, kept under a name and shared with others.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::{Output, text_of};

/// Saved views of the list of changes.
#[derive(Debug, Subcommand)]
pub enum View {
    /// List your views and those that others share.
    List,
    /// Keep filters as a view.
    #[command(
        after_help = "Example: assent view save 'Tonight' --query 'state=scheduled&environment=production' --shared\n\n\
        The query is what stands behind the question mark on the page, or in `GET /changes`."
    )]
    Save {
        /// Its name.
        name: String,
        /// The filters.
        #[arg(long, value_name = "QUERY")]
        query: String,
        /// Show it to everybody in the tenant.
        #[arg(long)]
        shared: bool,
    },
    /// Give a view another name, or other filters.
    Edit {
        /// Its name.
        name: String,
        /// Its new name.
        #[arg(long, value_name = "NAME", required_unless_present = "query")]
        rename: Option<String>,
        /// The new filters.
        #[arg(long, value_name = "QUERY")]
        query: Option<String>,
    },
    /// Show a view to everybody in the tenant, or no longer.
    Share {
        /// Its name.
        name: String,
        /// Keep it to yourself again.
        #[arg(long)]
        stop: bool,
    },
    /// Remove a view.
    Remove {
        /// Its name.
        name: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(view: &View, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match view {
        View::List => {
            let heads = ["name", "owner", "is_shared", "query"];
            list(&client, output, "/views", &heads)?;
        }
        View::Save { name, query, shared } => {
            let body = json!({"name": name, "query": query, "is_shared": shared});
            let made = client.post("/views", &body)?.body;
            output.data(&made, |output| output.line(&format!("kept {name}")));
        }
        View::Edit { name, rename, query } => {
            let mut body = json!({});
            for (field, value) in [("name", rename), ("query", query)] {
                if let Some(value) = value {
                    body[field] = json!(value);
                }
            }
            patch(&client, name, &body, output)?;
        }
        View::Share { name, stop } => patch(&client, name, &json!({"is_shared": !stop}), output)?,
        View::Remove { name } => {
            let gone = client.delete(&path(name))?.body;
            output.data(&gone, |output| output.line(&format!("removed {name}")));
        }
    }
    Ok(0)
}

fn path(name: &str) -> String {
    format!("/views/{}", encode(name))
}

fn patch(client: &Client, name: &str, body: &Value, output: &Output) -> Result<()> {
    let etag = client.get(&path(name))?.etag.unwrap_or_default();
    let view = client.conditional("PATCH", &path(name), body, &etag)?.body;
    output.data(&view, |output| {
        let shared = if view["is_shared"] == true {
            "shared"
        } else {
            "yours alone"
        };
        output.line(&format!(
            "{}: {shared}, {}",
            text_of(&view, "name"),
            text_of(&view, "query")
        ));
    });
    Ok(())
}
