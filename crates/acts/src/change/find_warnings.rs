//! Finds the warnings of a change before its decision: freezes, conflicts, bypassed rules, lowered risk. Every page,
//! letter and response that shows such rows uses this.

use std::collections::BTreeMap;

use model::approval::warning::{self, MOST_WARNINGS, Warning};
use model::change::change_file::ChangeFile;
use model::core::act::actions::READ;
use model::schedule::conflicts::{Found, Planned};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::change_conflicts::{changes_of, find_first_of, find_one_of_each};

/// The rows of a change by its key (`GET /changes/{key}/warnings`).
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_warnings(cx: &mut Context<'_, '_>, key: &str) -> Result<Vec<Warning>> {
    cx.allow(READ)?;
    let file = cx.file(key)?;
    warnings_of(cx, &file)
}

/// The rows of a change that is loaded already, open ones first. Conflicts that the acting person may not see are left
/// out.
///
/// # Errors
/// The store's.
pub fn warnings_of(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<Vec<Warning>> {
    warnings_with(cx, file, |cx, mine| find_first_of(cx, mine, MOST_WARNINGS))
}

/// The same for a row that names the kinds alone: of conflicts one of each kind is looked up.
///
/// # Errors
/// The store's.
pub fn kinds_of(cx: &mut Context<'_, '_>, file: &ChangeFile) -> Result<Vec<Warning>> {
    warnings_with(cx, file, find_one_of_each)
}

fn warnings_with(
    cx: &mut Context<'_, '_>,
    file: &ChangeFile,
    look: fn(&mut Context<'_, '_>, &Planned) -> Result<Vec<Found>>,
) -> Result<Vec<Warning>> {
    let conflicts = match Planned::of(&file.change) {
        Some(mine) => look(cx, &mine)?,
        None => Vec::new(),
    };
    let undone = match Planned::undo_of(&file.change) {
        Some(mine) => look(cx, &mine)?,
        None => Vec::new(),
    };
    let directory = cx.visible()?;
    let mut rows: Vec<Warning> = undone.iter().map(warning::of_undo_conflict).collect();
    rows.extend(warning::of_file(file, &directory, &conflicts, cx.now));
    rows.truncate(MOST_WARNINGS);
    Ok(rows)
}

/// The rows of many changes by their keys, without conflicts and the records around them: the calendar draws conflicts itself.
///
/// # Errors
/// The store's.
pub fn warnings_by_key(cx: &mut Context<'_, '_>, ids: &[&str]) -> Result<BTreeMap<String, Vec<Warning>>> {
    let directory = cx.visible()?;
    let changes = changes_of(cx, ids)?;
    let rows = changes
        .iter()
        .filter(|it| it.state.is_open())
        .map(|it| (it.key.clone(), warning::of_change(it, &directory, cx.now)));
    Ok(rows.filter(|(_, rows)| !rows.is_empty()).collect())
}
