//! `assent audit timeline`: the events of one person, record, address, session, token or incident.

use clap::Args;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::commands::audit::events::{Events, find, row};
use crate::commands::audit::paper::save;
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// What the timeline is about.
#[derive(Debug, Args)]
pub struct Timeline {
    /// What is asked of its entries.
    #[command(flatten)]
    events: Events,
    /// Around this incident: what concerns its services, each sign-in, and what moved rights, policies and keys.
    #[arg(long, value_name = "KEY")]
    incident: Option<String>,
    /// Write the entries as JSON to a file, `-` for standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
}

/// Lists the timeline, or writes it to a file.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(asked: &Timeline, common: &Common, output: &Output) -> Result<u8> {
    let path = match &asked.incident {
        Some(key) => format!("/forensic-timeline?incident={}", encode(key)),
        None => "/forensic-timeline".to_owned(),
    };
    let (mut items, next) = find(&Client::new(common)?, &path, &asked.events, output)?;
    items.reverse();
    let found = json!({"items": items, "next": next});
    if let Some(file) = &asked.output {
        save(file, format!("{found:#}\n").as_bytes(), output)?;
        return Ok(0);
    }
    let via = |item: &Value, name: &str| text_of(&item["data"]["via"], name);
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let mut row = row(item);
            row.push(match via(item, "session") {
                session if session.is_empty() => via(item, "token"),
                session => session,
            });
            row
        })
        .collect();
    output.data(&found, |output| {
        output.rows(
            &["index", "recorded at", "kind", "actor", "about", "session or token"],
            &rows,
        );
    });
    if let Some(next) = next.filter(|_| !output.is_json()) {
        output.talk(&format!("There may be older ones: --before {next} goes on from here."));
    }
    Ok(0)
}
