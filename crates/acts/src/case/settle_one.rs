//! Evaluates changes by the current directory.

use std::collections::HashMap;

use model::change::change_file::ChangeFile;
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
    let file = cx.file(change)?;
    settle_file(cx, file)
}

/// Evaluates changes in their order, in this transaction. Their files are read at once; after an evaluation that saved another
/// change as well, the rest are read one by one, as each then stands.
///
/// # Errors
/// The store's.
pub(crate) fn settle_each(cx: &mut Context<'_, '_>, changes: &[String]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let files = cx.files_of_ids(changes)?.into_iter();
    let mut files: HashMap<String, ChangeFile> = files.map(|file| (file.change.id.0.clone(), file)).collect();
    for change in changes {
        let saved = cx.saves();
        match files.remove(change) {
            Some(file) => settle_file(cx, file)?,
            None => settle_one(cx, change)?,
        }
        if cx.saves() > saved + 1 {
            files.clear();
        }
    }
    Ok(())
}

/// Leaves a change that has ended meanwhile as it is.
fn settle_file(cx: &mut Context<'_, '_>, before: ChangeFile) -> Result<()> {
    if !before.change.state.is_open() {
        return Ok(());
    }
    let id = before.change.id.clone();
    cx.on_file(Some(before.clone()), before, |case| {
        settle::recompute(case);
        settle::settle(case);
        Ok(())
    })?;
    cx.note_judged(id.as_str())
}
