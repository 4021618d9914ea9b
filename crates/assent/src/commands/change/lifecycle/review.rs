//! `assent change review`: the post-implementation review, by itself or over its draft.

use clap::Args;
use serde_json::{Value, json};

use super::path;
use crate::client::Client;
use crate::clock;
use crate::failure::Result;

/// A post-implementation review.
#[derive(Debug, Args)]
#[command(after_help = "Example: assent change review CHG-1042 --summary 'As planned.' --improvement 'Drain earlier'")]
pub struct Review {
    /// The change's key.
    pub key: String,
    /// What is to be remembered.
    #[arg(long, required_unless_present = "draft")]
    summary: Option<String>,
    /// Start from the draft that is made of what is known (`assent change review-draft`); what is said here stands
    /// over it.
    #[arg(long)]
    pub draft: bool,
    /// The objectives were not met.
    #[arg(long)]
    objectives_missed: bool,
    /// The assessment was not adequate.
    #[arg(long)]
    assessment_inadequate: bool,
    /// The steps were not adequate.
    #[arg(long)]
    steps_inadequate: bool,
    /// The root cause, by its key (`assent cause list`); needed where the change failed or missed its objectives.
    #[arg(long, value_name = "KEY")]
    cause: Option<String>,
    /// What exactly it was; needed where it was not found (`unknown`).
    #[arg(long, value_name = "TEXT", requires = "cause")]
    cause_text: Option<String>,
    /// What should be done better; may be given several times.
    #[arg(long)]
    improvement: Vec<String>,
    /// Who sees to it: a login; the owner of the change unless said.
    #[arg(long, value_name = "LOGIN", requires = "improvement")]
    improvements_owner: Option<String>,
    /// Until when it is done, such as +14d; in 30 days unless said.
    #[arg(long, value_name = "TIME", requires = "improvement", allow_hyphen_values = true)]
    improvements_due: Option<String>,
    /// An incident that the review addresses, by key; may be given several times.
    #[arg(long)]
    incident: Vec<String>,
    /// Of an emergency, the confirmed cause: incident, threat, bad_planning, capacity or freeze_avoidance.
    #[arg(long, value_name = "CAUSE")]
    emergency_cause: Option<String>,
    /// You looked at what the change reaches; owed of an emergency and a broken glass where the assessment did not.
    #[arg(long)]
    dependencies_reviewed: bool,
}

/// The options of a review as JSON.
pub(super) fn review(said: &Review) -> Value {
    let mut body = json!({
        "objectives_met": !said.objectives_missed, "assessment_adequate": !said.assessment_inadequate,
        "steps_adequate": !said.steps_inadequate,
    });
    if said.dependencies_reviewed {
        body["dependencies_reviewed"] = json!(true);
    }
    // The server reports the error of a time that cannot be read.
    let moment = |text: &String| clock::moment(text, clock::now()).map_or_else(|_| text.clone(), |at| at.to_string());
    let texts = [
        ("summary", said.summary.clone()),
        ("cause", said.cause.clone()),
        ("cause_text", said.cause_text.clone()),
        ("improvements_owner", said.improvements_owner.clone()),
        ("emergency_cause", said.emergency_cause.clone()),
        ("improvements_due_at", said.improvements_due.as_ref().map(moment)),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            body[name] = json!(text);
        }
    }
    for (name, list) in [("improvements", &said.improvement), ("incidents", &said.incident)] {
        if !list.is_empty() {
            body[name] = json!(list);
        }
    }
    body
}

/// The drafted review, with the options of the command line in place of its values.
pub(super) fn over_draft(client: &Client, of: &Review) -> Result<Value> {
    let draft = client.get(&path(&of.key, "/review-draft"))?.body;
    let said = review(of);
    let judged = |name: &str| json!(said[name] == true && draft[name] == true);
    let words = |name: &str| {
        if said[name].is_null() {
            &draft[name]
        } else {
            &said[name]
        }
    };
    let mut body = json!({
        "objectives_met": judged("objectives_met"), "assessment_adequate": judged("assessment_adequate"),
        "steps_adequate": judged("steps_adequate"), "summary": words("summary"), "improvements": words("improvements"),
        "incidents": words("incidents"),
    });
    let named = [
        "cause",
        "cause_text",
        "improvements_owner",
        "improvements_due_at",
        "emergency_cause",
        "dependencies_reviewed",
    ];
    for name in named {
        if !said[name].is_null() {
            body[name] = said[name].clone();
        }
    }
    Ok(body)
}
