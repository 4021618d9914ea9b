//! The thread that moves the forecasts of pending changes after reviews, and looks for recurring failures. It finds both in
//! reading transactions; acts of their own write in small parts. The thread has no state: results that exist are not written
//! again.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::Context;
use acts::incident::problems::{is_search_due, search_problems};
use acts::risk::move_forecasts::{find_due, keep_moves};
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use store::{Lane, Mode};

use crate::background::rounds::{USUAL, for_each_tenant, has_come};
use crate::background::sequencer::{log_fault, pause};
use crate::http::state::AppState;

/// How often it looks whether the time has come.
const LOOK: Duration = Duration::from_secs(1);
/// How long one look at moves holds.
const BETWEEN_MOVES: SignedDuration = SignedDuration::from_secs(5);
/// How many moves one transaction writes: each may have its change judged again.
const AT_ONCE: usize = 20;
/// Clocks of several servers may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_mins(2);

/// When each of the two is due, and up to when the changes of each tenant were looked at.
#[derive(Default)]
struct Due {
    moves: Option<Timestamp>,
    search: Option<Timestamp>,
    seen: HashMap<String, Timestamp>,
}

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    let mut due = Due::default();
    Builder::new().name("recurrences".to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            look(&state, &mut due, now);
        }
    })
}

fn look(state: &AppState, due: &mut Due, now: Timestamp) {
    let moves = has_come(&mut due.moves, now, BETWEEN_MOVES);
    let search = has_come(&mut due.search, now, USUAL);
    if !moves && !search {
        return;
    }
    for_each_tenant(state, "looking for failures that recur", |tenant| {
        if moves && move_forecasts(state, tenant, due.seen.get(tenant).copied()) {
            let seen = now.checked_sub(SKEW).unwrap_or(now);
            due.seen.insert(tenant.to_owned(), seen);
        }
        if search {
            search_tenant(state, tenant);
        }
    });
}

/// Moves the forecasts of a tenant; returns whether everything that was due is written.
fn move_forecasts(state: &AppState, tenant: &str, since: Option<Timestamp>) -> bool {
    let executor = state.executor();
    let since = since.unwrap_or(Timestamp::MIN);
    let find = move |cx: &mut Context<'_, '_>| find_due(cx, since);
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find);
    let Some(found) = log_fault(found, "looking for forecasts that move") else {
        return false;
    };
    let mut is_whole = true;
    for part in found.chunks(AT_ONCE) {
        let part = Arc::new(part.to_vec());
        let keep = move |cx: &mut Context<'_, '_>| keep_moves(cx, &part);
        let kept = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, keep);
        is_whole &= log_fault(kept, "moving forecasts").is_some();
    }
    if !found.is_empty() {
        state.bells().ring(tenant);
    }
    is_whole
}

fn search_tenant(state: &AppState, tenant: &str) {
    let executor = state.executor();
    let is_due = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, is_search_due);
    if log_fault(is_due, "looking for failures that recur") != Some(true) {
        return;
    }
    let written = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, search_problems);
    if log_fault(written, "proposing problems").is_some() {
        state.bells().ring(tenant);
    }
}
