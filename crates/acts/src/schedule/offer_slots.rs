//! Offers free times for a change, the best ones first. Nothing is written.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::change::requirement::earliest_start;
use model::core::act::actions::READ;
use model::core::body::Body;
use model::core::parse::{LINE, Reading, later};
use model::schedule::calendar::{USUAL, zone};
use model::schedule::conflicts::Planned;
use model::schedule::offer::{Judging, Slot, offer};
use model::schedule::slots::AHEAD_DAYS;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::change_conflicts::{all_near, read_plan};

/// The default number of offered times.
const USUAL_COUNT: i64 = 10;
/// The most times that are offered.
const MOST_COUNT: i64 = 100;
/// The longest work, in minutes: a week.
const MOST_MINUTES: i64 = 7 * 24 * 60;

/// Free times of a plan (`POST /slots`): a change or targets, how long it takes, from when on.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn find_slots(cx: &mut Context<'_, '_>, body: &Body) -> Result<Vec<Slot>> {
    cx.allow(READ)?;
    let mut reading = Reading::new(body, "");
    let mut mine = read_plan(cx, &mut reading)?.planned;
    if let Some(minutes) = reading.integer("minutes", 1..=MOST_MINUTES) {
        mine = mine.at(
            mine.starts_at,
            later(mine.starts_at, SignedDuration::from_mins(minutes)),
        );
    }
    let after = reading.time("after").unwrap_or(cx.now);
    let count = reading.integer("count", 1..=MOST_COUNT).unwrap_or(USUAL_COUNT);
    let name = reading.text("zone", LINE);
    if let Some(name) = name.as_deref().filter(|name| zone(name).is_none()) {
        reading.wrong(
            "zone",
            "unknown",
            format!("`{name}` is not an IANA time zone such as Europe/Oslo."),
        );
    }
    reading.finish()?;
    let earliest = earliest(cx, &mine, after)?;
    offered(
        cx,
        &mine,
        earliest,
        name.as_deref(),
        usize::try_from(count).unwrap_or(1),
    )
}

/// Free times of a change in its present state (`GET /changes/{key}/slots`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_change_slots(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<Slot>> {
    let mut body = Body::new();
    body.insert("change".to_owned(), key.into());
    find_slots(cx, &body)
}

/// The earliest start: not in the past, and not before the rules on lead time allow.
fn earliest(cx: &mut Context<'_, '_>, mine: &Planned, after: Timestamp) -> Result<Timestamp> {
    let after = after.max(cx.now);
    if mine.id.as_str().is_empty() {
        return Ok(after);
    }
    let file = cx.file(mine.id.as_str())?;
    let directory = cx.directory()?;
    let led = earliest_start(&file, &directory, cx.now).map(|(at, _)| at);
    Ok(led.map_or(after, |led| led.max(after)))
}

/// The best free times of a plan in the weeks after a moment.
///
/// # Errors
/// The store's.
pub fn offered(
    cx: &mut Context<'_, '_>,
    mine: &Planned,
    earliest: Timestamp,
    name: Option<&str>,
    count: usize,
) -> Result<Vec<Slot>> {
    let directory = cx.directory()?;
    let length = mine.ends_at.duration_since(mine.starts_at);
    let ahead = SignedDuration::from_hours(24 * i64::from(AHEAD_DAYS));
    let mut others = all_near(cx, earliest, later(later(earliest, ahead), length))?;
    let own = directory.taken_up_by(&mine.key);
    others.retain(|it| !own.contains(it));
    let usual = directory.calendars.get(USUAL).map_or("UTC", |it| it.zone.as_str());
    let zone = zone(name.unwrap_or(usual)).unwrap_or(TimeZone::UTC);
    let judging = Judging {
        directory: &directory,
        terms: &directory.planning(),
        mine,
        earliest,
        others: &others,
        zone: &zone,
    };
    Ok(offer(&judging, count))
}
