//! `assent versions` and `assent warnings`: the facts of a change to see before a decision.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::client::{Client, encode};
use crate::commands::schedule::planning;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What is to be seen of a change before it is decided.
#[derive(Debug, Subcommand)]
pub enum Seen {
    /// Show what a change conflicts with, as it is planned or at another time.
    #[command(after_help = "Example: assent conflicts CHG-1042 --from 2026-12-01T20:00:00Z --to 2026-12-01T22:00:00Z")]
    Conflicts(planning::Conflicts),
    /// Show how conflicts like one were decided, the newest first.
    #[command(after_help = "Example: assent precedents 0198…")]
    Precedents(planning::Precedents),
    /// Compare two versions of a change, field by field.
    #[command(after_help = "Example: assent versions CHG-1042 --from mine")]
    Versions(Versions),
    /// Show freezes, conflicts, what was bypassed or waived, and lowered risk.
    #[command(after_help = "Example: assent warnings CHG-1042")]
    Warnings(Warnings),
}

/// Runs a command about the facts to see before a decision.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(seen: &Seen, common: &Common, output: &Output) -> Result<u8> {
    match seen {
        Seen::Conflicts(asked) => planning::conflicts(asked, common, output),
        Seen::Precedents(asked) => planning::precedents(asked, common, output),
        Seen::Versions(asked) => versions(asked, common, output),
        Seen::Warnings(asked) => warnings(asked, common, output),
    }
}

/// Which versions are compared.
#[derive(Debug, Args)]
pub struct Versions {
    /// The change's key.
    key: String,
    /// The older version: its number, or `mine` for the one that you decided about last.
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
    /// The newer version: its number; the newest unless set.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
}

/// Of which change warnings are shown.
#[derive(Debug, Args)]
pub struct Warnings {
    /// The change's key.
    key: String,
}

fn versions(asked: &Versions, common: &Common, output: &Output) -> Result<u8> {
    let pairs = [("from", &asked.from), ("to", &asked.to)];
    let pairs = pairs
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode(value.as_ref()?))));
    let query: Vec<String> = pairs.collect();
    let path = format!("/changes/{}/versions?{}", encode(&asked.key), query.join("&"));
    let found = Client::new(common)?.get(path.trim_end_matches('?'))?.body;
    output.data(&found, |output| {
        let (from, to) = (text_of(&found, "from"), text_of(&found, "to"));
        output.line(&format!("version {from} beside version {to}"));
        let row = |it: &Value| {
            ["field", "old", "new", "by", "at"]
                .map(|name| text_of(it, name))
                .to_vec()
        };
        let rows: Vec<Vec<String>> = array(&found, "edits").iter().map(row).collect();
        output.rows(&["field", "old", "new", "by", "at"], &rows);
    });
    Ok(0)
}

fn warnings(asked: &Warnings, common: &Common, output: &Output) -> Result<u8> {
    let path = format!("/changes/{}/warnings", encode(&asked.key));
    let found = Client::new(common)?.get(&path)?.body;
    output.data(&found, |output| {
        let row = |it: &Value| ["kind", "text", "from", "to"].map(|name| text_of(it, name)).to_vec();
        let rows: Vec<Vec<String>> = array(&found, "warnings").iter().map(row).collect();
        output.rows(&["kind", "text", "from", "to"], &rows);
    });
    Ok(0)
}
