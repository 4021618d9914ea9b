//! `assent search`: records, acts and pages that fit.

use clap::Args;
use serde_json::Value;

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What is asked.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent search outcome:failed service:booking-api")]
pub struct Search {
    /// Words, and operators that narrow changes, such as outcome:failed or service:booking-api.
    #[arg(required = true)]
    words: Vec<String>,
}

/// Searches, and shows the results.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Search, common: &Common, output: &Output) -> Result<u8> {
    let path = format!("/search?q={}", encode(&asked.words.join(" ")));
    let found = Client::new(common)?.get(&path)?.body;
    output.data(&found, |output| print_hits(output, &found));
    Ok(0)
}

fn print_hits(output: &Output, found: &Value) {
    let row = |item: &Value| {
        ["kind", "key", "title", "state", "path"]
            .map(|field| text_of(item, field))
            .to_vec()
    };
    let rows: Vec<Vec<String>> = array(found, "items").iter().map(row).collect();
    output.rows(&["kind", "key", "title", "state", "page"], &rows);
}
