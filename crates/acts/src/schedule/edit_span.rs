//! Edits an existing freeze or maintenance window: it keeps its id and its exceptions, and the gate opens at no instant in
//! between, unlike ending one and setting another.

use model::core::act;
use model::core::body::Body;
use model::core::enums::FreezeStage;
use model::core::parse::{LINE, Reading, TEXT};
use model::core::refusal::Refusal;
use model::directory::snapshot::{Freeze, MaintenanceWindow};
use model::schedule::freeze::loosens;
use model::schedule::freeze_steps::Course;
use model::schedule::repeat::{Occurrence, Repeat};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::record;

use crate::core::context::Context;
use crate::core::error::{Error, Result};
use crate::core::read_fields::{check_ahead, patched, read_marked_span, read_scope, read_span};
use crate::schedule::follow_steps::follow_steps;
use crate::schedule::read_repeat::read_repeat;
use crate::schedule::set_freeze::{
    check_bounds, check_times, load_own, read_thaw, settle_touched, state_thaw, take_effect,
};
use crate::schedule::sign_step::{notify_business_owner, signed};
use crate::schedule::{find_hits, loosen_freeze, push_freezes};

/// The fields of a window and of a freeze that may change.
const FIELDS: [&str; 17] = [
    "title",
    "reason",
    "starts_at",
    "ends_at",
    "services",
    "environments",
    "halt",
    "reach",
    "thaw_risk",
    "rrule",
    "recurrence",
    "time_zone",
    "ends_rrule",
    "working_days_of",
    "fiscal_of",
    "exdates",
    "overrides",
];

/// The facts among the fields that moved, before and after. Title and reason are free text: the log holds only commitments of
/// them, so events leave them out.
fn moved<T: Serialize>(before: &T, after: &T) -> Result<Value> {
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    let is_fact = |field: &&&str| !matches!(**field, "title" | "reason");
    let of = |record: &Value| -> Map<String, Value> {
        FIELDS
            .iter()
            .filter(is_fact)
            .filter(|field| before.get(**field) != after.get(**field))
            .filter_map(|field| Some(((*field).to_owned(), record.get(*field)?.clone())))
            .collect()
    };
    Ok(json!({"before": of(&before), "after": of(&after)}))
}

/// A past freeze or window stays unchanged: readers of the log must find the times that held.
fn is_over(said: &'static str, helps: &'static str) -> Error {
    Refusal::not_now("not_in_state", said, helps, Vec::new()).into()
}

/// Changes a freeze
/// (`PATCH /freezes/{id} {title?, reason?, starts_at?, ends_at?, services?, environments?, halt?, edit_reason?}`). Changes that
/// the freeze covered before and those that it covers now are judged in the same transaction. A loosening is a proposal until
/// it is confirmed; a widening beyond the business owner's agreement is one until they agree.
///
/// # Errors
/// 403, 404, 409 for a freeze that is over, 422, or the store's.
pub fn edit_freeze(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<Freeze> {
    cx.allow(act::actions::SET_FREEZE)?;
    let before = load_own(cx, id)?;
    if before.is_over(cx.now) {
        return Err(is_over("This freeze has ended.", "Set a new freeze."));
    }
    let (wanted, edit_reason, is_loosened) = read_edit(cx, &before, body)?;
    let counts = before.course.counts();
    if wanted == before {
        return Ok(before);
    }
    let is_widened = before.asks_owner(&wanted.terms(), cx.now);
    if is_loosened || is_widened {
        // Its name and its reason stop nothing and let nothing through, so they are kept at once.
        let named = Freeze {
            title: wanted.title.clone(),
            reason: wanted.reason.clone(),
            ..before
        };
        let reason = edit_reason.unwrap_or_else(|| "It was edited.".to_owned());
        let proposed = loosen_freeze::propose(cx, named, reason, Some(&wanted))?;
        if is_widened {
            notify_business_owner(cx, &proposed)?;
        }
        return Ok(proposed);
    }
    let data = moved(&before, &wanted)?;
    let mut wanted = wanted;
    if wanted.terms() != before.terms() {
        state_thaw(cx, &mut wanted)?;
    }
    if counts {
        wanted
            .course
            .keep_thaw(before.course.thaw_risk, cx.actor.person.clone(), cx.now);
    }
    if !counts {
        return propose_again(cx, wanted, edit_reason, data);
    }
    // A proposal was made for the former scope.
    let wanted = Freeze {
        loosening: None,
        ..wanted
    };
    let after = cx.put_estate("freeze.edited", wanted, data)?;
    // Changes that the freeze no longer covers may start again; newly covered changes stop, and with a halt their permits too.
    settle_touched(cx, &before)?;
    if halts_already(&before, &after, cx.now) {
        settle_touched(cx, &after)?;
    } else {
        take_effect(cx, &after)?;
    }
    push_freezes::queue_moved(cx, &before, &after)?;
    find_hits::queue_notices(cx, &after)?;
    Ok(after)
}

/// The freeze as an edit wants it, the reason of the edit, and whether it would cover less.
fn read_edit(cx: &mut Context<'_, '_>, before: &Freeze, body: &Body) -> Result<(Freeze, Option<String>, bool)> {
    let directory = cx.directory()?;
    let mut fields = body.clone();
    let said = fields.remove_entry("edit_reason");
    let mut whole = patched(before, &FIELDS, &fields)?;
    whole.extend(said);
    let mut reading = Reading::new(&whole, "");
    let edit_reason = reading.text("edit_reason", TEXT);
    let (services, environments) = read_scope(&mut reading, &directory);
    let begun = Some(before.starts_at);
    let (starts_at, ends_at, corrected_at) = read_marked_span(&mut reading, cx, begun);
    let (once, now) = (Occurrence { starts_at, ends_at }, cx.now);
    let repeat = read_repeat(&mut reading, (&directory, now), once);
    let repeat = as_it_stood(repeat, once, (&before.repeat, before.once()));
    let course = Course {
        thaw_risk: read_thaw(&mut reading),
        ..before.course.clone()
    };
    let wanted = Freeze {
        title: reading.needed("title", LINE),
        reason: reading.text("reason", TEXT),
        starts_at,
        ends_at,
        services,
        environments,
        halt: reading.boolean("halt").unwrap_or_default(),
        reach: reading.word("reach").unwrap_or_default(),
        corrected_at: corrected_at.or(before.corrected_at),
        repeat,
        course,
        ..before.clone()
    };
    let text = "`ends_at` must be in the future; to end the freeze now, withdraw it (`DELETE /freezes/{id}`).";
    check_times(&mut reading, &wanted, cx.now, text);
    if wanted.terms() != before.terms() {
        check_bounds(&mut reading, (&directory, now), &wanted);
    }
    let is_loosened = before.course.counts() && loosens(&before.terms(), &wanted.terms(), cx.now);
    // Whether it covers less is known only of fields that could be read.
    if is_loosened && edit_reason.is_none() && reading.errors.is_empty() {
        let text = "Reducing a freeze needs a reason in `edit_reason` and the confirmation of another person.";
        reading.wrong("edit_reason", "missing", text);
    }
    reading.finish()?;
    Ok((wanted, edit_reason, is_loosened))
}

/// An edit before the announcement needs the business owner's agreement again: they agreed to the former scope.
fn propose_again(cx: &mut Context<'_, '_>, mut freeze: Freeze, reason: Option<String>, data: Value) -> Result<Freeze> {
    let reason = reason.unwrap_or_else(|| "It was edited.".to_owned());
    freeze.course.steps.push(signed(cx, FreezeStage::Proposed, reason));
    let freeze = cx.put_estate("freeze.edited", freeze, data)?;
    notify_business_owner(cx, &freeze)?;
    follow_steps(cx, &freeze)?;
    Ok(freeze)
}

/// The former list of times, where neither the rule nor the first time moved.
fn as_it_stood(wanted: Repeat, once: Occurrence, (before, once_before): (&Repeat, Occurrence)) -> Repeat {
    match wanted.is_same_rule(before) && once == once_before {
        true => before.clone(),
        false => wanted,
    }
}

/// Whether a freeze halted all of its present scope before the edit, too: permits given since were given lawfully, to a change
/// that it excepts, and a new title voids none of them.
fn halts_already(before: &Freeze, after: &Freeze, now: jiff::Timestamp) -> bool {
    let scope = |freeze: &Freeze| (freeze.services.clone(), freeze.environments.clone(), freeze.reach);
    let is_same_place = scope(before) == scope(after);
    before.halt && before.is_on(now) && is_same_place
}

/// Changes a maintenance window (`PATCH /windows/{id} {title?, starts_at?, ends_at?, services?, environments?}`). A window only
/// marks a good time and blocks nothing, so nothing is judged again.
///
/// # Errors
/// 403, 404, 409 for a window that is over, 422, or the store's.
pub fn edit_window(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<MaintenanceWindow> {
    cx.allow(act::actions::SET_WINDOW)?;
    let Some(stored) = record::load::<MaintenanceWindow>(cx.tx, id)? else {
        return Err(Refusal::not_found("window").into());
    };
    let before = stored.record;
    if before.is_over(cx.now) {
        return Err(is_over(
            "This maintenance window has ended.",
            "Set a new maintenance window.",
        ));
    }
    let directory = cx.directory()?;
    let whole = patched(&before, &FIELDS, body)?;
    let mut reading = Reading::new(&whole, "");
    let (services, environments) = read_scope(&mut reading, &directory);
    let (starts_at, ends_at) = read_span(&mut reading, cx.now);
    let (once, now) = (Occurrence { starts_at, ends_at }, cx.now);
    let repeat = read_repeat(&mut reading, (&directory, now), once);
    let repeat = as_it_stood(repeat, once, (&before.repeat, before.once()));
    let wanted = MaintenanceWindow {
        title: reading.needed("title", LINE),
        starts_at,
        ends_at,
        services,
        environments,
        repeat,
        ..before.clone()
    };
    let text = "`ends_at` must be in the future; to end the window now, withdraw it (`DELETE /windows/{id}`).";
    if wanted.repeat.is_set() {
        check_window_ahead(&mut reading, &wanted, cx.now);
    } else {
        check_ahead(&mut reading, ends_at, cx.now, text);
    }
    reading.finish()?;
    if wanted == before {
        return Ok(before);
    }
    let data = moved(&before, &wanted)?;
    cx.put_estate("window.edited", wanted, data)
}

/// Refuses a repeating window whose times are all in the past.
pub(crate) fn check_window_ahead(reading: &mut Reading<'_>, window: &MaintenanceWindow, now: jiff::Timestamp) {
    if reading.errors.is_empty() && window.is_over(now) {
        reading.wrong(
            "rrule",
            "in_the_past",
            "All times of this rule are in the past; start or end it later.",
        );
    }
}
