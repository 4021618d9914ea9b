//! Business calendars: working hours and holidays. A calendar without working hours is refused, for it would stop every
//! clock that runs by it.

use std::collections::BTreeMap;

use model::core::act;
use model::core::body::Body;
use model::core::enums::Day;
use model::core::ids::RecordId;
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::schedule::calendar::{Calendar, Holiday, Hours};
use model::schedule::fiscal::Fiscal;
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::guard::{read_directory_rows, two_people};
use crate::schedule::expand_spans;

/// The most holidays that a calendar holds.
pub const MOST_HOLIDAYS: usize = 1_000;

/// Makes or changes a calendar (`POST /calendars {key, name, zone, hours: [{day, from, to}], holidays: [{date, title}]}`).
/// Absent fields of an existing calendar stay; running clocks keep their times.
///
/// # Errors
/// 403, 409 for hours that two people change, 422, or the store's.
pub fn set_calendar(cx: &mut Context<'_, '_>, body: &Body) -> Result<Calendar> {
    cx.allow(act::actions::SET_SERVICE)?;
    let calendar = read_calendar(cx, body)?;
    let directory = cx.directory()?;
    let moves = two_people::moves_clocks(directory.calendars.get(&calendar.key), &calendar);
    two_people::check(cx, moves, two_people::CLOCKS)?;
    keep_calendar(cx, calendar)
}

/// Stores a calendar; checks no permission.
///
/// # Errors
/// The store's.
pub(crate) fn keep_calendar(cx: &mut Context<'_, '_>, mut calendar: Calendar) -> Result<Calendar> {
    if calendar.id.as_str().is_empty() {
        calendar.id = RecordId(cx.new_id()?);
    }
    let calendar = cx.put_estate("calendar.set", calendar, json!({}))?;
    expand_spans::follow_calendar(cx, &calendar.key)?;
    Ok(calendar)
}

/// Reads a calendar from a request; checks no permission.
///
/// # Errors
/// 422, or the store's.
pub(crate) fn read_calendar(cx: &mut Context<'_, '_>, body: &Body) -> Result<Calendar> {
    let directory = cx.directory()?;
    let mut reading = Reading::new(body, "");
    let key = read_directory_rows::key(&mut reading, "key");
    let old = directory.calendars.get(&key).cloned();
    read_directory_rows::no_dots(&mut reading, &key, old.is_some());
    // Null clears, as an empty list does.
    let (says_hours, says_holidays) = (reading.says("hours"), reading.says("holidays"));
    let hours = reading.objects("hours", |inner| Hours {
        day: inner.needed_word("day", Day::Monday),
        from: inner.needed("from", LINE),
        to: inner.needed("to", LINE),
    });
    let holidays = reading.objects("holidays", |inner| {
        let told = inner.needed("date", LINE);
        // Kept in one form, by which clocks look days up: `20261225` is the same day.
        let date = told.parse::<jiff::civil::Date>().map(|date| date.to_string());
        if !told.is_empty() && date.is_err() {
            inner.wrong(
                "date",
                "not_a_date",
                format!("`{told}` is not a date such as 2026-12-25."),
            );
        }
        let date = date.unwrap_or_default();
        let title = inner.text("title", LINE).unwrap_or_else(|| "Holiday".to_owned());
        Holiday { date, title }
    });
    let says_fiscal = reading.says("fiscal");
    let fiscal = read_fiscal(&mut reading);
    let zone = read_directory_rows::zone(&mut reading);
    let name = reading.text("name", LINE);
    let mut calendar = old.unwrap_or_else(|| Calendar {
        id: RecordId::default(),
        version: 0,
        name: key.clone(),
        key,
        zone: "UTC".to_owned(),
        hours: Vec::new(),
        holidays: Vec::new(),
        fiscal: None,
    });
    calendar.name = name.unwrap_or(calendar.name);
    calendar.zone = zone.unwrap_or(calendar.zone);
    if says_hours {
        calendar.hours = hours.unwrap_or_default();
    }
    if says_holidays {
        calendar.holidays = in_order(holidays.unwrap_or_default());
    }
    if says_fiscal {
        calendar.fiscal = fiscal;
    }
    // All errors are returned at once: an invalid zone does not hide invalid hours.
    let are_hours_read = !reading.errors.iter().any(|error| error.field.starts_with("hours"));
    if are_hours_read && let Some(text) = calendar.trouble() {
        reading.wrong("hours", "no_working_hours", text);
    } else if are_hours_read && let Some(text) = calendar.rest_without_end(today(cx)) {
        reading.wrong("holidays", "no_working_hours", text);
    }
    reading.finish()?;
    Ok(calendar)
}

/// How the fiscal year is divided.
fn read_fiscal(reading: &mut Reading<'_>) -> Option<Fiscal> {
    let month = |number: Option<i64>| number.and_then(|it| i8::try_from(it).ok()).unwrap_or(1);
    reading.object("fiscal", |inner| {
        let first_month = inner.integer("first_month", 1..=12);
        if first_month.is_none() && inner.errors.is_empty() {
            inner.wrong("first_month", "missing", "A fiscal year begins in a month: 1 to 12.");
        }
        Fiscal {
            first_month: month(first_month),
            first_day: month(inner.integer("first_day", 1..=28)),
            months: inner.word("months").unwrap_or_default(),
            week_starts: inner.word("week_starts").unwrap_or(Day::Monday),
        }
    })
}

fn today(cx: &Context<'_, '_>) -> jiff::civil::Date {
    cx.now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Holidays in the order of dates, each day once.
fn in_order(holidays: Vec<Holiday>) -> Vec<Holiday> {
    let by_date: BTreeMap<String, Holiday> = holidays.into_iter().map(|day| (day.date.clone(), day)).collect();
    by_date.into_values().collect()
}

/// Adds holidays from a file to an existing calendar; known days keep their title.
///
/// # Errors
/// 403, 404, 422 when it would hold too many, or the store's.
pub fn import_holidays(
    cx: &mut Context<'_, '_>,
    key: &str,
    holidays: Vec<Holiday>,
    dry_run: bool,
) -> Result<(Calendar, Vec<Holiday>)> {
    cx.allow(act::actions::SET_SERVICE)?;
    let directory = cx.directory()?;
    let Some(old) = directory.calendars.get(key) else {
        return Err(Refusal::not_found(format!("calendar {key}")).into());
    };
    let is_new = |day: &Holiday| !old.holidays.iter().any(|known| known.date == day.date);
    let fresh: Vec<Holiday> = in_order(holidays).into_iter().filter(is_new).collect();
    let mut calendar = old.clone();
    calendar.holidays.extend(fresh.iter().cloned());
    calendar.holidays = in_order(calendar.holidays);
    if calendar.holidays.len() > MOST_HOLIDAYS {
        let text = format!("A calendar holds at most {MOST_HOLIDAYS} holidays; import fewer years.");
        return Err(Refusal::field("text", "too_long", text).into());
    }
    if let Some(text) = calendar.rest_without_end(today(cx)) {
        return Err(Refusal::field("text", "no_working_hours", text).into());
    }
    if !dry_run && !fresh.is_empty() {
        calendar = keep_calendar(cx, calendar)?;
    }
    Ok((calendar, fresh))
}
