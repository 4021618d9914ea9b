//! Evaluates the open changes that an act on the directory left unsettled ([`crate::case::unsettled`]), in small
//! transactions: changes behind waiting checks, those that are scheduled or under way, the rest. The caller needs no
//! state: the progress is in the database, so the work continues after a crash and on another server.

use std::collections::BTreeSet;

use model::change::related_records::GateCheck;
use store::change::unsettled::{self, Unsettled};
use store::gate::gate_view;
use store::record;

use crate::case::settle_one::settle_each;
use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::answer::{question_of, waiting_checks};

/// How many waiting checks are read for the changes behind them.
const CHECKS: i64 = 1_000;

/// How many of the changes that nothing waits for are listed at once: what becomes urgent meanwhile waits for them.
const REST: i64 = 100;

/// The remaining work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// More changes.
    More,
    /// Some could not be evaluated; they are retried later.
    Trouble,
    /// Nothing.
    Nothing,
}

/// Evaluates the next `most` unsettled changes, in this transaction.
///
/// # Errors
/// The store's, or the error that prevents the evaluation of a change; see [`pass_over`].
pub fn settle_some(cx: &mut Context<'_, '_>, most: i64) -> Result<Left> {
    let Some(mut it) = unsettled::state(cx.tx)? else {
        return Ok(Left::Nothing);
    };
    if it.urgent < it.generation {
        let urgent = next_urgent(cx, &it, most)?;
        if !urgent.is_empty() {
            settle_each(cx, &urgent)?;
            return Ok(Left::More);
        }
        it.urgent = it.generation;
    }
    if it.pass == 0 {
        (it.pass, it.mark, it.left_out) = (it.generation, 0, 0);
    }
    let next = unsettled::unjudged_after(cx.tx, it.mark, it.generation, most)?;
    if next.is_empty() {
        return end_of_pass(cx, it);
    }
    it.mark = next.last().map_or(it.mark, |(_, number)| *number);
    let next: Vec<String> = next.into_iter().map(|(change, _)| change).collect();
    // Before the evaluations: an effect of one may raise the counter.
    unsettled::save(cx.tx, &it)?;
    settle_these(cx, &next)
}

/// Ends a pass over all changes: all are settled unless an act came meanwhile or a change was skipped.
fn end_of_pass(cx: &mut Context<'_, '_>, it: Unsettled) -> Result<Left> {
    let forged = unsettled::remove_forged(cx.tx)?;
    if it.pass == it.generation && it.left_out == 0 && forged == 0 {
        unsettled::end(cx.tx)?;
        return Ok(Left::Nothing);
    }
    let has_trouble = it.left_out > 0;
    unsettled::save(cx.tx, &Unsettled { pass: 0, ..it })?;
    Ok(if has_trouble { Left::Trouble } else { Left::More })
}

/// Skips the next change, which could not be evaluated: the others do not wait for it. The change stays unsettled, so
/// the gate stays closed for it and each verb on it reports the error.
///
/// # Errors
/// The store's.
pub fn pass_over(cx: &mut Context<'_, '_>) -> Result<()> {
    let Some(mut it) = unsettled::state(cx.tx)? else {
        return Ok(());
    };
    if it.urgent < it.generation {
        // The pass over all changes handles the other urgent ones.
        it.urgent = it.generation;
        return Ok(unsettled::save(cx.tx, &it)?);
    }
    if it.pass == 0 {
        (it.pass, it.mark, it.left_out) = (it.generation, 0, 0);
    }
    if let Some((_, number)) = unsettled::unjudged_after(cx.tx, it.mark, it.generation, 1)?
        .into_iter()
        .next()
    {
        it.mark = number;
        it.left_out += 1;
    }
    Ok(unsettled::save(cx.tx, &it)?)
}

/// Changes to evaluate, read once for many transactions with [`settle_these`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The ids, the next one first.
    pub changes: Vec<String>,
    /// The number behind which the next list begins.
    pub after: i64,
}

/// The unsettled changes that are evaluated next: those behind waiting checks, or else those that are scheduled or under way, or
/// else a hundred of the rest in the order of their numbers, behind the number `after`; 0 begins anew. A list costs a look at
/// every waiting check, and on PostgreSQL a transaction that read all open changes would conflict with every act on one.
///
/// # Errors
/// The store's.
pub fn next(cx: &mut Context<'_, '_>, after: i64) -> Result<List> {
    let mut list = List {
        changes: Vec::new(),
        after,
    };
    let Some(it) = unsettled::state(cx.tx)? else {
        return Ok(list);
    };
    if it.urgent < it.generation {
        list.changes = next_urgent(cx, &it, CHECKS)?;
    }
    if !list.changes.is_empty() {
        return Ok(list);
    }
    let mark = if it.pass == 0 { 0 } else { it.mark };
    let rest = unsettled::unjudged_after(cx.tx, mark.max(after), it.generation, REST)?;
    list.after = rest.last().map_or(0, |(_, number)| *number);
    list.changes = rest.into_iter().map(|(change, _)| change).collect();
    Ok(list)
}

/// Evaluates those of these changes that are still unsettled, in this transaction.
///
/// # Errors
/// The store's, or the error that prevents the evaluation of a change.
pub fn settle_these(cx: &mut Context<'_, '_>, changes: &[String]) -> Result<Left> {
    let mut unsettled = Vec::with_capacity(changes.len());
    for change in changes {
        if cx.is_unsettled(change)? {
            unsettled.push(change.clone());
        }
    }
    settle_each(cx, &unsettled)?;
    Ok(Left::More)
}

/// The changes that are evaluated first: those behind waiting checks, then those that are scheduled or under way.
fn next_urgent(cx: &mut Context<'_, '_>, it: &Unsettled, most: i64) -> Result<Vec<String>> {
    let count = usize::try_from(most).unwrap_or_default();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut found: Vec<String> = Vec::new();
    for stored in record::find::<GateCheck>(cx.tx, &waiting_checks().limit(CHECKS))? {
        for change in behind(cx, &stored.record)? {
            if found.len() < count && seen.insert(change.clone()) && cx.is_unsettled(&change)? {
                found.push(change);
            }
        }
    }
    if found.is_empty() {
        found = unsettled::begun(cx.tx, it.generation, most)?;
    }
    Ok(found)
}

/// The changes that a waiting check depends on.
fn behind(cx: &mut Context<'_, '_>, check: &GateCheck) -> Result<Vec<String>> {
    let question = question_of(check);
    let asked = question.names();
    let (service, environment) = (question.service.as_str(), question.environment.as_str());
    let rows = gate_view::find(cx.tx, service, environment, asked.artifact, asked.commit)?;
    Ok(rows.into_iter().map(|row| row.change_id).collect())
}
