//! Compares the rows for figures with the changes that they are computed from.

use model::change::record::Change;
use store::audit::log;
use store::report::{change_outcome, projection};

use super::{PAGE, Replay};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::report::project_outcomes::{NAME, row_of};

impl Replay<'_> {
    /// Finds how far the projection has come: later events are not compared. Rows without a change are reported.
    pub(super) fn check_projection(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let size = log::state(cx.tx)?.map_or(0, |state| state.size);
        let position = projection::position(cx.tx, NAME)?;
        if !(0..=size).contains(&position) {
            let what = format!("The projection claims the events up to {position}, but the log ends at {size}.");
            self.find("projection", NAME, Some("position"), what);
        }
        let behind = projection::changes_between(cx.tx, position, size)?;
        self.unprojected.extend(behind);
        self.unprojected.extend(projection::changes_unplaced(cx.tx)?);
        for id in change_outcome::list_orphans(cx.tx, PAGE)? {
            let what = "The row counts a change that there is not.";
            self.find("change_outcome", &id, None, what);
        }
        Ok(())
    }

    /// Compares the row of a change with the one computed from its records and events.
    pub(super) fn outcome(&mut self, cx: &mut Context<'_, '_>, change: &Change) -> Result<()> {
        let id = change.id.as_str();
        if self.unprojected.contains(id) {
            return Ok(());
        }
        let wanted = row_of(cx, change)?;
        let stands = match change_outcome::find(cx.tx, id) {
            // An unreadable row does not match its records.
            Err(store::Error::Corrupt(_)) if !cx.tx.has_failed() => None,
            found => found?,
        };
        if stands.as_ref() != Some(&wanted) {
            let what = format!(
                "The row of {} for figures is not what its records and events give.",
                change.key
            );
            self.find("change_outcome", id, None, what);
        }
        Ok(())
    }
}
