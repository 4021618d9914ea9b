//! `assent archive`: the content of the archive of ended changes.

use clap::Subcommand;
use serde_json::Value;

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// The archive of ended changes.
#[derive(Debug, Subcommand)]
pub enum Archive {
    /// Show how much the archive holds and how many changes wait for it.
    #[command(after_help = "The archive is off until a retention names its days:\n  \
        assent retention apply --archive 400 --reason 'Our rules of 2026'")]
    Status,
    /// Show which segment holds a change; exit 1 where it is in its rows.
    Show {
        /// The change's key.
        key: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(archive: &Archive, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match archive {
        Archive::Status => {
            let found = client.get("/archive")?.body;
            output.data(&found, |output| output.rows(&["", ""], &status(&found)));
            Ok(0)
        }
        Archive::Show { key } => {
            let found = client.get(&format!("/changes/{}/archive", encode(key)))?.body;
            let held = &found["held"];
            output.data(&found, |output| match held {
                Value::Null => output.line(&format!("{} is in its rows.", text_of(&found, "key"))),
                held => output.rows(&["", ""], &segment(held)),
            });
            Ok(u8::from(held.is_null()))
        }
    }
}

fn status(found: &Value) -> Vec<Vec<String>> {
    let after = match found["after_days"].as_i64() {
        Some(days) => format!("{days} days after an ended change was last saved"),
        None => "never: the archive is off".to_owned(),
    };
    let mut rows = vec![vec!["moves".to_owned(), after]];
    for (name, field) in [
        ("changes", "changes"),
        ("segments", "segments"),
        ("bytes", "bytes"),
        ("bytes before compression", "bytes_opened"),
        ("last moved", "moved_at"),
        ("waiting", "waiting"),
    ] {
        rows.push(vec![name.to_owned(), text_of(found, field)]);
    }
    rows
}

fn segment(held: &Value) -> Vec<Vec<String>> {
    let place = match (&held["is_in_file"], &held["is_in_bucket"]) {
        (_, Value::Bool(true)) => "an object in the bucket",
        (Value::Bool(true), _) => "a file beside the database",
        _ => "a row of the database",
    };
    let mut rows = vec![vec!["place".to_owned(), place.to_owned()]];
    let told = [
        "segment",
        "archived_at",
        "bytes",
        "bytes_opened",
        "changes",
        "records",
        "texts",
    ]
    .map(|field| vec![field.replace('_', " "), text_of(held, field)]);
    rows.extend(told);
    rows
}
