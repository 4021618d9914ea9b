//! The threads for outside attestations of the log: witnesses cosign its checkpoints, and timestamp authorities stamp them.
//! Each kind has a thread of its own, so that a hanging call delays nothing else; a call ends after the timeout of all calls.

use std::thread::JoinHandle;

use acts::Context;
use acts::audit::outside_proofs::ask_witnesses::{Submission, add_cosignatures, find_due_witnesses, resubmit};
use acts::audit::outside_proofs::stamp_log::{StampRequest, find_due_stamps, keep_stamp};
use connect::socket::call::{Answer, Call, Caller};
use jiff::SignedDuration;
use model::change::change_file::Actor;
use proof::note::witness::{read_cosignatures, read_size};
use proof::time_stamp;
use store::{Lane, Mode};

use crate::background::rounds;
use crate::background::sequencer::log_fault;
use crate::http::clock::tick;
use crate::http::state::AppState;

/// How long one look at the witnesses of all tenants holds.
const WITNESSES: SignedDuration = SignedDuration::from_secs(15);
/// How long one look at the timestamp authorities of all tenants is valid. An authority that gave no timestamp is tried again
/// then.
const AUTHORITIES: SignedDuration = SignedDuration::from_secs(30);
/// How many characters of a refusal are noted.
const NOTED: usize = 200;

/// Starts both threads. They end when the notifier dismisses them.
pub(crate) fn start(state: &AppState, caller: &Caller) -> std::io::Result<Vec<JoinHandle<()>>> {
    let (asking, stamping) = (caller.clone(), caller.clone());
    Ok(vec![
        rounds::start(
            state,
            ("witnesses", "asking witnesses for cosignatures"),
            WITNESSES,
            move |state, tenant| {
                submit_to_witnesses(state, &asking, tenant);
            },
        )?,
        rounds::start(
            state,
            ("time-stamps", "asking authorities for time stamps"),
            AUTHORITIES,
            move |state, tenant| {
                request_time_stamps(state, &stamping, tenant);
            },
        )?,
    ])
}

fn submit_to_witnesses(state: &AppState, caller: &Caller, tenant: &str) {
    let due = act(
        state,
        tenant,
        Mode::Read,
        "looking for witnesses to ask",
        find_due_witnesses,
    );
    for asked in due.unwrap_or_default() {
        if state.bells().is_stopping() {
            return;
        }
        if let Err(why) = submit_to_witness(state, caller, tenant, asked.clone()) {
            note(
                state,
                tenant,
                &format!("the witness `{}` gave no cosignature: {why}", asked.name),
            );
        }
    }
}

/// Requests a witness's cosignature; a second time if the witness has seen another size than expected.
fn submit_to_witness(state: &AppState, caller: &Caller, tenant: &str, asked: Submission) -> Result<(), String> {
    let mut asked = asked;
    let mut answer = submit(caller, &asked)?;
    if answer.status == 409 {
        let size = read_size(&answer.body).ok_or("it answered a conflict without a size")?;
        if size == asked.request.old_size {
            return Err(format!("it has seen another log of {size} entries"));
        }
        let witness = asked.witness.clone();
        let again = move |cx: &mut Context<'_, '_>| resubmit(cx, &witness, size);
        let again = act(state, tenant, Mode::Read, "preparing a request to a witness", again).flatten();
        asked = again.ok_or_else(|| format!("it has seen a log of {size} entries, more than this log has"))?;
        answer = submit(caller, &asked)?;
    }
    if answer.status != 200 {
        return Err(refusal(&answer));
    }
    let lines = read_cosignatures(&answer.body).map_err(|why| why.to_string())?;
    let take = move |cx: &mut Context<'_, '_>| add_cosignatures(cx, &asked, &lines);
    let taken = state
        .executor()
        .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, take);
    taken.map(drop).map_err(|why| why.to_string())
}

fn submit(caller: &Caller, asked: &Submission) -> Result<Answer, String> {
    caller.call(&Call {
        method: "POST",
        url: asked.url.clone(),
        headers: vec![("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned())],
        body: asked.request.to_text().into_bytes(),
    })
}

fn request_time_stamps(state: &AppState, caller: &Caller, tenant: &str) {
    let due = act(
        state,
        tenant,
        Mode::Read,
        "looking for time stamps that are due",
        find_due_stamps,
    );
    for asked in due.unwrap_or_default() {
        if state.bells().is_stopping() {
            return;
        }
        let url = asked.url.clone();
        if let Err(why) = stamp(state, caller, tenant, asked) {
            note(
                state,
                tenant,
                &format!("the authority at {url} gave no time stamp: {why}"),
            );
        }
    }
}

fn stamp(state: &AppState, caller: &Caller, tenant: &str, asked: StampRequest) -> Result<(), String> {
    let answer = caller.call(&Call {
        method: "POST",
        url: asked.url.clone(),
        headers: vec![
            ("Content-Type".to_owned(), time_stamp::QUERY.to_owned()),
            ("Accept".to_owned(), time_stamp::REPLY.to_owned()),
        ],
        body: asked.body.clone(),
    })?;
    if answer.status != 200 {
        return Err(refusal(&answer));
    }
    let (token, stamped) = asked.open(&answer.body).map_err(|why| why.to_string())?;
    let keep = move |cx: &mut Context<'_, '_>| keep_stamp(cx, &asked, &token, &stamped);
    let kept = state
        .executor()
        .wait(Lane::Worker, tenant, Actor::system(), Mode::Write, keep);
    kept.map(drop).map_err(|why| why.to_string())
}

/// The text of a refusal in one line.
fn refusal(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let line: String = text.lines().next().unwrap_or_default().chars().take(NOTED).collect();
    format!("it answered {} {line}", answer.status)
}

/// Notes a fault, the same one once a minute.
fn note(state: &AppState, tenant: &str, why: &str) {
    if let Some(times) = state.noted().count(&format!("{tenant} {why}"), tick()) {
        tracing::warn!(tenant, why, times, "the log was not attested");
    }
}

fn act<T: Send + 'static>(
    state: &AppState,
    tenant: &str,
    mode: Mode,
    doing: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> Option<T> {
    log_fault(
        state.executor().wait(Lane::Worker, tenant, Actor::system(), mode, act),
        doing,
    )
}
