//! The thread that watches figures of every tenant for their owners: a lasting rise, and waits above agreed bounds.

use std::sync::Arc;
use std::thread::JoinHandle;

use acts::Context;
use acts::report::watch_figures::{find_due, open_due};
use model::change::change_file::Actor;
use store::{Lane, Mode};

use crate::background::rounds::{self, USUAL};
use crate::background::sequencer::log_fault;
use crate::http::state::AppState;

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let name = ("figure-watch", "looking for figures that alarm");
    rounds::start(state, name, USUAL, watch)
}

/// Looks in a reading transaction; findings are written in another one.
fn watch(state: &AppState, tenant: &str) {
    let executor = state.executor();
    let find = |cx: &mut Context<'_, '_>| find_due(cx);
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find);
    let Some(due) = log_fault(found, "looking for figures that alarm").filter(|due| !due.is_empty()) else {
        return;
    };
    let due = Arc::new(due);
    let keep = move |cx: &mut Context<'_, '_>| open_due(cx, &due);
    let kept = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, keep);
    if log_fault(kept, "opening action items of figures").is_some() {
        state.bells().ring(tenant);
    }
}
