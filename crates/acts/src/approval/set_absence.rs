//! Records that a person is away for a time, or back sooner. People record their own absence, administrators any.

use model::approval::absence::Absence;
use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::ids::{PersonId, RecordId};
use model::core::parse::{Reading, TEXT};
use model::core::refusal::Refusal;
use serde_json::json;
use store::record;

use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::read_fields::read_recorded_span;
use crate::guard::impersonation;

/// Lets people record this for themselves, and administrators for anyone.
pub(crate) fn allow_own(cx: &mut Context<'_, '_>, person: &PersonId) -> Result<()> {
    let action = if *person == cx.actor.person {
        act::actions::READ
    } else {
        act::actions::SET_PERSON
    };
    cx.allow(action)
}

/// Adds an absence (`POST /absences {person?, starts_at, ends_at, reason?}`).
///
/// # Errors
/// 403 (also `narrowed_token`), 422, or the store's.
pub fn set_absence(cx: &mut Context<'_, '_>, body: &Body) -> Result<Absence> {
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let named = body.contains_key("person");
    let person = read_content::person(&mut reading, "person", &directory);
    let person = match person {
        None if !named => cx.actor.person.clone(),
        found => found.unwrap_or_default(),
    };
    allow_own(cx, &person)?;
    if person == cx.actor.person {
        impersonation::check_whole(cx)?;
    }
    let (starts_at, ends_at, corrected_at) = read_recorded_span(&mut reading, cx, None);
    if ends_at <= cx.now && reading.errors.is_empty() {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    }
    let reason = reading.text("reason", TEXT);
    reading.finish()?;
    let absence = Absence {
        id: RecordId(cx.new_id()?),
        version: 0,
        person,
        starts_at,
        ends_at,
        reason,
        corrected_at,
    };
    let absence = cx.put_estate("absence.set", absence, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(absence)
}

/// Ends an absence now (`DELETE /absences/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_absence(cx: &mut Context<'_, '_>, id: &str) -> Result<Absence> {
    let Some(stored) = record::load::<Absence>(cx.tx, id)? else {
        return Err(Refusal::not_found("absence").into());
    };
    allow_own(cx, &stored.record.person)?;
    if stored.record.person == cx.actor.person {
        impersonation::check_whole(cx)?;
    }
    if stored.record.ends_at <= cx.now {
        return Ok(stored.record);
    }
    let ended = Absence {
        ends_at: cx.now,
        ..stored.record
    };
    let ended = cx.put_estate("absence.ended", ended, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(ended)
}
