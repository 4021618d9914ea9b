//! Incidents: opened, edited, mitigated, resolved and opened again by people. A grave incident freezes the changes around it at
//! once.

use jiff::Timestamp;
use model::change::ready_spans::SKEW;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{IncidentKind, Kind, Role, TimelineKind};
use model::core::ids::{PersonId, RecordId, ServiceKey};
use model::core::parse::{LINE, Reading, later};
use model::core::refusal::Refusal;
use model::directory::snapshot::{self, Incident};
use model::directory::unknown_name;
use model::incident::course::MOST_KEYS;
use model::incident::lifecycle::{self, Happens};
use model::incident::major;
use model::incident::reference::{self, incidents_here};
use serde_json::{Value, json};
use store::counter;

use crate::case::settle_open::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_names::{BEFORE_FIRST_INCIDENT, INCIDENTS};
use crate::core::read_fields::patched;
use crate::incident::{judge_candidates, note_entry, note_in_watch, review_actions, sync_major};

/// The most services of an incident.
const MOST_SERVICES: usize = 200;

/// The fields of an incident that may change.
const FIELDS: [&str; 9] = [
    "title",
    "severity",
    "services",
    "started_at",
    "mitigated_at",
    "resolved_at",
    "external_ref",
    "external_keys",
    "kind",
];

/// Reads a whole incident; severity and start default to the given ones.
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
    read_names_elsewhere(reading, incident);
    incident.course.kind = reading.word("kind").unwrap_or_default();
    incident.course.mitigated_at = reading.time("mitigated_at");
    if incident.services.len() > MOST_SERVICES {
        let text = format!(
            "An incident can name at most {MOST_SERVICES} services; name the affected ones, and their dependents are derived."
        );
        reading.wrong("services", "too_many", text);
    }
    // People type whole seconds; an end within the second of the begin is that moment.
    let begin = incident.started_at;
    let within = |at: Timestamp| {
        if at.as_second() == begin.as_second() {
            at.max(begin)
        } else {
            at
        }
    };
    incident.resolved_at = incident.resolved_at.map(within);
    incident.course.mitigated_at = incident.course.mitigated_at.map(within);
    let is_read = !reading.errors.iter().any(|error| error.field == "started_at");
    if is_read && incident.resolved_at.is_some_and(|end| end < incident.started_at) {
        reading.wrong(
            "resolved_at",
            "out_of_order",
            "An incident cannot be resolved before it began.",
        );
    }
    if is_read && incident.course.mitigated_at.is_some_and(|at| at < incident.started_at) {
        reading.wrong(
            "mitigated_at",
            "out_of_order",
            "An incident cannot be mitigated before it began.",
        );
    }
    let told = [
        ("started_at", Some(incident.started_at)),
        ("mitigated_at", incident.course.mitigated_at),
        ("resolved_at", incident.resolved_at),
    ];
    for (field, at) in told {
        if at.is_some_and(|at| at > later(now, SKEW)) {
            reading.wrong(field, "in_the_future", format!("`{field}` cannot lie ahead."));
        }
    }
}

/// Reads how other systems name an incident. References that a source delivered stay; a person may add one.
fn read_names_elsewhere(reading: &mut Reading<'_>, incident: &mut Incident) {
    let reference = reading.text("external_ref", LINE);
    if let Some(text) = reference.as_deref().filter(|_| reference != incident.external_ref)
        && let Err(wrong) = reference::check_typed(text)
    {
        reading.wrong("external_ref", "not_a_reference", wrong);
    }
    incident.external_ref = reference;
    let keys = reading.texts("external_keys", LINE).unwrap_or_default();
    if keys.len() > MOST_KEYS {
        let text = format!("An incident has at most {MOST_KEYS} keys in other systems.");
        reading.wrong("external_keys", "too_many", text);
    }
    for (place, key) in keys.iter().enumerate() {
        if incident.course.external_keys.contains(key) {
            continue;
        }
        if let Err(wrong) = reference::check_typed(key) {
            reading.wrong(&format!("external_keys[{place}]"), "not_a_reference", wrong);
        }
    }
    incident.course.external_keys = keys.into_iter().collect();
}

/// Refuses a reference under which a connection delivered another incident: a change that names it would be read as made for
/// either. `seen` is the part that the acting person sees.
fn check_delivered(
    reading: &mut Reading<'_>,
    seen: &snapshot::Directory,
    (before, after): (Option<&Incident>, &Incident),
) {
    let has =
        |it: &Incident, text: &String| it.external_ref.as_ref() == Some(text) || it.course.external_keys.contains(text);
    let reference = after.external_ref.iter().map(|text| ("external_ref", text));
    let keys = after.course.external_keys.iter().map(|text| ("external_keys", text));
    for (field, text) in reference.chain(keys) {
        if before.is_some_and(|before| has(before, text)) {
            continue;
        }
        let mut others = seen.incidents.values();
        let is_delivered = |it: &&Incident| it.connection.is_some() && it.external_ref.as_ref() == Some(text);
        if let Some(other) = others.find(|it| it.key != after.key && is_delivered(it)) {
            let text = format!(
                "{} was delivered under this reference. Link the two incidents, or merge them.",
                other.key
            );
            reading.wrong(field, "not_unique", text);
        }
    }
}

/// The key of a new incident: `INC-101` is a tenant's first.
pub(crate) fn next_key(cx: &mut Context<'_, '_>) -> Result<String> {
    let number = BEFORE_FIRST_INCIDENT + counter::next_number(cx.tx, INCIDENTS)?;
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
        course: Default::default(),
    };
    fill(&mut reading, &directory, cx.now, &mut incident);
    check_delivered(&mut reading, &*cx.visible()?, (None, &incident));
    reading.finish()?;
    incident.key = next_key(cx)?;
    incident.course.opened_by = (!cx.actor.is_system).then(|| cx.actor.person.clone());
    let incident = incident.with_recorded_end(None, cx.now);
    put_by(cx, "incident.opened", incident, json!({}))
}

/// An incident by its key, in any case of letters.
///
/// # Errors
/// 404, or the store's.
pub(crate) fn find(cx: &mut Context<'_, '_>, key: &str) -> Result<Incident> {
    let directory = cx.visible()?;
    if !directory.incidents.contains_key(&key.to_uppercase()) {
        return Err(Refusal::not_found(format!("incident {key}")).into());
    }
    // The whole record, of which a reader may see less.
    let whole = cx.directory()?;
    let found = whole.incidents.get(&key.to_uppercase()).cloned();
    found.ok_or_else(|| Refusal::not_found(format!("incident {key}")).into())
}

/// Changes, mitigates or resolves an incident (`PATCH /incidents/{key}`). Null clears: one that was resolved too early is open
/// again.
///
/// # Errors
/// 403, 404, 409 for an act that the incident's state forbids, 422, or the store's.
pub fn edit_incident(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, before) = (cx.directory()?, find(cx, key)?);
    let mut incident = before.clone();
    let whole = patched(&before, &FIELDS, body)?;
    let mut reading = Reading::new(&whole, "");
    fill(&mut reading, &directory, cx.now, &mut incident);
    check_delivered(&mut reading, &*cx.visible()?, (Some(&before), &incident));
    if before.connection.is_some() && incident.external_ref != before.external_ref {
        let text = "The reference of a delivered incident cannot change, because its alerts find the incident by it. Add \
                    further references to `external_keys`.";
        reading.wrong("external_ref", "not_allowed", text);
    }
    for field in ["severity", "started_at"] {
        if whole.get(field).is_none_or(Value::is_null) {
            reading.wrong(field, "missing", format!("`{field}` is missing."));
        }
    }
    reading.finish()?;
    if incident == before {
        return Ok(incident);
    }
    check_edit(cx, &before, &incident)?;
    if before.connection.is_some() && incident.title != before.title {
        incident.course.has_own_title = true;
    }
    let incident = incident.with_recorded_end(Some(&before), cx.now);
    let saved = put_by(cx, "incident.edited", incident, json!({}))?;
    note_moves(cx, &before, &saved)?;
    Ok(saved)
}

/// Checks an edit against the table of states. Only the commander ends or narrows a major incident.
fn check_edit(cx: &mut Context<'_, '_>, before: &Incident, after: &Incident) -> Result<()> {
    for happens in happened(before, after) {
        lifecycle::check(before, happens)?;
    }
    let is_narrower = !before.services.is_subset(&after.services);
    let is_over = before.resolved_at.is_none() && after.resolved_at.is_some();
    if before.is_major() && (is_narrower || is_over) {
        let directory = cx.directory()?;
        major::check_commander(before, &directory, &cx.actor.person)?;
    }
    check_widening(cx, before, after)?;
    check_kind(cx, before, after)
}

/// Refuses to add a service to a major incident to a person who may not open a major incident of that service.
fn check_widening(cx: &mut Context<'_, '_>, before: &Incident, after: &Incident) -> Result<()> {
    let mut added = after.clone();
    added.services.retain(|it| !before.services.contains(it));
    let directory = cx.directory()?;
    let mine = [cx.actor.person.clone(), cx.actor.speaker().clone()];
    let is_spent = mine.iter().any(|by| major::is_spent(&added, &directory, by, cx.now));
    if !before.is_major() || !is_spent {
        return Ok(());
    }
    let text = "Another person must add the service: a commander ended the freeze of your last major incident less than 24 \
                hours ago.";
    Err(Refusal::not_allowed("own_request", text).into())
}

/// Only security, a commander or a change manager may remove the kind “security”: an implementer of work on the service may not
/// do so alone.
fn check_kind(cx: &mut Context<'_, '_>, before: &Incident, after: &Incident) -> Result<()> {
    if before.course.kind != IncidentKind::Security || after.course.kind == IncidentKind::Security {
        return Ok(());
    }
    let directory = cx.directory()?;
    let person = &cx.actor.person;
    if directory.has_role(person, Role::Security) || major::may_command(&directory, person) {
        return Ok(());
    }
    let mut others = directory.with_role(Role::Security);
    for person in major::commanders(&directory) {
        if !others.contains(&person) {
            others.push(person);
        }
    }
    let text = format!(
        "{} is a security incident. Only security, a commander or a change manager can declare that it is not.",
        before.key
    );
    Err(Refusal::not_allowed("not_yours", text)
        .with_others(others.iter().map(|it| directory.login(it)).collect())
        .into())
}

/// The events that an edit causes.
fn happened(before: &Incident, after: &Incident) -> Vec<Happens> {
    let mut found = Vec::new();
    match (before.resolved_at, after.resolved_at) {
        (None, Some(_)) => found.push(Happens::Resolved),
        (Some(_), None) => found.push(Happens::Reopened),
        _ => {}
    }
    let is_open = before.resolved_at.is_none() && after.resolved_at.is_none();
    match (before.course.mitigated_at, after.course.mitigated_at) {
        (None, Some(_)) if is_open => found.push(Happens::Mitigated),
        (Some(_), None) => found.push(Happens::NotMitigated),
        _ => {}
    }
    found
}

/// Records in the timeline the fields that an edit or a delivery moved.
///
/// # Errors
/// The store's.
pub(crate) fn note_moves(cx: &mut Context<'_, '_>, before: &Incident, after: &Incident) -> Result<()> {
    if before.state() != after.state() {
        let text = format!("{} → {}", before.state(), after.state());
        note_entry::note(cx, after, TimelineKind::State, &text)?;
    }
    if before.severity != after.severity {
        let text = format!("Severity {} → {}", before.severity, after.severity);
        note_entry::note(cx, after, TimelineKind::Severity, &text)?;
        let is_lower = after.severity > before.severity && after.is_major();
        if is_lower {
            let text = "It stays a major incident until it ends or its commander ends the freeze.";
            note_entry::note(cx, after, TimelineKind::Severity, text)?;
        }
    }
    let told = [
        (before.title != after.title).then(|| format!("Title “{}” → “{}”", before.title, after.title)),
        (before.started_at != after.started_at).then(|| format!("Began {} → {}", before.started_at, after.started_at)),
        (before.course.kind != after.course.kind)
            .then(|| format!("Kind {} → {}", before.course.kind, after.course.kind)),
    ];
    for text in told.iter().flatten() {
        note_entry::note(cx, after, TimelineKind::State, text)?;
    }
    if before.services != after.services {
        let keys: Vec<&str> = after.services.iter().map(ServiceKey::as_str).collect();
        note_entry::note(
            cx,
            after,
            TimelineKind::State,
            &format!("Services: {}", keys.join(", ")),
        )?;
    }
    Ok(())
}

/// Saves an incident that a person moved.
///
/// # Errors
/// The store's.
pub(crate) fn put_by(
    cx: &mut Context<'_, '_>,
    kind: &'static str,
    incident: Incident,
    data: Value,
) -> Result<Incident> {
    let by = (!cx.actor.is_system).then(|| cx.actor.person.clone());
    save(cx, kind, incident, (by.as_ref(), data))
}

/// Saves an incident that a source moved.
///
/// # Errors
/// The store's.
pub(crate) fn put(cx: &mut Context<'_, '_>, kind: &'static str, incident: Incident) -> Result<Incident> {
    save(cx, kind, incident, (None, json!({})))
}

/// Saves an incident, brings its freeze in line, and has the changes take note of it that were watched when it began.
fn save(
    cx: &mut Context<'_, '_>,
    kind: &'static str,
    incident: Incident,
    (by, data): (Option<&PersonId>, Value),
) -> Result<Incident> {
    let directory = cx.directory()?;
    let before = directory.incidents.get(&incident.key).cloned();
    let incident = major::judged(incident, &directory, by, cx.now);
    // A change may be the cause: candidates are searched when the incident opens, and again when it affects more services or
    // gets another start.
    let has_grown = before
        .as_ref()
        .is_some_and(|it| !incident.services.is_subset(&it.services));
    let has_moved = before.as_ref().is_some_and(|it| it.started_at != incident.started_at);
    let is_news = kind == "incident.opened" || has_grown && incident.resolved_at.is_none();
    let found = match is_news || has_moved {
        true => Some(judge_candidates::look(cx, &incident)?),
        false => None,
    };
    let incident = match &found {
        Some(found) => judge_candidates::flagged(cx, incident, found)?,
        None => incident,
    };
    let data = facts(&incident, data);
    let saved = cx.put_estate(kind, incident, data)?;
    if kind == "incident.opened" {
        let text = format!("Opened with severity {}: {}", saved.severity, saved.title);
        note_entry::note(cx, &saved, TimelineKind::State, &text)?;
    }
    sync_major::sync(cx, before.as_ref(), &saved)?;
    sync_major::note_withheld(cx, before.as_ref(), &saved)?;
    note_in_watch::note(cx, &saved)?;
    if let Some(found) = found.filter(|_| is_news) {
        judge_candidates::note_candidates(cx, &saved, &found)?;
    }
    settle_emergencies(cx, &saved)?;
    review_actions::request_review(cx, &saved.key)?;
    Ok(saved)
}

/// The facts about an incident in every event, beside the act's own: no free text.
fn facts(incident: &Incident, said: Value) -> Value {
    let mut facts = json!({
        "key": incident.key, "kind": incident.course.kind, "state": incident.state(), "severity": incident.severity,
        "services": incident.services,
    });
    if let (Value::Object(facts), Value::Object(said)) = (&mut facts, said) {
        facts.extend(said);
    }
    facts
}

/// Judges the emergencies that name a moved incident again: the incident may no longer be a ground, or be one again.
///
/// # Errors
/// The store's.
pub(crate) fn settle_emergencies(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<()> {
    let directory = cx.directory()?;
    settle_open(cx, |change| {
        let text = change.content.incident.as_deref().map(str::trim).unwrap_or_default();
        // Of several under one reference another may be the ground now.
        let is_named = || incidents_here(&directory, text).iter().any(|it| it.id == incident.id);
        change.content.kind == Kind::Emergency && change.state.is_before_start() && is_named()
    })
}
