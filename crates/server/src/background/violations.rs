//! The thread that follows the log of every tenant for violations of the control rules, and opens an action item for each.

use std::thread::JoinHandle;

use acts::compliance::follow_violations::follow_violations;
use jiff::SignedDuration;

use crate::background::rounds::{self, Rounds};
use crate::background::sequencer::told;
use crate::http::state::AppState;

/// Its rounds.
const ROUNDS: Rounds = Rounds {
    name: "violations",
    between: SignedDuration::from_mins(10),
};

/// Starts it. It ends when the bells dismiss it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    rounds::start(state, ROUNDS, round)
}

fn round(state: &AppState, tenants: &[String]) {
    let executor = state.executor();
    for tenant in tenants {
        if state.bells().is_stopping() {
            return;
        }
        if told(follow_violations(executor, tenant), "following a log for violations").is_some() {
            state.bells().ring(tenant);
        }
    }
}
