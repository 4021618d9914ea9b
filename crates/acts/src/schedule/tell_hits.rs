//! Notifies the owners of the changes that a freeze hits, with their next free times, after it was set, announced or moved. A timer
//! does it, a bounded number in one transaction, so that the freeze takes effect at once whatever it hits; an owner reads of each of
//! their changes once. The same timer ends what was asked for of a freeze that nobody announced in time.

use model::schedule::freeze::Freeze;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::find_hits::{self, MOST_OFFERED, set_timer};
use crate::schedule::follow_steps::follow_steps;
use crate::schedule::sign_step::tell_owner;

/// Notifies as many of them as free times are looked for at once, and has the rest notified after them.
///
/// # Errors
/// The store's.
pub(crate) fn tell_hits(cx: &mut Context<'_, '_>, subject: &str) -> Result<()> {
    let (id, from) = match subject.split_once('@') {
        Some((id, from)) => (id, from.parse().unwrap_or(0)),
        None => (subject, 0),
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
    let preview = find_hits::preview_from(cx, &freeze, from)?;
    let round = preview.hits.iter().skip(from).take(MOST_OFFERED);
    for hit in round.filter(|hit| !hit.is_let_through) {
        tell_owner(cx, &freeze, hit)?;
    }
    let next = from + MOST_OFFERED;
    match preview.hits.len() > next {
        true => set_timer(cx, &format!("{id}@{next}"), cx.now),
        false => Ok(()),
    }
}
