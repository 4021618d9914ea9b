//! Expands the times of repeating freezes and windows again: before the list runs out, and when their calendar changes. Changes
//! under a freeze are judged in the same transaction when its times moved. Times of a freeze that counts stay as they are when
//! a calendar changes: the new ones are a proposal where they stop less, or more than the business owner agreed to.

use model::directory::snapshot::MaintenanceWindow;
use model::schedule::freeze::{Freeze, FreezeTerms, loosens};
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::set_freeze::{settle_touched, take_effect};
use crate::schedule::sign_step::notify_business_owner;
use crate::schedule::{find_hits, loosen_freeze, push_freezes};

/// The tables of repeating records.
pub const FREEZES: &str = "freeze";
/// Of windows.
pub const WINDOWS: &str = "maintenance_window";

/// The freezes and windows to expand again.
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

/// Expands the freezes and windows of a calendar again.
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
        follow(cx, freeze.id.as_str(), Some(key))?;
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

/// Expands the times of a freeze again. A rule without further times keeps the former ones.
///
/// # Errors
/// The store's.
pub(crate) fn expand_freeze(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    follow(cx, id, None)
}

/// Expands the times of a freeze again, because of a calendar or before its list runs out.
fn follow(cx: &mut Context<'_, '_>, id: &str, calendar: Option<&str>) -> Result<()> {
    let Some(before) = record::load::<Freeze>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    let (directory, mut wanted) = (cx.directory()?, before.clone());
    let is_known = wanted
        .repeat
        .expand(before.once(), &directory.calendars, cx.now)
        .is_ok();
    let is_moved = before.moves_times(&wanted, cx.now);
    // A calendar that is again as it was proposes nothing more.
    if calendar.is_some() && !is_moved && is_by_calendar(&before) {
        wanted.loosening = None;
    }
    if before.ended || !is_known || wanted == before {
        return Ok(());
    }
    if !is_moved {
        return write_times(cx, &before, wanted).map(drop);
    }
    let kept = Freeze {
        repeat: wanted.repeat.keeping(&before.repeat, cx.now),
        ..before.clone()
    };
    let kept = write_times(cx, &before, kept)?;
    match calendar {
        Some(calendar) => propose_times(cx, kept, &wanted, calendar),
        None => Ok(()),
    }
}

fn write_times(cx: &mut Context<'_, '_>, before: &Freeze, after: Freeze) -> Result<Freeze> {
    let count = after.repeat.occurrences.len();
    let data = json!({"occurrences": count, "expanded_until": after.repeat.expanded_until});
    let after = cx.put_estate("freeze.expanded", after, data)?;
    if !after.course.counts() {
        return Ok(after);
    }
    settle_touched(cx, before)?;
    // A permit given under a halt that goes on was given lawfully.
    if before.is_on(cx.now) {
        settle_touched(cx, &after)?;
    } else {
        take_effect(cx, &after)?;
    }
    push_freezes::queue_moved(cx, before, &after)?;
    find_hits::await_time(cx, &after)?;
    if loosens(&after.terms(), &before.terms(), cx.now) {
        find_hits::queue_notices(cx, &after)?;
    }
    Ok(after)
}

/// Proposes the times of a changed calendar. A proposal about anything else stays: a calendar takes back nobody's proposal.
fn propose_times(cx: &mut Context<'_, '_>, freeze: Freeze, wanted: &Freeze, calendar: &str) -> Result<()> {
    if freeze.loosening.is_some() && !is_by_calendar(&freeze) {
        return Ok(());
    }
    let reason = format!("The calendar `{calendar}` changed.");
    let proposed = loosen_freeze::propose(cx, freeze, reason, Some(wanted))?;
    match proposed.widening(cx.now) {
        Some(_) => notify_business_owner(cx, &proposed),
        None => Ok(()),
    }
}

/// Whether the open proposal has other times by the same rule, as a calendar makes it.
fn is_by_calendar(freeze: &Freeze) -> bool {
    let proposed = freeze.loosening.as_ref().and_then(|it| it.terms.as_ref());
    proposed.is_some_and(|terms| {
        let same = FreezeTerms {
            repeat: freeze.repeat.clone(),
            ..terms.clone()
        };
        same == freeze.terms() && terms.repeat.is_same_rule(&freeze.repeat)
    })
}

/// Expands the times of a window again.
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
