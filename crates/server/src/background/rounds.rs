//! Threads that look at all tenants again and again. What they did is their memory, so that a server that was away finds at its
//! start what became due meanwhile.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{pause, told};
use crate::http::state::AppState;

/// How often it looks whether the time has come.
const LOOK: Duration = Duration::from_secs(1);

/// Starts a thread that does something for each tenant, with so much time between two rounds. It ends when the bells dismiss it.
pub(crate) fn start(
    state: &AppState,
    name: &'static str,
    between: SignedDuration,
    work: impl Fn(&AppState, &str) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    let mut next = Timestamp::MIN;
    Builder::new().name(name.to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            // A clock that was set back keeps nothing waiting for longer than the usual time.
            next = next.min(now.saturating_add(between).unwrap_or(now));
            if now >= next {
                look(&state, name, &work);
                next = now.saturating_add(between).unwrap_or(now);
            }
        }
    })
}

fn look(state: &AppState, name: &'static str, work: &impl Fn(&AppState, &str)) {
    let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
    let found = state.executor().wait_across(Lane::Worker, name, Mode::Read, find);
    for tenant in told(found, "listing tenants").unwrap_or_default() {
        if state.bells().is_stopping() {
            return;
        }
        work(state, &tenant);
    }
}
