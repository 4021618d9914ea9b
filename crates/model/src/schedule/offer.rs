//! Free times for a change, ranked: none during a freeze, another change or maintenance; the best ones first, each with its
//! reasons.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::core::enums::SlotTerm;
use crate::core::ids::{GroupKey, PersonId};
use crate::core::parse::later;
use crate::directory::records::MaintenanceWindow;
use crate::directory::snapshot::Directory;
use crate::schedule::calendar::{Clock, USUAL};
use crate::schedule::conflicts::{Planned, taken};
use crate::schedule::planning_terms::PlanningTerms;
use crate::schedule::slots::{AHEAD_DAYS, Work, covers_all, is_frozen, rounded};
use crate::schedule::traffic::Traffic;

/// The highest penalty of a term, in thousandths.
const WORST: i64 = 1_000;
/// The penalty of each other change on the same day, in thousandths.
const PER_CHANGE: i64 = 100;
/// In seconds.
const HOUR: i64 = 60 * 60;
/// The most starts that are judged.
const MOST_STARTS: usize = 2_000;

/// A time at which a change may be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Its quality, 0 to 100.
    pub score: i64,
    /// The reasons for and against it.
    pub reasons: Vec<Reason>,
    /// The exact score in thousandths, for the ranking.
    #[serde(skip)]
    pub rank: i64,
    /// Whether it lies in a maintenance window of all places; `None` where no window is set.
    #[serde(skip)]
    pub in_window: Option<bool>,
}

/// A term's judgement of a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The term.
    pub term: SlotTerm,
    /// The penalty: 0 to 100.
    pub against: i64,
    /// In a sentence.
    pub text: String,
}

/// All data for the ranking.
pub struct Judging<'a> {
    /// The tenant's directory.
    pub directory: &'a Directory,
    /// The terms of planning.
    pub terms: &'a PlanningTerms,
    /// The change, with any planned times of the wanted length.
    pub mine: &'a Planned,
    /// The earliest start that is allowed.
    pub earliest: Timestamp,
    /// Other changes and maintenance in the weeks ahead.
    pub others: &'a [Planned],
    /// The zone of days.
    pub zone: &'a TimeZone,
}

/// The best free times, at most so many.
#[must_use]
pub fn offer(judging: &Judging<'_>, most: usize) -> Vec<Slot> {
    let mut slots = judging.ranked(all(judging).into_iter().map(|slot| slot.starts_at));
    slots.truncate(most);
    slots
}

/// Every free time of the weeks ahead that is judged, in the order of time.
#[must_use]
pub fn all(judging: &Judging<'_>) -> Vec<Slot> {
    let length = judging.length();
    if !length.is_positive() || judging.mine.places.is_empty() {
        return Vec::new();
    }
    let taken = taken(judging.directory, judging.terms, judging.mine, judging.others);
    let is_free = |start: &Timestamp| {
        let end = later(*start, length);
        !taken.iter().any(|(from, to)| *from < end && *start < *to)
    };
    let windows = judging.windows();
    let starts = judging.starts(&windows);
    let free = starts.into_iter().filter(is_free);
    free.map(|start| judging.slot(&windows, start)).collect()
}

impl Judging<'_> {
    /// Starts that are known to be free, the best ones first.
    #[must_use]
    pub fn ranked(&self, free: impl Iterator<Item = Timestamp>) -> Vec<Slot> {
        let windows = self.windows();
        let mut slots: Vec<Slot> = free.map(|start| self.slot(&windows, start)).collect();
        slots.sort_by(|one, other| (other.rank, one.starts_at).cmp(&(one.rank, other.starts_at)));
        slots
    }

    fn length(&self) -> SignedDuration {
        self.mine.ends_at.duration_since(self.mine.starts_at)
    }

    fn until(&self) -> Timestamp {
        later(self.earliest, SignedDuration::from_hours(24 * i64::from(AHEAD_DAYS)))
    }

    fn work(&self) -> Work<'_> {
        Work {
            places: &self.mine.places,
            change: Some(&self.mine.id).filter(|id| !id.as_str().is_empty()),
            earliest: self.earliest,
            length: self.length(),
        }
    }

    /// The windows of all places in the weeks ahead.
    fn windows(&self) -> Vec<&MaintenanceWindow> {
        let (work, until) = (self.work(), self.until());
        let is_ahead = |window: &&MaintenanceWindow| {
            let mut spans = window.spans();
            !window.ended && covers_all(window, &work) && spans.any(|span| span.overlaps(self.earliest, until))
        };
        self.directory.windows.iter().filter(is_ahead).collect()
    }

    /// Whole hours, because users are counted by hour, and starts an hour apart from the beginning of each window, without
    /// those in a freeze.
    fn starts(&self, windows: &[&MaintenanceWindow]) -> Vec<Timestamp> {
        let (work, until) = (self.work(), self.until());
        let hours = |from: Timestamp, to: Timestamp| {
            let hours = (0..24 * i64::from(AHEAD_DAYS)).map(SignedDuration::from_hours);
            hours
                .map(move |hours| later(from, hours))
                .take_while(move |start| *start < to)
        };
        let whole = hours(whole_hour(self.earliest), until);
        let spans = windows.iter().flat_map(|window| window.spans());
        let spans = spans.filter(|span| span.overlaps(self.earliest, until));
        let within = spans.flat_map(|span| hours(rounded(span.starts_at.max(self.earliest)), span.ends_at.min(until)));
        let mut starts: Vec<Timestamp> = whole.chain(within.take(MOST_STARTS)).collect();
        starts.sort_unstable();
        starts.dedup();
        starts.retain(|start| *start >= self.earliest && !is_frozen(self.directory, &work, *start));
        starts.truncate(MOST_STARTS);
        starts
    }

    fn slot(&self, windows: &[&MaintenanceWindow], start: Timestamp) -> Slot {
        let end = later(start, self.length());
        let window = window(windows, start, end);
        let said = [
            (!windows.is_empty()).then(|| in_window(window)),
            self.hours(start, end),
            self.absence(start, end),
            self.on_call(start, end),
            Some(self.load(start)),
            self.users(start, end),
            Some(self.wait(start)),
        ];
        let said: Vec<(SlotTerm, i64, String)> = said.into_iter().flatten().collect();
        let weights: i64 = said.iter().map(|(term, ..)| self.terms.weight(*term)).sum();
        let against: i64 = said
            .iter()
            .map(|(term, penalty, _)| self.terms.weight(*term) * (*penalty).clamp(0, WORST))
            .sum();
        let rank = WORST - against.checked_div(weights).unwrap_or_default();
        let reasons = said.into_iter().map(|(term, penalty, text)| Reason {
            term,
            against: penalty.clamp(0, WORST) / 10,
            text,
        });
        Slot {
            starts_at: start,
            ends_at: end,
            score: rank / 10,
            reasons: reasons.collect(),
            rank,
            in_window: (!windows.is_empty()).then_some(window.is_some()),
        }
    }

    /// The number of people at work then, by their calendars in their zones.
    fn hours(&self, start: Timestamp, end: Timestamp) -> Option<(SlotTerm, i64, String)> {
        let last = end.checked_sub(SignedDuration::from_secs(1)).unwrap_or(end);
        let works = |person: &PersonId| {
            let found = self.directory.people.get(person)?;
            let key = found.calendar.as_deref().unwrap_or(USUAL);
            let calendar = self.directory.calendars.get(key)?;
            let clock = Clock::new(Some(calendar), Some(&found.zone));
            Some(clock.is_working(start) && clock.is_working(last))
        };
        let known: Vec<bool> = self.mine.people.iter().filter_map(works).collect();
        let (all, working) = (known.len(), known.iter().filter(|works| **works).count());
        let text = format!("{working} of {all} people work then.");
        share(all - working, all).map(|penalty| (SlotTerm::Hours, penalty, text))
    }

    fn absence(&self, start: Timestamp, end: Timestamp) -> Option<(SlotTerm, i64, String)> {
        let is_away = |person: &&PersonId| {
            let mut absences = self.directory.absences.iter().filter(|row| &row.person == *person);
            absences.any(|row| row.starts_at < end && start < row.ends_at)
        };
        let away: Vec<&PersonId> = self.mine.people.iter().filter(is_away).collect();
        let text = match away.first() {
            None => "Nobody is away then.".to_owned(),
            Some(first) => format!(
                "{} of {} people are away then, {} among them.",
                away.len(),
                self.mine.people.len(),
                self.directory.login(first)
            ),
        };
        share(away.len(), self.mine.people.len()).map(|penalty| (SlotTerm::Absence, penalty, text))
    }

    /// Whether the services' teams have somebody on call, or on duty by a rota, for the whole time, also over a handover; `None`
    /// where no team has a rota or times on call.
    fn on_call(&self, start: Timestamp, end: Timestamp) -> Option<(SlotTerm, i64, String)> {
        let directory = self.directory;
        let services = self
            .mine
            .places
            .iter()
            .filter_map(|(key, _)| directory.services.get(key));
        let has_duty = |team: &GroupKey| {
            let mut rows = directory.on_call.iter();
            directory.duty_rota(team).is_some() || rows.any(|row| &row.group == team)
        };
        let teams: BTreeSet<GroupKey> = services
            .filter_map(|service| service.team.as_deref().map(GroupKey::from))
            .filter(has_duty)
            .collect();
        let cover = |team: &GroupKey| {
            let spans = directory.duty_spans(team, start, end);
            // Duty is looked through up to a limit; what lies beyond it is not covered.
            let is_whole = spans.last().is_some_and(|last| last.ends_at >= end);
            let is_covered = is_whole && spans.iter().all(|span| !span.people.is_empty());
            let first = spans.first()?.people.first()?;
            is_covered.then(|| format!("{} is on call for {team} then.", directory.login(first)))
        };
        let said = match teams.iter().find_map(cover) {
            Some(text) => (0, text),
            None => (
                WORST,
                "No member of its teams is on call for the whole time.".to_owned(),
            ),
        };
        (!teams.is_empty()).then_some((SlotTerm::OnCall, said.0, said.1))
    }

    fn load(&self, start: Timestamp) -> (SlotTerm, i64, String) {
        let day = |at: Timestamp| at.to_zoned(self.zone.clone()).date();
        let today = day(start);
        let others = self.others.iter().filter(|other| other.maintenance.is_none());
        let count = others.filter(|other| day(other.starts_at) == today).count();
        let penalty = i64::try_from(count)
            .unwrap_or(WORST)
            .saturating_mul(PER_CHANGE)
            .min(WORST);
        let text = match count {
            0 => "No other change begins on that day.".to_owned(),
            1 => "One other change begins on that day.".to_owned(),
            many => format!("{many} other changes begin on that day."),
        };
        (SlotTerm::Load, penalty, text)
    }

    /// The users of the most used service at that time, relative to the service's own busiest hour.
    fn users(&self, start: Timestamp, end: Timestamp) -> Option<(SlotTerm, i64, String)> {
        let known = self
            .mine
            .places
            .iter()
            .filter_map(|(key, _)| self.directory.traffic.get(key));
        let rated = known.map(|traffic: &Traffic| {
            let (users, most) = traffic.users(start, end);
            let penalty = (users * WORST).checked_div(most).unwrap_or_default();
            (penalty, users, &traffic.service)
        });
        let (penalty, users, service) = rated.max()?;
        let text = format!(
            "{service} has {users} users an hour then, {} % of its busiest hour.",
            penalty / 10
        );
        Some((SlotTerm::Users, penalty, text))
    }

    fn wait(&self, start: Timestamp) -> (SlotTerm, i64, String) {
        let waits = start.duration_since(self.earliest).as_hours();
        let penalty = (waits * WORST / (24 * i64::from(AHEAD_DAYS))).clamp(0, WORST);
        let text = match waits {
            0..=47 => format!("{waits} hours after the earliest start."),
            _ => format!("{} days after the earliest start.", waits / 24),
        };
        (SlotTerm::Wait, penalty, text)
    }
}

/// The next whole hour.
fn whole_hour(at: Timestamp) -> Timestamp {
    let over = at.as_second().rem_euclid(HOUR);
    if over == 0 && at.subsec_nanosecond() == 0 {
        return at;
    }
    Timestamp::from_second(at.as_second() - over + HOUR).unwrap_or(at)
}

/// A share in thousandths; `None` of nothing.
fn share(part: usize, whole: usize) -> Option<i64> {
    let (part, whole) = (i64::try_from(part).ok()?, i64::try_from(whole).ok()?);
    (part * WORST).checked_div(whole)
}

fn window<'w>(windows: &[&'w MaintenanceWindow], start: Timestamp, end: Timestamp) -> Option<&'w MaintenanceWindow> {
    let holds = |window: &&&MaintenanceWindow| {
        let mut spans = window.spans();
        spans.any(|span| span.starts_at <= start && end <= span.ends_at)
    };
    windows.iter().find(holds).copied()
}

fn in_window(window: Option<&MaintenanceWindow>) -> (SlotTerm, i64, String) {
    match window {
        Some(window) => (
            SlotTerm::Window,
            0,
            format!("The slot lies in the window “{}”.", window.title),
        ),
        None => (
            SlotTerm::Window,
            WORST,
            "The slot lies outside the maintenance windows of its targets.".to_owned(),
        ),
    }
}
