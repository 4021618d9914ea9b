//! The thread that makes scheduled control reports.

use std::thread::JoinHandle;

use acts::Context;
use acts::compliance::make_reports::{find_due_report, keep_made_report};
use jiff::SignedDuration;
use model::change::change_file::Actor;
use proof::crypto;
use store::{Lane, Mode};

use crate::background::rounds;
use crate::background::sequencer::log_fault;
use crate::compliance::file_of;
use crate::http::state::AppState;

/// How long one look at all tenants holds.
const BETWEEN: SignedDuration = SignedDuration::from_mins(1);
/// The most reports of one tenant in a round, so that the others have their turn.
const MOST: usize = 10;

/// Starts the thread. The thread ends when the notifier dismisses it.
pub(crate) fn start(state: &AppState) -> std::io::Result<JoinHandle<()>> {
    rounds::start(
        state,
        ("reports", "looking for control reports that are due"),
        BETWEEN,
        |state, tenant| {
            for _ in 0..MOST {
                if state.bells().is_stopping() || !make(state, tenant) {
                    return;
                }
            }
        },
    )
}

/// Makes the next report of a tenant; returns whether another one may be due.
fn make(state: &AppState, tenant: &str) -> bool {
    let executor = state.executor();
    let find = |cx: &mut Context<'_, '_>| find_due_report(cx);
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, find);
    let Some(Some(due)) = log_fault(found, "computing a scheduled control report") else {
        return false;
    };
    let file = log_fault(
        file_of(&due.report, due.schedule.format),
        "writing a scheduled control report",
    );
    let Some(file) = file else {
        return false;
    };
    let digest = crypto::digest_text(&file);
    let keep = move |cx: &mut Context<'_, '_>| keep_made_report(cx, &due, &digest);
    let kept = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Write, keep);
    let is_kept = log_fault(kept, "noting a scheduled control report") == Some(true);
    if is_kept {
        state.bells().ring(tenant);
    }
    is_kept
}
