//! Series of meetings: a board that meets by a rule, each meeting with its agenda. The monthly review is such a series.

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_MEETING};
use crate::core::card::{Card, Event};
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::core::parse::Reading;
use crate::core::shared_map::Shelf;
use crate::schedule::calendar::Calendar;
use crate::schedule::repeat::{Occurrence, Repeat};
use crate::verbs;

/// The longest rule, in characters. The format is strict and allows no free text.
pub const RULE: usize = 500;
/// The most series in use.
pub const MOST: usize = 50;
/// How long before it begins a meeting of a series is planned, in days.
pub const AHEAD_DAYS: i64 = 8;

/// A board that meets by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct MeetingSeries {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The board: a group's key.
    #[card(refers = "group")]
    pub group: GroupKey,
    /// What its meetings are called.
    #[card(text)]
    pub title: String,
    /// When the first one begins.
    pub starts_at: Timestamp,
    /// The rule by which they repeat: the value of an RRULE (RFC 5545, 3.3.10).
    #[card(most = RULE)]
    pub rrule: String,
    /// The IANA zone in which the rule is read.
    pub time_zone: String,
    /// How long before a meeting its agenda is frozen, in minutes.
    #[card(most = 1_440)]
    pub freeze_minutes: i64,
    /// Who leads the meetings and signs their minutes: a login.
    pub chair: PersonId,
    /// Whether each meeting reviews the month before, with its board pack.
    pub review: bool,
    /// The start of the last meeting that was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_until: Option<Timestamp>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A board that meets by a rule.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct MeetingSeriesInput {
    /// The board: a group's key.
    #[card(positional, refers = "group", example = "cab")]
    pub group: GroupKey,
    /// What its meetings are called.
    #[card(text, example = "Change advisory board")]
    pub title: String,
    /// When the first one begins.
    #[card(label = "First meeting", option = "from", example = "2026-12-01T13:00:00Z")]
    pub starts_at: Timestamp,
    /// The rule by which they repeat, such as FREQ=WEEKLY;BYDAY=TU.
    #[card(most = RULE, label = "Rule", example = "FREQ=WEEKLY;BYDAY=TU")]
    pub rrule: String,
    /// The IANA zone in which the rule is read; UTC unless said.
    #[card(example = "Europe/Oslo")]
    pub time_zone: Option<String>,
    /// How long before a meeting its agenda is frozen, in minutes; a day unless said.
    #[card(most = 1_440, label = "Frozen before, in minutes", example = "1440")]
    pub freeze_minutes: Option<i64>,
    /// Who leads the meetings: a login, a member of the board. You, unless said.
    #[card(example = "olga")]
    pub chair: Option<String>,
    /// Whether each meeting reviews the month before, with its board pack.
    #[card(label = "Monthly review", example = "true")]
    pub review: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "boards",
    command: "meeting-series",
    columns: &["id", "group", "title", "rrule", "time_zone", "review", "planned_until"],
    verbs: verbs! {
        List "list_meeting_series" at "/meeting-series" may READ => "List series of meetings in use";
        Add "add_meeting_series" at "/meeting-series" may SET_MEETING => "Have a board meet by a rule, each time with an agenda";
        Show "show_meeting_series" at "/meeting-series/{id}" may READ => "Show a series of meetings";
        End "end_meeting_series" at "/meeting-series/{id}" may SET_MEETING => "End a series; meetings that are planned stay";
    },
    events: &[
        Event::new("meeting_series.added", "meeting", "planned a series of meetings"),
        Event::new(
            "meeting_series.planned",
            "calendar",
            "planned the next meeting of a series",
        ),
        Event::new("meeting_series.ended", "x", "ended a series of meetings"),
    ],
    ..Card::of::<MeetingSeries, MeetingSeriesInput>("meeting_series", "Series of meetings")
};

impl MeetingSeries {
    /// The starts of its meetings from now on that are not planned yet, in order.
    ///
    /// # Errors
    /// The error in the rule: the field, a code and a message.
    pub fn ahead(
        &self,
        calendars: &Shelf<String, Calendar>,
        now: Timestamp,
    ) -> Result<Vec<Timestamp>, (&'static str, &'static str, String)> {
        let mut repeat = Repeat {
            rrule: Some(self.rrule.clone()),
            time_zone: Some(self.time_zone.clone()),
            ..Repeat::default()
        };
        let once = Occurrence {
            starts_at: self.starts_at,
            ends_at: later(self.starts_at, SignedDuration::from_hours(1)),
        };
        repeat
            .expand(once, calendars, now)
            .map_err(|trouble| (trouble.field, trouble.code, trouble.text))?;
        let is_new = |at: &Timestamp| *at > now && self.planned_until.is_none_or(|until| *at > until);
        Ok(repeat
            .occurrences
            .iter()
            .map(|it| it.starts_at)
            .filter(is_new)
            .collect())
    }

    /// When the meeting that begins then is planned.
    #[must_use]
    pub fn plan_at(starts_at: Timestamp) -> Timestamp {
        starts_at
            .checked_sub(SignedDuration::from_hours(24 * AHEAD_DAYS))
            .unwrap_or(Timestamp::MIN)
    }

    /// When the agenda of the meeting at this start is frozen; at once where that time has passed.
    #[must_use]
    pub fn freeze_at(&self, starts_at: Timestamp, now: Timestamp) -> Timestamp {
        let before = SignedDuration::from_mins(self.freeze_minutes);
        starts_at.checked_sub(before).unwrap_or(Timestamp::MIN).max(now)
    }
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

/// The rules on a series beside those on its rule, its board and its chair.
pub fn check_input(reading: &mut Reading<'_>, input: &MeetingSeriesInput, now: Timestamp) {
    let is_read = |reading: &Reading<'_>, field: &str| !reading.errors.iter().any(|error| error.field == field);
    if is_read(reading, "starts_at") && input.starts_at <= now {
        reading.wrong("starts_at", "in_the_past", "`starts_at` must lie ahead.");
    }
    if input.freeze_minutes.is_some_and(|minutes| minutes < 1) && is_read(reading, "freeze_minutes") {
        reading.wrong(
            "freeze_minutes",
            "too_small",
            "An agenda is frozen at least 1 minute before its meeting.",
        );
    }
}
