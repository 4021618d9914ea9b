//! `assent delivery`: messages of outside systems, their effects, and reading one once more.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, encode};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// What outside systems delivered.
#[derive(Debug, Subcommand)]
pub enum Delivery {
    /// List a connection's deliveries, the newest first.
    List {
        /// The connection's id.
        connection: String,
        /// Which of them.
        #[arg(long, value_parser = ["waiting", "parked", "done"])]
        state: Option<String>,
    },
    /// Show a delivery, what it says and what came of it.
    Show {
        /// The delivery's id, as `list` shows it.
        id: String,
    },
    /// Read a delivery once more and tell what it makes.
    #[command(after_help = "Example: assent delivery replay 0197…\n\n\
        What had its effect has it once: replaying a delivery that was taken changes nothing.")]
    Replay {
        /// The delivery's id.
        id: String,
    },
}

/// Runs a command of the group.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(delivery: &Delivery, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let found = match delivery {
        Delivery::List { connection, state } => return list(&client, connection, state.as_deref(), output),
        Delivery::Show { id } => client.get(&format!("/deliveries/{}", encode(id)))?.body,
        Delivery::Replay { id } => {
            client
                .post(&format!("/deliveries/{}/replays", encode(id)), &json!({}))?
                .body
        }
    };
    output.data(&found, |output| print_deliveries(output, &found));
    Ok(0)
}

fn list(client: &Client, connection: &str, state: Option<&str>, output: &Output) -> Result<u8> {
    let query = state.map(|state| format!("?state={state}")).unwrap_or_default();
    let found = client
        .get(&format!("/connections/{}/deliveries{query}", encode(connection)))?
        .body;
    let fields = ["id", "event", "received_at", "state", "result"];
    output.data(&found, |output| {
        let rows: Vec<Vec<String>> = array(&found, "items")
            .iter()
            .map(|row| fields.iter().map(|field| text_of(row, field)).collect())
            .collect();
        output.rows(&fields, &rows);
    });
    Ok(0)
}

fn print_deliveries(output: &Output, found: &Value) {
    let fields = [
        "id",
        "event",
        "received_at",
        "state",
        "before",
        "result",
        "reason",
        "complaint",
    ];
    let pairs: Vec<(&str, String)> = fields
        .into_iter()
        .map(|field| (field, text_of(found, field)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    output.pairs(&pairs);
    for signal in array(found, "signals") {
        output.line(&signal.to_string());
    }
}
