//! The members of a group on duty, and the rules of a duty rota's fields. A manually set time on call goes before the rota, and
//! a turn whose person is away or has left the group is a gap.

use jiff::{SignedDuration, Timestamp};

use crate::cab::duty_rota::{DutyRota, DutyRotaInput};
use crate::core::ids::{GroupKey, PersonId};
use crate::core::parse::Reading;
use crate::directory::snapshot::Directory;
use crate::schedule::calendar::zone;

/// The most people of one rota.
const MOST_PEOPLE: usize = 50;
/// How far ahead gaps are looked for, in days.
const AHEAD_DAYS: i64 = 30;
/// The most gaps that are shown.
const MOST_GAPS: usize = 20;
/// The most spans that are looked through for them: days ahead, with the edges of absences and overrides.
const MOST_SPANS: usize = 2_000;

/// A span in which the same people are on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutySpan {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end, exclusive.
    pub ends_at: Timestamp,
    /// The people on duty; empty in a gap.
    pub people: Vec<PersonId>,
}

impl Directory {
    /// The duty rota of a group, if it has one in use.
    #[must_use]
    pub fn duty_rota(&self, group: &GroupKey) -> Option<&DutyRota> {
        self.duty_rotas.iter().find(|rota| &rota.group == group)
    }

    /// The members of a group on duty at an instant: those put on call for it, else the person whose turn it is. A person who
    /// is away or no longer takes part in the group is left out.
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

    /// The recipients of a message to the members on duty: in a gap all members, so that a message always has a recipient.
    #[must_use]
    pub fn reached_on_duty(&self, group: &GroupKey, now: Timestamp) -> Vec<PersonId> {
        let found = self.on_duty(group, now);
        if found.is_empty() { self.members(group) } else { found }
    }

    /// The members of a group on duty from one instant to another, span by span.
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
        // Only people who take turns or are put on call leave a gap; a large tenant has absences of many others.
        let has_duty = |person: &PersonId| {
            let mut rows = self.on_call.iter().filter(|row| &row.group == group);
            rota.is_some_and(|rota| rota.people.contains(person)) || rows.any(|row| &row.person == person)
        };
        let absences = self.absences.iter();
        let absences = absences.filter(|row| row.ends_at > now && has_duty(&row.person));
        let absences = absences.flat_map(|row| [row.starts_at, row.ends_at]);
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

/// Checks a rota's fields; returns the people behind the logins.
pub fn check(reading: &mut Reading<'_>, input: &DutyRotaInput, directory: &Directory) -> Vec<PersonId> {
    if let Some(name) = input.time_zone.as_ref().filter(|name| zone(name).is_none()) {
        let text = format!("`{name}` is not an IANA time zone such as Europe/Oslo.");
        reading.wrong("time_zone", "unknown", text);
    }
    if input.turn_days.is_some_and(|days| days < 1) {
        reading.wrong("turn_days", "too_small", "A turn must last at least one day.");
    }
    if input.people.is_empty() {
        reading.wrong("people", "missing", "`people` needs at least one member of the group.");
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
                let text = format!("`{login}` is not an active member of {}.", input.group);
                reading.wrong("people", "not_of_the_group", text);
            }
        }
    }
    found
}
