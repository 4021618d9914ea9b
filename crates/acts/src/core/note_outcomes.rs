//! Keeps the recorded running state in step with the target outcomes that a system reported. The act's first event
//! records these outcomes.

use model::change::change_file::ChangeFile;
use model::core::ids::{ChangeId, RecordId};
use model::gate::running::{Running, is_observed, running_outcome, turn};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::Written;

/// Updates the running state for each target whose outcome differs from before.
///
/// # Errors
/// The store's.
pub(crate) fn note_outcomes(
    cx: &mut Context<'_, '_>,
    written: &mut Written,
    before: Option<&ChangeFile>,
    file: &ChangeFile,
) -> Result<()> {
    let change = &file.change;
    for target in &change.content.targets {
        let Some(outcome) = running_outcome(change, target) else {
            continue;
        };
        let stood = before.map(|before| &before.change);
        let earlier = stood.and_then(|stood| running_outcome(stood, target));
        let was_observed = stood.is_some_and(|stood| is_observed(stood, target));
        // The same build continues to run, with issues or without.
        let is_same =
            earlier == Some(outcome) || earlier.is_some_and(|earlier| earlier.is_success() && outcome.is_success());
        if is_same && was_observed == is_observed(change, target) {
            continue;
        }
        let mut rows = in_place(cx, target.service.as_str(), target.environment.as_str())?;
        rows.extend(
            ended_by(cx, &change.id)?
                .into_iter()
                .filter(|row| row.service == target.service && row.environment == target.environment),
        );
        let id = RecordId(cx.new_id()?);
        for row in turn(change, target, outcome, &rows, cx.now, || id.clone()) {
            cx.put(written, row)?;
        }
    }
    Ok(())
}

fn in_place(cx: &mut Context<'_, '_>, service: &str, environment: &str) -> Result<Vec<Running>> {
    let filter = Filter::new()
        .equals("service", service)
        .equals("environment", environment)
        .equals("active", true)
        .order_by("id");
    found(cx, &filter)
}

fn ended_by(cx: &mut Context<'_, '_>, change: &ChangeId) -> Result<Vec<Running>> {
    found(cx, &Filter::new().equals("ended_by", change.as_str()).order_by("id"))
}

/// The records of this filter.
///
/// # Errors
/// The store's.
pub(crate) fn found(cx: &mut Context<'_, '_>, filter: &Filter) -> Result<Vec<Running>> {
    let rows = record::find::<Running>(cx.tx, filter)?;
    Ok(rows.into_iter().map(|stored| stored.record).collect())
}
