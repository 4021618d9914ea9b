//! The agenda of a meeting: made by rule of what needs the board, frozen under a digest at a set time, and signed as minutes.

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cab::meeting::{LONGEST_HOURS, Meeting};
use crate::core::act::actions::{READ, SET_MEETING};
use crate::core::card::{Card, Event, Field, Kind};
pub use crate::core::enums::AgendaState;
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::core::parse::{LINE, Reading};
use crate::verbs;

/// The most items of an agenda.
pub const MOST_ITEMS: usize = 200;
/// The longest minutes as JSON, in characters.
pub const MINUTES: usize = 200_000;
/// How long after the freeze the meeting begins at least where its low risks are voted on before it, in minutes.
pub const LEAST_VOTE_MINUTES: i64 = 5;

/// The agenda of a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Agenda {
    /// The record's id: that of its meeting, so that a meeting has one.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The board: a group's key.
    #[card(column = "people_group", refers = "group")]
    pub group: GroupKey,
    /// When the meeting begins.
    #[card(column)]
    pub starts_at: Timestamp,
    /// When the agenda is frozen.
    pub freeze_at: Timestamp,
    /// Who leads the meeting and signs its minutes: a login.
    pub chair: PersonId,
    /// Who planned it: a login.
    pub by: PersonId,
    /// Where it stands.
    #[card(words, column)]
    pub state: AgendaState,
    /// When it was frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_at: Option<Timestamp>,
    /// The digest of its items when it was frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The meeting at which votes are given before this one: its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<RecordId>,
    /// Whether the votes before the meeting have ended.
    pub voted: bool,
    /// The item that is before the board: its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<RecordId>,
    /// The series that planned it: its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<RecordId>,
    /// The month that the meeting reviews, such as 2026-10; its board pack is part of the agenda.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// The digest of that board pack when the agenda was frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_digest: Option<String>,
    /// That board pack as canonical JSON (RFC 8785); answers show it as an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MINUTES)]
    pub pack: Option<String>,
    /// The minutes as canonical JSON (RFC 8785); answers show them as an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = MINUTES)]
    pub minutes: Option<String>,
    /// Their SHA-256.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_digest: Option<String>,
    /// Who signed them: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// The people to whom they were sent: logins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent_to: Vec<PersonId>,
}

/// The agenda of a meeting that is still to come.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct AgendaInput {
    /// The meeting: its id.
    #[card(positional, example = "01kb2m6w8e0000000000000000")]
    pub meeting: String,
    /// When the agenda is frozen: at most 24 hours before the meeting, during which members vote.
    #[card(label = "Frozen at", option = "freeze-at", example = "2026-12-01T08:00:00Z")]
    pub freeze_at: Timestamp,
    /// Who leads the meeting: a login, a member of the board. You, unless said.
    #[card(example = "olga")]
    pub chair: Option<String>,
    /// The month that the meeting reviews: its board pack is part of the agenda.
    #[card(example = "2026-10")]
    pub month: Option<String>,
}

/// The card. Freezing and signing have routes of their own.
pub const CARD: Card = Card {
    tag: "boards",
    patch: "AgendaPatch",
    columns: &["id", "group", "starts_at", "freeze_at", "state", "digest", "chair"],
    shown: &[
        Field::shown(
            "later",
            Kind::Texts(LINE),
            "Keys of changes that need the board but were ready only after the freeze of the agenda.",
        ),
        Field::shown(
            "frozen_pack",
            Kind::Object,
            "The frozen board pack, with the digest `pack_digest`; for readers who may see every change.",
        ),
        Field::shown(
            "record",
            Kind::Object,
            "The minutes: attendance, conflicts of interest, and each item with its outcome and votes.",
        ),
        Field::shown(
            "verifies",
            Kind::Boolean,
            "Whether the minutes match the signed ones; their digest is recomputed.",
        ),
    ],
    verbs: verbs! {
        List "list_agendas" at "/agendas" may READ => "List agendas of meetings";
        Add "add_agenda" at "/agendas" may SET_MEETING => "Plan the agenda of a meeting that is still to come";
        Show "show_agenda" at "/agendas/{id}" may READ => "Show an agenda with its minutes and with changes that came after its freeze";
        Edit "edit_agenda" at "/agendas/{id}" may SET_MEETING => "Name another chair, or freeze it at another time";
    },
    events: &[
        Event::new("agenda.added", "meeting", "planned an agenda"),
        Event::new("agenda.edited", "edit", "changed an agenda"),
        Event::new("agenda.frozen", "snow", "froze an agenda"),
        Event::new("agenda.votes_ended", "meeting", "ended the votes before a meeting"),
        Event::new("agenda.turned", "meeting", "went on to another item of an agenda"),
        Event::new("agenda.members_told", "bell", "notified the members of a frozen agenda"),
        Event::new("agenda.minutes_sent", "bell", "sent the minutes of a meeting"),
        Event::new("agenda.signed", "check", "signed the minutes of a meeting"),
    ],
    ..Card::of::<Agenda, AgendaInput>("agenda", "Agendas of boards")
};

impl Agenda {
    /// Whether items may still be moved on it: it is frozen, and its minutes are not signed.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.state == AgendaState::Frozen
    }

    /// When it is looked at next: at its freeze, then when its meeting begins.
    #[must_use]
    pub fn next_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            AgendaState::Open => Some(self.freeze_at.max(now)),
            AgendaState::Frozen if !self.voted => Some(self.starts_at.max(now)),
            _ => None,
        }
    }
}

/// The rules on the time of a freeze: ahead, before the meeting, and so near to it that votes stay open until it begins.
pub fn check_freeze_at(reading: &mut Reading<'_>, freeze_at: Timestamp, meeting: &Meeting, now: Timestamp) {
    if reading.errors.iter().any(|error| error.field == "freeze_at") {
        return;
    }
    if freeze_at < now {
        reading.wrong("freeze_at", "in_the_past", "`freeze_at` must not lie in the past.");
    } else if freeze_at >= meeting.starts_at {
        let text = format!(
            "The meeting begins at {}; freeze its agenda before that.",
            meeting.starts_at
        );
        reading.wrong("freeze_at", "too_late", text);
    } else if meeting.starts_at.duration_since(freeze_at) > SignedDuration::from_hours(LONGEST_HOURS) {
        let text = format!("Freeze the agenda at most {LONGEST_HOURS} hours before the meeting begins.");
        reading.wrong("freeze_at", "too_early", text);
    }
}

/// The first instant of a month in UTC and that of the next one; `None` where the text is no month of 2000 or later.
#[must_use]
pub fn month_span(text: &str) -> Option<(Timestamp, Timestamp)> {
    let (year, month) = text.split_once('-')?;
    let (year, month): (i16, i8) = (year.parse().ok()?, month.parse().ok()?);
    if format!("{year}-{month:02}") != text || !(2000..=9000).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let begin = |year: i16, month: i8| {
        let date = jiff::civil::Date::new(year, month, 1).ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let to = match month {
        12 => begin(year + 1, 1)?,
        _ => begin(year, month + 1)?,
    };
    Some((begin(year, month)?, to))
}

/// The month in UTC that ended last before an instant.
#[must_use]
pub fn month_before(at: Timestamp) -> String {
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (year, month) = match date.month() {
        1 => (date.year() - 1, 12),
        month => (date.year(), month - 1),
    };
    format!("{year}-{month:02}")
}
