//! Duty rotas: who of a group takes which turn.

use derive::{Described, Noun};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_MEETING};
use crate::core::card::{Card, Event, Field, Kind, Page};
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::core::parse::LINE;
use crate::schedule::calendar::zone;
use crate::verbs;

/// The longest turn, in days.
pub const MOST_DAYS: i64 = 28;

/// Who of a group is on duty, turn by turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct DutyRota {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The group.
    #[card(column = "people_group", refers = "group")]
    pub group: GroupKey,
    /// Who takes turns, in this order: logins.
    pub people: Vec<PersonId>,
    /// The start of the first turn; later turns start at the same time of day in the time zone.
    pub starts_at: Timestamp,
    /// The IANA zone of the handover.
    pub time_zone: String,
    /// How many days a turn lasts.
    #[card(most = MOST_DAYS)]
    pub turn_days: i64,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// Who of a group is on duty, turn by turn.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DutyRotaInput {
    /// The group.
    #[card(positional, refers = "group", example = "platform")]
    pub group: GroupKey,
    /// The people on the rota, in order: logins of members of the group.
    #[card(option = "person", example = "adam")]
    pub people: Vec<String>,
    /// The start of the first turn; later turns start at the same time of day in the time zone.
    #[card(label = "First handover", option = "from", example = "2026-11-30T08:00:00Z")]
    pub starts_at: Timestamp,
    /// The IANA time zone of the handover; UTC by default.
    #[card(example = "Europe/Oslo")]
    pub time_zone: Option<String>,
    /// The number of days of a turn; a week by default.
    #[card(most = MOST_DAYS, example = "7")]
    pub turn_days: Option<i64>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "boards",
    command: "duty-rota",
    columns: &["group", "on_duty", "until", "time_zone", "turn_days", "people", "gaps"],
    shown: &[
        Field::shown("on_duty", Kind::Texts(LINE), "The logins of the people on duty now."),
        Field::shown("until", Kind::Time, "The next handover within 30 days."),
        Field::shown(
            "gaps",
            Kind::Texts(LINE),
            "Gaps of the next 30 days in which no member is on duty, each with its start and end; in a gap all \
             members are notified.",
        ),
    ],
    verbs: verbs! {
        List "list_duty_rotas" at "/duty-rotas" may READ => "List duty rotas, with who is on duty and the gaps ahead";
        Set "set_duty_rota" at "/duty-rotas" may SET_MEETING => "Set the duty rota of a group";
        Show "show_duty_rota" at "/duty-rotas/{key}" may READ => "Show the duty rota of a group";
        End "end_duty_rota" at "/duty-rotas/{key}" may SET_MEETING => "Retire the duty rota of a group";
    },
    events: &[
        Event::new("duty_rota.set", "clock", "set a duty rota"),
        Event::new("duty_rota.ended", "x", "retired a duty rota"),
    ],
    page: Some(Page {
        path: "/duty-rotas",
        byline: "The on-duty rota of a group. An on-call time set by a person takes precedence over the rota; gaps \
            are shown.",
        empty: "There is no duty rota.",
        labels: ["Set the duty rota of a group", "Change it", "Retire it"],
    }),
    ..Card::of::<DutyRota, DutyRotaInput>("duty_rota", "Duty rotas")
};

impl DutyRota {
    /// The turn at an instant: its person, and when it ends. `None` before the first turn.
    #[must_use]
    pub fn turn_at(&self, now: Timestamp) -> Option<(&PersonId, Timestamp)> {
        if now < self.starts_at || self.people.is_empty() || self.turn_days < 1 {
            return None;
        }
        let place = zone(&self.time_zone).unwrap_or(TimeZone::UTC);
        let first = self.starts_at.to_zoned(place.clone()).datetime();
        let days = now.to_zoned(place.clone()).date().since(first.date()).ok()?.get_days();
        // Clocks are turned by less than a day, so the turn is this one or one of its neighbours.
        let guess = i64::from(days) / self.turn_days;
        let starts = |number: i64| begin(first, number.checked_mul(self.turn_days)?, &place);
        let number = [guess + 1, guess, guess - 1]
            .into_iter()
            .filter(|number| *number >= 0)
            .find(|number| starts(*number).is_some_and(|at| at <= now))?;
        let place_in_row = usize::try_from(number).ok()? % self.people.len();
        Some((&self.people[place_in_row], starts(number + 1)?))
    }
}

/// So many days after the first turn, at its time of the day.
fn begin(first: DateTime, days: i64, place: &TimeZone) -> Option<Timestamp> {
    let date = first.checked_add(Span::new().try_days(days).ok()?).ok()?;
    Some(place.to_zoned(date).ok()?.timestamp())
}
