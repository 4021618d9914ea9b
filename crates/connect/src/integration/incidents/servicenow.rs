//! ServiceNow-shaped webhooks: a record of the table `incident` as a business rule or a REST message sends it, plain or inside
//! `result`. Its number names the incident.

use jiff::Timestamp;
use model::integration::signal::{SetAside, Signal};
use serde_json::Value;

use super::{IncidentReport, first, moment, number, severity, text};
use crate::integration::received::parse;

/// Reads a delivery.
///
/// # Errors
/// [`SetAside`] where it names no number, or a time cannot be read.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let whole: Value = parse(body)?;
    let it = ["result", "incident", "record"]
        .iter()
        .find_map(|name| whole.get(*name).filter(|inner| inner.is_object()))
        .unwrap_or(&whole);
    let key = first(it, &["/number"]).ok_or_else(|| SetAside::because("the record has no `number`"))?;
    let state = first(it, &["/state", "/incident_state"]).unwrap_or_default();
    // The states of the base system: 6 Resolved, 7 Closed, 8 Canceled.
    let is_over = matches!(
        state.to_lowercase().as_str(),
        "6" | "7" | "8" | "resolved" | "closed" | "canceled" | "cancelled"
    );
    let ended_at = match moment(it, "/resolved_at")? {
        Some(at) => Some(at),
        None => moment(it, "/closed_at")?,
    };
    let told = IncidentReport {
        key: format!("incident/{key}"),
        is_over,
        reopens: !is_over,
        tells_state: true,
        title: first(it, &["/short_description", "/description"]),
        services: first(it, &["/business_service", "/cmdb_ci"]).into_iter().collect(),
        // Their teams work by the priority, which follows from impact and urgency; `severity` is a field of security that stays at
        // its first value elsewhere.
        severity: ["/priority", "/severity"]
            .iter()
            .find_map(|path| text(it, path).as_deref().and_then(severity)),
        started_at: moment(it, "/opened_at")?,
        ended_at,
        told_at: Some(moment(it, "/sys_updated_on")?.unwrap_or(received_at)),
        // Their times have no fractions of a second.
        told_number: number(it, "/sys_mod_count"),
    };
    Ok(vec![told.into_signal(received_at)?])
}
