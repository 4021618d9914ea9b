//! Evaluates one change by the current directory.

use model::change::record::Change;
use model::change::settle;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;

/// Evaluates one change if it is open, in this transaction: the change that an act is about.
///
/// # Errors
/// The store's.
pub(crate) fn settle_own(cx: &mut Context<'_, '_>, change: &Change) -> Result<()> {
    let found = record::load::<Change>(cx.tx, change.id.as_str())?;
    match found.is_some_and(|stored| stored.record.state.is_open()) {
        true => settle_one(cx, change.id.as_str()),
        false => Ok(()),
    }
}

/// Evaluates one change, in this transaction.
///
/// # Errors
/// The store's.
pub(crate) fn settle_one(cx: &mut Context<'_, '_>, change: &str) -> Result<()> {
    let before = cx.file(change)?;
    let id = before.change.id.clone();
    cx.on_file(Some(before.clone()), before, |case| {
        settle::recompute(case);
        settle::settle(case);
        Ok(())
    })?;
    cx.note_judged(id.as_str())
}
