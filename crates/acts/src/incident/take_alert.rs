//! Alerts of outside systems: each occurrence is one incident, opened once and resolved once, whichever word comes first.

use model::core::ids::{RecordId, ServiceKey};
use model::core::parse;
use model::directory::snapshot::{self, Connection, Incident};
use model::integration::signal::Alert;
use serde_json::json;

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::incident::set_incident;

/// The longest title, in characters.
const TITLE: usize = 200;

/// Takes an alert.
///
/// # Errors
/// The store's.
pub fn take_alert(cx: &mut Context<'_, '_>, connection: &str, alert: &Alert) -> Result<String> {
    let connection = connections::connection(cx, connection)?;
    let reference = format!("{}:{}", connection.kind, alert.source_key);
    let directory = cx.directory()?;
    let known = directory
        .incidents
        .values()
        .find(|it| it.external_ref.as_deref() == Some(reference.as_str()))
        .cloned();
    if let Some(mut incident) = known {
        let end = alert
            .ended_at
            .filter(|_| alert.is_over)
            .map(|end| end.max(incident.started_at));
        let changes = end.is_some() && incident.resolved_at.is_none();
        let is_named = !alert.is_over && incident.title == "Alert" && alert.title != "Alert";
        if !changes && !is_named {
            return Ok(format!("{} is known already", incident.key));
        }
        incident.resolved_at = incident.resolved_at.or(end);
        if is_named {
            incident.title = title_of(alert);
            incident.severity = alert.severity;
            incident.services = services(&directory, &connection, alert);
            incident.started_at = incident.started_at.min(alert.started_at);
        }
        let kind = if changes {
            "incident.resolved"
        } else {
            "incident.edited"
        };
        let saved = cx.put_estate(kind, incident, json!({}))?;
        set_incident::settle_emergencies(cx, &saved)?;
        return Ok(format!("{} is told again", saved.key));
    }
    let ended_at = alert.ended_at.filter(|_| alert.is_over);
    let incident = Incident {
        id: RecordId(cx.new_id()?),
        version: 0,
        key: set_incident::next_key(cx)?,
        title: title_of(alert),
        severity: alert.severity,
        services: services(&directory, &connection, alert),
        started_at: ended_at.map_or(alert.started_at, |end| end.min(alert.started_at)),
        resolved_at: ended_at,
        external_ref: Some(reference),
    };
    let saved = cx.put_estate("incident.opened", incident, json!({}))?;
    Ok(format!("{} is opened", saved.key))
}

/// An alert's title as the incident's: one line, whatever the sender put into it.
fn title_of(alert: &Alert) -> String {
    parse::one_line(&alert.title).chars().take(TITLE).collect()
}

/// Our service: mapped from the sender's word for it, or that very word.
fn services(
    directory: &snapshot::Directory,
    connection: &Connection,
    alert: &Alert,
) -> std::collections::BTreeSet<ServiceKey> {
    let Some(theirs) = &alert.service else {
        return std::collections::BTreeSet::new();
    };
    let mapped = connection
        .map
        .iter()
        .find(|row| row.repository.eq_ignore_ascii_case(theirs));
    let ours = mapped.map_or_else(|| ServiceKey(theirs.clone()), |row| row.service.clone());
    directory
        .services
        .contains_key(&ours)
        .then_some(ours)
        .into_iter()
        .collect()
}
