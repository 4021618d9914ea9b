//! A thread that goes round all tenants again and again: what the rounds of several parts share.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{pause, told};
use crate::http::state::AppState;

/// How often a thread looks whether the time has come.
const LOOK: Duration = Duration::from_secs(1);

/// A kind of round.
#[derive(Clone, Copy)]
pub(crate) struct Rounds {
    /// The name of the thread.
    pub(crate) name: &'static str,
    /// How long one round holds.
    pub(crate) between: SignedDuration,
}

/// Starts a thread that makes rounds over the tenants, until the bells dismiss it.
pub(crate) fn start(
    state: &AppState,
    rounds: Rounds,
    mut round: impl FnMut(&AppState, &[String]) + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    let mut next = Timestamp::MIN;
    Builder::new().name(rounds.name.to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            let later = now.saturating_add(rounds.between).unwrap_or(now);
            // A clock that was set back keeps nothing waiting for longer than the usual time.
            next = next.min(later);
            if now < next {
                continue;
            }
            let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
            let found = state
                .executor()
                .wait_across(Lane::Worker, "whose round it is", Mode::Read, find);
            if let Some(tenants) = told(found, "looking for tenants of a round") {
                round(&state, &tenants);
            }
            next = later;
        }
    })
}
