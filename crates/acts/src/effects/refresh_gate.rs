//! Rewrites the gate's rows of a saved change, and evaluates the checks that wait for them.

use model::change::related_records::GateCheck;
use model::core::ids::RecordId;
use model::gate::answer::{GateRow, rows};
use store::gate::gate_view;
use store::record;

use crate::case::commit_equivalence::commits_behind;
use crate::core::context::{Context, Saved};
use crate::core::error::Result;
use crate::gate::answer::{judge_check, waiting_checks};

/// Rewrites the gate's rows of a change and evaluates the checks that wait for them.
///
/// # Errors
/// The store's.
pub(crate) fn refresh_gate(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let file = &saved.after;
    let directory = cx.directory()?;
    let fresh = rows(file, &directory, cx.now);
    let mut stored: Vec<gate_view::GateRow> = fresh.iter().map(to_stored).collect::<Result<_>>()?;
    // Sorted by place, which is the order of the ids as texts.
    stored.sort_by(|one, other| one.place().cmp(&other.place()));
    let known = match saved.before {
        Some(_) => gate_view::of_change(cx.tx, file.change.id.as_str())?,
        // A new change has no rows yet.
        None => Vec::new(),
    };
    if known == stored {
        return Ok(());
    }
    gate_view::save(cx.tx, file.change.id.as_str(), &known, &stored)?;
    rejudge(cx, &gate_view::differing(&known, &stored))
}

/// From this number of rows on, one query first finds whether any check waits. Fewer rows are queried one by one, so
/// that on PostgreSQL an act conflicts with no check of another place.
const MANY: usize = 16;

fn to_stored(row: &GateRow) -> Result<gate_view::GateRow> {
    Ok(gate_view::GateRow {
        change_id: row.change.0.clone(),
        target_id: row.target.0.clone(),
        purpose: row.purpose.to_string(),
        service: row.service.0.clone(),
        environment: row.environment.0.clone(),
        artifact: row.artifact.clone(),
        commit: row.commit.clone(),
        body: serde_json::to_string(row)?,
    })
}

/// Evaluates every waiting check again that one of these rows may decide.
fn rejudge(cx: &mut Context<'_, '_>, touched: &[gate_view::GateRow]) -> Result<()> {
    if touched.len() >= MANY && record::count::<GateCheck>(cx.tx, &waiting_checks())? == 0 {
        return Ok(());
    }
    let mut seen: Vec<RecordId> = Vec::new();
    let mut named: Vec<(&gate_view::GateRow, &str, String)> = Vec::new();
    for row in touched {
        named.extend(row.artifact.clone().map(|it| (row, "artifact", it)));
        let Some(commit) = row.commit.clone() else { continue };
        for kin in commits_behind(cx, None, Some(&commit))? {
            named.push((row, "commit_sha", kin));
        }
        named.push((row, "commit_sha", commit));
    }
    for (row, column, value) in named {
        {
            let filter = waiting_checks()
                .equals("service", row.service.as_str())
                .equals("environment", row.environment.as_str())
                .equals(column, value.as_str());
            for stored in record::find::<GateCheck>(cx.tx, &filter)? {
                if !seen.contains(&stored.record.id) {
                    seen.push(stored.record.id.clone());
                    judge_check(cx, stored.record)?;
                }
            }
        }
    }
    Ok(())
}
