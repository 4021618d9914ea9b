//! Rework of the steps of plans: in how many changes a step was skipped, or an issue or a deviation was noted of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::change::record::Step;
use crate::change::related_records::Entry;
use crate::change::work::steps::counted;
use crate::core::enums::EntryKind;

/// A step of the plans of some changes, and its results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepRework {
    /// Its number in the plan, counted from 1.
    pub number: i64,
    /// The step's task.
    pub title: String,
    /// The changes that have it in their plan and whose work began.
    pub uses: u64,
    /// The number of changes in which it was skipped.
    pub skipped: u64,
    /// The number of changes with an issue about it.
    pub issues: u64,
    /// The number of changes with a deviation from it.
    pub deviations: u64,
    /// The number of changes with any of these.
    pub reworked: u64,
}

/// Counts the steps of plans, change by change. A step is identified by its number and its text.
#[derive(Debug, Clone, Default)]
pub struct StepCounts(BTreeMap<(i64, String), StepRework>);

impl StepCounts {
    /// Counts the steps of a change whose work began, by its log of actions, and returns whether one of them was reworked.
    /// Entries that were recorded by mistake and taken back do not count.
    pub fn note(&mut self, plan: &[Step], entries: &[Entry]) -> bool {
        let counted = counted(entries);
        let mut is_any = false;
        for (number, step) in (1_i64..).zip(plan) {
            let of_step: Vec<&Entry> = counted
                .iter()
                .copied()
                .filter(|entry| entry.step == Some(number))
                .collect();
            let has = |kind: EntryKind| of_step.iter().any(|entry| entry.kind == kind);
            let mut ends = of_step.iter().filter(|entry| entry.kind == EntryKind::Step);
            let is_skipped = has(EntryKind::Step) && ends.all(|entry| entry.skipped);
            let (has_issue, has_deviation) = (has(EntryKind::Issue), has(EntryKind::Deviation));
            let known = self.0.entry((number, step.title.clone())).or_default();
            known.uses += 1;
            known.skipped += u64::from(is_skipped);
            known.issues += u64::from(has_issue);
            known.deviations += u64::from(has_deviation);
            let is_reworked = is_skipped || has_issue || has_deviation;
            known.reworked += u64::from(is_reworked);
            is_any |= is_reworked;
        }
        is_any
    }

    /// The steps that were reworked in some change, the most first.
    #[must_use]
    pub fn reworked(self) -> Vec<StepRework> {
        let all = self
            .0
            .into_iter()
            .map(|((number, title), it)| StepRework { number, title, ..it });
        let mut found: Vec<StepRework> = all.filter(|it| it.reworked > 0).collect();
        found.sort_by_key(|it| (Reverse(it.reworked), it.number));
        found
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn step(title: &str) -> Step {
        Step {
            title: title.to_owned(),
            doer: None,
            team: None,
            minutes: None,
            check: None,
            watch: false,
        }
    }

    fn entry(id: &str, kind: EntryKind, step: i64) -> Entry {
        Entry {
            id: id.into(),
            version: 1,
            change: "c-1".into(),
            kind,
            text: String::new(),
            step: Some(step),
            target: None,
            withdraws: None,
            skipped: false,
            tap: None,
            clock_ahead_seconds: None,
            occurred_at: Timestamp::UNIX_EPOCH,
            by: "ivo".into(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn skipped(id: &str, step: i64) -> Entry {
        Entry {
            skipped: true,
            ..entry(id, EntryKind::Step, step)
        }
    }

    #[test]
    fn a_step_is_reworked_in_a_change_once_however_much_went_wrong_with_it() {
        let plan = [step("Drain"), step("Restart"), step("Look")];
        let mut counts = StepCounts::default();
        let drained = counts.note(
            &plan,
            &[
                entry("1", EntryKind::Step, 1),
                entry("2", EntryKind::Issue, 2),
                entry("3", EntryKind::Deviation, 2),
                entry("4", EntryKind::Step, 2),
                skipped("5", 3),
            ],
        );
        let by_hand = counts.note(
            &plan,
            &[
                entry("6", EntryKind::Deviation, 2),
                // A step of the rollback has numbers of its own.
                entry("7", EntryKind::Rollback, 1),
            ],
        );
        assert!(drained && by_hand);
        let found = counts.reworked();
        let told: Vec<(i64, &str, [u64; 5])> = found
            .iter()
            .map(|it| {
                let counts = [it.uses, it.skipped, it.issues, it.deviations, it.reworked];
                (it.number, it.title.as_str(), counts)
            })
            .collect();
        assert_eq!(told, [(2, "Restart", [2, 0, 1, 2, 2]), (3, "Look", [2, 1, 0, 0, 1])]);
    }

    #[test]
    fn what_was_taken_back_or_done_after_all_is_no_rework() {
        let plan = [step("Drain"), step("Restart")];
        let slip = skipped("1", 1);
        let withdrawal = Entry {
            step: None,
            withdraws: Some(slip.id.clone()),
            ..entry("2", EntryKind::Step, 1)
        };
        let mut counts = StepCounts::default();
        let is_any = counts.note(
            &plan,
            &[slip, withdrawal, skipped("3", 2), entry("4", EntryKind::Step, 2)],
        );
        assert!(!is_any && counts.reworked().is_empty());
    }
}
