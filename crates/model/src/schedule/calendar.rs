//! Business time: working hours, holidays, and how a clock runs through them.
//!
//! Zones are IANA zones out of the bundled database, so that the same record gives the same instants everywhere. An hour
//! that daylight saving skips is not worked, an hour that it repeats is worked twice.

use derive::{Described, Noun};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::core::enums::Day;
use crate::core::ids::RecordId;
use crate::schedule::fiscal::Fiscal;

/// The default calendar.
pub const USUAL: &str = "default";
/// The most days ahead in which business time is searched: five years.
const MOST_DAYS: usize = 5 * 366;

/// Working hours and holidays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "calendar")]
pub struct Calendar {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// `default`, `oslo`.
    #[card(column)]
    pub key: String,
    /// A name for people.
    #[card(text)]
    pub name: String,
    /// Its IANA zone.
    pub zone: String,
    /// When work is done; never empty.
    #[card(object)]
    pub hours: Vec<Hours>,
    /// Days without work, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub holidays: Vec<Holiday>,
    /// The fiscal year's division.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub fiscal: Option<Fiscal>,
}

/// Hours of one day of the week, in the calendar's zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hours {
    /// The day.
    pub day: Day,
    /// `08:00`.
    pub from: String,
    /// `17:00`; `24:00` is the end of the day.
    pub to: String,
}

/// A day on which no work is done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holiday {
    /// `2026-12-25`.
    pub date: String,
    /// The title.
    pub title: String,
}

/// The duration of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Minutes on the wall.
    Minutes(i64),
    /// Minutes of working time.
    WorkMinutes(i64),
    /// Working days: the same time of day, so many working days later.
    WorkDays(i64),
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Minutes(minutes) if minutes % 60 == 0 => write!(f, "{} h", minutes / 60),
            Self::Minutes(minutes) => write!(f, "{minutes} min"),
            Self::WorkMinutes(minutes) if minutes % 60 == 0 => write!(f, "{} working h", minutes / 60),
            Self::WorkMinutes(minutes) => write!(f, "{minutes} working min"),
            Self::WorkDays(days) => write!(f, "{days} working days"),
        }
    }
}

impl Span {
    /// A fraction of it, at least a minute.
    #[must_use]
    pub fn share(self, part: i64, of: i64) -> Self {
        let share = |minutes: i64| (minutes * part / of.max(1)).max(1);
        match self {
            Self::Minutes(minutes) => Self::Minutes(share(minutes)),
            Self::WorkMinutes(minutes) => Self::WorkMinutes(share(minutes)),
            Self::WorkDays(days) => Self::WorkMinutes(share(days * 8 * 60)),
        }
    }
}

/// A zone by its IANA name, out of the bundled database.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// `08:00` as minutes after midnight; `24:00` is 1,440.
pub fn minute_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let is_plain = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(hour) || !is_plain(minute) {
        return None;
    }
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= 1_440).then_some(total)
}

/// A calendar read in a zone: what a clock runs by. Without a calendar all time is working time.
#[derive(Debug, Clone)]
pub struct Clock<'a> {
    calendar: Option<&'a Calendar>,
    zone: TimeZone,
}

impl<'a> Clock<'a> {
    /// A clock by a calendar, in its own zone unless another is given.
    pub fn new(calendar: Option<&'a Calendar>, other_zone: Option<&str>) -> Self {
        let name = other_zone.or(calendar.map(|found| found.zone.as_str()));
        Self {
            calendar,
            zone: name.and_then(zone).unwrap_or(TimeZone::UTC),
        }
    }

    /// The instant that lies a span after another.
    pub fn after(&self, start: Timestamp, span: Span) -> Timestamp {
        match (span, self.calendar) {
            (Span::Minutes(minutes) | Span::WorkMinutes(minutes), None) | (Span::Minutes(minutes), Some(_)) => {
                later(start, minutes)
            }
            (Span::WorkDays(days), None) => later(start, days * 24 * 60),
            (Span::WorkMinutes(minutes), Some(calendar)) => {
                self.after_work(calendar, start, SignedDuration::from_mins(minutes))
            }
            (Span::WorkDays(days), Some(calendar)) => self.after_days(calendar, start, days),
        }
    }

    /// Whether this instant is in working time.
    pub fn is_working(&self, at: Timestamp) -> bool {
        let Some(calendar) = self.calendar else { return true };
        let date = at.to_zoned(self.zone.clone()).date();
        self.spans(calendar, date)
            .iter()
            .any(|(from, to)| *from <= at && at < *to)
    }

    /// The working time in `[from, to)`.
    pub fn worked(&self, from: Timestamp, to: Timestamp) -> SignedDuration {
        let Some(calendar) = self.calendar else {
            return to.duration_since(from).max(SignedDuration::ZERO);
        };
        let mut sum = SignedDuration::ZERO;
        let mut date = from.to_zoned(self.zone.clone()).date();
        let last = to.to_zoned(self.zone.clone()).date();
        for _ in 0..MOST_DAYS {
            if date > last {
                break;
            }
            for (start, end) in self.spans(calendar, date) {
                let (start, end) = (start.max(from), end.min(to));
                if start < end {
                    sum += end.duration_since(start);
                }
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        sum
    }

    /// The instant at which so much working time has passed.
    pub fn after_worked(&self, start: Timestamp, left: SignedDuration) -> Timestamp {
        match self.calendar {
            Some(calendar) => self.after_work(calendar, start, left),
            None => start.checked_add(left).unwrap_or(Timestamp::MAX),
        }
    }

    fn after_work(&self, calendar: &Calendar, start: Timestamp, span: SignedDuration) -> Timestamp {
        let mut left = span;
        let mut date = start.to_zoned(self.zone.clone()).date();
        for _ in 0..MOST_DAYS {
            for (from, to) in self.spans(calendar, date) {
                let from = from.max(start);
                if to <= from {
                    continue;
                }
                let worked = to.duration_since(from);
                if left <= worked {
                    return from.checked_add(left).unwrap_or(to);
                }
                left -= worked;
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        // Only a calendar without working hours comes here, and none can be set.
        start.checked_add(span).unwrap_or(Timestamp::MAX)
    }

    fn after_days(&self, calendar: &Calendar, start: Timestamp, days: i64) -> Timestamp {
        // A request outside of working time counts from the next start of work.
        let opening = self.after_work(calendar, start, SignedDuration::ZERO);
        let local = opening.to_zoned(self.zone.clone());
        let (time, mut date, mut left) = (local.time(), local.date(), days);
        for _ in 0..MOST_DAYS {
            if left == 0 {
                break;
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
            if !self.spans(calendar, date).is_empty() {
                left -= 1;
            }
        }
        let at = self.instant(date, time).unwrap_or(opening);
        self.after_work(calendar, at, SignedDuration::ZERO)
    }

    /// The working spans of a day, in order.
    fn spans(&self, calendar: &Calendar, date: Date) -> Vec<(Timestamp, Timestamp)> {
        if calendar.is_holiday(date) {
            return Vec::new();
        }
        let day = day_of(date.weekday());
        let mut found: Vec<(Timestamp, Timestamp)> = calendar
            .hours
            .iter()
            .filter(|hours| hours.day == day)
            .filter_map(|hours| Some((self.at(date, &hours.from)?, self.at(date, &hours.to)?)))
            .filter(|(from, to)| from < to)
            .collect();
        found.sort_unstable();
        // Overlapping working hours count once.
        let mut apart: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(found.len());
        for (from, to) in found {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        apart
    }

    fn at(&self, date: Date, text: &str) -> Option<Timestamp> {
        let minutes = minute_of_day(text)?;
        if minutes == 1_440 {
            return self.instant(date.tomorrow().ok()?, Time::midnight());
        }
        let time = Time::new(i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
        self.instant(date, time)
    }

    /// A local time as an instant: in a gap the gap's end, in a fold the first of the two.
    fn instant(&self, date: Date, time: Time) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(date.to_datetime(time));
        let is_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let found = ambiguous.compatible().ok()?;
        if !is_gap {
            return Some(found);
        }
        // A time at the very beginning of the gap is shown again at the very change of the clocks, which lies not before itself.
        let behind = found.checked_add(SignedDuration::from_secs(1)).ok()?;
        let change = self.zone.preceding(behind).next();
        Some(change.map_or(found, |change| change.timestamp()))
    }
}

fn later(start: Timestamp, minutes: i64) -> Timestamp {
    start
        .checked_add(SignedDuration::from_mins(minutes))
        .unwrap_or(Timestamp::MAX)
}

fn day_of(weekday: Weekday) -> Day {
    match weekday {
        Weekday::Monday => Day::Monday,
        Weekday::Tuesday => Day::Tuesday,
        Weekday::Wednesday => Day::Wednesday,
        Weekday::Thursday => Day::Thursday,
        Weekday::Friday => Day::Friday,
        Weekday::Saturday => Day::Saturday,
        Weekday::Sunday => Day::Sunday,
    }
}

/// The most days in a row without work.
const MOST_REST: i64 = 60;

impl Calendar {
    /// Whether no work is done on a day.
    pub fn is_holiday(&self, date: Date) -> bool {
        let text = date.to_string();
        self.holidays.binary_search_by(|known| known.date.cmp(&text)).is_ok()
    }

    /// Whether work is done on a day.
    pub fn works_on(&self, date: Date) -> bool {
        let day = day_of(date.weekday());
        self.hours.iter().any(|hours| hours.day == day) && !self.is_holiday(date)
    }

    /// The calendar's mistake, if any: a calendar without working hours would stop every clock.
    pub fn trouble(&self) -> Option<String> {
        if zone(&self.zone).is_none() {
            return Some(format!("`{}` is not an IANA time zone such as Europe/Oslo.", self.zone));
        }
        for hours in &self.hours {
            let (from, to) = (minute_of_day(&hours.from), minute_of_day(&hours.to));
            match (from, to) {
                (Some(from), Some(to)) if from < to => {}
                _ => {
                    return Some(format!(
                        "The hours {} to {} on {} are no span of a day, such as 08:00 to 17:00.",
                        hours.from, hours.to, hours.day
                    ));
                }
            }
        }
        self.hours.is_empty().then(|| {
            "A calendar without working hours would stop every clock; add hours such as monday 08:00 to 17:00."
                .to_owned()
        })
    }

    /// The mistake of a calendar with endless rest from a day on: its holidays leave no working day in so many days in a row,
    /// and every clock would stop.
    pub fn rest_without_end(&self, today: Date) -> Option<String> {
        let works = |date: Date| {
            let is_of_day = |hours: &Hours| hours.day == day_of(date.weekday());
            self.hours.iter().any(is_of_day) && !self.is_holiday(date)
        };
        let named = self.holidays.iter().filter_map(|day| day.date.parse::<Date>().ok());
        // A rest that is too long begins at a holiday, or at the regular free days before it.
        let mut ahead = named.filter(|date| *date >= today);
        let begin = ahead.find(|begin| (0..MOST_REST).all(|days| !works(begin.saturating_add(days.days()))))?;
        Some(format!(
            "From {begin} on, the calendar has no working day for {MOST_REST} days or more, which would stop every \
             clock; leave working days in between."
        ))
    }
}
