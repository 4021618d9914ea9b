//! Incidents, first form: opened and resolved; they freeze nothing by themselves.

use model::directory::Incident;
use model::ids::{RecordId, ServiceKey};
use model::reading::{LINE, Reading};
use model::refusal::Refusal;
use model::verbs::Body;
use serde_json::json;
use store::counter;

use crate::error::Result;
use crate::room::Room;

fn fill(reading: &mut Reading<'_>, directory: &model::directory::Directory, incident: &mut Incident) {
    if let Some(title) = reading.text("title", LINE) {
        incident.title = title;
    }
    incident.severity = reading.integer("severity", 1..=4).unwrap_or(incident.severity);
    if let Some(keys) = reading.texts("services", LINE) {
        incident.services = keys.into_iter().map(ServiceKey).collect();
    }
    for key in incident.services.clone() {
        if !directory.services.contains_key(&key) {
            reading.wrong("services", "unknown", model::absent::service(directory, key.as_str()));
        }
    }
    incident.started_at = reading.time("started_at").unwrap_or(incident.started_at);
    // Null clears: an incident that was resolved too early is open again.
    if reading.says("resolved_at") {
        incident.resolved_at = reading.time("resolved_at");
    }
    if reading.says("external_ref") {
        incident.external_ref = reading.text("external_ref", LINE);
    }
    if incident.title.is_empty() {
        reading.wrong("title", "missing", "`title` is missing.");
    }
    if incident.resolved_at.is_some_and(|end| end < incident.started_at) {
        reading.wrong("resolved_at", "out_of_order", "It was resolved before it began.");
    }
}

/// The counter behind the keys of incidents, and the number before the first one.
pub(crate) const INCIDENTS: &str = "incident";
/// See [`INCIDENTS`].
pub(crate) const BEFORE_FIRST_INCIDENT: i64 = 100;

/// The key of a new incident: `INC-101` is a tenant's first.
pub(crate) fn next_key(room: &mut Room<'_, '_>) -> Result<String> {
    let number = BEFORE_FIRST_INCIDENT + counter::next(room.tx, INCIDENTS)?;
    Ok(format!("INC-{number}"))
}

/// Opens an incident (`POST /incidents`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn open_incident(room: &mut Room<'_, '_>, body: &Body) -> Result<Incident> {
    room.allow(model::act::actions::SET_INCIDENT)?;
    let directory = room.directory()?;
    let mut reading = Reading::new(body, "");
    let mut incident = Incident {
        id: RecordId(room.new_id()?),
        version: 0,
        key: String::new(),
        title: String::new(),
        severity: 3,
        services: std::collections::BTreeSet::new(),
        started_at: room.now,
        resolved_at: None,
        external_ref: None,
    };
    fill(&mut reading, &directory, &mut incident);
    reading.finish()?;
    incident.key = next_key(room)?;
    room.put_estate("incident.opened", incident, json!({}))
}

/// Changes or resolves an incident (`PATCH /incidents/{key}`).
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn edit_incident(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    room.allow(model::act::actions::SET_INCIDENT)?;
    let directory = room.directory()?;
    let found = directory.incidents.get(&key.to_uppercase()).cloned();
    let Some(mut incident) = found else {
        return Err(Refusal::not_found(format!("incident {key}")).into());
    };
    let mut reading = Reading::new(body, "");
    fill(&mut reading, &directory, &mut incident);
    reading.finish()?;
    room.put_estate("incident.edited", incident, json!({}))
}
