//! Records the result of a replay by the server in a tenant's own log, and notifies administrators and auditors if it
//! found differences.

use jiff::{SignedDuration, Timestamp};
use model::core::enums::Role;
use proof::event::Event;
use serde_json::{Map, Value, json};
use store::SYSTEM_TENANT;
use store::audit::event;

use crate::audit::replay_log::ReplayReport;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::messages::save_message;
use crate::core::write::{Written, draft};

/// The event.
const REPLAYED: &str = "log.replayed";
/// Within this time the same outcome is noted once, by any server.
const SAME_NIGHT: SignedDuration = SignedDuration::from_hours(12);
/// The most places in the event; `audit replay` lists the others.
const NAMED: usize = 20;
/// How many of the latest events about the log are read to find the last replay.
const LOOKED_AT: i64 = 20;

/// Writes the event `log.replayed` (`{records, events, files, differences, places}`) about the tenant's log. The event
/// contains only the place of a difference, because the content may be a text that is to be erased one day. Returns
/// whether the event was written: an outcome that another server noted within twelve hours is not noted again.
///
/// # Errors
/// The store's.
pub fn note_replay(cx: &mut Context<'_, '_>, report: &ReplayReport) -> Result<bool> {
    let tenant = cx.tenant();
    let places: Vec<String> = report.findings.iter().take(NAMED).map(|it| it.place()).collect();
    let differences = report.findings.len();
    if is_noted(cx, &tenant, &json!(places), &json!(differences))? {
        return Ok(false);
    }
    let data = json!({
        "records": report.records,
        "events": report.events,
        "files": report.files,
        "differences": differences,
        "places": places,
    });
    let mut written = Written::default();
    if differences > 0 && tenant != SYSTEM_TENANT {
        notify_people(cx, &mut written, differences, &places)?;
    }
    cx.emit(vec![draft(REPLAYED, ("log", tenant), cx.now, data)], written)?;
    Ok(true)
}

fn is_noted(cx: &mut Context<'_, '_>, tenant: &str, places: &Value, differences: &Value) -> Result<bool> {
    let since = cx.now - SAME_NIGHT;
    let last = last(cx, tenant)?.filter(|(at, _)| *at > since);
    Ok(last.is_some_and(|(_, it)| it.get("places") == Some(places) && it.get("differences") == Some(differences)))
}

/// The last replay in the tenant's log: its time, and its result. An event without a place yet counts too, as later
/// than all that have one: two servers may finish in the same moment, and then their ids do not show which was first.
fn last(cx: &mut Context<'_, '_>, tenant: &str) -> Result<Option<(Timestamp, Map<String, Value>)>> {
    let told = event::latest_of_subject(cx.tx, ("log", tenant), LOOKED_AT)?;
    let replays = told.into_iter().filter(|it| it.kind == REPLAYED);
    let last = replays.max_by(|one, other| one.place().cmp(&other.place()));
    Ok(last.and_then(|it| Some((it.recorded_at, Event::from_bytes(&it.bytes).ok()?.data))))
}

/// When the tenant's records were last compared with its log, and how many differences there were; `None` before the
/// first time.
///
/// # Errors
/// The store's.
pub fn last_replay(cx: &mut Context<'_, '_>) -> Result<Option<(Timestamp, u64)>> {
    let tenant = cx.tenant();
    let differences = |data: &Map<String, Value>| data.get("differences").and_then(Value::as_u64);
    Ok(last(cx, &tenant)?.and_then(|(at, data)| Some((at, differences(&data)?))))
}

fn notify_people(cx: &mut Context<'_, '_>, written: &mut Written, differences: usize, places: &[String]) -> Result<()> {
    let directory = cx.directory()?;
    let mut people = directory.with_role(Role::Admin);
    people.extend(directory.with_role(Role::Auditor));
    people.sort();
    people.dedup();
    let subject = "Stored records differ from the log";
    let mut text = format!(
        "The server compared every stored record with the log. Differences: {differences}.\nThey may have been changed \
         directly in the database, bypassing the server. On the host, `assent audit replay` lists the differences.\nThey are \
         at:\n"
    );
    places.iter().for_each(|place| text.push_str(&format!("- {place}\n")));
    if differences > places.len() {
        text.push_str(&format!("and {} more.\n", differences - places.len()));
    }
    for person in people {
        let dedup = format!("{REPLAYED}:{}:{person}", cx.now);
        save_message(cx, written, &person, None, ("replay_differed", subject, &text, &dedup))?;
    }
    Ok(())
}
