//! The thread that compares the rules of every tenant with the quarter that ended last. The adjustments themselves are its memory:
//! a server that was away finds at its start that the comparison is missing.

use std::collections::HashMap;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::Context;
use acts::risk::adjust_rules::{find_due, keep_adjustment};
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::risk::risk_adjustment::last_ended;
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{pause, told};
use crate::http::state::AppState;

/// How often it looks whether the time has come.
const LOOK: Duration = Duration::from_secs(1);
/// How long one look at all tenants holds.
const BETWEEN: SignedDuration = SignedDuration::from_mins(10);

/// Starts it. It ends when the bells dismiss it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    let mut next = Timestamp::MIN;
    let mut done = HashMap::new();
    Builder::new().name("adjustments".to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            // A clock that was set back keeps nothing waiting for longer than the usual time.
            next = next.min(now.saturating_add(BETWEEN).unwrap_or(now));
            if now >= next {
                look(&state, now, &mut done);
                next = now.saturating_add(BETWEEN).unwrap_or(now);
            }
        }
    })
}

/// Looks at all tenants. `done` has the quarter that each was looked at for last: nothing is closed in a quarter that has ended, so
/// one look at its changes suffices.
fn look(state: &AppState, now: Timestamp, done: &mut HashMap<String, String>) {
    let Some(quarter) = last_ended(now) else {
        return;
    };
    let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
    let executor = state.executor();
    let found = executor.wait_across(Lane::Worker, "whose quarter is to be compared", Mode::Read, find);
    for tenant in told(found, "looking for quarters to compare").unwrap_or_default() {
        if state.bells().is_stopping() {
            return;
        }
        if done.get(&tenant) != Some(&quarter) && compare(state, &tenant) {
            done.insert(tenant, quarter.clone());
        }
    }
}

/// Compares the quarter of a tenant where that is due; answers whether nothing is left to do.
fn compare(state: &AppState, tenant: &str) -> bool {
    let executor = state.executor();
    let find = |cx: &mut Context<'_, '_>| find_due(cx);
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find);
    let drawn = match told(found, "comparing a quarter with its rules") {
        Some(Some(drawn)) => drawn,
        Some(None) => return true,
        None => return false,
    };
    let keep = move |cx: &mut Context<'_, '_>| keep_adjustment(cx, &drawn);
    let kept = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, keep);
    let kept = told(kept, "writing a quarterly adjustment");
    if kept == Some(true) {
        state.bells().ring(tenant);
    }
    kept.is_some()
}
