//! Calendars of other systems: their events count as maintenance in conflicts of plans. An import replaces all events of its
//! calendar.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_WINDOW};
use crate::core::card::{Card, Event, Field, Kind, Page};
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::verbs;

/// The most events of one import.
pub const MOST_EVENTS: usize = 5_000;
/// The most calendars of a tenant.
pub const MOST_CALENDARS: usize = 50;
/// The longest title of an event, in characters; what is longer is cut.
pub const MOST_TITLE: usize = 80;
/// The usual interval between two readings of a calendar with an address, in minutes.
pub const USUAL_MINUTES: i64 = 60;
/// The shortest and the longest interval between two readings, in minutes: a quarter of an hour and a week.
pub const EVERY_MINUTES: (i64, i64) = (15, 10_080);
/// The longest interval between two readings, as in the card.
const MOST_MINUTES: i64 = 10_080;
/// The longest text for all events of a calendar.
const MOST_TEXT: usize = MOST_EVENTS * (MOST_TITLE * 4 + 50);

/// A calendar of others, with its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct OutsideCalendar {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// What it is called.
    #[card(text)]
    pub name: String,
    /// Its address, from which it is imported regularly; without an address the calendar is uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub url: Option<String>,
    /// Whether the address is a CalDAV collection (RFC 4791) and no iCalendar file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_caldav: bool,
    /// The number of minutes between two imports from the address; 60 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MOST_MINUTES)]
    pub every_minutes: Option<i64>,
    /// Whether a login and a password for the address are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_credential: bool,
    /// The services that its events are about; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// The environments that its events are about; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// The vendor of the maintenance: each event becomes a notice of this vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Its events, one a line: start and end in seconds since 1970, then the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MOST_TEXT, text)]
    pub imported: Option<String>,
    /// When they were imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<Timestamp>,
    /// The entity tag of what was read last (RFC 9110), so that an unchanged calendar is not sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub entity_tag: Option<String>,
    /// Why the last reading failed; the events of the last one that succeeded stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub read_problem: Option<String>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A calendar of others, whose events count as maintenance.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct OutsideCalendarInput {
    /// What it is called.
    #[card(text, example = "Data centre works")]
    pub name: String,
    /// Its address, from which it is imported regularly; without an address the calendar is uploaded.
    #[card(text, example = "https://dc.example/works.ics")]
    pub url: Option<String>,
    /// Whether the address is a CalDAV collection (RFC 4791) and no iCalendar file.
    pub is_caldav: bool,
    /// The number of minutes between two imports from the address; 60 by default.
    #[card(most = MOST_MINUTES, option = "every", example = "60")]
    pub every_minutes: Option<i64>,
    /// The services that its events are about; none means all.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// The environments that its events are about; none means all.
    #[card(option = "environment", example = "production")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// The vendor of the maintenance: each event becomes a notice of this vendor.
    #[card(example = "cartwell")]
    pub vendor: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "outside-calendar",
    patch: "OutsideCalendarPatch",
    columns: &["id", "name", "event_count", "imported_at", "url", "read_problem"],
    shown: &[Field::shown(
        "event_count",
        Kind::Integer(0, MOST_EVENTS as i64),
        "How many events it has.",
    )
    .needed()],
    verbs: verbs! {
        List "list_outside_calendars" at "/outside-calendars" may READ => "List external calendars";
        Add "add_outside_calendar" at "/outside-calendars" may SET_WINDOW => "Add an external calendar";
        Show "show_outside_calendar" at "/outside-calendars/{id}" may READ => "Show an external calendar";
        Edit "edit_outside_calendar" at "/outside-calendars/{id}" may SET_WINDOW => "Change an external calendar";
        End "end_outside_calendar" at "/outside-calendars/{id}" may SET_WINDOW => "Remove an external calendar";
    },
    events: &[
        Event::new("outside_calendar.added", "calendar", "added an external calendar"),
        Event::new("outside_calendar.edited", "edit", "changed an external calendar"),
        Event::new(
            "outside_calendar.imported",
            "calendar",
            "imported the events of a calendar",
        ),
        Event::new("outside_calendar.failed", "x", "could not read an external calendar"),
        Event::new("outside_calendar.ended", "x", "removed an external calendar"),
    ],
    page: Some(Page {
        path: "/outside-calendars",
        byline: "Calendars of suppliers and data centres. Their events count as maintenance: a change at such a time \
            has a conflict.",
        empty: "No calendar is imported.",
        labels: ["Add a calendar", "Change it", "Remove it"],
    }),
    ..Card::of::<OutsideCalendar, OutsideCalendarInput>("outside_calendar", "External calendars")
};

/// One event of an outside calendar.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutsideEvent {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Its title.
    pub title: String,
}

impl OutsideCalendar {
    /// The next reading after one now; `None` for an uploaded or inactive calendar.
    #[must_use]
    pub fn next_reading(&self, now: Timestamp) -> Option<Timestamp> {
        self.url.as_ref().filter(|_| self.active)?;
        let minutes = self.every_minutes.unwrap_or(USUAL_MINUTES);
        let minutes = minutes.clamp(EVERY_MINUTES.0, EVERY_MINUTES.1);
        now.checked_add(jiff::SignedDuration::from_mins(minutes)).ok()
    }

    /// Its events, in the order of time.
    pub fn events(&self) -> impl Iterator<Item = OutsideEvent> + '_ {
        let lines = self.imported.as_deref().unwrap_or_default().lines();
        lines.filter_map(|line| {
            let mut parts = line.splitn(3, ' ');
            let mut second = || Timestamp::from_second(parts.next()?.parse().ok()?).ok();
            let (starts_at, ends_at) = (second()?, second()?);
            Some(OutsideEvent {
                starts_at,
                ends_at,
                title: parts.next().unwrap_or_default().to_owned(),
            })
        })
    }
}

/// Events in stored form, in order; titles are cut, and a repeated event is stored once.
#[must_use]
pub fn kept(events: &[OutsideEvent]) -> String {
    let lines: BTreeSet<(i64, i64, String)> = events
        .iter()
        .map(|event| {
            let title = event.title.chars().filter(|letter| !letter.is_control());
            let title: String = title.take(MOST_TITLE).collect();
            (event.starts_at.as_second(), event.ends_at.as_second(), title)
        })
        .collect();
    let lines = lines.iter().map(|(from, to, title)| format!("{from} {to} {title}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn event(from: &str, to: &str, title: &str) -> OutsideEvent {
        OutsideEvent {
            starts_at: from.parse().unwrap(),
            ends_at: to.parse().unwrap(),
            title: title.to_owned(),
        }
    }

    #[test]
    fn a_calendar_with_an_address_is_read_again_within_its_bounds() {
        let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let mut calendar = OutsideCalendar {
            id: RecordId::from("c"),
            version: 1,
            name: "C".to_owned(),
            url: Some("https://dc.example/works.ics".to_owned()),
            is_caldav: false,
            every_minutes: None,
            has_credential: false,
            services: BTreeSet::new(),
            environments: BTreeSet::new(),
            vendor: None,
            imported: None,
            imported_at: None,
            entity_tag: None,
            read_problem: None,
            active: true,
        };
        let next = |calendar: &OutsideCalendar| calendar.next_reading(now).map(|at| at.to_string());
        assert_eq!(next(&calendar).as_deref(), Some("2026-12-01T01:00:00Z"));
        calendar.every_minutes = Some(1);
        assert_eq!(next(&calendar).as_deref(), Some("2026-12-01T00:15:00Z"));
        calendar.active = false;
        assert_eq!(next(&calendar), None);
        (calendar.active, calendar.url) = (true, None);
        assert_eq!(next(&calendar), None, "what is uploaded is not read");
    }

    #[test]
    fn events_come_back_in_order_once_each_and_without_line_ends() {
        let late = event("2026-12-02T00:00:00Z", "2026-12-02T01:00:00Z", "Two\nlines, and spaces");
        let early = event("2026-12-01T00:00:00Z", "2026-12-01T01:00:00Z", "");
        let calendar = OutsideCalendar {
            id: RecordId::from("c"),
            version: 1,
            name: "C".to_owned(),
            url: None,
            is_caldav: false,
            every_minutes: None,
            has_credential: false,
            services: BTreeSet::new(),
            environments: BTreeSet::new(),
            vendor: None,
            imported: Some(kept(&[late.clone(), early.clone(), late.clone()])),
            imported_at: None,
            entity_tag: None,
            read_problem: None,
            active: true,
        };
        let found: Vec<OutsideEvent> = calendar.events().collect();
        let late = OutsideEvent {
            title: "Twolines, and spaces".to_owned(),
            ..late
        };
        assert_eq!(found, [early, late]);
    }
}
