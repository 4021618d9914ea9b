//! Writes the times of repeating freezes and windows anew: before the list runs out, and when the calendar changes by which
//! they count. What changed under a freeze is judged in the same transaction.

use model::directory::snapshot::MaintenanceWindow;
use model::schedule::freeze::Freeze;
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::push_freezes;
use crate::schedule::set_freeze::{settle_touched, take_effect};

/// The tables of what repeats.
pub const FREEZES: &str = "freeze";
/// Of windows.
pub const WINDOWS: &str = "maintenance_window";

/// What has to be expanded again.
///
/// # Errors
/// The store's.
pub(crate) fn run_out(cx: &mut Context<'_, '_>) -> Result<Vec<(&'static str, String)>> {
    let (directory, now) = (cx.directory()?, cx.now);
    let freezes = directory.freezes.iter();
    let freezes = freezes.filter(|it| !it.is_over(now) && it.repeat.runs_out(now));
    let windows = directory.windows.iter();
    let windows = windows.filter(|it| !it.is_over(now) && it.repeat.runs_out(now));
    let freezes = freezes.map(|it| (FREEZES, it.id.0.clone()));
    Ok(freezes.chain(windows.map(|it| (WINDOWS, it.id.0.clone()))).collect())
}

/// Expands again what reads a calendar.
///
/// # Errors
/// The store's.
pub(crate) fn follow_calendar(cx: &mut Context<'_, '_>, key: &str) -> Result<()> {
    let (directory, now) = (cx.directory()?, cx.now);
    for freeze in directory
        .freezes
        .iter()
        .filter(|it| it.repeat.reads(key) && !it.is_over(now))
    {
        expand_freeze(cx, freeze.id.as_str())?;
    }
    for window in directory
        .windows
        .iter()
        .filter(|it| it.repeat.reads(key) && !it.is_over(now))
    {
        expand_window(cx, window.id.as_str())?;
    }
    Ok(())
}

/// Writes the times of a freeze anew. A rule that no longer has any keeps the times that it had.
///
/// # Errors
/// The store's.
pub(crate) fn expand_freeze(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(before) = record::load::<Freeze>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    let (directory, mut after) = (cx.directory()?, before.clone());
    let is_known = after.repeat.expand(before.once(), &directory.calendars, cx.now).is_ok();
    if before.ended || !is_known || after == before {
        return Ok(());
    }
    let count = after.repeat.occurrences.len();
    let data = json!({"occurrences": count, "expanded_until": after.repeat.expanded_until});
    let after = cx.put_estate("freeze.expanded", after, data)?;
    if !after.course.counts() {
        return Ok(());
    }
    settle_touched(cx, &before)?;
    // What was given under a halt that goes on was lawfully given.
    if before.is_on(cx.now) {
        settle_touched(cx, &after)?;
    } else {
        take_effect(cx, &after)?;
    }
    push_freezes::tell_moved(cx, &before, &after)
}

/// Writes the times of a window anew.
///
/// # Errors
/// The store's.
pub(crate) fn expand_window(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(before) = record::load::<MaintenanceWindow>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    let (directory, mut after) = (cx.directory()?, before.clone());
    let is_known = after.repeat.expand(before.once(), &directory.calendars, cx.now).is_ok();
    if before.ended || !is_known || after == before {
        return Ok(());
    }
    let data = json!({"occurrences": after.repeat.occurrences.len(), "expanded_until": after.repeat.expanded_until});
    cx.put_estate("window.expanded", after, data).map(drop)
}
