//! Duty rotas: who of a group is on duty, turn by turn. A time on call that somebody sets goes before the rota, and a turn whose
//! person is away or has left the group is a gap.

use derive::{Described, Noun};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_MEETING};
use crate::core::card::{Card, Event, Field, Kind, Page};
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::core::parse::{LINE, Reading};
use crate::directory::snapshot::Directory;
use crate::schedule::calendar::zone;
use crate::verbs;

/// The most people of one rota.
pub const MOST_PEOPLE: usize = 50;
/// The longest turn, in days.
pub const MOST_DAYS: i64 = 28;
/// How far ahead gaps are looked for, in days.
pub const AHEAD_DAYS: i64 = 30;
/// The most gaps that are shown.
pub const MOST_GAPS: usize = 20;
/// The most spans that are looked through for them: days ahead, with the edges of absences and overrides.
const MOST_SPANS: usize = 2_000;

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
    /// When the first turn begins; later ones begin at the same time of the day in the zone.
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
    /// Who takes turns, in this order: logins of members of the group.
    #[card(option = "person", example = "adam")]
    pub people: Vec<String>,
    /// When the first turn begins; later ones begin at the same time of the day in the zone.
    #[card(label = "First handover", option = "from", example = "2026-11-30T08:00:00Z")]
    pub starts_at: Timestamp,
    /// The IANA zone of the handover; UTC unless set.
    #[card(example = "Europe/Oslo")]
    pub time_zone: Option<String>,
    /// How many days a turn lasts; a week unless set.
    #[card(most = MOST_DAYS, example = "7")]
    pub turn_days: Option<i64>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "boards",
    command: "duty-rota",
    columns: &["group", "on_duty", "until", "time_zone", "turn_days", "people", "gaps"],
    shown: &[
        Field::shown("on_duty", Kind::Texts(LINE), "Who is on duty now: logins."),
        Field::shown("until", Kind::Time, "When that changes next, within 30 days."),
        Field::shown(
            "gaps",
            Kind::Texts(LINE),
            "Times of the next 30 days in which nobody is on duty, each as its start and end; all members are told then.",
        ),
    ],
    verbs: verbs! {
        List "list_duty_rotas" at "/duty-rotas" may READ => "List duty rotas, with who is on duty and the gaps ahead";
        Set "set_duty_rota" at "/duty-rotas" may SET_MEETING => "Set the duty rota of a group";
        Show "show_duty_rota" at "/duty-rotas/{key}" may READ => "Show the duty rota of a group";
        End "end_duty_rota" at "/duty-rotas/{key}" may SET_MEETING => "Take the duty rota of a group out of use";
    },
    events: &[
        Event::new("duty_rota.set", "clock", "set a duty rota"),
        Event::new("duty_rota.ended", "x", "took a duty rota out of use"),
    ],
    page: Some(Page {
        path: "/duty-rotas",
        byline: "Who of a group is on duty, turn by turn. A time on call that somebody sets goes before the rota; gaps are shown.",
        empty: "There is no duty rota.",
        labels: ["Set the duty rota of a group", "Change it", "Take it out of use"],
    }),
    ..Card::of::<DutyRota, DutyRotaInput>("duty_rota", "Duty rotas")
};

/// A span in which the same people are on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutySpan {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end, exclusive.
    pub ends_at: Timestamp,
    /// Who is on duty; nobody in a gap.
    pub people: Vec<PersonId>,
}

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

impl Directory {
    /// The duty rota of a group, if it has one in use.
    #[must_use]
    pub fn duty_rota(&self, group: &GroupKey) -> Option<&DutyRota> {
        self.duty_rotas.iter().find(|rota| &rota.group == group)
    }

    /// Who of a group is on duty at an instant: those whom somebody put on call for it, else the person whose turn it is. Nobody
    /// who is away, or who takes no part in the group any more.
    #[must_use]
    pub fn on_duty(&self, group: &GroupKey, now: Timestamp) -> Vec<PersonId> {
        let members = self.members(group);
        let is_there = |person: &PersonId| members.contains(person) && self.absent_until(person, now).is_none();
        let rows = self.on_call.iter().filter(|row| &row.group == group && row.is_on(now));
        let mut set: Vec<PersonId> = Vec::new();
        for row in rows.filter(|row| is_there(&row.person)) {
            if !set.contains(&row.person) {
                set.push(row.person.clone());
            }
        }
        if !set.is_empty() {
            return set;
        }
        let turn = self.duty_rota(group).and_then(|rota| rota.turn_at(now));
        let person = turn.map(|(person, _)| person).filter(|person| is_there(person));
        person.into_iter().cloned().collect()
    }

    /// Whom a message to those on duty of a group reaches: in a gap all members, so that it never reaches nobody.
    #[must_use]
    pub fn reached_on_duty(&self, group: &GroupKey, now: Timestamp) -> Vec<PersonId> {
        let found = self.on_duty(group, now);
        if found.is_empty() { self.members(group) } else { found }
    }

    /// Who of a group is on duty from one instant to another, span by span.
    #[must_use]
    pub fn duty_spans(&self, group: &GroupKey, from: Timestamp, until: Timestamp) -> Vec<DutySpan> {
        let mut found: Vec<DutySpan> = Vec::new();
        let mut at = from;
        for _ in 0..MOST_SPANS {
            if at >= until {
                break;
            }
            let next = self.next_duty_edge(group, at).map_or(until, |edge| edge.min(until));
            let people = self.on_duty(group, at);
            match found.last_mut().filter(|last| last.people == people) {
                Some(last) => last.ends_at = next,
                None => found.push(DutySpan {
                    starts_at: at,
                    ends_at: next,
                    people,
                }),
            }
            at = next;
        }
        found
    }

    /// The next instant at which somebody else may be on duty.
    fn next_duty_edge(&self, group: &GroupKey, now: Timestamp) -> Option<Timestamp> {
        let rota = self.duty_rota(group);
        let turn = rota.map(|rota| rota.turn_at(now).map_or(rota.starts_at, |(_, end)| end));
        let calls = self.on_call.iter().filter(|row| &row.group == group);
        let calls = calls.flat_map(|row| [row.starts_at, row.ends_at]);
        let absences = self.absences.iter().flat_map(|row| [row.starts_at, row.ends_at]);
        turn.into_iter()
            .chain(calls)
            .chain(absences)
            .filter(|at| *at > now)
            .min()
    }

    /// The gaps of a group's duty in the days ahead.
    #[must_use]
    pub fn duty_gaps(&self, group: &GroupKey, now: Timestamp) -> Vec<DutySpan> {
        let until = ahead(now);
        let mut spans = self.duty_spans(group, now, until);
        spans.retain(|span| span.people.is_empty());
        spans.truncate(MOST_GAPS);
        spans
    }
}

/// How far ahead duty is looked at.
#[must_use]
pub fn ahead(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(24 * AHEAD_DAYS))
        .unwrap_or(Timestamp::MAX)
}

/// The rules of a rota's fields; answers the people behind the logins.
pub fn check(reading: &mut Reading<'_>, input: &DutyRotaInput, directory: &Directory) -> Vec<PersonId> {
    if let Some(name) = input.time_zone.as_ref().filter(|name| zone(name).is_none()) {
        let text = format!("`{name}` is no IANA zone, such as Europe/Oslo.");
        reading.wrong("time_zone", "unknown", text);
    }
    if input.turn_days.is_some_and(|days| days < 1) {
        reading.wrong("turn_days", "too_small", "A turn lasts at least one day.");
    }
    if input.people.is_empty() {
        reading.wrong("people", "missing", "`people` names at least one member of the group.");
    }
    if input.people.len() > MOST_PEOPLE {
        let text = format!("`people` has at most {MOST_PEOPLE} entries.");
        reading.wrong("people", "too_many", text);
    }
    let members = directory.members(&input.group);
    let mut found = Vec::new();
    for login in input.people.iter().take(MOST_PEOPLE) {
        match directory.by_login(login).filter(|person| members.contains(&person.id)) {
            Some(person) => found.push(person.id.clone()),
            None => {
                let text = format!("`{login}` is no active member of {}.", input.group);
                reading.wrong("people", "not_of_the_group", text);
            }
        }
    }
    found
}
