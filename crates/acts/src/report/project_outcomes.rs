//! The projection of changes for figures: it follows the log from its own position, and a replay computes every row again. Rows
//! are computed from records and events alone, never from the directory, so that they do not depend on when that happens.

use jiff::Timestamp;
use model::change::change_file::Actor;
use model::change::record::Change;
use model::change::related_records::{Approval, Link};
use model::report::change_outcome::{ChangeOutcome, MOMENT_KINDS};
use store::audit::{event, log};
use store::record::{self, Filter};
use store::report::change_outcome::{self, OutcomeRow};
use store::report::projection;
use store::{Lane, Mode};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::transactions::Transactions;

/// The name of the projection, under which its position is kept. The number is raised with every change to a row's content:
/// every row is then computed again.
pub const NAME: &str = "change_outcome/4";

/// How many events one step reads.
const BATCH: i64 = 500;

/// Follows the log of a tenant to its end; returns the position. Rows are computed in a transaction that reads, so that other
/// writers wait only for the rows to be saved. If two servers follow at once, one of them saves.
///
/// # Errors
/// The store's.
pub fn project_outcomes(executor: &impl Transactions, tenant: &str) -> Result<i64> {
    loop {
        let read = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, next_rows)?;
        let Step { from, to, rows } = read;
        if to <= from {
            return Ok(from);
        }
        let save = move |cx: &mut Context<'_, '_>| {
            if projection::save_position(cx.tx, NAME, from, to)? {
                rows.iter().try_for_each(|row| change_outcome::save(cx.tx, row))?;
            }
            Ok(())
        };
        executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, save)?;
    }
}

/// Removes the projection of a tenant and follows the log from its beginning.
///
/// # Errors
/// The store's.
pub fn rebuild_outcomes(executor: &impl Transactions, tenant: &str) -> Result<i64> {
    let clear = |cx: &mut Context<'_, '_>| Ok(change_outcome::delete_all(cx.tx)?);
    executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, clear)?;
    project_outcomes(executor, tenant)
}

struct Step {
    from: i64,
    to: i64,
    rows: Vec<OutcomeRow>,
}

fn next_rows(cx: &mut Context<'_, '_>) -> Result<Step> {
    let size = log::state(cx.tx)?.map_or(0, |state| state.size);
    let from = projection::position(cx.tx, NAME)?;
    let to = size.min(from + BATCH);
    let mut rows = Vec::new();
    if to > from {
        for id in projection::changes_between(cx.tx, from, to)? {
            if let Some(change) = record::load::<Change>(cx.tx, &id)? {
                rows.push(row_of(cx, &change.record)?);
            }
        }
    }
    Ok(Step { from, to, rows })
}

/// The row that a change should have, from its records and events.
///
/// # Errors
/// The store's.
pub(crate) fn row_of(cx: &mut Context<'_, '_>, change: &Change) -> Result<OutcomeRow> {
    let id = change.id.as_str();
    let of_change = Filter::new().equals("change_id", id).order_by("id");
    let approvals = record::bodies::<Approval>(cx.tx, &of_change)?;
    let links = record::bodies::<Link>(cx.tx, &Filter::new().equals("from_change", id).order_by("id"))?;
    let moments = event::moments_of_subject(cx.tx, ("change", id), MOMENT_KINDS)?;
    let outcome = ChangeOutcome::of(change, &approvals, &links, &moments);
    Ok(OutcomeRow {
        change_id: id.to_owned(),
        version: change.version,
        number: change.number,
        created_at: change.created_at,
        moved_at: moved_at(&outcome),
        ended_at: outcome.ended_at,
        body: serde_json::to_string(&outcome)?,
    })
}

/// The last time that some figure counts a row by.
fn moved_at(row: &ChangeOutcome) -> Timestamp {
    let targets = row.targets.iter().filter_map(|it| it.ended_at);
    let approvals = row.approvals.iter().map(|it| it.met_at);
    let own = [Some(row.created_at), row.ended_at, row.closed_at];
    let all = own.into_iter().flatten().chain(targets).chain(approvals);
    all.max().unwrap_or(row.created_at)
}
