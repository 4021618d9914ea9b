//! Brings the freeze of a major incident in line with the incident, in the transaction that saves the incident: at once, and
//! without an approval.

use model::change::record::Change;
use model::core::enums::{Level, TimelineKind};
use model::core::ids::{PersonId, RecordId};
use model::directory::snapshot::{Directory, Freeze, Incident};
use model::incident::major;
use serde_json::json;

use crate::case::settle_open::settle_open;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::Written;
use crate::incident::note_entry::note;
use crate::schedule::push_freezes;
use crate::schedule::set_freeze::take_effect;

/// The freeze that follows from an incident, while it is in force.
pub(crate) fn freeze_of<'d>(directory: &'d Directory, incident: &Incident) -> Option<&'d Freeze> {
    let own = |freeze: &&Freeze| freeze.course.major_incident.as_ref() == Some(&incident.key) && !freeze.ended;
    directory.freezes.iter().find(own)
}

/// Sets, moves or ends the freeze of an incident that was saved. `before` is the incident as it was.
///
/// # Errors
/// The store's.
pub(crate) fn sync(cx: &mut Context<'_, '_>, before: Option<&Incident>, after: &Incident) -> Result<()> {
    let directory = cx.directory()?;
    let present = freeze_of(&directory, after).cloned();
    if present.is_none() && !after.is_major() {
        return Ok(());
    }
    let id = RecordId(cx.new_id()?);
    match (present, major::freeze(after, freeze_of(&directory, after), id, cx.now)) {
        (None, Some(wanted)) => begin(cx, after, wanted),
        (Some(old), Some(wanted)) if old.id != wanted.id => {
            end(cx, &old, after)?;
            begin(cx, after, wanted)
        }
        (Some(old), Some(wanted)) => move_freeze(cx, before, after, (old, wanted)),
        (Some(old), None) => {
            end(cx, &old, after)?;
            note(
                cx,
                after,
                TimelineKind::Freeze,
                "The freeze ended; changes of high risk may start again.",
            )
        }
        (None, None) => Ok(()),
    }
}

fn begin(cx: &mut Context<'_, '_>, incident: &Incident, wanted: Freeze) -> Result<()> {
    let data = json!({"key": incident.key, "severity": incident.severity});
    let freeze = cx.put_estate("freeze.set", wanted, data)?;
    take(cx, &freeze, freeze.halt)?;
    push_freezes::queue_calls(cx, &freeze)?;
    let services = cx.directory()?.frozen_services(&freeze).len();
    let text = format!("The freeze is in force on {services} services: no change of high risk starts or is scheduled.");
    note(cx, incident, TimelineKind::Freeze, &text)?;
    notify_commanders(cx, incident)
}

fn move_freeze(
    cx: &mut Context<'_, '_>,
    before: Option<&Incident>,
    after: &Incident,
    (old, wanted): (Freeze, Freeze),
) -> Result<()> {
    let has_moved = old != wanted;
    let begins_to_halt = wanted.halt && !old.halt;
    let has_new_commander = before.is_some_and(|it| it.course.commander != after.course.commander);
    if !has_moved && !has_new_commander {
        return Ok(());
    }
    if !has_moved {
        // The halt names the commander.
        return take(cx, &old, false);
    }
    let freeze = cx.put_estate("freeze.edited", wanted, json!({"key": after.key}))?;
    settle_stopped(cx, &old)?;
    take(cx, &freeze, begins_to_halt)?;
    push_freezes::queue_moved(cx, &old, &freeze)
}

fn end(cx: &mut Context<'_, '_>, old: &Freeze, incident: &Incident) -> Result<()> {
    let ended = Freeze {
        ended: true,
        ..old.clone()
    };
    let freeze = cx.put_estate("freeze.ended", ended, json!({"key": incident.key}))?;
    settle_stopped(cx, &freeze)?;
    push_freezes::queue_calls(cx, &freeze)
}

/// Judges the changes that the freeze stops. A halt that begins voids the permits on its services as well.
fn take(cx: &mut Context<'_, '_>, freeze: &Freeze, begins_to_halt: bool) -> Result<()> {
    match begins_to_halt {
        true => take_effect(cx, freeze),
        false => settle_stopped(cx, freeze),
    }
}

/// Judges the changes again that a freeze stops or stopped. Changes that the freeze lets pass by their risk are skipped, so
/// that ten thousand open changes do not delay a commander; a halt lets none pass.
pub(crate) fn settle_stopped(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    let scope = Freeze {
        ended: false,
        ..freeze.clone()
    };
    let directory = cx.directory()?;
    settle_open(cx, |change: &Change| {
        let mut targets = change.content.targets.iter();
        let is_stopped = freeze.halts_all() || freeze.level_of(change) >= Level::High || change.in_freeze;
        is_stopped && targets.any(|target| directory.is_frozen_by(&scope, &target.service, &target.environment))
    })
}

/// Notifies the people who may take command that a major incident began.
fn notify_commanders(cx: &mut Context<'_, '_>, incident: &Incident) -> Result<()> {
    let directory = cx.directory()?;
    let mut people: Vec<PersonId> = match major::commander(incident, &directory) {
        Some(person) => vec![person.clone()],
        None => major::commanders(&directory),
    };
    people.truncate(NOTIFIED);
    let (key, title) = (&incident.key, &incident.title);
    let subject = format!("{key} is a major incident: {title}");
    let text = format!(
        "{key} (“{title}”) has severity {}. Changes of high risk on its services and around them neither start nor are scheduled \
         until it ends.\nOn its page you take command, sign for single changes, halt work under way, or end the freeze.\n",
        incident.severity
    );
    let mut written = Written::default();
    for person in people {
        let dedup = format!("incident_major/{key}/{}/{person}", cx.now);
        let message = ("incident_major", subject.as_str(), text.as_str(), dedup.as_str());
        save_message(cx, &mut written, &person, None, message)?;
    }
    let data = json!({"key": key, "severity": incident.severity});
    let event = crate::core::write::draft(
        "incident.became_major",
        ("incident", incident.id.0.clone()),
        cx.now,
        data,
    );
    cx.emit(vec![event], written)
}

/// Notes in the timeline why a grave incident does not become major, and notifies the people who may declare it.
///
/// # Errors
/// The store's.
pub(crate) fn note_withheld(cx: &mut Context<'_, '_>, before: Option<&Incident>, after: &Incident) -> Result<()> {
    let Some(why) = major::why_withheld(after) else {
        return Ok(());
    };
    if before.is_some_and(|it| it.course.withheld_at == after.course.withheld_at) {
        return Ok(());
    }
    note(cx, after, TimelineKind::Severity, &why)?;
    let directory = cx.directory()?;
    let (key, title) = (&after.key, &after.title);
    let subject = format!("{key} is severe, but not a major incident: {title}");
    let text = format!("{key} (“{title}”): {why}\n");
    let mut written = Written::default();
    for person in major::commanders(&directory).into_iter().take(NOTIFIED) {
        let dedup = format!("incident_withheld/{key}/{}/{person}", cx.now);
        let message = ("incident_major", subject.as_str(), text.as_str(), dedup.as_str());
        save_message(cx, &mut written, &person, None, message)?;
    }
    let data = json!({"key": key, "severity": after.severity});
    let event = crate::core::write::draft(
        "incident.major_withheld",
        ("incident", after.id.0.clone()),
        cx.now,
        data,
    );
    cx.emit(vec![event], written)
}

/// The most people who are notified.
const NOTIFIED: usize = 50;
