//! Moves a change's target by the signals of its deployment, by the table of `model::integration::occurrence`.

use jiff::Timestamp;
use model::approval::authority;
use model::change::change_file::Case;
use model::change::ready_spans;
use model::change::record::{Change, EarlierOutcome, TargetRecord};
use model::change::related_records::Deployment;
use model::change::settle;
use model::change::work::{self, BY_SIGNAL};
use model::core::enums::{Outcome, State, ValidationResult};
use model::core::ids::{PersonId, TargetId};
use model::core::parse::later;
use model::integration::occurrence::{self, Effect, History, Phase, StatusReport};
use serde_json::json;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::integration::early_rollback;
use crate::integration::named_target::Named;
use crate::integration::told_before::Before;
use crate::integration::told_deployment::{Here, TargetReport, go_back, outcome_of, sender};

/// The effect of a status on its change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lawfulness {
    /// The change allowed it, and it has had its effect.
    Lawful,
    /// A rollback that a permit allows; its effect waits for the report of the start that it undoes.
    Early,
    /// Nothing allowed it.
    Unlawful,
}

impl Lawfulness {
    pub(crate) fn of(is_lawful: bool) -> Self {
        if is_lawful { Self::Lawful } else { Self::Unlawful }
    }
}

/// Applies one report with an effect.
///
/// # Errors
/// The store's.
pub(crate) fn apply_report(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    key: &str,
    told: &StatusReport,
    (subject, before): (&Deployment, &Before<'_>),
) -> Result<Lawfulness> {
    let phase = Phase::of(&told.status);
    // Of several reported ends the worst counts, in any order; `conform` applies it.
    if phase.is_end() && before.is_ended_by_others() {
        return Ok(match subject.is_early {
            true => Lawfulness::Early,
            false => Lawfulness::of(!subject.unauthorized),
        });
    }
    let word = TargetReport {
        phase,
        is_start: phase == Phase::Began,
        must_begin: false,
        outcome: outcome_of(&told.status),
        at: told.at,
        who: sender(cx, here)?,
        told_before: before.end().and_then(|end| outcome_of(&end.status)),
        has_begun: before.has_begun(),
        made_the_change: subject.mapped.as_ref().is_some_and(|it| it.template.is_some()),
    };
    if subject.unauthorized {
        return take_start_of_end(cx, here, key, word, before);
    }
    apply_status(cx, here, key, &word)
}

/// A start that is reported after its deployment's end, which counted as unauthorized without a start. After a lawful start the
/// end has its effect after all, as in the normal order.
fn take_start_of_end(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    key: &str,
    word: TargetReport,
    before: &Before<'_>,
) -> Result<Lawfulness> {
    let end = before.end().filter(|end| word.is_start && end.at >= word.at);
    let Some((end, outcome)) = end.and_then(|end| Some((end.at, outcome_of(&end.status)?))) else {
        return Ok(Lawfulness::Unlawful);
    };
    let start = TargetReport {
        must_begin: true,
        told_before: None,
        has_begun: false,
        ..word
    };
    if apply_status(cx, here, key, &start)? != Lawfulness::Lawful {
        return Ok(Lawfulness::Unlawful);
    }
    let end = TargetReport {
        phase: Phase::Succeeded,
        must_begin: false,
        is_start: false,
        outcome: Some(outcome),
        at: end,
        has_begun: true,
        ..start
    };
    apply_status(cx, here, key, &end)
}

/// Updates a target's outcome to the worst reported end, when only signals have set the outcome.
///
/// # Errors
/// The store's.
pub(crate) fn conform(
    cx: &mut Context<'_, '_>,
    here: &Here<'_>,
    key: &str,
    (told, earlier): (&Before<'_>, &[StatusReport]),
) -> Result<()> {
    let Some((end, outcome)) = told.end().and_then(|end| Some((end.at, outcome_of(&end.status)?))) else {
        return Ok(());
    };
    let known: Vec<Outcome> = told
        .ends()
        .chain(earlier)
        .filter_map(|end| outcome_of(&end.status))
        .collect();
    let named = Named::of(cx, here.told.artifact, here.told.commit())?;
    cx.on_change(key, |case| {
        let place = (&here.mapping.service, here.environment);
        let target = named.target_of(case.change(), place, true);
        let Some(target) = target
            .filter(|(_, meant)| meant.is_forward())
            .map(|(it, _)| it.id.clone())
        else {
            return Ok(());
        };
        let Some(record) = case.change().target_record(&target).cloned() else {
            return Ok(());
        };
        let is_under_way = matches!(case.change().state, State::Implementing | State::Reviewing);
        let is_told = record.earlier.iter().all(|it| it.reason == BY_SIGNAL)
            && record
                .outcome
                .is_some_and(|stands| stands != outcome && known.contains(&stands));
        if is_under_way && is_told && !is_refuted(case, outcome) {
            work::complete_by_signal(case, &target, outcome, end);
        }
        Ok(())
    })
}

/// Whether a validation contradicts the outcome.
fn is_refuted(case: &Case<'_>, outcome: Outcome) -> bool {
    let last = case.change().validations.last();
    outcome == Outcome::Succeeded && last.is_some_and(|it| it.result == ValidationResult::DoesNot)
}

/// Moves the change's target by a report.
fn apply_status(cx: &mut Context<'_, '_>, here: &Here<'_>, key: &str, word: &TargetReport) -> Result<Lawfulness> {
    if word.outcome.is_none() && !word.is_start {
        return Ok(Lawfulness::Lawful);
    }
    let told = here.told;
    let named = Named::of(cx, told.artifact, told.commit())?;
    let permitted = early_rollback::permitted(cx, key, word.at)?;
    cx.on_change(key, |case| {
        let place = (&here.mapping.service, here.environment);
        let found = named.target_of(case.change(), place, word.told_before.is_some());
        let Some((target, meant)) = found.map(|(target, meant)| (target.id.clone(), meant)) else {
            return Ok(Lawfulness::Unlawful);
        };
        if meant.is_forward() {
            return Ok(Lawfulness::of(move_target(case, &target, word)));
        }
        if go_back(case, &target, word) {
            return Ok(Lawfulness::Lawful);
        }
        // A closed change stays as it is; a change that has not begun is moved by its start.
        Ok(match (permitted.contains(&target), case.change().state) {
            (true, State::Closed) => Lawfulness::Lawful,
            (true, _) => Lawfulness::Early,
            (false, _) => Lawfulness::Unlawful,
        })
    })
}

fn move_target(case: &mut Case<'_>, target: &TargetId, word: &TargetReport) -> bool {
    let done = case
        .change()
        .target_record(target)
        .filter(|record| record.outcome.is_some() && !is_repair(case.change(), record, word))
        .cloned();
    if let Some(record) = done {
        if came_after(&record, word) {
            return false;
        }
        note_late_report(case, &record, word);
        return !word.must_begin;
    }
    let before = match (word.has_begun, word.told_before) {
        (_, Some(_)) => History::Ended,
        (true, None) => History::Begun,
        (false, None) => History::Nothing,
    };
    let may_go = match occurrence::effect(before, word.phase, case.change().state) {
        Effect::BeginsIfReady => may_begin(case, target, word),
        Effect::GoesOn => ready_spans::may_go_on(case, target, word.at),
        Effect::Noted | Effect::Held | Effect::Corrects | Effect::Unauthorized => false,
    };
    if !may_go {
        return false;
    }
    if case.change().state != State::Implementing {
        note_implementer(case, word.who.as_ref());
        work::begin(case, word.at);
    }
    backdate(case, target, word.at);
    match word.outcome {
        Some(outcome) => work::complete_by_signal(case, target, outcome, word.at),
        None => settle::settle(case),
    }
    true
}

/// Whether a report is about work after a failed rollback, which leaves the target open.
fn is_repair(change: &Change, record: &TargetRecord, word: &TargetReport) -> bool {
    let is_later = record.actual_end.is_some_and(|end| end < word.at);
    record.is_open() && change.state == State::Implementing && is_later
}

/// Whether a deployment without an earlier report came after the target's end: a rerun that nothing allowed.
fn came_after(record: &TargetRecord, word: &TargetReport) -> bool {
    let has_succeeded = record.outcome.is_some_and(Outcome::is_success);
    let latest = |end: Timestamp| match word.is_start && !has_succeeded {
        true => end,
        false => later(end, ready_spans::SKEW),
    };
    !word.has_begun && record.actual_end.is_some_and(|end| latest(end) < word.at)
}

/// Whether a report may begin the change. A person whose approval counts only if others do the work is no lawful trigger.
fn may_begin(case: &Case<'_>, target: &TargetId, word: &TargetReport) -> bool {
    let is_apart = |person| authority::approved_apart(&case.file, person).is_some();
    ready_spans::was_open(case, target, word.at, word.made_the_change) && !word.who.as_ref().is_some_and(is_apart)
}

/// The person who triggered a deployment is an implementer of the change.
fn note_implementer(case: &mut Case<'_>, who: Option<&PersonId>) {
    if let Some(person) = who.filter(|person| !case.change().implemented_by.contains(person)) {
        case.file.change.implemented_by.push(person.clone());
    }
}

/// A report after its target's end: an earlier start, an end that another followed, or the end that counts. Statements by
/// people stay.
fn note_late_report(case: &mut Case<'_>, record: &TargetRecord, word: &TargetReport) {
    if !matches!(case.change().state, State::Implementing | State::Reviewing) {
        return;
    }
    let by_signals_alone = record.earlier.iter().all(|it| it.reason == BY_SIGNAL);
    let has_stood = |outcome| by_signals_alone && record.earlier.iter().any(|it| it.outcome == outcome);
    let was_told = word
        .told_before
        .is_some_and(|told| record.outcome == Some(told) || has_stood(told));
    let Some(outcome) = word.outcome else {
        if was_told {
            backdate(case, &record.target, word.at);
        }
        return;
    };
    // Of two ends at one time the worse counts, in any order.
    let is_worse = record.outcome.is_some_and(Outcome::is_success) && !outcome.is_success();
    let is_later = record
        .actual_end
        .is_some_and(|end| end < word.at || end == word.at && is_worse);
    if record.outcome == Some(outcome) {
        // A person entered the outcome before: now a system confirms it.
        return work::observe(case, &record.target, outcome);
    }
    if !was_told && is_later {
        return;
    }
    if !is_later {
        if was_told {
            backdate(case, &record.target, word.at);
        }
        note_earlier(case, &record.target, outcome);
        return;
    }
    if !is_refuted(case, outcome) {
        work::complete_by_signal(case, &record.target, outcome, word.at);
    }
}

/// Stores an outcome that was reported after the one that followed it.
fn note_earlier(case: &mut Case<'_>, target: &TargetId, outcome: Outcome) {
    let (by, at) = (case.person(), case.now);
    let change = &mut case.file.change;
    let validations = i64::try_from(change.validations.len()).unwrap_or(i64::MAX);
    let reviews = i64::try_from(change.reviews.len()).unwrap_or(i64::MAX);
    let Some(record) = change.target_records.iter_mut().find(|it| &it.target == target) else {
        return;
    };
    if record.earlier.iter().any(|it| it.outcome == outcome) {
        return;
    }
    record.earlier.push(EarlierOutcome {
        outcome,
        reason: BY_SIGNAL.to_owned(),
        by,
        at,
        validations,
        reviews,
    });
    case.emit("target.told_late", json!({"target": target, "outcome": outcome}));
    work::conclude_late(case);
}

/// Moves the start back to the earliest reported one.
fn backdate(case: &mut Case<'_>, target: &TargetId, at: Timestamp) {
    let change = &mut case.file.change;
    if let Some(record) = change.target_records.iter_mut().find(|it| &it.target == target) {
        record.actual_start = Some(record.actual_start.map_or(at, |known| known.min(at)));
    }
    change.actual_start = change.actual_start.map(|known| known.min(at));
    change.seen_work.note_begin(at);
}
