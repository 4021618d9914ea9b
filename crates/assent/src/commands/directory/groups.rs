//! `assent group`: groups and teams.

use clap::Subcommand;
use serde_json::json;

use crate::client::{Client, encode};
use crate::commands::directory::rows::{Export, ImportFile, export, import};
use crate::common::Common;
use crate::failure::Result;
use crate::lists::list;
use crate::output::Output;

/// Groups and teams.
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Make or set a group; its members are named whole.
    #[command(after_help = "Example: assent group set payments --name Payments --member olga --member tom")]
    Set {
        /// The group's key.
        key: String,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        /// A login; may be given several times.
        #[arg(long)]
        member: Vec<String>,
        /// A group of any people, or a team.
        #[arg(long, value_parser = ["group", "team"])]
        kind: Option<String>,
    },
    /// List groups.
    List,
    /// Import groups.
    Import(ImportFile),
    /// Export groups.
    Export(Export),
}

/// Runs a command about groups.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn group(group: &Group, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match group {
        Group::Set {
            key,
            name,
            member,
            kind,
        } => {
            let mut body = json!({"members": member});
            for (field, value) in [("name", name), ("kind", kind)] {
                if let Some(value) = value {
                    body[field] = json!(value);
                }
            }
            let path = format!("/groups/{}", encode(key));
            let made = client.send("PUT", &path, Some(&body), &[("If-Match", "*")])?.body;
            output.data(&made, |output| output.line(&format!("set {key}")));
        }
        Group::List => list(&client, output, "/groups", &["key", "name", "kind", "members"])?,
        Group::Import(rows) => return import(&client, output, "groups", rows, false),
        Group::Export(rows) => return export(&client, output, "groups", rows),
    }
    Ok(0)
}
