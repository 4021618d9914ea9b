//! The thread that evaluates the open changes which an act on the directory left unsettled. Its position is in the database, so
//! that any server can continue the work of another.

use std::collections::HashMap;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::Context;
use acts::effects::settle_left::{self, Left, pass_over, settle_some, settle_these};
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use store::change::unsettled;
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{log_fault, pause, times};
use crate::http::state::AppState;

/// How often it looks whether something was left: checks that wait are turned within a second.
const LOOK: Duration = Duration::from_millis(250);
/// How many changes one transaction evaluates: others can write between two transactions.
const BATCH: u8 = 10;
/// How long the thread skips a tenant after a change could not be evaluated.
const LATER: SignedDuration = SignedDuration::from_mins(1);
/// The most batches for one tenant before the next has its turn.
const TURN: usize = 100;

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    Builder::new().name("settler".to_owned()).spawn(move || {
        let mut away: Vec<(String, Timestamp)> = Vec::new();
        // Where the next list of each tenant begins: acts that unsettle all changes again and again would keep it among the first.
        let mut reached: HashMap<String, i64> = HashMap::new();
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            away.retain(|(_, until)| *until > now);
            for tenant in tenants(&state) {
                if state.bells().is_stopping() {
                    return;
                }
                if away.iter().any(|(other, _)| *other == tenant) {
                    continue;
                }
                let after = reached.entry(tenant.clone()).or_default();
                if !settle(&state, &tenant, after) {
                    away.push((tenant, now.saturating_add(LATER).unwrap_or(now)));
                }
            }
        }
    })
}

fn tenants(state: &AppState) -> Vec<String> {
    let find = |tx: &mut CrossTx<'_>| Ok(unsettled::tenants(tx)?);
    let found = state
        .executor()
        .wait_across(Lane::Worker, "whose changes are unsettled", Mode::Read, find);
    log_fault(found, "looking for changes that are unsettled").unwrap_or_default()
}

/// Evaluates the unsettled changes of a tenant behind the number `after`, for one turn; returns whether all of them could be evaluated.
fn settle(state: &AppState, tenant: &str, after: &mut i64) -> bool {
    let mut ahead = Vec::new();
    for _ in 0..TURN {
        if state.bells().is_stopping() {
            return true;
        }
        if ahead.is_empty() {
            (ahead, *after) = next(state, tenant, *after);
        }
        match batch(state, tenant, &mut ahead) {
            Some(Left::More) => {}
            Some(Left::Nothing) => return true,
            Some(Left::Trouble) | None => return false,
        }
    }
    true
}

/// The changes to evaluate, the last of them first, and where the next list begins.
fn next(state: &AppState, tenant: &str, after: i64) -> (Vec<String>, i64) {
    let executor = state.executor();
    let list = |after: i64| {
        let listing = move |cx: &mut Context<'_, '_>| settle_left::next(cx, after);
        let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, listing);
        log_fault(found, "looking for changes to judge again")
    };
    let found = match list(after) {
        // An act may have left changes before that number unsettled anew.
        Some(found) if found.changes.is_empty() && after > 0 => list(0),
        found => found,
    };
    let (mut changes, after) = found.map(|list| (list.changes, list.after)).unwrap_or_default();
    changes.reverse();
    (changes, after)
}

/// One transaction, over the end of the list `ahead` unless it is empty; if it fails, each change gets a transaction of its
/// own, and the failing change is skipped.
fn batch(state: &AppState, tenant: &str, ahead: &mut Vec<String>) -> Option<Left> {
    let mut these = ahead.split_off(ahead.len().saturating_sub(BATCH.into()));
    these.reverse();
    let done = match these.is_empty() {
        true => run(state, tenant, |cx| settle_some(cx, BATCH.into())),
        false => run(state, tenant, move |cx| settle_these(cx, &these)),
    };
    if let Ok(left) = done {
        return Some(left);
    }
    ahead.clear();
    match run(state, tenant, |cx| settle_some(cx, 1)) {
        Ok(left) => Some(left),
        Err(error) => {
            if let Some(times) = times(&format!("{tenant} a change {error}")) {
                tracing::error!(%error, tenant, times, "a change could not be judged again");
            }
            let pass = |cx: &mut Context<'_, '_>| pass_over(cx);
            let executor = state.executor();
            let passed = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, pass);
            log_fault(passed, "going past a change that could not be judged").map(|()| Left::More)
        }
    }
}

fn run<A>(state: &AppState, tenant: &str, act: A) -> acts::Result<Left>
where
    A: Fn(&mut Context<'_, '_>) -> acts::Result<Left> + Send + 'static,
{
    let executor = state.executor();
    let left = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, act)?;
    state.bells().ring(tenant);
    Ok(left)
}
