//! Reads external calendars repeatedly from their addresses. A call names the calendar; its events replace those of the last
//! reading. A failed reading keeps them and records the reason. A calendar that keeps failing becomes an action item.

use model::core::act::actions::SET_WINDOW;
use model::core::body::Body;
use model::core::enums::{AboutKind, ActionKind};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::notify::action_item::{About, Due, NewItem};
use model::schedule::calendar::Span;
use model::schedule::outside_calendar::{OutsideCalendar, OutsideEvent, kept};
use serde_json::json;
use store::integration::call;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::secrets;
use crate::notify::action_items::{open, settle_by_rule};
use crate::schedule::calendar_notices;

/// The kind of call that reads a calendar.
const CALL: &str = "calendar";
/// The longest sentence on why a reading failed, in characters.
const PROBLEM: usize = 200;

/// Whether a call reads a calendar.
#[must_use]
pub fn is_call(kind: &str) -> bool {
    kind == CALL
}

/// The name under which the login and password of a calendar rest.
fn credential_name(id: &str) -> String {
    format!("outside_calendar/{id}")
}

/// Has a calendar read as soon as may be, where it has an address.
///
/// # Errors
/// The store's.
pub(crate) fn queue_reading(cx: &mut Context<'_, '_>, calendar: &OutsideCalendar) -> Result<()> {
    if calendar.next_reading(cx.now).is_none() {
        return Ok(());
    }
    let id = cx.new_id()?;
    Ok(call::insert(cx.tx, &id, (CALL, calendar.id.as_str()), cx.now)?)
}

fn find(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<OutsideCalendar>> {
    let found = record::load::<OutsideCalendar>(cx.tx, id)?.map(|stored| stored.record);
    Ok(found.filter(|calendar| calendar.active && calendar.url.is_some()))
}

/// Keeps the login and password for the address of a calendar (`POST /outside-calendars/{id}/credentials {login, password}`), and
/// has it read.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn keep_credential(cx: &mut Context<'_, '_>, id: &str, body: &Body) -> Result<OutsideCalendar> {
    cx.allow(SET_WINDOW)?;
    let Some(calendar) = find(cx, id)? else {
        return Err(Refusal::not_found("outside-calendar with an address").into());
    };
    let mut reading = Reading::new(body, "");
    let login = reading.needed("login", LINE);
    let password = reading.needed("password", LINE);
    if login.contains(':') {
        reading.wrong("login", "not_allowed", "`login` has no colon (RFC 7617).");
    }
    reading.finish()?;
    secrets::keep(cx, &credential_name(id), format!("{login}:{password}").as_bytes())?;
    let next = OutsideCalendar {
        has_credential: true,
        ..calendar
    };
    let saved = cx.put_estate("outside_calendar.edited", next, json!({"credential": true}))?;
    queue_reading(cx, &saved)?;
    Ok(saved)
}

/// The data for reading a calendar.
pub struct Errand {
    /// The calendar.
    pub calendar: OutsideCalendar,
    /// `login:password`, where one is kept.
    pub credential: Option<Vec<u8>>,
}

/// Loads the data for the call; `None` when the calendar is read no more.
///
/// # Errors
/// The store's, or a fault of the keys.
pub fn errand(cx: &mut Context<'_, '_>, id: &str) -> Result<Option<Errand>> {
    let Some(calendar) = find(cx, id)? else { return Ok(None) };
    let credential = match calendar.has_credential {
        true => secrets::open(cx, &credential_name(id))?,
        false => None,
    };
    Ok(Some(Errand { calendar, credential }))
}

/// The result of a reading: the events with an entity tag, or nothing where the calendar is unchanged.
pub type CalendarReading = Option<(Vec<OutsideEvent>, Option<String>)>;

/// Stores the result of a reading, and queues the next one. An unchanged result writes nothing, and the result from a former
/// address is dropped.
///
/// # Errors
/// The store's.
pub fn take(
    cx: &mut Context<'_, '_>,
    id: &str,
    url: Option<&str>,
    told: &std::result::Result<CalendarReading, String>,
) -> Result<()> {
    let Some(calendar) = find(cx, id)? else { return Ok(()) };
    let saved = match told {
        _ if calendar.url.as_deref() != url => calendar,
        Ok(None) => mended(cx, calendar)?,
        Ok(Some((events, entity_tag))) => imported(cx, calendar, events, entity_tag.clone())?,
        Err(why) => failed(cx, calendar, why)?,
    };
    let Some(next) = saved.next_reading(cx.now) else {
        return Ok(());
    };
    let call_id = cx.new_id()?;
    Ok(call::insert(cx.tx, &call_id, (CALL, id), next)?)
}

fn mended(cx: &mut Context<'_, '_>, calendar: OutsideCalendar) -> Result<OutsideCalendar> {
    if calendar.read_problem.is_none() {
        return Ok(calendar);
    }
    settle(cx, calendar.id.as_str(), "It is read again.")?;
    let next = OutsideCalendar {
        read_problem: None,
        ..calendar
    };
    cx.put_estate("outside_calendar.imported", next, json!({}))
}

fn imported(
    cx: &mut Context<'_, '_>,
    calendar: OutsideCalendar,
    events: &[OutsideEvent],
    entity_tag: Option<String>,
) -> Result<OutsideCalendar> {
    let lines = kept(events);
    if calendar.imported.as_ref() == Some(&lines)
        && calendar.read_problem.is_none()
        && calendar.entity_tag == entity_tag
    {
        return Ok(calendar);
    }
    if calendar.read_problem.is_some() {
        settle(cx, calendar.id.as_str(), "It is read again.")?;
    }
    let next = OutsideCalendar {
        imported: Some(lines),
        imported_at: Some(cx.now),
        entity_tag,
        read_problem: None,
        ..calendar.clone()
    };
    let saved = cx.put_estate("outside_calendar.imported", next, json!({"events": events.len()}))?;
    calendar_notices::follow(cx, &calendar, &saved)?;
    Ok(saved)
}

fn failed(cx: &mut Context<'_, '_>, calendar: OutsideCalendar, why: &str) -> Result<OutsideCalendar> {
    let why: String = why.chars().filter(|c| !c.is_control()).take(PROBLEM).collect();
    if calendar.read_problem.as_ref() == Some(&why) {
        return Ok(calendar);
    }
    if calendar.read_problem.is_none() {
        open(cx, unread(&calendar, &why))?;
    }
    let next = OutsideCalendar {
        read_problem: Some(why),
        ..calendar
    };
    cx.put_estate("outside_calendar.failed", next, json!({}))
}

fn about(id: &str) -> About {
    About::new(AboutKind::Other, format!("outside-calendar {id}"))
}

/// The item for change managers while a calendar cannot be read: new maintenance in it conflicts with no change.
fn unread(calendar: &OutsideCalendar, why: &str) -> NewItem {
    NewItem {
        text: Some(why.to_owned()),
        services: calendar.services.clone(),
        due: Due::Within(Span::WorkDays(1)),
        // One reading that fails is no news; the reminder comes after half of the time.
        tells: false,
        ..NewItem::new(
            ActionKind::Other,
            about(calendar.id.as_str()),
            format!("The calendar {} cannot be read", calendar.name),
        )
    }
}

/// Settles the item of a calendar that is read again, or no more.
///
/// # Errors
/// The store's.
pub(crate) fn settle(cx: &mut Context<'_, '_>, id: &str, reason: &str) -> Result<()> {
    settle_by_rule(cx, ActionKind::Other, &about(id), "", reason).map(drop)
}
