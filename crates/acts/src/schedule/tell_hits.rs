//! Notifies the owners of the changes that a freeze hits, with their next free times, after it was set, announced or moved. A timer
//! does it, a bounded number in one transaction, so that the freeze takes effect at once whatever it hits; an owner reads of each of
//! their changes once for each time at which it is hit. The same timer ends what was asked for of a freeze that nobody announced in time.

use model::schedule::freeze::Freeze;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::find_hits::{self, Place, set_timer};
use crate::schedule::follow_steps::follow_steps;
use crate::schedule::sign_step::tell_owner;

/// Notifies as many of them as free times are looked for at once, and has the rest notified after them.
///
/// # Errors
/// The store's.
pub(crate) fn tell_hits(cx: &mut Context<'_, '_>, subject: &str) -> Result<()> {
    let (id, after) = match subject.split_once('@') {
        Some((id, after)) => (id, place_of(after)),
        None => (subject, None),
    };
    let Some(freeze) = record::load::<Freeze>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    if !freeze.course.counts() {
        return follow_steps(cx, &freeze);
    }
    if freeze.is_over(cx.now) {
        return Ok(());
    }
    let (stopped, last) = find_hits::next_stopped(cx, &freeze, after)?;
    for hit in &stopped {
        tell_owner(cx, &freeze, hit)?;
    }
    match last {
        Some((start, number)) => set_timer(cx, &format!("{id}@{start}@{number}"), cx.now),
        None => Ok(()),
    }
}

/// A place as a timer's subject holds it; one that cannot be read begins anew, for nobody is notified twice.
fn place_of(text: &str) -> Option<Place> {
    let (start, number) = text.split_once('@')?;
    Some((start.parse().ok()?, number.parse().ok()?))
}
