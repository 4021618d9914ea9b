//! `assent communication-plan`: the audience of changes; the preview beside the verbs of the card. The status and feeds are
//! beside it.

use clap::Subcommand;
use serde_json::json;
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::commands::notify::status;
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, text_of};

/// What is told of changes.
#[derive(Debug, Subcommand)]
pub enum NoticeCommand {
    /// Communication plans: who is told of a change, at which stages, and in which words.
    #[command(subcommand)]
    CommunicationPlan(CommunicationPlans),
    /// What users notice now and soon, and who reads it.
    #[command(subcommand)]
    Status(status::Status),
    /// Addresses of your calendar and of the status for programs that cannot sign in.
    #[command(subcommand)]
    Feed(status::Feed),
}

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

/// Runs a command about the communications of changes.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn run(told: &NoticeCommand, common: &Common, output: &Output) -> Result<u8> {
    match told {
        NoticeCommand::CommunicationPlan(plans) => communication_plan(plans, common, output),
        NoticeCommand::Status(asked) => status::status(asked, common, output),
        NoticeCommand::Feed(asked) => status::feed(asked, common, output),
    }
}

/// Runs a command about communication plans.
///
/// # Errors
/// The server's refusal, or why the request failed.
fn communication_plan(plans: &CommunicationPlans, common: &Common, output: &Output) -> Result<u8> {
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
