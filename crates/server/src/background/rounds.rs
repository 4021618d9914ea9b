//! The rounds that threads make over all tenants.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{log_fault, pause};
use crate::http::state::AppState;

/// How often a thread looks whether its time has come.
const LOOK: Duration = Duration::from_secs(1);
/// The default time between two rounds.
pub(crate) const USUAL: SignedDuration = SignedDuration::from_mins(10);

/// Starts a thread that visits every tenant at the interval `between`, the first time at once. It ends when the notifier
/// dismisses it. `name` is the thread's name, and `why` describes its purpose in the log.
pub(crate) fn start(
    state: &AppState,
    (name, why): (&'static str, &'static str),
    between: SignedDuration,
    mut visit: impl FnMut(&AppState, &str) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    start_whole(state, name, between, move |state| {
        for_each_tenant(state, why, |tenant| visit(state, tenant));
    })
}

/// The same for a round that is more than one visit of each tenant.
pub(crate) fn start_whole(
    state: &AppState,
    name: &'static str,
    between: SignedDuration,
    mut round: impl FnMut(&AppState) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    let mut next = None;
    Builder::new().name(name.to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            if has_come(&mut next, now, between) {
                round(&state);
            }
        }
    })
}

/// Whether the time has come; then it is set to the next. A clock that was set back keeps nothing waiting for longer than usual.
pub(crate) fn has_come(next: &mut Option<Timestamp>, now: Timestamp, between: SignedDuration) -> bool {
    let later = now.saturating_add(between).unwrap_or(now);
    if next.is_some_and(|next| now < next && next <= later) {
        return false;
    }
    *next = Some(later);
    true
}

/// Visits every tenant, until the server stops.
pub(crate) fn for_each_tenant(state: &AppState, why: &'static str, mut visit: impl FnMut(&str)) {
    let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
    let found = state.executor().wait_across(Lane::Worker, why, Mode::Read, find);
    for tenant in log_fault(found, why).unwrap_or_default() {
        if state.bells().is_stopping() {
            return;
        }
        visit(&tenant);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_clock_that_was_set_back_keeps_nothing_waiting_for_longer_than_usual() {
        let start: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
        let mut next = None;
        assert!(has_come(&mut next, start, USUAL));
        assert!(!has_come(&mut next, start + SignedDuration::from_mins(9), USUAL));
        assert!(has_come(&mut next, start + SignedDuration::from_mins(10), USUAL));
        assert!(has_come(&mut next, start - SignedDuration::from_hours(5), USUAL));
        assert!(!has_come(&mut next, start - SignedDuration::from_hours(5), USUAL));
    }
}
