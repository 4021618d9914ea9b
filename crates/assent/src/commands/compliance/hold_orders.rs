//! `assent hold-order`: legal holds over several records.

use clap::Subcommand;
use serde_json::json;
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// Legal holds over several records.
#[derive(Debug, Subcommand)]
pub enum HoldOrders {
    /// Place, list and show hold orders.
    #[command(flatten)]
    Verb(Verbs<noun::HoldOrder>),
    /// Lift a hold order; where two people are needed, the first one asks and another one lifts it.
    #[command(after_help = "Example: assent hold-order lift 0197… --reason 'The case is closed'")]
    Lift {
        /// The order's id, as `list` shows it.
        id: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// Runs a command about hold orders.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(orders: &HoldOrders, common: &Common, output: &Output) -> Result<u8> {
    match orders {
        HoldOrders::Verb(verbs) => run_verb(verbs, common, output),
        HoldOrders::Lift { id, reason } => {
            let path = format!("/hold-orders/{}/lifting", encode(id));
            let lifted = Client::new(common)?.post(&path, &json!({"reason": reason}))?.body;
            let waits = text_of(&lifted, "active") == "true";
            output.data(&lifted, |output| {
                output.line(&match waits {
                    true => format!("{id} waits for another person to lift it too"),
                    false => format!("{id} is lifted"),
                });
            });
            Ok(0)
        }
    }
}
