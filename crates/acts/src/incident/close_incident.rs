//! Closes an incident, or merges it into its original.

use model::core::act;
use model::core::body::Body;
use model::core::enums::{ChangeRelation, RelationKind, TimelineKind};
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::{Refusal, refuse_unmet};
use model::core::unmet::Unmet;
use model::directory::snapshot::{Directory, Incident};
use model::incident::course::MOST_KEYS;
use model::incident::lifecycle::{self, Happens};
use model::incident::major;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::incident::judge_candidates::clear_open;
use crate::incident::link_records::{carry_over, link_merged, way_over};
use crate::incident::note_entry::note;
use crate::incident::set_incident::{find, put_by};
use crate::incident::write_review::unmet_review;

/// How many incidents one may lie behind another as duplicates of duplicates.
const DEEPEST: usize = 50;

/// Closes an incident that is resolved (`POST /incidents/{key}/closure {reason?}`).
///
/// # Errors
/// 403, 404; 409 while it is open, a signature waits for its review, it is related to a change and its own review is not complete, or
/// nobody judged its candidates and no reason is given; 422; or the store's.
pub fn close_incident(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let before = find(cx, key)?;
    let mut reading = Reading::new(body, "");
    let reason = reading.text("reason", TEXT);
    reading.finish()?;
    lifecycle::check(&before, Happens::Closed)?;
    if before.course.closed_at.is_some() {
        return Ok(before);
    }
    let directory = cx.directory()?;
    let mut owed = unmet(&before, &directory);
    owed.extend(unmet_review(cx, &before)?);
    owed.extend(unjudged(&before, &directory).filter(|_| reason.is_none()));
    refuse_unmet("incident_not_done", "The incident cannot be closed yet.", owed)?;
    let mut incident = match &reason {
        Some(reason) if before.course.change_related == Some(ChangeRelation::Suspected) => {
            clear_open(cx, before, reason)?
        }
        _ => before,
    };
    incident.course.closed_at = Some(cx.now);
    incident.course.closed_by = Some(cx.actor.person.clone());
    let saved = put_by(cx, "incident.closed", incident, json!({"by": cx.actor.person}))?;
    let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    note(cx, &saved, TimelineKind::State, &format!("Closed{why}"))?;
    Ok(saved)
}

/// The unmet obligation of a flagged incident with candidates that nobody confirmed or cleared. Closing the incident with a
/// reason clears them.
fn unjudged(incident: &Incident, directory: &Directory) -> Option<Unmet> {
    let is_suspected = incident.course.change_related == Some(ChangeRelation::Suspected);
    let people = major::commanders(directory);
    is_suspected.then(|| Unmet {
        code: "candidates_not_judged".into(),
        text: format!(
            "{} began after changes that may have led to it, and nobody judged all of them.",
            incident.key
        ),
        satisfy: format!(
            "Confirm or clear each candidate (POST /incidents/{}/candidates), or close it with a `reason`.",
            incident.key
        ),
        waiting_on: people.iter().map(|person| directory.login(person)).collect(),
        cannot_be_met: false,
    })
}

/// The obligations that are left before an incident can be closed.
#[must_use]
pub fn unmet(incident: &Incident, directory: &Directory) -> Vec<Unmet> {
    let rows = incident.unreviewed().map(|row| {
        let mut people = major::commanders(directory);
        people.retain(|person| person != &row.by);
        Unmet {
            code: "signature_not_reviewed".into(),
            text: format!("The signature for {} is waiting for its review.", row.change_key),
            satisfy: format!(
                "Another commander or change manager must review it: POST /incidents/{}/signature-reviews.",
                incident.key
            ),
            waiting_on: people.iter().map(|person| directory.login(person)).collect(),
            cannot_be_met: false,
        }
    });
    rows.collect()
}

/// Merges an incident into its original (`POST /incidents/{key}/merge {into, reason}`): the incident is closed, and the
/// original takes over its services, keys, severity, causes, fixes and unreviewed signatures. A major incident makes the
/// original major.
///
/// # Errors
/// 403; 404; 409 `not_in_state`; 422 for itself, an unknown one and a ring; or the store's.
pub fn merge_incident(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, before) = (cx.directory()?, find(cx, key)?);
    let mut reading = Reading::new(body, "");
    let named = reading.needed("into", LINE);
    let reason = reading.needed("reason", TEXT);
    let other = directory.incidents.get(&named.trim().to_uppercase());
    if other.is_none() && !named.is_empty() {
        reading.wrong("into", "unknown", format!("There is no incident `{named}`."));
    }
    if let Some(other) = other
        && (leads_to(&directory, other, &before.key)
            || !way_over(cx, RelationKind::DuplicateOf, (&other.key, &before.key))?.is_empty())
    {
        let text = format!("{} is {} itself or already a duplicate of it.", other.key, before.key);
        reading.wrong("into", "ring", text);
    }
    reading.finish()?;
    let Some(other) = other.cloned() else {
        return Err(Refusal::not_found("incident").into());
    };
    lifecycle::check(&before, Happens::Merged)?;
    check_open(&other)?;
    if before.is_major() {
        major::check_commander(&before, &directory, &cx.actor.person)?;
    }
    take_over(cx, &other, &before)?;
    let (by, now) = (cx.actor.person.clone(), cx.now);
    let mut incident = before.clone();
    incident.resolved_at = incident.resolved_at.or(Some(now.max(incident.started_at)));
    incident.course.closed_at = Some(now);
    incident.course.closed_by = Some(by.clone());
    incident.course.duplicate_of = Some(other.key.clone());
    let incident = incident.with_recorded_end(Some(&before), now);
    let saved = put_by(cx, "incident.merged", incident, json!({"by": by, "into": other.key}))?;
    link_merged(cx, &saved.key, &other.key, &reason)?;
    note(
        cx,
        &saved,
        TimelineKind::State,
        &format!("Closed as a duplicate of {}: {reason}", other.key),
    )?;
    Ok(saved)
}

/// Whether an incident is this one, or its duplicate directly or through others.
fn leads_to(directory: &Directory, from: &Incident, key: &str) -> bool {
    let mut at = Some(from);
    for _ in 0..DEEPEST {
        let Some(incident) = at else { return false };
        if incident.key == key {
            return true;
        }
        let next = incident.course.duplicate_of.as_ref();
        at = next.and_then(|next| directory.incidents.get(next));
    }
    // A chain that is this long must be a cycle.
    true
}

fn check_open(other: &Incident) -> Result<()> {
    if other.resolved_at.is_none() && other.course.closed_at.is_none() {
        return Ok(());
    }
    let text = format!(
        "{} is {}; a duplicate can only be merged into an open incident.",
        other.key,
        other.state()
    );
    let satisfy = format!("Open {} again first, or name another one.", other.key);
    Err(Refusal::not_now("not_in_state", text, satisfy, Vec::new()).into())
}

/// The other incident takes over the services, the keys and the gravest severity of the duplicate, its command if it has none,
/// its causes and fixes, and the signatures that nobody reviewed.
fn take_over(cx: &mut Context<'_, '_>, other: &Incident, duplicate: &Incident) -> Result<()> {
    let mut into = other.clone();
    into.services.extend(duplicate.services.iter().cloned());
    into.severity = into.severity.min(duplicate.severity);
    into.started_at = into.started_at.min(duplicate.started_at);
    let keys = duplicate.course.external_keys.iter().chain(&duplicate.external_ref);
    for key in keys.cloned() {
        if into.course.external_keys.len() < MOST_KEYS {
            into.course.external_keys.insert(key);
        }
    }
    if duplicate.is_major() && !into.is_major() {
        into.course.stood_down = None;
        into.course.major_since = duplicate.course.major_since;
        into.course.raised_by.clone_from(&duplicate.course.raised_by);
        into.course.halted = duplicate.course.halted;
    }
    if into.course.commander.is_none() {
        into.course.commander.clone_from(&duplicate.course.commander);
    }
    // The freeze that they let a change through is over, so they let nothing through here; their review is owed all the same.
    let owed = duplicate.unreviewed().cloned().map(|mut row| {
        row.withdrawn_at = row.withdrawn_at.or(row.is_in_force(cx.now).then_some(cx.now));
        row
    });
    into.course.signatures.extend(owed);
    let saved = put_by(cx, "incident.edited", into, json!({"merged": duplicate.key}))?;
    carry_over(cx, duplicate, &saved)?;
    note(
        cx,
        &saved,
        TimelineKind::State,
        &format!("{} was merged into it", duplicate.key),
    )
}
