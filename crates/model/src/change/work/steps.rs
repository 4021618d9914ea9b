//! How the steps of a plan are by the log of actions: planned, done, skipped or failed, when a watch step is over, and which
//! outcome they add up to.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::change::record::{Change, Step};
use crate::change::related_records::{Entry, WayBack};
use crate::core::enums::{EntryKind, Outcome};
use crate::core::ids::RecordId;
use crate::core::parse::later;

/// The time within which a person may undo a tap.
pub const UNDO_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// How a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    /// Nothing is noted of it yet.
    Planned,
    /// It is done.
    Done,
    /// It was skipped with a reason.
    Skipped,
    /// Something went wrong with it, and it was neither done nor skipped since.
    Failed,
}

impl StepStatus {
    /// Whether the next step may follow.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Skipped)
    }
}

/// How many steps are how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Of so many steps.
    pub all: usize,
    /// Done.
    pub done: usize,
    /// Skipped with a reason.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
}

impl Tally {
    /// Neither done, skipped nor failed.
    pub fn planned(self) -> usize {
        self.all - self.done - self.skipped - self.failed
    }
}

/// The entries that count: without withdrawn entries, and without the entries that withdrew them.
pub fn counted(entries: &[Entry]) -> Vec<&Entry> {
    let withdrawn: BTreeSet<&RecordId> = entries.iter().filter_map(|entry| entry.withdraws.as_ref()).collect();
    let counts = |entry: &&Entry| entry.withdraws.is_none() && !withdrawn.contains(&entry.id);
    entries.iter().filter(counts).collect()
}

/// A plan and what is noted of it.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    plan: &'a [Step],
    kind: EntryKind,
    begun_at: Option<Timestamp>,
    turned_at: Option<Timestamp>,
    counted: Vec<&'a Entry>,
}

impl<'a> Run<'a> {
    /// The plan of a change, or its rollback plan where the kind is a rollback.
    pub fn of(change: &'a Change, kind: EntryKind, entries: &'a [Entry]) -> Self {
        let is_back = kind == EntryKind::Rollback;
        let content = &change.content;
        let turned_at = WayBack::of(entries).map(|back| back.begun.occurred_at);
        Self {
            plan: if is_back { &content.rollback_plan } else { &content.plan },
            kind: if is_back { EntryKind::Rollback } else { EntryKind::Step },
            begun_at: match is_back {
                true => turned_at,
                false => change.actual_start,
            },
            turned_at,
            counted: counted(entries),
        }
    }

    /// The recorded ends of steps, in the order of writing.
    fn ends(&self) -> impl Iterator<Item = (&'a Entry, i64)> {
        let of_kind = self.counted.iter().filter(move |entry| entry.kind == self.kind);
        of_kind.filter_map(|entry| Some((*entry, entry.step?)))
    }

    /// How a step is, counted from 1.
    pub fn standing(&self, number: i64) -> StepStatus {
        let ends: Vec<&Entry> = self
            .ends()
            .filter(|(_, step)| *step == number)
            .map(|(entry, _)| entry)
            .collect();
        let has_failed = || {
            let mut issues = self.counted.iter().filter(|entry| entry.kind == EntryKind::Issue);
            issues.any(|entry| entry.step == Some(number))
        };
        match ends.iter().any(|entry| !entry.skipped) {
            true => StepStatus::Done,
            false if !ends.is_empty() => StepStatus::Skipped,
            false if self.kind == EntryKind::Step && has_failed() => StepStatus::Failed,
            false => StepStatus::Planned,
        }
    }

    /// The number of the first step before another one that is neither done nor skipped.
    pub fn open_before(&self, number: i64) -> Option<i64> {
        (1..number).find(|it| !self.standing(*it).is_over())
    }

    /// The first entry about the begin of a step. After the begin of a rollback an entry is about the rollback plan.
    pub fn begin_of(&self, number: i64) -> Option<&'a Entry> {
        let is_back = self.kind == EntryKind::Rollback;
        let is_here = |entry: &&Entry| self.turned_at.is_some_and(|turned| entry.occurred_at >= turned) == is_back;
        let begins = self
            .counted
            .iter()
            .copied()
            .filter(|entry| entry.kind == EntryKind::Begin);
        let of_step = begins.filter(|entry| entry.step == Some(number)).filter(is_here);
        of_step.min_by_key(|entry| entry.occurred_at)
    }

    /// Since when a step runs: its recorded begin, else the end of the steps before it, else the begin of the work or of the
    /// rollback.
    pub fn runs_since(&self, number: i64) -> Option<Timestamp> {
        let begin = self.begin_of(number).map(|entry| entry.occurred_at);
        begin.or_else(|| self.follows_since(number))
    }

    /// When the steps before a step were over, else the begin of the work or of the rollback.
    fn follows_since(&self, number: i64) -> Option<Timestamp> {
        let before = self.ends().filter(|(_, step)| *step < number);
        before.map(|(entry, _)| entry.occurred_at).max().max(self.begun_at)
    }

    /// When a watch step is over; `None` for a step that is no watch.
    pub fn watches_until(&self, number: i64) -> Option<Timestamp> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        let step = self.plan.get(place).filter(|step| step.watch)?;
        // A begin that was recorded during the steps before it shortens no watch.
        let since = self.follows_since(number).max(self.runs_since(number))?;
        Some(later(since, SignedDuration::from_mins(step.minutes?)))
    }

    /// The first watch that was neither done nor skipped and whose minutes are not over, and its end; the end is `None` for a
    /// watch that has not begun.
    pub fn open_watch(&self, now: Timestamp) -> Option<(i64, Option<Timestamp>)> {
        let open = (1_i64..).zip(self.plan).filter(|(_, step)| step.watch);
        let mut open = open.filter(|(number, _)| !self.standing(*number).is_over());
        open.find_map(|(number, _)| {
            let has_begun = self.open_before(number).is_none();
            let until = self.watches_until(number).filter(|_| has_begun);
            until.is_none_or(|until| now < until).then_some((number, until))
        })
    }

    /// How many steps are how.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally {
            all: self.plan.len(),
            ..Tally::default()
        };
        for number in 1..=i64::try_from(self.plan.len()).unwrap_or(i64::MAX) {
            match self.standing(number) {
                StepStatus::Planned => {}
                StepStatus::Done => tally.done += 1,
                StepStatus::Skipped => tally.skipped += 1,
                StepStatus::Failed => tally.failed += 1,
            }
        }
        tally
    }

    /// The outcome that the steps of the plan add up to; `None` while a step is open, or where there is none. A person records
    /// the outcome, and may choose another one.
    pub fn outcome(&self) -> Option<Outcome> {
        let tally = self.tally();
        if tally.all == 0 || self.kind == EntryKind::Rollback {
            return None;
        }
        let is_odd = |entry: &&Entry| matches!(entry.kind, EntryKind::Deviation | EntryKind::Issue);
        match (tally.failed, tally.planned()) {
            (0, 0) if tally.skipped == tally.all => Some(Outcome::NotImplemented),
            (0, 0) if tally.skipped > 0 || self.counted.iter().any(is_odd) => Some(Outcome::SucceededWithIssues),
            (0, 0) => Some(Outcome::Succeeded),
            (0, _) => None,
            _ => Some(Outcome::Failed),
        }
    }
}
