//! Events out of an iCalendar file with their times: repeating ones are expanded by the rules of the model, in IANA zones.

use std::collections::{BTreeMap, BTreeSet};

use icalendar::parser::{Component, Property, read_calendar, unfold};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use model::core::shared_map::Shelf;
use model::schedule::calendar::zone;
use model::schedule::outside_calendar::{MOST_EVENTS, OutsideEvent};
use model::schedule::repeat::{AHEAD_DAYS, Occurrence, Repeat};

use super::{begins, check_frame, first_line, named, property};
use crate::directory::table::Problem;

/// The most bytes of a file.
const MOST_BYTES: usize = 4 << 20;
/// How many days past events are kept.
const KEPT_DAYS: i64 = 1;
/// The longest event, in days; a longer one is no maintenance.
const MOST_DAYS: i64 = 31;
/// The title of an event that has none.
const UNTITLED: &str = "Maintenance";

/// A time as given in the file.
struct ZonedMoment {
    local: DateTime,
    zone: TimeZone,
    is_day: bool,
}

/// The events that are not over, and at most 400 days ahead; and how many others there are.
///
/// # Errors
/// [`Problem`] for a text that is no calendar, an event without times, an unknown zone, a rule that cannot be read, or more events
/// than are imported at once.
pub fn events(text: &str, now: Timestamp) -> Result<(Vec<OutsideEvent>, usize), Problem> {
    if text.len() > MOST_BYTES {
        return Err(Problem::new(1, format!("the file is longer than {MOST_BYTES} bytes")));
    }
    let text = text.trim_start_matches('\u{feff}');
    check_frame(text)?;
    let count = begins(text).count();
    if count > MOST_EVENTS {
        let text = format!("the file has {count} events; at most {MOST_EVENTS} are imported, so export a shorter time");
        return Err(Problem::new(1, text));
    }
    let unfolded = unfold(text);
    let calendar = read_calendar(&unfolded)
        .map_err(|error| Problem::new(1, format!("it is no iCalendar file: {}", first_line(&error))))?;
    let usual = calendar
        .properties
        .iter()
        .find(|it| it.name.as_str().eq_ignore_ascii_case("X-WR-TIMEZONE"));
    let usual = usual.and_then(|it| zone(it.val.as_str())).unwrap_or(TimeZone::UTC);
    let is_event = |part: &&Component<'_>| part.name.as_str().eq_ignore_ascii_case("VEVENT");
    let parts: Vec<&Component<'_>> = calendar.components.iter().filter(is_event).collect();
    let placed: Vec<(&Component<'_>, usize)> = parts.into_iter().zip(begins(text)).collect();
    let moved = moved(&placed, &usual)?;
    let (first, last) = (days(now, -KEPT_DAYS), days(now, AHEAD_DAYS));
    let (mut found, mut left_out) = (Vec::new(), 0);
    for (event, line) in placed {
        let times = times(event, line, (now, &usual, &moved))?;
        let near: Vec<Occurrence> = times
            .into_iter()
            .filter(|it| it.ends_at > first && it.starts_at < last)
            .collect();
        left_out += usize::from(near.is_empty());
        found.extend(near.into_iter().map(|time| OutsideEvent {
            starts_at: time.starts_at,
            ends_at: time.ends_at,
            title: title(event),
        }));
        if found.len() > MOST_EVENTS {
            let text = format!("the events repeat more than {MOST_EVENTS} times in the days ahead; export fewer");
            return Err(Problem::new(line, text));
        }
    }
    found.sort();
    Ok((found, left_out))
}

fn days(now: Timestamp, days: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(now)
}

/// By the id of a repeating event: the local dates that another event replaces or cancels.
fn moved<'a>(
    events: &[(&'a Component<'_>, usize)],
    usual: &TimeZone,
) -> Result<BTreeMap<&'a str, BTreeSet<Date>>, Problem> {
    let mut found: BTreeMap<&str, BTreeSet<Date>> = BTreeMap::new();
    for (event, line) in events {
        if let Some(instead) = named(event, "RECURRENCE-ID").next() {
            let date = zoned_moment(instead, *line, usual)?.local.date();
            found
                .entry(property(event, "UID").unwrap_or_default())
                .or_default()
                .insert(date);
        }
    }
    Ok(found)
}

/// The times of an event; none for an event that is cancelled, is too long, or repeats within a day.
fn times(
    event: &Component<'_>,
    line: usize,
    (now, usual, moved): (Timestamp, &TimeZone, &BTreeMap<&str, BTreeSet<Date>>),
) -> Result<Vec<Occurrence>, Problem> {
    if property(event, "STATUS").is_some_and(|word| word.trim().eq_ignore_ascii_case("CANCELLED")) {
        return Ok(Vec::new());
    }
    let Some(start) = named(event, "DTSTART").next() else {
        return Err(Problem::new(
            line,
            "the event has no DTSTART, such as DTSTART:20261225T200000Z",
        ));
    };
    let start = zoned_moment(start, line, usual)?;
    let once = once(event, &start, (line, usual))?;
    let rule = property(event, "RRULE");
    // One event of another program that is no maintenance does not keep the others of its calendar out.
    let is_long = once.ends_at.duration_since(once.starts_at) > SignedDuration::from_hours(24 * MOST_DAYS);
    if is_long || rule.is_some_and(repeats_within_a_day) {
        return Ok(Vec::new());
    }
    let is_whole = named(event, "RECURRENCE-ID").next().is_none();
    let others = property(event, "UID").and_then(|id| moved.get(id)).filter(|_| is_whole);
    let mut exdates: BTreeSet<Date> = others.cloned().unwrap_or_default();
    for out in named(event, "EXDATE") {
        for text in out.val.as_str().split(',') {
            exdates.insert(local(text.trim(), line)?.0.date());
        }
    }
    let mut found = added(event, (&start, once), (line, usual), &exdates)?;
    let Some(rule) = rule else {
        found.insert(once);
        return Ok(found.into_iter().collect());
    };
    let name = start.zone.iana_name().unwrap_or("UTC").to_owned();
    let mut repeat = Repeat {
        rrule: Some(rule.to_owned()),
        time_zone: Some(name),
        exdates,
        ..Repeat::default()
    };
    repeat.expand(once, &Shelf::default(), now).map_err(|trouble| {
        let text = format!("the rule `{rule}` is not read: {}", trouble.text.trim_end_matches('.'));
        Problem::new(line, text)
    })?;
    found.extend(repeat.spans(once));
    Ok(found.into_iter().collect())
}

/// Whether a rule repeats by the hour or oftener, which the rules of the model do not: that is a job, and nobody's maintenance.
fn repeats_within_a_day(rule: &str) -> bool {
    let rule = rule.to_ascii_uppercase();
    let often = ["FREQ=HOURLY", "FREQ=MINUTELY", "FREQ=SECONDLY"];
    rule.split(';').any(|part| often.contains(&part.trim()))
}

/// The times that an event lists beside its rule (RDATE), without those that are left out. Each lasts as long as the first one,
/// unless it is a period with an end of its own.
fn added(
    event: &Component<'_>,
    (start, once): (&ZonedMoment, Occurrence),
    (line, usual): (usize, &TimeZone),
    exdates: &BTreeSet<Date>,
) -> Result<BTreeSet<Occurrence>, Problem> {
    let length = once.ends_at.duration_since(once.starts_at);
    let mut found = BTreeSet::new();
    for property in named(event, "RDATE") {
        for text in property.val.as_str().split(',') {
            let (from, until) = text
                .split_once('/')
                .map_or((text, None), |(from, until)| (from, Some(until)));
            let mut first = parse_moment(property, from, line, usual)?;
            if first.is_day && !start.is_day {
                first.local = first.local.date().to_datetime(start.local.time());
                first.zone = start.zone.clone();
            }
            if exdates.contains(&first.local.date()) {
                continue;
            }
            let starts_at = instant(&first, line)?;
            let ends_at = match until.map(str::trim) {
                None => starts_at.checked_add(length).unwrap_or(starts_at),
                Some(lasting) if lasting.starts_with(['P', 'p']) => instant(&after(&first, lasting, line)?, line)?,
                Some(end) => instant(&parse_moment(property, end, line, usual)?, line)?,
            };
            let is_long = ends_at.duration_since(starts_at) > SignedDuration::from_hours(24 * MOST_DAYS);
            if starts_at < ends_at && !is_long {
                found.insert(Occurrence { starts_at, ends_at });
            }
        }
    }
    Ok(found)
}

/// A time so long after another by the clock on the wall, such as `PT2H`.
fn after(told: &ZonedMoment, lasting: &str, line: usize) -> Result<ZonedMoment, Problem> {
    let wrong = || Problem::new(line, format!("`{lasting}` is no duration, such as PT2H"));
    let span: Span = lasting.trim().parse().map_err(|_| wrong())?;
    Ok(ZonedMoment {
        local: told.local.checked_add(span).map_err(|_| wrong())?,
        zone: told.zone.clone(),
        is_day: told.is_day,
    })
}

fn once(event: &Component<'_>, start: &ZonedMoment, (line, usual): (usize, &TimeZone)) -> Result<Occurrence, Problem> {
    let starts_at = instant(start, line)?;
    let ends_at = match (named(event, "DTEND").next(), property(event, "DURATION")) {
        (Some(end), _) => instant(&zoned_moment(end, line, usual)?, line)?,
        (None, Some(text)) => instant(&after(start, text, line)?, line)?,
        (None, None) if start.is_day => days(starts_at, 1),
        (None, None) => starts_at,
    };
    if ends_at < starts_at {
        return Err(Problem::new(line, "the event ends before it begins"));
    }
    // An event of a moment takes that minute.
    let shortest = starts_at.checked_add(SignedDuration::from_mins(1)).unwrap_or(starts_at);
    Ok(Occurrence {
        starts_at,
        ends_at: ends_at.max(shortest),
    })
}

/// A time with its zone: that of the property, UTC for one that ends with `Z`, else the calendar's.
fn zoned_moment(property: &Property<'_>, line: usize, usual: &TimeZone) -> Result<ZonedMoment, Problem> {
    parse_moment(property, property.val.as_str(), line, usual)
}

/// One of the times of a property, each of which has its zone.
fn parse_moment(property: &Property<'_>, text: &str, line: usize, usual: &TimeZone) -> Result<ZonedMoment, Problem> {
    let text = text.trim();
    let (local, is_utc) = local(text, line)?;
    let named = property
        .params
        .iter()
        .find(|param| param.key.as_str().eq_ignore_ascii_case("TZID"));
    let named = named
        .and_then(|param| param.val.as_ref())
        .map(|name| name.as_str().trim_matches('"'));
    let zone = match named {
        _ if is_utc => TimeZone::UTC,
        Some(name) => zone(name.trim_start_matches('/')).ok_or_else(|| {
            let text = format!(
                "the zone `{name}` is none of the IANA database, such as Europe/Oslo; export the calendar with IANA zones or in UTC"
            );
            Problem::new(line, text)
        })?,
        None => usual.clone(),
    };
    Ok(ZonedMoment {
        local,
        zone,
        is_day: !text.contains('T'),
    })
}

fn instant(told: &ZonedMoment, line: usize) -> Result<Timestamp, Problem> {
    let zoned = told.local.to_zoned(told.zone.clone());
    let zoned = zoned.map_err(|_| Problem::new(line, format!("`{}` is out of range", told.local)))?;
    Ok(zoned.timestamp())
}

/// `20261225T200000Z`, `20261225T200000` or `20261225`; and whether it is in UTC.
fn local(text: &str, line: usize) -> Result<(DateTime, bool), Problem> {
    let wrong = || Problem::new(line, format!("`{text}` is no time, such as 20261225T200000Z"));
    let (bare, is_utc) = match text.strip_suffix(['Z', 'z']) {
        Some(bare) => (bare, true),
        None => (text, false),
    };
    let whole = match bare.len() {
        8 => format!("{bare}T000000"),
        _ => bare.to_owned(),
    };
    let local = DateTime::strptime("%Y%m%dT%H%M%S", &whole).map_err(|_| wrong())?;
    Ok((local, is_utc))
}

fn title(event: &Component<'_>) -> String {
    let text = property(event, "SUMMARY")
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let text = text.unwrap_or(UNTITLED);
    text.replace("\\,", ",")
        .replace("\\;", ";")
        .replace("\\n", " ")
        .replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn file(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}END:VCALENDAR\r\n")
    }

    fn event(lines: &str) -> String {
        format!("BEGIN:VEVENT\r\nUID:a\r\n{lines}\r\nEND:VEVENT\r\n")
    }

    fn now() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    fn read(text: &str) -> Vec<(String, String, String)> {
        let (found, _) = events(&file(text), now()).unwrap();
        let row = |it: OutsideEvent| (it.starts_at.to_string(), it.ends_at.to_string(), it.title);
        found.into_iter().map(row).collect()
    }

    fn row(from: &str, to: &str, title: &str) -> (String, String, String) {
        (from.to_owned(), to.to_owned(), title.to_owned())
    }

    #[test]
    fn times_are_read_in_utc_in_a_zone_and_as_whole_days() {
        let utc = event("DTSTART:20261201T200000Z\r\nDTEND:20261201T210000Z\r\nSUMMARY:Racks\\, row 2");
        let zoned = event("DTSTART;TZID=Europe/Oslo:20261202T200000\r\nDURATION:PT1H30M\r\nSUMMARY:Power");
        let day = event("DTSTART;VALUE=DATE:20261203");
        let found = read(&[utc, zoned, day].concat());
        assert_eq!(
            found[0],
            row("2026-12-01T20:00:00Z", "2026-12-01T21:00:00Z", "Racks, row 2")
        );
        assert_eq!(found[1], row("2026-12-02T19:00:00Z", "2026-12-02T20:30:00Z", "Power"));
        assert_eq!(
            found[2],
            row("2026-12-03T00:00:00Z", "2026-12-04T00:00:00Z", "Maintenance")
        );
    }

    #[test]
    fn what_repeats_is_expanded_without_what_is_left_out_moved_or_called_off() {
        let weekly = event(
            "DTSTART;TZID=Europe/Oslo:20261201T200000\r\nDTEND;TZID=Europe/Oslo:20261201T210000\r\n\
             RRULE:FREQ=WEEKLY;COUNT=4\r\nEXDATE;TZID=Europe/Oslo:20261208T200000\r\nSUMMARY:Patch",
        );
        let instead = event(
            "RECURRENCE-ID;TZID=Europe/Oslo:20261215T200000\r\nDTSTART:20261216T100000Z\r\nDTEND:20261216T110000Z\r\nSUMMARY:Later",
        );
        let off = event("DTSTART:20261217T100000Z\r\nSTATUS:CANCELLED\r\nSUMMARY:Off");
        let found = read(&[weekly, instead, off].concat());
        let starts: Vec<&str> = found.iter().map(|(from, ..)| from.as_str()).collect();
        assert_eq!(
            starts,
            ["2026-12-01T19:00:00Z", "2026-12-16T10:00:00Z", "2026-12-22T19:00:00Z"]
        );
    }

    #[test]
    fn dates_that_are_listed_beside_the_rule_count_as_well() {
        let weekly = event(
            "DTSTART;TZID=Europe/Oslo:20261201T200000\r\nDTEND;TZID=Europe/Oslo:20261201T210000\r\n\
             RRULE:FREQ=WEEKLY;COUNT=2\r\nRDATE;TZID=Europe/Oslo:20261203T200000,20261208T200000,20261210T200000\r\n\
             EXDATE;TZID=Europe/Oslo:20261210T200000\r\nRDATE;VALUE=PERIOD:20261204T100000Z/PT3H",
        );
        let single = event("DTSTART:20261220T100000Z\r\nDURATION:PT1H\r\nRDATE;VALUE=DATE:20261221\r\nSUMMARY:Racks");
        let found = read(&[weekly, single].concat());
        let spans: Vec<(&str, &str)> = found.iter().map(|(from, to, _)| (from.as_str(), to.as_str())).collect();
        let wanted = [
            ("2026-12-01T19:00:00Z", "2026-12-01T20:00:00Z"),
            ("2026-12-03T19:00:00Z", "2026-12-03T20:00:00Z"),
            ("2026-12-04T10:00:00Z", "2026-12-04T13:00:00Z"),
            ("2026-12-08T19:00:00Z", "2026-12-08T20:00:00Z"),
            ("2026-12-20T10:00:00Z", "2026-12-20T11:00:00Z"),
            ("2026-12-21T10:00:00Z", "2026-12-21T11:00:00Z"),
        ];
        assert_eq!(spans, wanted);
    }

    #[test]
    fn an_event_that_is_no_maintenance_is_left_out_and_the_others_stay() {
        let long = event("DTSTART:20261201T200000Z\r\nDTEND:20270301T100000Z");
        let hourly = event("DTSTART:20261201T200000Z\r\nDURATION:PT5M\r\nRRULE:FREQ=HOURLY;COUNT=9");
        let racks = event("DTSTART:20261202T200000Z\r\nDURATION:PT1H");
        let (found, left_out) = events(&file(&[long, hourly, racks].concat()), now()).unwrap();
        assert_eq!((found.len(), left_out), (1, 2));
    }

    #[test]
    fn what_is_over_or_far_ahead_is_left_out_and_counted() {
        let over = event("DTSTART:20260101T100000Z\r\nDTEND:20260101T110000Z");
        let far = event("DTSTART:20290101T100000Z\r\nDTEND:20290101T110000Z");
        let (found, left_out) = events(&file(&[over, far].concat()), now()).unwrap();
        assert_eq!((found.len(), left_out), (0, 2));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        let many = event("DTSTART:20261201T200000Z").repeat(MOST_EVENTS + 1);
        for (text, wanted) in [
            (many, "at most 5000"),
            (event("SUMMARY:x"), "no DTSTART"),
            (event("DTSTART;TZID=W. Europe Standard Time:20261201T200000"), "IANA"),
            (event("DTSTART:soon"), "is no time"),
            (
                event("DTSTART:20261201T200000Z\r\nDTEND:20261201T100000Z"),
                "ends before",
            ),
            (event("DTSTART:20261201T200000Z\r\nRRULE:FREQ=NEVER"), "is not read"),
            (event("DTSTART:20261201T200000Z\r\nRDATE:sometime"), "is no time"),
        ] {
            let problem = events(&file(&text), now()).unwrap_err();
            assert!(problem.text.contains(wanted), "{}", problem.text);
        }
    }
}
