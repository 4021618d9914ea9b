//! Ends the exceptions from freezes that no longer cover a saved change.

use model::change::settle::lapsed;
use model::schedule::freeze::{Freeze, FreezeException};
use serde_json::json;

use crate::core::context::{Context, Saved};
use crate::core::error::Result;

/// Ends the exceptions of a change whose *what* an act edited: the exception was for the earlier content, and a revert
/// of the edit does not restore the exception.
///
/// # Errors
/// The store's.
pub(crate) fn lapse_exceptions(cx: &mut Context<'_, '_>, saved: &Saved) -> Result<()> {
    let change = &saved.after.change;
    let before = saved.before.as_ref().map(|before| &before.change);
    if before.is_none_or(|before| before.digests.what == change.digests.what) {
        return Ok(());
    }
    let directory = cx.directory()?;
    let mut freezes: Vec<Freeze> = lapsed(&directory, change, cx.now)
        .map(|(freeze, _)| freeze.clone())
        .collect();
    freezes.dedup_by(|left, right| left.id == right.id);
    for mut freeze in freezes {
        let is_lapsed = |row: &FreezeException| row.change == change.id && !row.counts_for(change);
        freeze.end_exceptions(is_lapsed, Some(&cx.actor.person), cx.now);
        cx.put_estate("freeze.exception_lapsed", freeze, json!({"change": change.key}))?;
    }
    Ok(())
}
