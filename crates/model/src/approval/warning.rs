//! Warnings that every reader sees before a decision: freezes, conflicts, bypassed controls, and lowered risk. The card, the
//! queue, the form, the page of a gate check, the calendar and the first page all show these rows.

use jiff::Timestamp;
use serde::Serialize;

use crate::change::change_file::ChangeFile;
use crate::change::duties::{items, undo};
use crate::change::lowered::Lowered;
use crate::change::record::Change;
use crate::change::related_records::ChecklistItem;
use crate::core::enums::{EvidenceResult, RatedFact, WarningKind};
use crate::core::ids::PersonId;
use crate::directory::snapshot::Directory;
use crate::emergency::budget::waits_for_cosignature;
use crate::risk::effective::effective;
use crate::schedule::conflicts::Found;
use crate::schedule::freeze::Freeze;
use crate::schedule::repeat::Occurrence;

/// The most rows of one change.
pub const MOST_WARNINGS: usize = 100;

/// One thing to see before a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The kind of warning.
    pub kind: WarningKind,
    /// In a sentence.
    pub text: String,
    /// The title of the freeze, the key or title of what it conflicts with, the checklist item, the evidence; else empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The id of the freeze or of the other change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The person who broke the glass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// From when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Of a conflict: each reason in a sentence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
    /// Of lowered risk: which fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<RatedFact>,
    /// Of lowered risk: what the change states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// Of lowered risk: what is derived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
    /// Of lowered risk: whether an approver accepted the lower value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_accepted: bool,
}

impl Warning {
    fn new(kind: WarningKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            about: String::new(),
            id: None,
            by: None,
            from: None,
            to: None,
            why: Vec::new(),
            fact: None,
            stated: None,
            derived: None,
            is_accepted: false,
        }
    }

    /// Whether the warning blocks or still needs a decision: a passed freeze, a waiver and an accepted value do not.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.kind {
            WarningKind::FreezePassed | WarningKind::Waived | WarningKind::AcceptedEvidence => false,
            WarningKind::LoweredRisk => !self.is_accepted,
            WarningKind::Freeze
            | WarningKind::Conflict
            | WarningKind::BreakGlass
            | WarningKind::Bypassed
            | WarningKind::PlannedUndo => true,
        }
    }
}

/// The warnings from a change's own record and the directory. Conflicts and records around the change are not included.
#[must_use]
pub fn of_change(change: &Change, directory: &Directory, now: Timestamp) -> Vec<Warning> {
    gather(change, directory, &change.risk.lowered, now)
}

/// All warnings of a change; `conflicts` are those that the reader may see.
#[must_use]
pub fn of_file(file: &ChangeFile, directory: &Directory, conflicts: &[Found], now: Timestamp) -> Vec<Warning> {
    let lowered = effective(file, directory, now).risk.lowered;
    let mut rows: Vec<Warning> = conflicts.iter().map(of_conflict).collect();
    rows.extend(gather(&file.change, directory, &lowered, now));
    rows.extend(waived(file, directory, now));
    rows.extend(accepted(file));
    // Open warnings come first; the sort is stable, so each kind keeps its order.
    rows.sort_by_key(|row| !row.is_open());
    rows.truncate(MOST_WARNINGS);
    rows
}

fn gather(change: &Change, directory: &Directory, lowered: &[Lowered], now: Timestamp) -> Vec<Warning> {
    // A freeze does not affect finished work; bypassed controls and lowered values stay visible.
    let freezes = directory.freezes.iter().filter(|_| change.state.is_open());
    let mut rows: Vec<Warning> = freezes
        .filter_map(|freeze| of_freeze(freeze, change, directory, now))
        .collect();
    rows.extend(freezes_of_undo(change, directory, now));
    rows.extend(of_glass(change, now));
    rows.extend(lowered.iter().map(of_lowered));
    rows
}

/// A conflict with another change, with the planned undo of one, or with maintenance.
#[must_use]
pub fn of_conflict(found: &Found) -> Warning {
    let kind = match found.is_undo {
        true => WarningKind::PlannedUndo,
        false => WarningKind::Conflict,
    };
    Warning {
        about: found.with.clone(),
        id: found.change.as_ref().map(|it| it.0.clone()),
        from: Some(found.from),
        to: Some(found.to),
        why: found.met.iter().map(|met| met.sentence()).collect(),
        ..Warning::new(kind, format!("The change conflicts with {}.", found.name()))
    }
}

/// A freeze over the planned times, or a freeze in force while work goes on or no times are planned.
fn of_freeze(freeze: &Freeze, change: &Change, directory: &Directory, now: Timestamp) -> Option<Warning> {
    if freeze.ended || freeze.is_over(now) {
        return None;
    }
    let mut targets = change.content.targets.iter();
    if !targets.any(|it| directory.is_frozen_by(freeze, &it.service, &it.environment)) {
        return None;
    }
    let planned = change.planned_start.zip(change.window_end());
    let stops = |time: &Occurrence| freeze.stops_from(change, *time).is_some();
    let over: Option<Occurrence> = planned.and_then(|(start, end)| {
        let first = || freeze.over(start, end).next();
        freeze.over(start, end).find(stops).or_else(first)
    });
    let is_under_way = planned.is_none() || change.actual_start.is_some();
    let span = over.or_else(|| (is_under_way && freeze.is_on(now)).then(|| freeze.next_time(now)))?;
    let at = planned.map_or(now, |(start, _)| start.max(span.starts_at));
    let (kind, text) = match freeze.excepts_at(change, at) {
        true => (
            WarningKind::FreezePassed,
            format!("The change has an exception from the freeze “{}”.", freeze.title),
        ),
        false => (WarningKind::Freeze, format!("The freeze “{}” stops it.", freeze.title)),
    };
    Some(Warning {
        about: freeze.title.clone(),
        id: Some(freeze.id.to_string()),
        from: Some(span.starts_at),
        to: Some(span.ends_at),
        ..Warning::new(kind, text)
    })
}

/// The freezes over the planned undo: they show planners and approvers that the time is bad.
fn freezes_of_undo(change: &Change, directory: &Directory, now: Timestamp) -> Vec<Warning> {
    let Some((from, to)) = undo::ahead(change) else {
        return Vec::new();
    };
    let is_over_it = |freeze: &Freeze| {
        let mut targets = change.content.targets.iter();
        targets.any(|it| directory.is_frozen_by(freeze, &it.service, &it.environment))
    };
    let stops = |freeze: &&Freeze| {
        !freeze.ended && !freeze.is_over(now) && freeze.stops_over(change, (from, to)) && is_over_it(freeze)
    };
    let row = |freeze: &Freeze| {
        let span = freeze.over(from, to).next()?;
        let text = format!("The freeze “{}” applies during the planned undo.", freeze.title);
        Some(Warning {
            about: freeze.title.clone(),
            id: Some(freeze.id.to_string()),
            from: Some(span.starts_at),
            to: Some(span.ends_at),
            ..Warning::new(WarningKind::PlannedUndo, text)
        })
    };
    directory.freezes.iter().filter(stops).filter_map(row).collect()
}

/// A conflict of the planned undo with another change or with maintenance.
#[must_use]
pub fn of_undo_conflict(found: &Found) -> Warning {
    Warning {
        kind: WarningKind::PlannedUndo,
        text: format!("Its planned undo conflicts with {}.", found.name()),
        ..of_conflict(found)
    }
}

/// A break-glass that is open or waits for its second signature, and the controls that it replaced.
fn of_glass(change: &Change, now: Timestamp) -> Vec<Warning> {
    let Some(glass) = &change.break_glass else {
        return Vec::new();
    };
    let text = match (
        change.lawful_break_glass().is_some(),
        waits_for_cosignature(change, now),
    ) {
        (true, _) => "Break-glass replaces approvals, windows and freezes.",
        (false, true) => "A break-glass awaits its co-signature.",
        // It opened nothing, so nothing was passed by.
        (false, false) => return Vec::new(),
    };
    let mut rows = vec![Warning {
        by: Some(glass.by.clone()),
        to: Some(glass.until),
        ..Warning::new(WarningKind::BreakGlass, text)
    }];
    let lawful = change.lawful_break_glass().into_iter();
    rows.extend(
        lawful
            .flat_map(|glass| &glass.bypassed)
            .map(|row| Warning::new(WarningKind::Bypassed, row.text.as_str())),
    );
    rows
}

fn of_lowered(row: &Lowered) -> Warning {
    let text = format!(
        "{} is stated as {}, and derived as {}.",
        row.fact.as_str(),
        row.stated,
        row.derived
    );
    Warning {
        fact: Some(row.fact),
        stated: Some(row.stated.clone()),
        derived: Some(row.derived.clone()),
        is_accepted: row.accepted_by.is_some(),
        ..Warning::new(WarningKind::LoweredRisk, text)
    }
}

fn waived(file: &ChangeFile, directory: &Directory, now: Timestamp) -> Vec<Warning> {
    let is_waived =
        |line: &&ChecklistItem| items::item_status(file, directory, line, now).is_some_and(|it| it.state == "waived");
    let rows = file.checklist.iter().filter(is_waived).map(|line| Warning {
        about: line.title.clone(),
        ..Warning::new(
            WarningKind::Waived,
            format!("An owner and security waived “{}”.", line.title),
        )
    });
    rows.collect()
}

fn accepted(file: &ChangeFile) -> Vec<Warning> {
    let is_bad = |result| matches!(result, EvidenceResult::Failed | EvidenceResult::Unknown);
    let rows = file.evidence.iter().filter(|row| is_bad(row.result)).filter_map(|row| {
        let accepted = row.accepted.as_ref()?;
        Some(Warning {
            about: row.name.clone(),
            by: Some(accepted.by.clone()),
            ..Warning::new(
                WarningKind::AcceptedEvidence,
                format!("“{}” did not pass and was accepted.", row.name),
            )
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_answered_for_is_not_open() {
        let closed = [
            WarningKind::FreezePassed,
            WarningKind::Waived,
            WarningKind::AcceptedEvidence,
        ];
        for kind in WarningKind::ALL {
            let is_open = Warning::new(*kind, "").is_open();
            assert_eq!(is_open, !closed.contains(kind), "{kind}");
        }
        let accepted = Warning {
            is_accepted: true,
            ..Warning::new(WarningKind::LoweredRisk, "")
        };
        assert!(!accepted.is_open());
    }
}
