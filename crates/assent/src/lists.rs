//! Lists of records as tables: one request, one row for each item.

use clap::Subcommand;
use serde_json::Value;

use crate::client::Client;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What a terminal lists and no more.
#[derive(Debug, Subcommand)]
pub enum Listed {
    /// List them.
    List,
}

/// Lists the server's records at `path`, with these fields as columns.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub(crate) fn list(client: &Client, output: &Output, path: &str, heads: &[&str]) -> Result<()> {
    let list = client.get(&format!("{path}?limit=200"))?.body;
    let row = |item: &Value| heads.iter().map(|head| text_of(item, head)).collect();
    let rows: Vec<Vec<String>> = array(&list, "items").iter().map(row).collect();
    output.data(&list, |output| output.rows(heads, &rows));
    Ok(())
}
