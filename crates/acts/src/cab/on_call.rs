//! Records which member of a board is on call, for a time: a rule with `@on_call` requests that member first.

use model::cab::meeting::OnCall;
use model::change::read_content;
use model::core::act;
use model::core::body::Body;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::json;
use store::record;

use crate::cab::meetings::read_group;
use crate::case::settle_open::settle_with_approvers;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::read_fields::read_recorded_span;

/// Adds a time on call (`POST /on-call {group, person, starts_at, ends_at}`). The person on call is a member of the
/// group already: the roster narrows the people whom a rule requests and gives nobody a right. A repeated request
/// returns the existing time.
///
/// # Errors
/// 403, 422, or the store's.
pub fn set_on_call(cx: &mut Context<'_, '_>, body: &Body) -> Result<OnCall> {
    cx.allow(act::actions::SET_MEETING)?;
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let group = read_group(&mut reading, &directory);
    let person = read_content::person(&mut reading, "person", &directory);
    let (starts_at, ends_at, corrected_at) = read_recorded_span(&mut reading, cx, None);
    if ends_at <= cx.now && reading.errors.is_empty() {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    }
    match &person {
        None if reading.errors.is_empty() => reading.wrong("person", "missing", "`person` is missing."),
        Some(person) if reading.errors.is_empty() && !directory.members(&group).contains(person) => {
            let text = format!("{} is not an active member of {group}.", directory.name(person));
            reading.wrong("person", "not_of_the_board", text);
        }
        _ => {}
    }
    reading.finish()?;
    let person = person.unwrap_or_default();
    let is_same =
        |row: &&OnCall| (&row.group, &row.person, row.starts_at, row.ends_at) == (&group, &person, starts_at, ends_at);
    if let Some(known) = directory.on_call.iter().find(is_same) {
        return Ok(known.clone());
    }
    let row = OnCall {
        id: RecordId(cx.new_id()?),
        version: 0,
        group,
        person,
        starts_at,
        ends_at,
        corrected_at,
        imported: false,
    };
    let row = cx.put_estate("on_call.set", row, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(row)
}

/// Ends a time on call now (`DELETE /on-call/{id}`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn end_on_call(cx: &mut Context<'_, '_>, id: &str) -> Result<OnCall> {
    cx.allow(act::actions::SET_MEETING)?;
    let Some(stored) = record::load::<OnCall>(cx.tx, id)? else {
        return Err(Refusal::not_found("time on call").into());
    };
    if stored.record.ends_at <= cx.now {
        return Ok(stored.record);
    }
    let ended = OnCall {
        ends_at: cx.now,
        ..stored.record
    };
    let ended = cx.put_estate("on_call.ended", ended, json!({}))?;
    settle_with_approvers(cx)?;
    Ok(ended)
}
