//! Records a person's training, and how long it is valid: rules may require it, policies may test it.

use jiff::{SignedDuration, Timestamp};
use model::cab::training::Training;
use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::json;
use store::record;

use crate::cab::lessons::settle_trained;
use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::read_fields::read_span;
use crate::guard::{read_directory_rows, self_grant, two_people};

/// How far in the past a start may be that was meant as now: clocks differ, and people enter whole minutes.
const MEANT_AS_NOW: SignedDuration = SignedDuration::from_mins(5);
/// The longest evidence, in characters.
const EVIDENCE: usize = 2_000;

/// Adds a training (`POST /trainings {person, training, starts_at, ends_at}`). Nobody records their own training; a
/// repeated request returns the existing training. A training that began earlier is proposed with its evidence and put
/// in force by another person.
///
/// # Errors
/// 403, 409 if two people are needed, 422, or the store's.
pub fn set_training(cx: &mut Context<'_, '_>, body: &Body) -> Result<Training> {
    cx.allow(act::actions::SET_PERSON)?;
    let row = read_training(cx, body, true)?;
    let is_new = row.version == 0;
    two_people::check(cx, is_new, two_people::TRAININGS)?;
    two_people::check_always(cx, is_new && is_earlier(cx, row.starts_at), two_people::EARLIER)?;
    let row = keep_training(cx, row)?;
    if is_new {
        settle_with_approvers(cx)?;
    }
    Ok(row)
}

/// Whether a person claims a begin before the present.
fn is_earlier(cx: &Context<'_, '_>, starts_at: Timestamp) -> bool {
    !cx.actor.is_system && starts_at < cx.now - MEANT_AS_NOW
}

/// A training from a request, without the check of who may set it; the existing one if it is the same. `is_said` is
/// whether the request is made now: the evidence of an earlier proposal was read at that time.
///
/// # Errors
/// 422, or the store's.
pub(crate) fn read_training(cx: &mut Context<'_, '_>, body: &Body, is_said: bool) -> Result<Training> {
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let person = read_content::person(&mut reading, "person", &directory);
    let training = read_directory_rows::key(&mut reading, "training");
    let (starts_at, ends_at) = read_span(&mut reading, cx.now);
    let evidence_note = reading.text("evidence_note", EVIDENCE);
    if ends_at <= cx.now && reading.errors.is_empty() {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    }
    match &person {
        None if reading.errors.is_empty() => reading.wrong("person", "missing", "`person` is missing."),
        Some(person) if self_grant::is_own(&cx.actor, person) => {
            let text = "You cannot record your own training; another administrator must do it.";
            reading.wrong("person", "own_request", text);
        }
        _ => {}
    }
    if let Some(person) = &person {
        read_content::refuse_departed(&mut reading, "person", person, &directory);
    }
    reading.finish()?;
    let person = person.unwrap_or_default();
    let is_same = |row: &&Training| {
        (&row.person, &row.training, row.starts_at, row.ends_at) == (&person, &training, starts_at, ends_at)
    };
    if let Some(known) = directory.trainings.iter().find(is_same) {
        return Ok(known.clone());
    }
    if is_said && evidence_note.is_none() && is_earlier(cx, starts_at) {
        let text =
            "`starts_at` is in the past: give the evidence in `evidence_note`, such as the number of a certificate.";
        return Err(Refusal::field("evidence_note", "missing", text).into());
    }
    Ok(Training {
        id: RecordId(cx.new_id()?),
        version: 0,
        person,
        training,
        starts_at,
        ends_at,
        recorded_at: Some(cx.now),
        evidence_note,
    })
}

/// Saves a new training without a check of rights; the caller evaluates open changes again.
///
/// # Errors
/// The store's.
pub(crate) fn keep_training(cx: &mut Context<'_, '_>, row: Training) -> Result<Training> {
    if row.version > 0 {
        return Ok(row);
    }
    let kept = cx.put_estate("training.set", row, json!({}))?;
    // A live session counts like the test of a lesson.
    settle_trained(cx, &kept)?;
    Ok(kept)
}

/// Ends a training now (`DELETE /trainings/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_training(cx: &mut Context<'_, '_>, id: &str) -> Result<Training> {
    cx.allow(act::actions::SET_PERSON)?;
    let Some(stored) = record::load::<Training>(cx.tx, id)? else {
        return Err(Refusal::not_found("training").into());
    };
    if stored.record.ends_at <= cx.now {
        return Ok(stored.record);
    }
    let ended = Training {
        ends_at: cx.now,
        ..stored.record
    };
    let ended = cx.put_estate("training.ended", ended, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(ended)
}
