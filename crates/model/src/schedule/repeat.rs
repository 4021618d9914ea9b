//! Freezes and windows that repeat: a rule of RFC 5545 in an IANA zone, expanded to occurrences.
//!
//! The record keeps its occurrences, so that every reader uses the same list, and an old decision is explained by the list of
//! its time. They are made by one pure function, [`expand`], when the record is set, when its calendar changes, and again
//! before the list runs out. Local times follow RFC 5545, 3.3.5: a time that daylight saving skips is read with the offset
//! before the gap, and one that comes twice is the first of the two.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::core::parse::later;
use crate::core::shared_map::Shelf;
use crate::schedule::calendar::{Calendar, zone};
use crate::schedule::rule::{Rule, Setting, Trouble};

/// The fewest days ahead to which a rule is expanded.
pub const AHEAD_DAYS: i64 = 400;
/// The further days that are expanded at once, so that the list is not rewritten every day.
pub const SPARE_DAYS: i64 = 31;
/// The days for which past occurrences stay in the list.
pub const KEPT_DAYS: i64 = 100;
/// The most occurrences in the days ahead.
pub const MOST_OCCURRENCES: usize = 450;
/// The most days between now and the first time of a rule in the past.
const MOST_BEHIND_DAYS: i64 = 3_660;
/// The days ahead in which the next occurrence of a rare rule is searched.
const FAR_DAYS: i64 = 3_660;

/// The repetition of a record; without a rule it occurs once. The first time is the record's `starts_at` and `ends_at`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Repeat {
    /// The rule by which each time begins: the value of an RRULE (RFC 5545, 3.3.10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rrule: Option<String>,
    /// The IANA zone in which the rule is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The rule by which each time ends; without one, each time lasts as long as the first, in local time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_rrule: Option<String>,
    /// The business calendar of which only working days count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days_of: Option<String>,
    /// The business calendar whose fiscal months and years the rule means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fiscal_of: Option<String>,
    /// Local dates of times that are left out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exdates: BTreeSet<Date>,
    /// Single times that are moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// The resulting times, in order: derived by [`expand`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub occurrences: Vec<Occurrence>,
    /// The date up to which they are expanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expanded_until: Option<Timestamp>,
}

/// One time of several, moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The local date on which it would begin by the rule.
    pub date: Date,
    /// Its start instead.
    pub starts_at: Timestamp,
    /// Its end instead.
    pub ends_at: Timestamp,
}

/// One time of a freeze or a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Occurrence {
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
}

impl Occurrence {
    /// Whether it lies over any instant of `[start, end)`.
    #[must_use]
    pub fn overlaps(&self, start: Timestamp, end: Timestamp) -> bool {
        self.starts_at < end && start < self.ends_at
    }
}

impl Repeat {
    /// Whether it occurs more than once.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.rrule.is_some()
    }

    /// Whether it repeats by the same rule, whatever its list of times.
    #[must_use]
    pub fn is_same_rule(&self, other: &Self) -> bool {
        let bare = |it: &Self| Self {
            occurrences: Vec::new(),
            expanded_until: None,
            ..it.clone()
        };
        bare(self) == bare(other)
    }

    /// Whether its days depend on this calendar.
    #[must_use]
    pub fn reads(&self, calendar: &str) -> bool {
        [&self.working_days_of, &self.fiscal_of]
            .into_iter()
            .any(|key| key.as_deref() == Some(calendar))
    }

    /// Whether the list has to be made longer.
    #[must_use]
    pub fn runs_out(&self, now: Timestamp) -> bool {
        self.is_set() && self.expanded_until.is_none_or(|until| until < ahead(now, AHEAD_DAYS))
    }

    /// The times, in order: those of the rule, or the one that was given.
    pub fn spans(&self, once: Occurrence) -> impl DoubleEndedIterator<Item = Occurrence> + '_ {
        let single = (!self.is_set()).then_some(once);
        single.into_iter().chain(self.occurrences.iter().copied())
    }

    /// This list from the end of `before` on, and until there the existing times.
    #[must_use]
    pub fn keeping(&self, before: &Self, now: Timestamp) -> Self {
        let since = ahead(now, -KEPT_DAYS);
        let stood: Vec<Occurrence> = before
            .occurrences
            .iter()
            .copied()
            .filter(|it| it.ends_at > since)
            .collect();
        let from = before.expanded_until.unwrap_or(Timestamp::MIN);
        let last = stood.last().map_or(Timestamp::MIN, |it| it.starts_at);
        let is_later = |it: &Occurrence| it.starts_at >= from && it.starts_at > last;
        let later = self.occurrences.iter().copied().filter(is_later);
        Self {
            occurrences: stood.iter().copied().chain(later).collect(),
            ..self.clone()
        }
    }

    /// The times since the first one: those of the list, and before them the rule's times by the current calendar.
    #[must_use]
    pub fn since_start(
        &self,
        once: Occurrence,
        calendars: &Shelf<String, Calendar>,
        now: Timestamp,
    ) -> Vec<Occurrence> {
        let listed: Vec<Occurrence> = self.spans(once).collect();
        if !self.is_set() {
            return listed;
        }
        let until = listed.first().map_or(now, |it| it.starts_at);
        let all = since_first(self, once, calendars, (until, until)).map(|(found, _)| found);
        let gone = all.unwrap_or_default().into_iter().filter(|it| it.starts_at < until);
        gone.chain(listed).collect()
    }

    /// Refuses a rule without a pause within the length of a list from its first time on, even if the rule ends later.
    ///
    /// # Errors
    /// The rule is in force without a pause.
    pub fn check_pause(
        &self,
        once: Occurrence,
        calendars: &Shelf<String, Calendar>,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let from = now.max(once.starts_at);
        let until = ahead(from, AHEAD_DAYS + SPARE_DAYS);
        let (found, _) = since_first(self, once, calendars, (from, until))?;
        match is_without_pause(&found, (from, until)) {
            true => Err(always_matches()),
            false => Ok(()),
        }
    }

    /// Rewrites the list.
    ///
    /// # Errors
    /// The mistake in the rule, as text.
    pub fn expand(
        &mut self,
        once: Occurrence,
        calendars: &Shelf<String, Calendar>,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        if !self.is_set() {
            self.occurrences = Vec::new();
            self.expanded_until = None;
            return Ok(());
        }
        let until = ahead(now, AHEAD_DAYS + SPARE_DAYS);
        self.occurrences = expand(self, once, calendars, (now, until))?;
        self.expanded_until = Some(until);
        Ok(())
    }
}

fn ahead(now: Timestamp, days: i64) -> Timestamp {
    later(now, SignedDuration::from_hours(24 * days))
}

/// The times of a rule from [`KEPT_DAYS`] before `now` to `until`; at least the next one, however far it lies ahead.
///
/// # Errors
/// A rule that cannot be read, that never matches, that matches too often or without a pause; a zone or calendar that is
/// unknown; an override of a time that the rule does not have.
pub fn expand(
    repeat: &Repeat,
    once: Occurrence,
    calendars: &Shelf<String, Calendar>,
    (now, until): (Timestamp, Timestamp),
) -> Result<Vec<Occurrence>, Trouble> {
    let (found, is_finite) = since_first(repeat, once, calendars, (now, until))?;
    checked(found, once, (now, until), is_finite)
}

/// The times of a rule from its first to `until` and at least the next one, and whether it has an end.
fn since_first(
    repeat: &Repeat,
    once: Occurrence,
    calendars: &Shelf<String, Calendar>,
    (now, until): (Timestamp, Timestamp),
) -> Result<(Vec<Occurrence>, bool), Trouble> {
    if ahead(once.starts_at, MOST_BEHIND_DAYS) < now {
        let text = "The first occurrence of a rule may lie at most ten years in the past; use a later start.";
        return Err(Trouble::new("starts_at", "too_early", text));
    }
    let local = Local::of(repeat, once)?;
    let setting = setting(repeat, calendars, &local)?;
    let rule = Rule::read(
        "rrule",
        repeat.rrule.as_deref().unwrap_or_default(),
        &setting,
        (&local.zone, local.starts),
    )?;
    let (near, far) = (local.date(until), local.date(ahead(now.max(once.starts_at), FAR_DAYS)));
    let mut dates = rule.dates(&setting, near)?;
    let is_ahead = |date: &&Date| local.at(**date, local.starts.time()).is_some_and(|at| at >= now);
    if !dates.iter().any(|date| is_ahead(&date)) && !rule.is_finite() {
        let later = rule.dates(&setting, far)?;
        dates.extend(later.iter().find(is_ahead).copied());
        dates.sort_unstable();
        dates.dedup();
    }
    let starts: Vec<(Date, Timestamp)> = dates
        .into_iter()
        .filter_map(|date| Some((date, local.at(date, local.starts.time())?)))
        .collect();
    let ends = ends(repeat, &setting, &local, starts.last().map(|(date, _)| *date))?;
    let mut found = Vec::with_capacity(starts.len());
    for (date, starts_at) in starts {
        let ends_at = match &ends {
            Some(ends) => ends.iter().copied().find(|end| *end > starts_at),
            None => local.end_of(date),
        };
        found.extend(
            ends_at
                .filter(|end| *end > starts_at)
                .map(|ends_at| (date, Occurrence { starts_at, ends_at })),
        );
    }
    Ok((moved(repeat, found)?, rule.is_finite()))
}

/// The clock on the wall of a rule.
struct Local {
    zone: TimeZone,
    starts: DateTime,
    ends: DateTime,
}

impl Local {
    fn of(repeat: &Repeat, once: Occurrence) -> Result<Self, Trouble> {
        let name = repeat.time_zone.as_deref().unwrap_or("UTC");
        let Some(zone) = zone(name) else {
            let text = format!("`{name}` is not an IANA time zone such as Europe/Oslo.");
            return Err(Trouble::new("time_zone", "unknown", text));
        };
        Ok(Self {
            starts: once.starts_at.to_zoned(zone.clone()).datetime(),
            ends: once.ends_at.to_zoned(zone.clone()).datetime(),
            zone,
        })
    }

    fn at(&self, date: Date, time: Time) -> Option<Timestamp> {
        self.zone.to_timestamp(date.to_datetime(time)).ok()
    }

    fn date(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The end of a time that begins on this date: as many days later as that of the first, at the same time of day.
    fn end_of(&self, date: Date) -> Option<Timestamp> {
        let days = self.starts.date().until(self.ends.date()).ok()?.get_days();
        self.at(date.checked_add(days.days()).ok()?, self.ends.time())
    }
}

fn setting<'a>(repeat: &Repeat, calendars: &'a Shelf<String, Calendar>, local: &Local) -> Result<Setting<'a>, Trouble> {
    let of = |field: &'static str, key: &Option<String>| match key {
        None => Ok(None),
        Some(key) => match calendars.get(key) {
            Some(calendar) => Ok(Some(calendar)),
            None => Err(Trouble::new(field, "unknown", format!("There is no calendar `{key}`."))),
        },
    };
    let fiscal = match of("fiscal_of", &repeat.fiscal_of)? {
        None => None,
        Some(calendar) => Some(calendar.fiscal.as_ref().ok_or_else(|| {
            let text = format!(
                "The calendar `{}` has no fiscal year; give it one (`fiscal`).",
                calendar.key
            );
            Trouble::new("fiscal_of", "no_fiscal_year", text)
        })?),
    };
    Ok(Setting {
        first: local.starts.date(),
        working: of("working_days_of", &repeat.working_days_of)?,
        fiscal,
    })
}

/// The instants at which times end, if a rule has them.
fn ends(
    repeat: &Repeat,
    setting: &Setting<'_>,
    local: &Local,
    last: Option<Date>,
) -> Result<Option<Vec<Timestamp>>, Trouble> {
    let Some(text) = &repeat.ends_rrule else {
        return Ok(None);
    };
    let rule = Rule::read("ends_rrule", text, setting, (&local.zone, local.ends))?;
    let last = last.unwrap_or(setting.first).saturating_add(AHEAD_DAYS.days());
    let ends: Vec<Timestamp> = rule
        .dates(setting, last)?
        .into_iter()
        .filter_map(|date| local.at(date, local.ends.time()))
        .collect();
    if ends.is_empty() {
        let text = "This rule has no day on which an occurrence could end.";
        return Err(Trouble::new("ends_rrule", "never_matches", text));
    }
    Ok(Some(ends))
}

/// Omits some times and moves single ones.
fn moved(repeat: &Repeat, found: Vec<(Date, Occurrence)>) -> Result<Vec<Occurrence>, Trouble> {
    for one in &repeat.overrides {
        let is_known = found.iter().any(|(date, _)| *date == one.date);
        let is_seen = found.first().is_some_and(|(first, _)| *first <= one.date);
        let is_beyond = found.last().is_some_and(|(last, _)| *last < one.date);
        if !is_known && is_seen && !is_beyond {
            let text = format!("No time begins on {} by the rule, so none can be moved.", one.date);
            return Err(Trouble::new("overrides", "no_such_time", text));
        }
    }
    let mut times: Vec<Occurrence> = found
        .into_iter()
        .filter(|(date, _)| !repeat.exdates.contains(date))
        .map(|(date, one)| match repeat.overrides.iter().find(|it| it.date == date) {
            Some(instead) => Occurrence {
                starts_at: instead.starts_at,
                ends_at: instead.ends_at,
            },
            None => one,
        })
        .collect();
    times.sort_unstable();
    Ok(times)
}

/// Refuses a rule that never matches, too often or always; keeps recent times.
fn checked(
    found: Vec<Occurrence>,
    once: Occurrence,
    (now, until): (Timestamp, Timestamp),
    is_finite: bool,
) -> Result<Vec<Occurrence>, Trouble> {
    if found.is_empty() {
        let text = "This rule never matches: it has no occurrence within ten years.";
        return Err(Trouble::new("rrule", "never_matches", text));
    }
    if !is_finite && is_without_pause(&found, (now.max(once.starts_at), until)) {
        return Err(always_matches());
    }
    let since = now
        .checked_sub(SignedDuration::from_hours(24 * KEPT_DAYS))
        .unwrap_or(Timestamp::MIN);
    let ahead = found.iter().filter(|it| it.ends_at > now).count();
    if ahead > MOST_OCCURRENCES {
        let text = format!("This rule has {ahead} times in {AHEAD_DAYS} days; at most {MOST_OCCURRENCES} are kept.");
        return Err(Trouble::new("rrule", "too_many", text));
    }
    Ok(found.into_iter().filter(|it| it.ends_at > since).collect())
}

fn always_matches() -> Trouble {
    let text = "This rule applies without a break. Let each occurrence end before the next starts, or use a single \
        start and end.";
    Trouble::new("rrule", "always_matches", text)
}

/// Whether times follow each other without a gap up to the end of the span.
fn is_without_pause(found: &[Occurrence], (from, until): (Timestamp, Timestamp)) -> bool {
    let mut ahead = found.iter().filter(|it| it.ends_at > from);
    let (Some(first), Some(second)) = (ahead.next(), ahead.next()) else {
        return false;
    };
    let mut covered = first.ends_at;
    for one in std::iter::once(second).chain(ahead) {
        if one.starts_at > covered {
            return false;
        }
        covered = covered.max(one.ends_at);
    }
    // The last time of the list ends within a day of its end, if the rule goes on so.
    later(covered, SignedDuration::from_hours(24)) >= until
}

/// Whether one list of times omits something that another one had, from an instant on.
#[must_use]
pub fn covers_less(before: &[Occurrence], after: &[Occurrence], from: Timestamp) -> bool {
    before.iter().filter(|it| it.ends_at > from).any(|one| {
        let mut at = one.starts_at.max(from);
        for other in after.iter().filter(|it| it.overlaps(one.starts_at, one.ends_at)) {
            if other.starts_at > at {
                return true;
            }
            at = at.max(other.ends_at);
        }
        at < one.ends_at
    })
}
