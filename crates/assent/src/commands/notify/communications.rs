//! `assent communication-plan`: whom changes are told to; the preview beside the verbs of the card.

use clap::Subcommand;
use serde_json::json;
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// Communication plans.
#[derive(Debug, Subcommand)]
pub enum CommunicationPlans {
    /// Add, list, change and end plans.
    #[command(flatten)]
    Verb(Verbs<noun::CommunicationPlan>),
    /// Show what a plan would tell of a change; nothing is sent.
    #[command(after_help = "Example: assent communication-plan preview 0198… CHG-1042 --stage started --language de")]
    Preview {
        /// The plan's id, as `list` shows it.
        id: String,
        /// The change's key.
        change: String,
        /// The stage, such as started.
        #[arg(long, default_value = "announced")]
        stage: String,
        /// The language: en or de.
        #[arg(long, default_value = "en")]
        language: String,
    },
}

/// Runs a command about communication plans.
///
/// # Errors
/// The server's refusal, or why it could not be asked.
pub fn communication_plan(plans: &CommunicationPlans, common: &Common, output: &Output) -> Result<u8> {
    match plans {
        CommunicationPlans::Verb(verbs) => run_verb(verbs, common, output),
        CommunicationPlans::Preview {
            id,
            change,
            stage,
            language,
        } => {
            let body = json!({"change": change, "stage": stage, "language": language});
            let path = format!("/communication-plans/{}/previews", encode(id));
            let shown = Client::new(common)?.post(&path, &body)?.body;
            output.data(&shown, |output| {
                output.line(&text_of(&shown, "subject"));
                output.line(&text_of(&shown, "text"));
                output.line(&format!("{} recipients", text_of(&shown, "recipient_count")));
            });
            Ok(0)
        }
    }
}
