//! The acts of a commander: take or transfer command, halt the work under way, and end the freeze of a major incident.

use jiff::Timestamp;
use model::approval::decide::check_factor;
use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::enums::{IncidentState, TimelineKind};
use model::core::parse::{Reading, TEXT, later};
use model::core::refusal::Refusal;
use model::directory::snapshot::Incident;
use model::identity::factor::Wanted;
use model::incident::course::StoodDown;
use model::incident::major;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::self_grant::is_one;
use crate::incident::note_entry::note;
use crate::incident::set_incident::{find, put_by};

/// Takes command, or transfers it (`POST /incidents/{key}/command {commander?, reason?}`).
///
/// # Errors
/// 403 `not_commander`, 404, 409 for a closed incident, 422, or the store's.
pub fn command_incident(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, before) = (cx.directory()?, find(cx, key)?);
    let mut reading = Reading::new(body, "");
    let named = read_content::person(&mut reading, "commander", &directory);
    let reason = reading.text("reason", TEXT);
    reading.finish()?;
    check_not_closed(&before)?;
    let wanted = named.unwrap_or_else(|| cx.actor.person.clone());
    major::check_command(&before, &directory, (&cx.actor.person, &wanted))?;
    if before.course.commander.as_ref() == Some(&wanted) {
        return Ok(before);
    }
    let mut incident = before.clone();
    incident.course.commander = Some(wanted.clone());
    let data = json!({"by": cx.actor.person, "person": wanted});
    let saved = put_by(cx, "incident.commanded", incident, data)?;
    let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    let text = format!("{} commands{why}", directory.name(&wanted));
    note(cx, &saved, TimelineKind::Command, &text)?;
    Ok(saved)
}

/// Halts the work under way on the services of a major incident and around them, or lets it go on
/// (`POST /incidents/{key}/halt {halt, reason}`).
///
/// # Errors
/// 403 `not_commander`, and `step_up_required` to let work go on; 404; 409 `not_major`; 422; or the store's.
pub fn halt_work(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, before) = (cx.directory()?, find(cx, key)?);
    let mut reading = Reading::new(body, "");
    let halt = reading.boolean("halt").unwrap_or(true);
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_major(&before)?;
    major::check_in_command(&before, &directory, &cx.actor.person)?;
    if before.course.halted == halt {
        return Ok(before);
    }
    if !halt {
        check_factor(&cx.actor, Wanted::Any, cx.now)?;
    }
    let mut incident = before.clone();
    incident.course.halted = halt;
    let (kind, what) = match halt {
        true => ("incident.halted", "Work under way is halted"),
        false => ("incident.halt_ended", "Work under way goes on"),
    };
    let saved = put_by(cx, kind, incident, json!({"by": cx.actor.person}))?;
    note(cx, &saved, TimelineKind::Freeze, &format!("{what}: {reason}"))?;
    Ok(saved)
}

/// Ends the freeze of a major incident that goes on (`DELETE /incidents/{key}/major {reason}`). It does not come back by itself.
///
/// # Errors
/// 403 `not_commander` or `step_up_required`; 404; 409 `not_major`; 422; or the store's.
pub fn stand_down(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, before) = (cx.directory()?, find(cx, key)?);
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_major(&before)?;
    major::check_in_command(&before, &directory, &cx.actor.person)?;
    check_factor(&cx.actor, Wanted::Any, cx.now)?;
    let mut incident = before.clone();
    incident.course.major_since = None;
    incident.course.halted = false;
    incident.course.stood_down = Some(StoodDown {
        reason: reason.clone(),
        by: cx.actor.person.clone(),
        at: cx.now,
    });
    let saved = put_by(cx, "incident.stood_down", incident, json!({"by": cx.actor.person}))?;
    note(
        cx,
        &saved,
        TimelineKind::Command,
        &format!("The commander ended the freeze: {reason}"),
    )?;
    Ok(saved)
}

/// Makes an incident major again after its commander ended its freeze, or when its severity alone does not
/// (`POST /incidents/{key}/major {reason}`). The acting person may command, is not the person who made it major before, and is
/// not its reporter where that is why it is not major. Two accounts of one person count once.
///
/// # Errors
/// 403 `not_commander` or `own_request`; 404; 409 where it is over, is major already or names no service; 422; or the store's.
pub fn declare_major(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<Incident> {
    cx.allow(act::actions::SET_INCIDENT)?;
    let (directory, before) = (cx.directory()?, find(cx, key)?);
    let mut reading = Reading::new(body, "");
    let reason = reading.needed("reason", TEXT);
    reading.finish()?;
    check_declarable(&before, cx.now)?;
    major::check_commander(&before, &directory, &cx.actor.person)?;
    let is_again = before.course.stood_down.is_some();
    let raised_by = before.course.raised_by.as_ref();
    if is_again && raised_by.is_some_and(|person| is_one(cx, &directory, person)) {
        let text = "A person other than the one who declared it major before must declare it again.";
        return Err(Refusal::not_allowed("own_request", text).into());
    }
    let mine = [cx.actor.person.clone(), cx.actor.speaker().clone()];
    let is_withheld = before.course.withheld_at.is_some();
    if is_withheld && mine.iter().any(|by| major::is_spent(&before, &directory, by, cx.now)) {
        let text = "Another person must declare it: a commander ended the freeze of your last major incident less than 24 \
                    hours ago.";
        return Err(Refusal::not_allowed("own_request", text).into());
    }
    let mut incident = before.clone();
    incident.course.stood_down = None;
    incident.course.withheld_at = None;
    incident.course.major_since = Some(cx.now);
    incident.course.raised_by = Some(cx.actor.person.clone());
    let saved = put_by(cx, "incident.declared", incident, json!({"by": cx.actor.person}))?;
    note(
        cx,
        &saved,
        TimelineKind::Severity,
        &format!("Declared a major incident: {reason}"),
    )?;
    Ok(saved)
}

fn check_declarable(incident: &Incident, now: Timestamp) -> Result<()> {
    let key = &incident.key;
    let refused = |code, text: String, satisfy: String| Err(Refusal::not_now(code, text, satisfy, Vec::new()).into());
    // After the longest time as a major incident, an incident stops nothing any more and can be declared again.
    let since = incident.course.major_since;
    if since.is_some_and(|since| now < later(since, major::LONGEST)) {
        return refused(
            "is_major",
            format!("{key} is a major incident already."),
            "No action is needed.".to_owned(),
        );
    }
    if !matches!(incident.state(), IncidentState::Open | IncidentState::Mitigated) {
        let text = format!("{key} is {}, so it blocks nothing.", incident.state());
        return refused("not_in_state", text, format!("Open {key} again first."));
    }
    if incident.services.is_empty() {
        let text = format!("{key} names no service, so nothing could be frozen.");
        return refused(
            "no_services",
            text,
            format!("Name its services: PATCH /incidents/{key}."),
        );
    }
    Ok(())
}

fn check_major(incident: &Incident) -> Result<()> {
    if incident.is_major() {
        return Ok(());
    }
    let text = format!("{} is not a major incident now, so it blocks nothing.", incident.key);
    Err(Refusal::not_now("not_major", text, "No action is needed.", Vec::new()).into())
}

/// Refuses an incident that is closed.
pub(crate) fn check_not_closed(incident: &Incident) -> Result<()> {
    if incident.state() != IncidentState::Closed {
        return Ok(());
    }
    let text = format!("{} is closed.", incident.key);
    let satisfy = "Open a new incident that names this one.";
    Err(Refusal::not_now("not_in_state", text, satisfy, Vec::new()).into())
}
