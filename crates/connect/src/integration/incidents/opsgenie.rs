//! Opsgenie's webhook integration (`https://support.atlassian.com/opsgenie/docs/opsgenie-edge-connector-alert-action-data/`): the alias of an
//! alert names the incident while it is open. Events of an alert between its beginning and its end are noted.

use jiff::Timestamp;
use model::integration::signal::{self, SetAside, Signal};
use serde_json::Value;

use super::{IncidentReport, first, moment, severity, text};
use crate::integration::received::parse;

/// Reads a delivery.
///
/// # Errors
/// [`SetAside`] where it names no action or no alert.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Value = parse(body)?;
    let action = text(&it, "/action").ok_or_else(|| SetAside::because("the delivery names no action"))?;
    let is_over = match action.as_str() {
        "Create" | "UpdatePriority" | "UpdateMessage" => false,
        "Close" | "Delete" => true,
        other => {
            return Ok(vec![Signal::Unknown {
                event: signal::name("action", other)?,
                action: None,
            }]);
        }
    };
    let key = first(&it, &["/alert/alias", "/alert/alertId"]);
    let key = key.ok_or_else(|| SetAside::because("the delivery names no alert"))?;
    let services = first(&it, &["/alert/details/service", "/alert/entity"])
        .into_iter()
        .collect();
    let moved_at = moment(&it, "/alert/updatedAt")?;
    let created = moment(&it, "/alert/createdAt")?;
    // The order of the events, not of their arrival: a `Create` that arrives after its `Close` opens nothing.
    let told_at = moved_at.or(created).unwrap_or(received_at);
    let told = IncidentReport {
        key,
        is_over,
        title: text(&it, "/alert/message"),
        services,
        severity: text(&it, "/alert/priority").as_deref().and_then(severity),
        started_at: created,
        ended_at: moved_at,
        told_at: Some(told_at),
        ..IncidentReport::default()
    };
    Ok(vec![told.into_signal(received_at)?])
}
