//! The thread that follows the log of every tenant for violations of the control rules, and opens an action item for each.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::compliance::follow_violations::follow_violations;
use jiff::{SignedDuration, Timestamp};
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{pause, told};
use crate::http::state::AppState;

/// How often it looks whether the time has come.
const LOOK: Duration = Duration::from_secs(1);
/// How long one round over all tenants holds.
const BETWEEN: SignedDuration = SignedDuration::from_mins(10);

/// Starts it. It ends when the bells dismiss it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    let mut next = Timestamp::MIN;
    Builder::new().name("violations".to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            // A clock that was set back keeps nothing waiting for longer than the usual time.
            next = next.min(now.saturating_add(BETWEEN).unwrap_or(now));
            if now >= next {
                round(&state);
                next = now.saturating_add(BETWEEN).unwrap_or(now);
            }
        }
    })
}

fn round(state: &AppState) {
    let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
    let executor = state.executor();
    let found = executor.wait_across(Lane::Worker, "whose changes violate rules", Mode::Read, find);
    for tenant in told(found, "looking for violations of control rules").unwrap_or_default() {
        if state.bells().is_stopping() {
            return;
        }
        if told(follow_violations(executor, &tenant), "following a log for violations").is_some() {
            state.bells().ring(&tenant);
        }
    }
}
