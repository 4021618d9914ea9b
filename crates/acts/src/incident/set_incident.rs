//! Incidents, first form: opened and resolved; they freeze nothing by themselves.

use jiff::Timestamp;
use model::change::ready_spans::SKEW;
use model::core::act;
use model::core::body::Body;
use model::core::enums::Kind;
use model::core::ids::{RecordId, ServiceKey};
use model::core::parse::{LINE, Reading, later};
use model::core::refusal::Refusal;
use model::directory::snapshot::{self, Incident};
use model::directory::unknown_name;
use model::emergency::grounds;
use serde_json::{Value, json};
use store::counter;

use crate::case::settle_open::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_names::{BEFORE_FIRST_INCIDENT, INCIDENTS};
use crate::core::read_fields::patched;
use crate::incident::{judge_candidates, note_in_watch};

/// What may change of an incident.
const FIELDS: [&str; 6] = [
    "title",
    "severity",
    "services",
    "started_at",
    "resolved_at",
    "external_ref",
];

/// Reads an incident as a whole; severity and start are the given ones where nothing is said.
fn fill(reading: &mut Reading<'_>, directory: &snapshot::Directory, now: Timestamp, incident: &mut Incident) {
    incident.title = reading.needed("title", LINE);
    incident.severity = reading.integer("severity", 1..=4).unwrap_or(incident.severity);
    let services = reading.texts("services", LINE).unwrap_or_default();
    incident.services = services.into_iter().map(ServiceKey).collect();
    for key in incident.services.clone() {
        if !directory.services.contains_key(&key) {
            reading.wrong("services", "unknown", unknown_name::service(directory, key.as_str()));
        }
    }
    incident.started_at = reading.time("started_at").unwrap_or(incident.started_at);
    incident.resolved_at = reading.time("resolved_at");
    incident.external_ref = reading.text("external_ref", LINE);
    let is_read = !reading.errors.iter().any(|error| error.field == "started_at");
    if is_read && incident.resolved_at.is_some_and(|end| end < incident.started_at) {
        reading.wrong("resolved_at", "out_of_order", "It was resolved before it began.");
    }
    let told = [
        ("started_at", Some(incident.started_at)),
        ("resolved_at", incident.resolved_at),
    ];
    for (field, at) in told {
        if at.is_some_and(|at| at > later(now, SKEW)) {
            reading.wrong(field, "in_the_future", format!("`{field}` cannot lie ahead."));
        }
    }
}

/// The key of a new incident: `INC-101` is a tenant's first.
pub(crate) fn next_key(cx: &mut Context<'_, '_>) -> Result<String> {
    let number = BEFORE_FIRST_INCIDENT + counter::next(cx.tx, INCIDENTS)?;
    Ok(format!("INC-{number}"))
}

/// Opens an incident (`POST /incidents`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn open_incident(cx: &mut Context<'_, '_>, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let mut incident = Incident {
        id: RecordId(cx.new_id()?),
        version: 0,
        key: String::new(),
        title: String::new(),
        severity: 3,
        services: std::collections::BTreeSet::new(),
        started_at: cx.now,
        resolved_at: None,
        end_recorded_at: None,
        external_ref: None,
        connection: None,
        cause_verdicts: Vec::new(),
    };
    fill(&mut reading, &directory, cx.now, &mut incident);
    reading.finish()?;
    incident.key = next_key(cx)?;
    let incident = incident.with_recorded_end(None, cx.now);
    put(cx, "incident.opened", incident)
}

/// Changes or resolves an incident (`PATCH /incidents/{key}`). Null clears: one that was resolved too early is open again.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn edit_incident(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let directory = cx.directory()?;
    let Some(before) = directory.incidents.get(&key.to_uppercase()) else {
        return Err(Refusal::not_found(format!("incident {key}")).into());
    };
    let mut incident = before.clone();
    let whole = patched(before, &FIELDS, body)?;
    let mut reading = Reading::new(&whole, "");
    fill(&mut reading, &directory, cx.now, &mut incident);
    for field in ["severity", "started_at"] {
        if whole.get(field).is_none_or(Value::is_null) {
            reading.wrong(field, "missing", format!("`{field}` is missing."));
        }
    }
    reading.finish()?;
    if incident == *before {
        return Ok(incident);
    }
    let incident = incident.with_recorded_end(Some(before), cx.now);
    put(cx, "incident.edited", incident)
}

/// Saves an incident, and has the changes take note of it that were watched when it began.
pub(crate) fn put(cx: &mut Context<'_, '_>, kind: &'static str, incident: Incident) -> Result<Incident> {
    let saved = cx.put_estate(kind, incident, json!({}))?;
    note_in_watch::note(cx, &saved)?;
    if kind == "incident.opened" {
        judge_candidates::note_candidates(cx, &saved)?;
    }
    settle_emergencies(cx, &saved)?;
    Ok(saved)
}

/// Judges the emergencies again that name an incident which moved: it may be a ground no more, or one again.
///
/// # Errors
/// The store's.
pub(crate) fn settle_emergencies(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<()> {
    let directory = cx.directory()?;
    settle_open(cx, |change| {
        let text = change.content.incident.as_deref();
        let named = text.and_then(|text| grounds::named(&directory, text));
        change.content.kind == Kind::Emergency
            && change.state.is_before_start()
            && named.is_some_and(|named| named.id == incident.id)
    })
}
