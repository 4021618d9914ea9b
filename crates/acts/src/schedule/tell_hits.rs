//! Notifies the owners of the changes that a freeze hits, with their next free times, after it was set or moved. A timer does it, so
//! that the freeze takes effect at once whatever it hits; an owner reads of each of their changes once.

use model::schedule::freeze::Freeze;
use store::queue::timer::{self, NewTimer};
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::find_hits;
use crate::schedule::sign_step::tell_owner;

/// The table of the timers, whose subject is the id of a freeze.
pub(crate) const TABLE: &str = "freeze_hits";
/// Their kind.
const KIND: &str = "freeze_hits";

/// Has the owners notified. A freeze that stops nothing yet tells them when it is announced.
///
/// # Errors
/// The store's.
pub(crate) fn ask(cx: &mut Context<'_, '_>, freeze: &Freeze) -> Result<()> {
    if freeze.ended || !freeze.course.counts() {
        return Ok(());
    }
    let id = cx.new_id()?;
    let new = NewTimer {
        id: &id,
        subject_table: TABLE,
        subject_id: freeze.id.as_str(),
        kind: KIND,
        run_at: cx.now,
    };
    Ok(timer::set(cx.tx, &new)?)
}

/// Notifies them.
///
/// # Errors
/// The store's.
pub(crate) fn tell_hits(cx: &mut Context<'_, '_>, id: &str) -> Result<()> {
    let Some(freeze) = record::load::<Freeze>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    if !freeze.course.counts() || freeze.is_over(cx.now) {
        return Ok(());
    }
    let preview = find_hits::preview(cx, &freeze)?;
    for hit in preview.hits.iter().filter(|hit| !hit.is_let_through) {
        tell_owner(cx, &freeze, hit)?;
    }
    Ok(())
}
