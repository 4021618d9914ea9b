//! The thread that follows the log of every tenant for violations of the control rules, and opens an action item for each.

use std::thread::JoinHandle;

use acts::compliance::follow_violations::follow_violations;

use crate::background::rounds::{self, USUAL};
use crate::background::sequencer::log_fault;
use crate::http::state::AppState;

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let name = ("violations", "looking for violations of control rules");
    rounds::start(state, name, USUAL, |state, tenant| {
        if log_fault(
            follow_violations(state.executor(), tenant),
            "following a log for violations",
        )
        .is_some()
        {
            state.bells().ring(tenant);
        }
    })
}
