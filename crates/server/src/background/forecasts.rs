//! The thread that fits the model of failure of every tenant when one is due, and how likely candidates led to incidents.

use std::thread::JoinHandle;

use acts::Context;
use acts::incident::fit_causes::{fit_due, is_fit_due};
use acts::risk::fit_model::{gather_material, keep_model};
use model::change::change_file::Actor;
use store::{Lane, Mode};

use crate::background::rounds::{self, USUAL};
use crate::background::sequencer::log_fault;
use crate::http::state::AppState;

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    let name = ("forecasts", "looking for models of failure that are due");
    rounds::start(state, name, USUAL, |state, tenant| {
        fit(state, tenant);
        fit_causes(state, tenant);
    })
}

/// Fits the probability of candidates of incidents where that is due: a look in a reading transaction, then one act.
fn fit_causes(state: &AppState, tenant: &str) {
    let executor = state.executor();
    let is_due = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, is_fit_due);
    if log_fault(is_due, "looking for verdicts on candidates") != Some(true) {
        return;
    }
    let fitted = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, fit_due);
    if log_fault(fitted, "fitting the probability of candidates") == Some(true) {
        state.bells().ring(tenant);
    }
}

fn fit(state: &AppState, tenant: &str) {
    let executor = state.executor();
    let gathered = gather_material(executor, tenant);
    let Some(Some(material)) = log_fault(gathered, "reading outcomes for a model of failure") else {
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
    if log_fault(kept, "writing a model of failure") == Some(true) {
        state.bells().ring(tenant);
    }
}
