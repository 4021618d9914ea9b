//! The number of users of a service by the hour of the week, from an uploaded table or a monitoring system.

use derive::{Described, Noun};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_SERVICE};
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{RecordId, ServiceKey};
use crate::schedule::calendar::zone;
use crate::schedule::traffic_answer;
use crate::verbs;

/// The longest table, in characters: 168 lines and a head.
pub const MOST: usize = 8_000;
/// The hours of a week.
pub const HOURS: usize = 7 * 24;
/// The most users of an hour.
const MOST_USERS: i64 = 1_000_000_000_000;
/// The most hours of work whose users are counted; nobody plans longer.
const LONGEST: usize = 31 * 24;

/// The users of a service by hour of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Traffic {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The service.
    #[card(column, refers = "service")]
    pub service: ServiceKey,
    /// The IANA time zone of its hours.
    pub zone: String,
    /// A table of weekday, hour and users.
    #[card(most = MOST)]
    pub profile: String,
    /// The source of the table, such as a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// The users of a service by hour of the week.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct TrafficInput {
    /// The service.
    #[card(refers = "service", positional, example = "booking-api")]
    pub service: ServiceKey,
    /// The IANA time zone of its hours.
    #[card(example = "Europe/Oslo", usual = "UTC")]
    pub zone: String,
    /// Lines of weekday, hour and users, such as mon,9,1200; or of hour and users, for every day; or a Prometheus
    /// response to a range query, from which the mean of each hour is taken.
    #[card(most = traffic_answer::MOST, example = "mon,9,1200")]
    pub profile: String,
    /// The source of the table, such as a query.
    #[card(example = "nightly export")]
    pub source: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    columns: &["service", "zone", "source"],
    verbs: verbs! {
        List "list_traffic" at "/traffic" may READ => "List the services whose users by hour are known";
        Set "set_traffic" at "/traffic" may SET_SERVICE => "Set the users of a service by hour of the week";
        Show "show_traffic" at "/traffic/{key}" may READ => "Show the users of a service by hour of the week";
        End "end_traffic" at "/traffic/{key}" may SET_SERVICE => "Remove the users of a service by hour";
    },
    events: &[
        Event::new("traffic.set", "edit", "set the users of a service by hour"),
        Event::new("traffic.ended", "x", "removed the users of a service by hour"),
    ],
    page: Some(Page {
        path: "/traffic",
        byline: "The number of users of services by hour of the week. Free times with few users are suggested first.",
        empty: "No service has data yet.",
        labels: ["Set the users of a service", "Change them", "Retire them"],
    }),
    ..Card::of::<Traffic, TrafficInput>("traffic", "Users by hour")
};

/// Reads a table: the users of each hour of the week from Monday, 00:00. Hours without a line have none.
///
/// # Errors
/// The line that is wrong, and how a line looks.
pub fn read_profile(text: &str) -> Result<Vec<i64>, String> {
    let mut users = vec![None; HOURS];
    for (number, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split([',', ';', '\t']).map(str::trim).collect();
        let is_head = number == 0 && cells.last().is_some_and(|cell| cell.eq_ignore_ascii_case("users"));
        if line.trim().is_empty() || is_head {
            continue;
        }
        for hour in places(&cells, number + 1, line)? {
            if users[hour].replace(count(&cells, number + 1, line)?).is_some() {
                return Err(format!("Line {}, `{line}`: this hour has a line already.", number + 1));
            }
        }
    }
    if users.iter().all(Option::is_none) {
        return Err("The table has no line such as `mon,9,1200`.".to_owned());
    }
    Ok(users.into_iter().map(Option::unwrap_or_default).collect())
}

/// The hours of the week that a line is about.
fn places(cells: &[&str], number: usize, line: &str) -> Result<Vec<usize>, String> {
    let wrong = |what: &str| format!("Line {number}, `{line}`: {what}. A line looks like `mon,9,1200` or `9,1200`.");
    let (days, hour) = match cells {
        [hour, _] => ((0..7).collect::<Vec<usize>>(), *hour),
        [day, hour, _] => (
            vec![weekday(day).ok_or_else(|| wrong("the weekday is unknown"))?],
            *hour,
        ),
        _ => return Err(wrong("it has not two or three cells")),
    };
    let hour = hour.strip_suffix(":00").unwrap_or(hour);
    let hour: usize = hour.parse().map_err(|_| wrong("the hour is no number"))?;
    if hour > 23 {
        return Err(wrong("the hour is not within 0 to 23"));
    }
    Ok(days.into_iter().map(|day| day * 24 + hour).collect())
}

fn count(cells: &[&str], number: usize, line: &str) -> Result<i64, String> {
    let text = cells.last().copied().unwrap_or_default();
    // Monitoring systems return averages; a fraction of a user counts as none.
    let whole = text.split('.').next().unwrap_or_default();
    let count: Option<i64> = whole.parse().ok();
    count
        .filter(|count| (0..=MOST_USERS).contains(count))
        .ok_or_else(|| format!("Line {number}, `{line}`: the users are no number of 0 or more."))
}

fn weekday(text: &str) -> Option<usize> {
    let names = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let text = text.to_ascii_lowercase();
    let by_name = names.iter().position(|name| text.len() >= 3 && name.starts_with(&text));
    let by_number = || text.parse::<usize>().ok().filter(|day| (1..=7).contains(day));
    by_name.or_else(|| by_number().map(|day| day - 1))
}

impl Traffic {
    /// The most users of an hour that `[from, to)` touches, and the most of any hour of the week.
    #[must_use]
    pub fn users(&self, from: Timestamp, to: Timestamp) -> (i64, i64) {
        let users = read_profile(&self.profile).unwrap_or_default();
        let zone = zone(&self.zone).unwrap_or(TimeZone::UTC);
        let most = users.iter().copied().max().unwrap_or_default();
        let hours = touched(from, to).into_iter().map(|at| {
            let local = at.to_zoned(zone.clone());
            let day = usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or_default();
            let hour = usize::try_from(local.hour()).unwrap_or_default();
            users.get(day * 24 + hour).copied().unwrap_or_default()
        });
        (hours.max().unwrap_or_default(), most)
    }
}

/// An instant in each hour that a span touches.
fn touched(from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let mut hours = vec![from];
    let mut next = from.checked_add(SignedDuration::from_hours(1));
    while let Ok(at) = next {
        if at >= to || hours.len() >= LONGEST {
            break;
        }
        hours.push(at);
        next = at.checked_add(SignedDuration::from_hours(1));
    }
    // The last hour counts as well where the span ends early in it.
    hours.extend(
        to.checked_sub(SignedDuration::from_nanos(1))
            .ok()
            .filter(|last| *last > from),
    );
    hours
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_table_is_read_with_heads_names_numbers_and_averages() {
        let users = read_profile("weekday,hour,users\nmon,9,1200\nTuesday;10:00;7.9\n7,23,3\n").unwrap();
        assert_eq!((users[9], users[24 + 10], users[6 * 24 + 23]), (1_200, 7, 3));
        let daily = read_profile("9,5").unwrap();
        assert_eq!(daily.iter().filter(|users| **users == 5).count(), 7);
    }

    #[test]
    fn what_is_wrong_in_a_table_is_said_with_its_line() {
        for (text, wanted) in [
            ("", "no line"),
            ("mon,24,1", "within 0 to 23"),
            ("mon,x,1", "hour is no number"),
            ("moon day,1,1", "Line 1"),
            ("mon,1,1\nxyz,1,1", "Line 2"),
            ("mon,1,-5", "no number of 0 or more"),
            ("mon,1,1\nmon,1,2", "already"),
            ("mon 1 1", "cells"),
        ] {
            let error = read_profile(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn users_are_counted_in_the_zone_of_the_table_over_every_touched_hour() {
        let traffic = Traffic {
            id: RecordId::from("t"),
            version: 1,
            service: ServiceKey::from("api"),
            zone: "Europe/Oslo".to_owned(),
            profile: "mon,9,100\nmon,10,900\nmon,11,5".to_owned(),
            source: None,
            active: true,
        };
        // 2026-11-30 is a Monday, and Oslo is one hour ahead.
        let users = |from, to| traffic.users(at(from), at(to));
        assert_eq!(users("2026-11-30T08:00:00Z", "2026-11-30T09:00:00Z"), (100, 900));
        assert_eq!(users("2026-11-30T08:30:00Z", "2026-11-30T09:01:00Z"), (900, 900));
        assert_eq!(users("2026-11-30T20:00:00Z", "2026-11-30T21:00:00Z"), (0, 900));
    }
}
