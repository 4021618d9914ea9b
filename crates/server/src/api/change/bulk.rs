//! One act on several changes, `POST /changes/bulk`. With `dry_run` it shows the result for each change beforehand.

use acts::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use model::core::body::Body;
use model::core::parse::{LINE, Reading, TEXT};
use model::core::{act, refusal};
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::change::bulk_acts::{ACTS, BulkResult, MOST, Wish, each, find, look};
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::body::JsonBody;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::post;
use crate::http::route::{Once, Reply, idempotency_key};
use crate::http::state::AppState;

/// The endpoint is in no table, because each row has a transaction of its own.
pub(crate) fn router() -> Router<AppState> {
    Router::new().route(&format!("{BASE}/changes/bulk"), post(answer))
}

/// The requested act.
struct BulkRequest {
    wish: Wish,
    keys: Vec<String>,
    /// The digest that each row names, in the order of the keys.
    digests: Vec<Option<String>>,
}

async fn answer(
    State(state): State<AppState>,
    caller: Caller,
    uri: Uri,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Failure> {
    let key = idempotency_key(&headers)?;
    let scope = caller.clone();
    let may = move |cx: &mut Context<'_, '_>| {
        cx.allow(act::actions::READ)?;
        Ok(scope.check_scope(Scope::Write)?)
    };
    state.act(Lane::Pages, &caller, Mode::Read, may).await?;
    attempts::note_scope_use(&state, &caller, Scope::Write);
    let asked = read(&body.fields).map_err(acts::Error::from)?;
    let once = Once {
        credential: caller.credential_id().to_owned(),
        path: uri.path().to_owned(),
        key: key.filter(|_| !asked.wish.is_trial),
        body_digest: body.digest,
    };
    let once = once.key.is_some().then_some(once);
    if let Some(once) = &once {
        claim(&state, &caller, once).await?;
    }
    let mut picked = look(&state, &caller, Lane::Acts, asked.keys.clone()).await?;
    for (one, digest) in picked.iter_mut().zip(asked.digests) {
        match digest {
            Some(digest) => one.picked.digest = digest,
            // Only a dry run may omit the digest that an approval names.
            None if !asked.wish.is_trial => one.picked.digest.clear(),
            None => {}
        }
    }
    let mut answers = each(&state, &caller, &asked.wish, picked, once.as_ref()).await?;
    let now = look(&state, &caller, Lane::Acts, asked.keys).await?;
    for (answer, now) in answers.iter_mut().zip(now) {
        answer.picked = now.picked;
    }
    Ok(describe(&asked.wish, &answers).into_response())
}

fn read(body: &Body) -> Result<BulkRequest, refusal::Refusal> {
    let mut reading = Reading::new(body, "");
    let name = reading.needed("act", LINE);
    let act = find(&name);
    if act.is_none() && !name.is_empty() {
        let known: Vec<&str> = ACTS.iter().map(|act| act.name).collect();
        reading.wrong("act", "unknown_word", format!("`act` is one of {}.", known.join(", ")));
    }
    let rows = reading
        .objects("changes", |row| {
            (row.needed("key", LINE), row.text("content_digest", LINE))
        })
        .unwrap_or_default();
    if rows.is_empty() || rows.len() > MOST {
        reading.wrong(
            "changes",
            "length",
            format!("`changes` names between 1 and {MOST} changes."),
        );
    }
    let (keys, digests): (Vec<String>, Vec<Option<String>>) = rows.into_iter().unzip();
    if (1..keys.len()).any(|at| keys[..at].contains(&keys[at])) {
        reading.wrong("changes", "not_unique", "`changes` names a change twice.");
    }
    let (comment, reason) = (reading.text("comment", TEXT), reading.text("reason", TEXT));
    let is_trial = reading.boolean("dry_run").unwrap_or(false);
    reading.finish()?;
    // `finish` has refused an act that is not known.
    let act = act.unwrap_or(&ACTS[0]);
    Ok(BulkRequest {
        wish: Wish {
            act,
            words: comment.or(reason).unwrap_or_default(),
            is_trial,
            lane: Lane::Acts,
        },
        keys,
        digests,
    })
}

/// Keeps the key with its body, so that another body under it is refused before anything is done.
async fn claim(state: &AppState, caller: &Caller, once: &Once) -> Result<(), Failure> {
    let once = once.clone();
    let keep = move |cx: &mut Context<'_, '_>| once.run(cx, |_| Ok(Reply::ok(Value::Null))).map(drop);
    state.act(Lane::Acts, caller, Mode::Write, keep).await
}

fn describe(wish: &Wish, answers: &[BulkResult]) -> Reply {
    let word = |answer: &BulkResult| match (&answer.failure, wish.is_trial) {
        (Some(_), _) => "refused",
        (None, true) => "able",
        (None, false) => "done",
    };
    let row = |answer: &BulkResult| {
        let picked = &answer.picked;
        let mut row = json!({"key": picked.key, "result": word(answer)});
        if !picked.state.is_empty() {
            row["title"] = json!(picked.title);
            row["state"] = json!(picked.state);
            row["content_digest"] = json!(picked.digest);
        }
        if let Some(failure) = &answer.failure {
            row["problem"] = json!(failure.problem);
        }
        row
    };
    let count = |wanted: &str| answers.iter().filter(|answer| word(answer) == wanted).count();
    let reply = Reply::ok(json!({
        "act": wish.act.name, "dry_run": wish.is_trial, "able": count("able"), "done": count("done"),
        "refused": count("refused"), "items": answers.iter().map(row).collect::<Vec<_>>(),
    }));
    let mut done = answers.iter().filter(|answer| answer.failure.is_none()).peekable();
    if done.peek().is_some() && done.all(|answer| answer.was_done) {
        return reply.with("idempotent-replayed", "true");
    }
    reply
}
