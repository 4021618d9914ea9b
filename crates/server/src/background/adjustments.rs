//! The thread that compares the rules of every tenant with ended quarters. Its only state is the adjustments themselves: after
//! a downtime the server finds the missing comparisons at its start.

use std::collections::HashMap;
use std::thread::JoinHandle;

use acts::Context;
use acts::risk::adjust_rules::{find_due, keep_adjustment};
use model::change::change_file::Actor;
use model::risk::risk_adjustment::last_ended;
use store::{Lane, Mode};

use crate::background::rounds::{self, USUAL};
use crate::background::sequencer::log_fault;
use crate::http::state::AppState;

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    // The last ended quarter that was checked for each tenant. No change is closed in an ended quarter any more, so one check
    // suffices.
    let mut done = HashMap::<String, String>::new();
    let name = ("adjustments", "looking for quarters to compare");
    rounds::start(state, name, USUAL, move |state, tenant| {
        let Some(quarter) = last_ended(state.executor().tools().clock.now()) else {
            return;
        };
        while done.get(tenant) != Some(&quarter) {
            match compare(state, tenant) {
                Some(true) => {}
                Some(false) => {
                    done.insert(tenant.to_owned(), quarter.clone());
                }
                None => return,
            }
        }
    })
}

/// Compares the earliest quarter of a tenant that is due. Returns whether another may be due, and nothing on a failure.
fn compare(state: &AppState, tenant: &str) -> Option<bool> {
    let executor = state.executor();
    let find = |cx: &mut Context<'_, '_>| find_due(cx);
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find);
    let Some(drawn) = log_fault(found, "comparing a quarter with its rules")? else {
        return Some(false);
    };
    let keep = move |cx: &mut Context<'_, '_>| keep_adjustment(cx, &drawn);
    let kept = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, keep);
    if log_fault(kept, "writing a quarterly adjustment")? {
        state.bells().ring(tenant);
    }
    Some(true)
}
