//! `assent versions` and `assent warnings`: what is to be seen of a change before it is decided.

use clap::Args;
use serde_json::Value;

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

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

/// Compares two versions.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn versions(asked: &Versions, common: &Common, output: &Output) -> Result<u8> {
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

/// Shows warnings.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn warnings(asked: &Warnings, common: &Common, output: &Output) -> Result<u8> {
    let path = format!("/changes/{}/warnings", encode(&asked.key));
    let found = Client::new(common)?.get(&path)?.body;
    output.data(&found, |output| {
        let row = |it: &Value| ["kind", "text", "from", "to"].map(|name| text_of(it, name)).to_vec();
        let rows: Vec<Vec<String>> = array(&found, "warnings").iter().map(row).collect();
        output.rows(&["kind", "text", "from", "to"], &rows);
    });
    Ok(0)
}
