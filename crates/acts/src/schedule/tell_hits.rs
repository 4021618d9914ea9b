//! Notifies the owners of the changes that a freeze hits, with their next free times, after it was set, announced or moved. A
//! timer does it, a bounded number in one transaction, so that the freeze takes effect at once however much it hits. An owner
//! gets one notice for each of their changes and each time at which the change is hit. The same timer settles the open items of
//! a freeze that was not announced in time. A second one states, when a time of a freeze with a risk bound begins, how many
//! changes that time is expected to let through.

use model::schedule::freeze::Freeze;
use model::schedule::freeze_steps::ThawTime;
use model::schedule::repeat::Occurrence;
use serde_json::json;
use store::record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::schedule::find_hits::{self, Place, TIMES, await_time, expectation, set_timer};
use crate::schedule::follow_steps::follow_steps;
use crate::schedule::sign_step::notify_owner;

/// Notifies as many of them as free times are looked for at once, and has the rest notified after them.
///
/// # Errors
/// The store's.
pub(crate) fn notify_owners(cx: &mut Context<'_, '_>, subject: &str) -> Result<()> {
    let (id, after) = match subject.split_once('@') {
        Some((id, after)) => (id, place_of(after)),
        None => (subject, None),
    };
    let Some(freeze) = record::load::<Freeze>(cx.tx, id)?.map(|stored| stored.record) else {
        return Ok(());
    };
    if subject.split_once('@').is_some_and(|(_, behind)| behind == TIMES) {
        return state_times(cx, freeze);
    }
    if !freeze.course.counts() {
        return follow_steps(cx, &freeze);
    }
    if freeze.is_over(cx.now) {
        return Ok(());
    }
    let (stopped, last) = find_hits::next_stopped(cx, &freeze, after)?;
    for hit in &stopped {
        notify_owner(cx, &freeze, hit)?;
    }
    match last {
        Some((start, number)) => set_timer(cx, &format!("{id}@{start}@{number}"), cx.now),
        None => Ok(()),
    }
}

/// States how many changes the present times of a freeze are expected to let through, each once, and waits for the next one.
fn state_times(cx: &mut Context<'_, '_>, mut freeze: Freeze) -> Result<()> {
    let Some(bound) = freeze
        .course
        .thaw_risk
        .filter(|_| !freeze.ended && freeze.course.counts())
    else {
        return Ok(());
    };
    let now = cx.now;
    let is_new =
        |it: &Occurrence| it.starts_at <= now && now < it.ends_at && freeze.course.thaw_time(it.starts_at).is_none();
    let begun: Vec<Occurrence> = freeze.times().filter(is_new).collect();
    for time in begun {
        let (changes, expected) = expectation(cx, &freeze, time)?;
        let data = json!({"starts_at": time.starts_at, "thaw_changes": changes, "thaw_expected_failures": expected});
        freeze.course.keep_thaw_time(ThawTime {
            starts_at: time.starts_at,
            ends_at: time.ends_at,
            thaw_risk: bound,
            thaw_changes: i64::try_from(changes).unwrap_or(i64::MAX),
            thaw_expected_failures: expected,
        });
        freeze = cx.put_estate("freeze.expected", freeze, data)?;
    }
    await_time(cx, &freeze)
}

/// A position from a timer's subject; an unreadable one starts again, because nobody is notified twice.
fn place_of(text: &str) -> Option<Place> {
    let (start, number) = text.split_once('@')?;
    Some((start.parse().ok()?, number.parse().ok()?))
}
