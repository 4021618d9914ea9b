//! The thread that fits the model of failure of every tenant when one is due. The models themselves are its memory: a server
//! that was away finds at its start what became due meanwhile.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use acts::Context;
use acts::risk::fit_model::{find_material, keep_model};
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use store::{CrossTx, Lane, Mode};

use crate::background::sequencer::{pause, told};
use crate::http::state::AppState;

/// How often it looks whether the time has come.
const LOOK: Duration = Duration::from_secs(1);
/// How long one look at all tenants holds.
const BETWEEN: SignedDuration = SignedDuration::from_mins(10);

/// Starts it. It ends when the bells dismiss it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let bell = state.bells().until_dismissed();
    let state = state.clone();
    let mut next = Timestamp::MIN;
    Builder::new().name("forecasts".to_owned()).spawn(move || {
        while pause(&bell, LOOK) {
            let now = state.executor().tools().clock.now();
            // A clock that was set back keeps nothing waiting for longer than the usual time.
            next = next.min(now.saturating_add(BETWEEN).unwrap_or(now));
            if now >= next {
                look(&state);
                next = now.saturating_add(BETWEEN).unwrap_or(now);
            }
        }
    })
}

fn look(state: &AppState) {
    let find = |tx: &mut CrossTx<'_>| Ok(store::servers::tenants(tx)?);
    let executor = state.executor();
    let found = executor.wait_across(Lane::Worker, "whose model of failure is due", Mode::Read, find);
    for tenant in told(found, "looking for models of failure that are due").unwrap_or_default() {
        if state.bells().is_stopping() {
            return;
        }
        fit(state, &tenant);
    }
}

fn fit(state: &AppState, tenant: &str) {
    let executor = state.executor();
    let load = |cx: &mut Context<'_, '_>| find_material(cx);
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, load);
    let Some(Some(material)) = told(found, "reading outcomes for a model of failure") else {
        return;
    };
    let model = material.fit();
    tracing::info!(
        tenant,
        model = model.key,
        outcomes = model.outcomes,
        "a model of failure was fitted"
    );
    let keep = move |cx: &mut Context<'_, '_>| keep_model(cx, &model, &material);
    let kept = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, keep);
    if told(kept, "writing a model of failure") == Some(true) {
        state.bells().ring(tenant);
    }
}
