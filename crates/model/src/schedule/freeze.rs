//! Freezes: times in which no change begins, and the exceptions of each.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::core::card::Derived;
use crate::core::enums::{FreezeReach, FreezeStage, Level};
use crate::core::ids::{ChangeId, EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::later;
use crate::risk::past_level;
use crate::schedule::freeze_steps::{Course, PastException};
use crate::schedule::repeat::{Occurrence, Repeat, covers_less};

/// A freeze is active until it is ended.
const ACTIVE: &[Derived] = &[("active", |it| (it["ended"] != true).into())];

/// A time in which no change begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "freeze", derived = ACTIVE)]
pub struct Freeze {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// What it is called.
    #[card(text)]
    pub title: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub reason: Option<String>,
    /// Its start.
    #[card(column)]
    pub starts_at: Timestamp,
    /// Its end.
    #[card(column)]
    pub ends_at: Timestamp,
    /// Services; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// Environments; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Whether it also stops work under way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halt: bool,
    /// Whether it also stops services that depend on the named ones.
    #[serde(default, skip_serializing_if = "FreezeReach::is_usual")]
    #[card(object)]
    pub reach: FreezeReach,
    /// Changes with an exception.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub exceptions: Vec<FreezeException>,
    /// Whether it was taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// The time of its record, if the freeze was dated back: it counts from then on, and not for earlier decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
    /// A proposal to end the freeze or reduce its scope, until it is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub loosening: Option<Loosening>,
    /// Its reductions and its end, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(object)]
    pub loosened: Vec<Loosened>,
    /// The person who set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<PersonId>,
    /// When it was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<Timestamp>,
    /// Its repetition.
    #[serde(flatten)]
    #[card(object)]
    pub repeat: Repeat,
    /// Its agreement with the business, and the changes that pass.
    #[serde(flatten)]
    #[card(object)]
    pub course: Course,
}

/// The scope and time of a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeTerms {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Services; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// Environments; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<EnvironmentKey>,
    /// Whether it also stops work under way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub halt: bool,
    /// Whether it also stops services that depend on the named ones.
    #[serde(default, skip_serializing_if = "FreezeReach::is_usual")]
    pub reach: FreezeReach,
    /// Changes of this risk or less pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thaw_risk: Option<Level>,
    /// Its repetition.
    #[serde(flatten)]
    pub repeat: Repeat,
}

impl FreezeTerms {
    /// The times in which it is in force, in order.
    fn times(&self) -> Vec<Occurrence> {
        let once = Occurrence {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
        };
        self.repeat.spans(once).collect()
    }
}

/// A proposal to end a freeze or reduce its scope. It has no effect until it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loosening {
    /// Why.
    pub reason: String,
    /// The proposer.
    pub by: PersonId,
    /// The person who issued the proposer's credentials, if that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// When.
    pub at: Timestamp,
    /// The proposed terms; absent for a proposal to end the freeze.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<FreezeTerms>,
}

/// A step that ended a freeze or reduced its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loosened {
    /// Why.
    pub reason: String,
    /// The proposer.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The person who confirmed it.
    pub confirmed_by: PersonId,
    /// When.
    pub confirmed_at: Timestamp,
    /// The terms before.
    pub before: FreezeTerms,
    /// The terms after; absent where it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<FreezeTerms>,
}

/// Whether terms let something begin or go on that others stop: a later start, an earlier end, fewer services or environments,
/// no dependants or no halt any more, a higher bound of risk. Of one that repeats, times from `now` on are compared.
#[must_use]
pub fn loosens(before: &FreezeTerms, after: &FreezeTerms, now: Timestamp) -> bool {
    fn narrows<T: Ord>(before: &BTreeSet<T>, after: &BTreeSet<T>) -> bool {
        // An empty set means all.
        !after.is_empty() && (before.is_empty() || !before.is_subset(after))
    }
    let is_shorter = match before.repeat.is_set() || after.repeat.is_set() {
        true => covers_less(&before.times(), &after.times(), now),
        false => after.starts_at > before.starts_at || after.ends_at < before.ends_at,
    };
    is_shorter
        || after.thaw_risk > before.thaw_risk
        || narrows(&before.services, &after.services)
        || narrows(&before.environments, &after.environments)
        || (before.halt && !after.halt)
        || (before.reach == FreezeReach::Dependants && after.reach != before.reach)
}

/// A change with an exception from a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeException {
    /// The change.
    pub change: ChangeId,
    /// Its key.
    pub change_key: String,
    /// Why.
    pub reason: String,
    /// The person who granted it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
    /// The digest *what* of the change that was excepted; another content is not.
    pub what_digest: String,
    /// The latest start of the change; absent where the exception has no end of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The time of the freeze that it is for; absent where it is for all times, as in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Occurrence>,
}

impl FreezeException {
    /// Whether it still lets this change pass with its current content.
    pub fn counts_for(&self, change: &Change) -> bool {
        self.change == change.id && self.what_digest == change.digests.what
    }
}

/// The time within which the setter of a freeze may withdraw it as a mistake.
const SLIP: SignedDuration = SignedDuration::from_hours(1);

impl Freeze {
    /// Whether this person set the freeze recently and nobody has confirmed anything about it since, nor agreed to it for the
    /// business. They may withdraw it without a second confirmation.
    #[must_use]
    pub fn is_slip_of(&self, person: &PersonId, now: Timestamp) -> bool {
        let is_fresh = self.set_at.is_some_and(|at| now < later(at, SLIP));
        let is_agreed = self.course.steps.iter().any(|step| step.step == FreezeStage::Agreed);
        self.set_by.as_ref() == Some(person) && is_fresh && self.loosened.is_empty() && !is_agreed
    }

    /// Whether its business owner must agree before it takes these terms, because they agreed to less. The current terms stay
    /// until then.
    #[must_use]
    pub fn asks_owner(&self, terms: &FreezeTerms, now: Timestamp) -> bool {
        self.course.business_owner.is_some() && self.course.counts() && loosens(terms, &self.terms(), now)
    }

    /// Whether a new list of times changes times that count: it omits some, or has more than its business owner agreed to.
    /// Times after the present list are not agreed yet.
    #[must_use]
    pub fn moves_times(&self, wanted: &Self, now: Timestamp) -> bool {
        let until = self.repeat.expanded_until.unwrap_or(Timestamp::MAX);
        let mut near = wanted.terms();
        near.repeat.occurrences.retain(|it| it.starts_at < until);
        self.course.counts() && (loosens(&self.terms(), &wanted.terms(), now) || self.asks_owner(&near, now))
    }

    /// The proposal that waits for its business owner, because its scope is larger than agreed.
    #[must_use]
    pub fn widening(&self, now: Timestamp) -> Option<&Loosening> {
        let is_wider = |it: &&Loosening| it.terms.as_ref().is_some_and(|terms| self.asks_owner(terms, now));
        self.loosening.as_ref().filter(is_wider)
    }

    /// Ends exceptions. They stay in its history, with the person and the time of their end.
    pub fn end_exceptions(
        &mut self,
        is_ended: impl Fn(&FreezeException) -> bool,
        by: Option<&PersonId>,
        now: Timestamp,
    ) {
        let rows = std::mem::take(&mut self.exceptions);
        let (gone, kept): (Vec<_>, Vec<_>) = rows.into_iter().partition(is_ended);
        self.exceptions = kept;
        self.course
            .past_exceptions
            .extend(gone.into_iter().map(|row| PastException {
                change: row.change,
                change_key: row.change_key,
                reason: row.reason,
                by: row.by,
                at: row.at,
                removed_by: by.cloned(),
                ended_at: now,
                time: row.time,
            }));
    }

    /// Whether a change that started at this instant passed by its risk.
    #[must_use]
    pub fn thawed_at(&self, change: &Change, at: Timestamp) -> bool {
        self.course.thaw_at(at).is_some_and(|bound| change.risk.level <= bound)
    }

    /// Its scope and time.
    #[must_use]
    pub fn terms(&self) -> FreezeTerms {
        FreezeTerms {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            services: self.services.clone(),
            environments: self.environments.clone(),
            halt: self.halt,
            reach: self.reach,
            thaw_risk: self.course.thaw_risk,
            repeat: self.repeat.clone(),
        }
    }

    /// Lets it cover this.
    pub fn set_terms(&mut self, terms: FreezeTerms) {
        self.starts_at = terms.starts_at;
        self.ends_at = terms.ends_at;
        self.services = terms.services;
        self.environments = terms.environments;
        self.halt = terms.halt;
        self.reach = terms.reach;
        self.course.thaw_risk = terms.thaw_risk;
        self.repeat = terms.repeat;
    }

    /// Whether its own scope includes this service and environment. Services that need the service are found through the
    /// directory (`is_frozen_by`).
    pub fn covers(&self, service: &ServiceKey, environment: &EnvironmentKey) -> bool {
        self.is_in(environment) && (self.services.is_empty() || self.services.contains(service))
    }

    /// Whether it is about this environment.
    pub fn is_in(&self, environment: &EnvironmentKey) -> bool {
        !self.ended && (self.environments.is_empty() || self.environments.contains(environment))
    }

    /// Whether it lies over any instant of `[start, end)`.
    pub fn overlaps(&self, start: Timestamp, end: Timestamp) -> bool {
        self.over(start, end).next().is_some()
    }

    /// Whether it is in force at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.spans().any(|span| span.starts_at <= now && now < span.ends_at)
    }

    /// Whether it is in the past or withdrawn.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ended || self.times().next_back().is_none_or(|last| last.ends_at <= now)
    }

    /// The times in which it is in force, in order; every check uses this list. None before it counts ([`Course::counts`]).
    pub fn spans(&self) -> impl DoubleEndedIterator<Item = Occurrence> + '_ {
        let counts = self.course.counts();
        self.times().filter(move |_| counts)
    }

    /// The times that it has or would have, in order.
    pub fn times(&self) -> impl DoubleEndedIterator<Item = Occurrence> + '_ {
        self.repeat.spans(self.once())
    }

    /// The times that lie over any instant of `[start, end)`.
    pub fn over(&self, start: Timestamp, end: Timestamp) -> impl Iterator<Item = Occurrence> + '_ {
        self.spans().filter(move |span| span.overlaps(start, end))
    }

    /// The current time or the next one, and the last one if all are over: the time that a list of freezes shows.
    #[must_use]
    pub fn next_time(&self, now: Timestamp) -> Occurrence {
        let next = self.times().find(|span| span.ends_at > now);
        next.or_else(|| self.times().next_back()).unwrap_or_else(|| self.once())
    }

    /// Its stage: by its signatures, then by the clock.
    #[must_use]
    pub fn stage(&self, now: Timestamp) -> FreezeStage {
        if self.is_over(now) {
            return FreezeStage::Ended;
        }
        if !self.course.counts() {
            return self.course.last().unwrap_or(FreezeStage::Proposed);
        }
        let has_begun = self.times().next().is_some_and(|first| first.starts_at <= now);
        match has_begun {
            true => FreezeStage::InForce,
            false => FreezeStage::Announced,
        }
    }

    /// The level of risk by which it judges a change: the present one; for a major incident's freeze, the highest level since
    /// it began, so that nobody avoids it by a lower rating.
    #[must_use]
    pub fn level_of(&self, change: &Change) -> Level {
        let present = change.risk.level;
        match self.course.major_incident {
            Some(_) => past_level::highest(&change.past_levels, present, self.starts_at),
            None => present,
        }
    }

    /// Whether it lets this change pass by its risk.
    #[must_use]
    pub fn thaws(&self, change: &Change) -> bool {
        self.course
            .thaw_risk
            .is_some_and(|bound| self.level_of(change) <= bound)
    }

    /// The first time, as it was given.
    #[must_use]
    pub fn once(&self) -> Occurrence {
        Occurrence {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
        }
    }

    /// Whether an exception for a time of the freeze is also for this time. A time that was moved keeps its exceptions while it
    /// lies over its former place, and a freeze that does not repeat keeps them wherever it is moved.
    #[must_use]
    pub fn is_for(&self, named: Option<Occurrence>, time: Occurrence) -> bool {
        let is_same = |it: Occurrence| it.overlaps(time.starts_at, time.ends_at);
        !self.repeat.is_set() || named.is_none_or(is_same)
    }

    /// The exceptions of this change with its current content in one time of the freeze.
    pub fn exceptions_in<'a>(
        &'a self,
        change: &'a Change,
        time: Occurrence,
    ) -> impl Iterator<Item = &'a FreezeException> {
        let rows = self.exceptions.iter();
        rows.filter(move |row| row.counts_for(change) && self.is_for(row.time, time))
    }

    /// Whether it lets this change pass with its current content: by its risk, or by exceptions for all of its times over the
    /// planned window. A change without planned times passes by an exception for all times.
    pub fn excepts(&self, change: &Change) -> bool {
        if self.thaws(change) {
            return true;
        }
        let planned = change.planned_start.zip(change.window_end());
        let is_over = |it: &Occurrence| planned.is_some_and(|(start, end)| it.overlaps(start, end));
        let mut times = self.times().filter(is_over).peekable();
        match times.peek() {
            Some(_) => times.all(|time| self.exceptions_in(change, time).next().is_some()),
            None => {
                let mut own = self.exceptions.iter().filter(|row| row.counts_for(change));
                own.any(|row| row.time.is_none() || !self.repeat.is_set())
            }
        }
    }

    /// The instant from which it stops this change with its current content in one of its times: `None` for a change that
    /// passes without an end, the end of the exception for one that passes until then, and the beginning of all times for
    /// every other.
    #[must_use]
    pub fn stops_from(&self, change: &Change, time: Occurrence) -> Option<Timestamp> {
        if self.thaws(change) {
            return None;
        }
        self.excepted_until(change, time)
    }

    /// The end of the exceptions of this change with its current content in one of its times: `None` where one has no end, and
    /// the beginning of all times without one.
    fn excepted_until(&self, change: &Change, time: Occurrence) -> Option<Timestamp> {
        let mut latest = Timestamp::MIN;
        for row in self.exceptions_in(change, time) {
            // One exception without an end is enough.
            latest = latest.max(row.until?);
        }
        Some(latest)
    }

    /// The times in which an instant lies; the next or the last one where it lies in none.
    fn times_at(&self, at: Timestamp) -> Vec<Occurrence> {
        let is_in = |it: &Occurrence| it.starts_at <= at && at < it.ends_at;
        let found: Vec<Occurrence> = self.times().filter(is_in).collect();
        match found.is_empty() {
            true => vec![self.next_time(at)],
            false => found,
        }
    }

    /// Whether it lets this change pass at an instant.
    #[must_use]
    pub fn excepts_at(&self, change: &Change, at: Timestamp) -> bool {
        let passes = |time: Occurrence| self.stops_from(change, time).is_none_or(|from| at < from);
        self.times_at(at).into_iter().all(passes)
    }

    /// Whether one of its times over `[from, to)` stops a change that starts at `from`.
    #[must_use]
    pub fn stops_over(&self, change: &Change, (from, to): (Timestamp, Timestamp)) -> bool {
        self.over(from, to)
            .any(|time| self.stops_from(change, time).is_some_and(|stops| stops <= from))
    }

    /// Whether it is the halt of a major incident: it stops all work in its place, whatever its risk, under break-glass too.
    #[must_use]
    pub fn halts_all(&self) -> bool {
        self.halt && self.course.major_incident.is_some()
    }

    /// The instant from which it stops the work of this change in one of its times: as [`Self::stops_from`], but no risk level
    /// passes the halt of a major incident.
    #[must_use]
    pub fn stops_work_from(&self, change: &Change, time: Occurrence) -> Option<Timestamp> {
        match self.halts_all() {
            true => self.excepted_until(change, time),
            false => self.stops_from(change, time),
        }
    }

    /// Whether it stops the start of work on this change at an instant. Work under way continues unless the freeze halts.
    #[must_use]
    pub fn stops_work_at(&self, change: &Change, at: Timestamp) -> bool {
        let stops = |time: Occurrence| self.stops_work_from(change, time).is_some_and(|from| from <= at);
        self.times_at(at).into_iter().any(stops)
    }

    /// Whether one of its times over `[from, to)` has no exception for the change with this id in its stored state: an
    /// exception ends when the content changes.
    pub fn stops_stored(&self, change: Option<&ChangeId>, (from, to): (Timestamp, Timestamp)) -> bool {
        let is_excepted = |time: Occurrence| {
            let mut own = self.exceptions.iter().filter(|row| Some(&row.change) == change);
            own.any(|row| self.is_for(row.time, time))
        };
        self.over(from, to).any(|time| !is_excepted(time))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3_600).expect("a time")
    }

    prop_compose! {
        fn any_terms()(
            start in 0_i64..6, length in 1_i64..6, services in prop::collection::btree_set("[ab]", 0..3),
            environments in prop::collection::btree_set("[pq]", 0..3), halt in any::<bool>(),
        ) -> FreezeTerms {
            FreezeTerms {
                starts_at: at(start),
                ends_at: at(start + length),
                services: services.into_iter().map(ServiceKey).collect(),
                environments: environments.into_iter().map(EnvironmentKey).collect(),
                halt,
                reach: FreezeReach::None,
                thaw_risk: None,
                repeat: Repeat::default(),
            }
        }
    }

    /// Whether terms stop the start of work, and work under way, at a place and an hour.
    fn stops(terms: &FreezeTerms, service: &str, environment: &str, hour: i64) -> (bool, bool) {
        let covers = (terms.services.is_empty() || terms.services.contains(&ServiceKey(service.to_owned())))
            && (terms.environments.is_empty() || terms.environments.contains(&EnvironmentKey(environment.to_owned())))
            && (terms.starts_at..terms.ends_at).contains(&at(hour));
        (covers, covers && terms.halt)
    }

    proptest! {
        #[test]
        fn terms_that_do_not_loosen_stop_all_that_was_stopped(before in any_terms(), after in any_terms()) {
            if loosens(&before, &after, at(0)) {
                return Ok(());
            }
            for service in ["a", "b", "c"] {
                for environment in ["p", "q", "r"] {
                    for hour in 0..12 {
                        let (was, is) = (stops(&before, service, environment, hour), stops(&after, service, environment, hour));
                        prop_assert!(is.0 >= was.0 && is.1 >= was.1, "{service} {environment} {hour}");
                    }
                }
            }
        }
    }
}
