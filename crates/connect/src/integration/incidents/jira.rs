//! Jira-shaped webhooks (`https://developer.atlassian.com/server/jira/platform/webhooks/`): an issue that is created, updated or
//! deleted. The key names the incident; the category of its status shows whether it is over.

use jiff::Timestamp;
use model::integration::signal::{self, SetAside, Signal};
use serde_json::Value;

use super::{IncidentReport, moment, number, severity, text};
use crate::integration::received::parse;

/// Reads a delivery.
///
/// # Errors
/// [`SetAside`] where it names no issue, or a time cannot be read.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Value = parse(body)?;
    let event = text(&it, "/webhookEvent").unwrap_or_else(|| "jira:issue_updated".to_owned());
    let is_deleted = event == "jira:issue_deleted";
    if !is_deleted && !matches!(event.as_str(), "jira:issue_created" | "jira:issue_updated") {
        return Ok(vec![Signal::Unknown {
            event: signal::name("webhookEvent", &event)?,
            action: None,
        }]);
    }
    let key = text(&it, "/issue/key").ok_or_else(|| SetAside::because("the delivery names no issue"))?;
    let is_done = text(&it, "/issue/fields/status/statusCategory/key").as_deref() == Some("done");
    let components = it.pointer("/issue/fields/components").and_then(Value::as_array);
    let services = components.into_iter().flatten().filter_map(|row| text(row, "/name"));
    let is_over = is_done || is_deleted;
    let told = IncidentReport {
        key: format!("issue/{key}"),
        is_over,
        reopens: !is_over,
        tells_state: true,
        title: text(&it, "/issue/fields/summary"),
        services: services.collect(),
        severity: text(&it, "/issue/fields/priority/name").as_deref().and_then(severity),
        started_at: moment(&it, "/issue/fields/created")?,
        ended_at: moment(&it, "/issue/fields/resolutiondate")?,
        told_at: Some(moment(&it, "/timestamp")?.unwrap_or(received_at)),
        // The ids of change logs rise, and an issue that was just created has none.
        told_number: number(&it, "/changelog/id"),
    };
    Ok(vec![told.into_signal(received_at)?])
}
