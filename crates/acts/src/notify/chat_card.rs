//! The chat message of a communication: the text of its plan, once for each stage, however many rounds of letters the stage
//! takes.

use jiff::tz::TimeZone;
use model::change::record::Change;
use model::core::enums::{CommunicationStage, LetterLanguage};
use model::notify::communication_plan::CommunicationPlan;
use model::notify::wording::rendered;
use serde_json::Value;
use store::audit::event::Event;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The kind of the events.
const SENT: &str = "communication.sent";

/// The subject and the lines of a communication about a change; `None` for other events, and when the plan is gone.
///
/// # Errors
/// The store's.
pub(crate) fn card_text(
    cx: &mut Context<'_, '_>,
    event: &Event,
    change: &Change,
) -> Result<Option<(String, Vec<String>)>> {
    if event.kind != SENT {
        return Ok(None);
    }
    let leaf: Value = serde_json::from_slice(&event.bytes)?;
    let data = &leaf["data"];
    let stage = data["stage"]
        .as_str()
        .and_then(|word| word.parse::<CommunicationStage>().ok());
    let filter = Filter::new().equals("key", data["plan"].as_str().unwrap_or_default());
    let filter = filter.equals("active", true).order_by("key").limit(1);
    let plan = record::bodies::<CommunicationPlan>(cx.tx, &filter)?.pop();
    let (Some(stage), Some(plan)) = (stage, plan) else {
        return Ok(None);
    };
    let (subject, text) = rendered(&plan, change, stage, (LetterLanguage::En, &TimeZone::UTC));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(Some((subject, lines.map(str::to_owned).collect())))
}

/// Whether an event is a further round of a stage that was sent to a chat already.
///
/// # Errors
/// A fault where the event cannot be read.
pub(crate) fn is_repeated(event: &Event) -> Result<bool> {
    if event.kind != SENT {
        return Ok(false);
    }
    let leaf: Value = serde_json::from_slice(&event.bytes)?;
    Ok(leaf["data"]["is_first"] == false)
}
