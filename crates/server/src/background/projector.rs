//! The thread that keeps the projections: tables for figures that follow the log of each tenant from their own position.

use std::collections::HashMap;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::report::project_outcomes::project_outcomes;
use store::audit::log;
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{REST, hold_back, log_fault, pause};
use crate::http::clock::tick;
use crate::http::state::AppState;

/// How often it looks how far the logs are.
const LOOK: Duration = Duration::from_millis(500);
/// The shortest time between two rounds: changes that move often are then computed once.
const PACE: Duration = Duration::from_millis(250);

/// Starts the projector. It ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().wake_thread();
    let mut projector = Projector {
        state: state.clone(),
        seen: HashMap::new(),
    };
    Builder::new().name("projector".to_owned()).spawn(move || {
        let mut longest = LOOK;
        let mut last = tick();
        while pause(&bell, longest) {
            hold_back(last + PACE);
            last = tick();
            longest = if projector.round() { LOOK } else { REST };
        }
    })
}

struct Projector {
    state: AppState,
    /// How far the log of each tenant was when its projection was at its end last.
    seen: HashMap<String, i64>,
}

impl Projector {
    /// Follows each log that has grown; returns whether the store was available.
    fn round(&mut self) -> bool {
        let find = |tx: &mut CrossTx<'_>| Ok(log::sizes(tx)?);
        let executor = self.state.executor();
        let sizes = executor.wait_across(Lane::Worker, "how far the logs are", Mode::Read, find);
        let Some(sizes) = log_fault(sizes, "looking how far the logs are") else {
            return false;
        };
        let mut is_well = true;
        for (tenant, size) in sizes {
            if self.seen.get(&tenant) == Some(&size) {
                continue;
            }
            if self.state.bells().is_stopping() {
                return true;
            }
            match log_fault(project_outcomes(executor, &tenant), "following a log for figures") {
                Some(position) => self.seen.insert(tenant, position),
                None => {
                    is_well = false;
                    self.seen.remove(&tenant)
                }
            };
        }
        is_well
    }
}
