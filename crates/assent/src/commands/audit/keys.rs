//! `assent key`: the keys that sign permits and the log.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// The keys that sign permits and the log.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// List the keys.
    List,
    /// Have a new key sign from now on; what the old one signed stays good. It needs a fresh factor: sign in with --as.
    #[command(after_help = "Example: assent --as acme/adam key rotate permit --reason 'Once a year'")]
    Rotate {
        /// What the key signs.
        #[arg(value_parser = ["permit", "log", "cosigner"])]
        purpose: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Revoke a stolen key of permits with all that it signed. It needs a fresh factor: sign in with --as.
    #[command(after_help = "Example: assent --as acme/adam key revoke KID --reason 'Seen on a laptop that was stolen'")]
    Revoke {
        /// The key's id, as `list` shows it.
        // One id in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(key: &Key, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    match key {
        Key::List => {
            let list = client.get("/keys")?.body;
            output.data(&list, |output| print_list(output, &list));
        }
        Key::Rotate { purpose, reason } => {
            let path = format!("/keys/{}/rotation", encode(purpose));
            print_rotation(output, &client.post(&path, &json!({"reason": reason}))?.body);
        }
        Key::Revoke { kid, reason } => {
            let path = format!("/keys/{}/revocation", encode(kid));
            print_rotation(output, &client.post(&path, &json!({"reason": reason}))?.body);
        }
    }
    Ok(0)
}

fn print_list(output: &Output, list: &Value) {
    let row = |item: &Value| {
        let fields = ["purpose", "state", "kid", "created_at"].map(|it| text_of(item, it));
        fields.into_iter().chain([revoked_permits(item)]).collect()
    };
    let rows: Vec<Vec<String>> = array(list, "items").iter().map(row).collect();
    output.rows(&["signs", "state", "kid", "made", "permits revoked"], &rows);
}

/// How many permits of a revoked key were revoked with it, and whether that goes on.
fn revoked_permits(key: &Value) -> String {
    let Some(turn) = array(key, "turns").iter().find(|turn| turn["kind"] == "revoked") else {
        return String::new();
    };
    let count = turn["revoked_permits"].as_i64().unwrap_or_default();
    match turn.get("revoking_after") {
        Some(_) => format!("{count} so far"),
        None => count.to_string(),
    }
}

fn print_rotation(output: &Output, turn: &Value) {
    output.data(turn, |output| {
        output.line(&format!("{} {}", text_of(turn, "kind"), text_of(turn, "kid")));
        let next = text_of(turn, "next");
        if !next.is_empty() {
            output.line(&format!("signs now: {next}"));
        }
    });
    match text_of(turn, "purpose").as_str() {
        "permit" => output.next("have gateways that keep a copy fetch jwks.json and assent-revocations anew"),
        _ => output.next("have auditors fetch the log's key file anew"),
    }
}
