//! The endpoints for auditors and verifiers: the log's files, keys, revocation lists, proofs and bundles.

use std::collections::BTreeMap;

use acts::Context;
use acts::audit::find_log::{LogFilter, LogPage, search_log};
use acts::audit::find_timeline::ShownEvent;
use acts::audit::{attest_change, export_bundle, prove_event, show_event, sign_revocations};
use acts::compliance::forensic_timeline::{Wanted, find_forensic};
use acts::core::signing_keys;
use acts::report::name_record::name_record;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use model::change::change_file::Actor;
use model::core::act;
use model::core::refusal::{FieldError, Refusal};
use proof::note::KeyKind;
use serde_json::json;
use store::audit::{keys, log};
use store::gate::revocation;
use store::{Lane, Mode, SYSTEM_TENANT};

use crate::api::change::evidence_file;
use crate::http::address::BASE;
use crate::http::attempts;
use crate::http::authenticate::caller_of;
use crate::http::caller::{Caller, Scope};
use crate::http::failure::Failure;
use crate::http::handler::get;
use crate::http::route::{Ask, Places, Reply, Route, see_change_as};
use crate::http::state::AppState;

/// Single events: their content, and their proofs.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_log", list).scope(Scope::Audit),
    Route::reads("list_forensic_timeline", forensic).scope(Scope::Audit),
    Route::reads("show_event", show).scope(Scope::Audit),
    Route::reads("prove_event", prove).scope(Scope::Audit),
    Route::reads("list_attestations", attestations),
];

/// Files of the log, keys, lists and bundles: they are no JSON, or need no credential.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route(&format!("{BASE}/changes/{{key}}/bundle"), get(bundle))
        .route("/t/{tenant}/log/key", get(key))
        .route("/t/{tenant}/log/key.pem", get(key_in_pem))
        .route("/t/{tenant}/log/{*path}", get(file))
        .route("/t/{tenant}/.well-known/jwks.json", get(jwks))
        .route("/t/{tenant}/.well-known/assent-revocations", get(revocations))
}

fn list(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let mut wrong = Vec::new();
    let filter = filter(ask, &mut wrong)?;
    let before = noted(&mut wrong, place_in_log(ask))?;
    let limit = noted(&mut wrong, ask.limit())?;
    let page = noted(&mut wrong, search_log(cx, &filter, before, limit))?;
    reply_with(cx, ask, wrong, &page)
}

/// The timeline of a person, record, address, session, token or incident.
fn forensic(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let mut wrong = Vec::new();
    let wanted = Wanted {
        filter: filter(ask, &mut wrong)?,
        incident: ask.query("incident").map(str::to_owned),
    };
    let before = noted(&mut wrong, place_in_log(ask))?;
    let limit = noted(&mut wrong, ask.limit())?;
    let page = noted(&mut wrong, find_forensic(cx, &wanted, before, limit))?;
    reply_with(cx, ask, wrong, &page)
}

fn filter(ask: &Ask, wrong: &mut Vec<FieldError>) -> acts::Result<LogFilter> {
    let word = |name: &str| ask.query(name).map(str::to_owned);
    Ok(LogFilter {
        kind: word("kind"),
        actor: word("actor"),
        about: word("about"),
        from: noted(wrong, moment(ask, "from"))?,
        to: noted(wrong, moment(ask, "to"))?,
        address: word("address"),
        session: word("session"),
        token: word("token"),
    })
}

fn reply_with(cx: &mut Context<'_, '_>, ask: &Ask, wrong: Vec<FieldError>, page: &LogPage) -> acts::Result<Reply> {
    if !wrong.is_empty() {
        return Err(Refusal::Invalid(wrong).into());
    }
    let subjects = subjects(cx, &page.entries)?;
    let directory = cx.directory()?;
    let item = |told: &ShownEvent| {
        json!({
            "id": told.id,
            "index": told.index,
            "kind": told.kind,
            "actor": directory.login(&told.actor),
            "occurred_at": told.at.to_string(),
            "recorded_at": told.recorded_at.to_string(),
            "subject": subjects.get(&(told.table.as_str(), told.subject.as_str())),
            "data": told.data,
        })
    };
    let items = page.entries.iter().map(item).collect();
    Ok(ask.page(items, page.next.map(|next| next.to_string())))
}

/// Collects the errors of a request, so that all of them are reported at once.
fn noted<T: Default>(wrong: &mut Vec<FieldError>, found: acts::Result<T>) -> acts::Result<T> {
    match found {
        Err(acts::Error::Refused(Refusal::Invalid(errors))) => {
            wrong.extend(errors);
            Ok(T::default())
        }
        other => other,
    }
}

fn place_in_log(ask: &Ask) -> acts::Result<Option<i64>> {
    let Some(text) = ask.query("after") else {
        return Ok(None);
    };
    let place = text.parse().map_err(|_| {
        let text = "`after` must be a log index: a whole number.";
        Refusal::field("after", "not_a_number", text)
    })?;
    Ok(Some(place))
}

/// The subjects of entries, each looked up once: its table and id, its name for people, and the key of its change.
fn subjects<'a>(
    cx: &mut Context<'_, '_>,
    entries: &'a [ShownEvent],
) -> acts::Result<BTreeMap<(&'a str, &'a str), serde_json::Value>> {
    let mut found = BTreeMap::new();
    for told in entries {
        let place = (told.table.as_str(), told.subject.as_str());
        if found.contains_key(&place) {
            continue;
        }
        let called = name_record(cx, place.0, place.1)?;
        let mut subject = json!({"table": place.0, "id": place.1});
        for (field, value) in [("name", called.name), ("change", called.change)] {
            if let Some(value) = value {
                subject[field] = json!(value);
            }
        }
        found.insert(place, subject);
    }
    Ok(found)
}

fn moment(ask: &Ask, name: &str) -> acts::Result<Option<Timestamp>> {
    let Some(text) = ask.query(name) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(at) => Ok(Some(at)),
        Err(_) => {
            let said = format!("`{text}` is no time, such as 2026-11-21T22:00:00Z.");
            Err(Refusal::field(name, "not_a_time", said).into())
        }
    }
}

fn show(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = show_event::show_event(cx, ask.place(0))?;
    Ok(Reply::ok(serde_json::to_value(found)?))
}

fn prove(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::AUDIT)?;
    let proof = prove_event::prove_event(cx, ask.place(0))?;
    Ok(Reply::ok(json!({
        "index": proof.index,
        "leaf": proof.leaf,
        "checkpoint": proof.checkpoint,
        "inclusion": proof.inclusion,
    })))
}

fn attestations(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = attest_change::attest_change(cx, ask.place(0))?;
    let left_out = |it: &attest_change::LeftOut| json!({"what": it.what, "code": it.code});
    Ok(Reply::ok(json!({
        "envelopes": found.envelopes,
        "left_out": found.left_out.iter().map(left_out).collect::<Vec<_>>(),
    })))
}

async fn bundle(State(state): State<AppState>, caller: Caller, mut places: Places) -> Result<Response, Failure> {
    let key = places.take(0);
    let asking = caller.clone();
    let name = format!(
        "attachment; filename=\"{}.zip\"",
        key.to_uppercase()
            .replace(|c: char| !c.is_ascii_alphanumeric() && c != '-', "")
    );
    let act = move |cx: &mut Context<'_, '_>| {
        see_change_as(cx, &asking, &key, Scope::Audit)?;
        cx.allow(act::actions::AUDIT)?;
        export_bundle::export_bundle(cx, &key)
    };
    let export = state.act(Lane::Worker, &caller, Mode::Read, act).await?;
    attempts::note_scope_use(&state, &caller, Scope::Audit);
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, export.bytes.to_string()),
    ];
    let body = evidence_file::body_of_bundle(&state, &caller, export);
    Ok((StatusCode::OK, headers, body).into_response())
}

fn absent() -> Failure {
    Failure::from(acts::Error::from(Refusal::not_found("log")))
}

/// Reads a tenant without a credential. An invalid tenant name gets the same response as an unknown one.
async fn open_to_all<T: Send + 'static>(
    state: &AppState,
    tenant: &str,
    mode: Mode,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    if store::check_tenant(tenant).is_err() {
        return Err(absent());
    }
    state.act_as(Lane::Pages, tenant, Actor::system(), mode, act).await
}

async fn key(State(state): State<AppState>, mut places: Places) -> Result<Response, Failure> {
    let tenant = places.take(0);
    let keys = open_to_all(&state, &tenant, Mode::Read, signing_keys::verifier_keys).await?;
    if keys.0.is_empty() {
        return Err(absent());
    }
    Ok(text(keys.to_text()))
}

/// The keys that sign checkpoints and attestations, as other tools read them.
async fn key_in_pem(State(state): State<AppState>, mut places: Places) -> Result<Response, Failure> {
    let tenant = places.take(0);
    let keys = open_to_all(&state, &tenant, Mode::Read, signing_keys::verifier_keys).await?;
    let of_log = keys.0.iter().filter(|key| key.kind() == KeyKind::Ed25519);
    let pems: String = of_log.map(|key| proof::dsse::public_pem(key.public())).collect();
    match pems.is_empty() {
        true => Err(absent()),
        false => Ok(text(pems)),
    }
}

fn text(text: String) -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        text,
    )
        .into_response()
}

async fn file(
    State(state): State<AppState>,
    mut places: Places,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (tenant, path) = (places.take(0), places.take(1));
    check_reader(&state, &tenant, &method, &headers).await?;
    let name = path.clone();
    let found = open_to_all(&state, &tenant, Mode::Read, move |cx| {
        if log::state(cx.tx)?.is_none() {
            return Ok(None);
        }
        prove_event::tile(cx, &name)
    });
    let bytes = found.await?.ok_or_else(absent)?;
    if path == "checkpoint" || path == "time-stamps" {
        return Ok(text(String::from_utf8(bytes).unwrap_or_default()));
    }
    // A tile's path never changes its content.
    let cache = "private, max-age=31536000, immutable";
    Ok((
        [
            (header::CONTENT_TYPE, "application/octet-stream"),
            (header::CACHE_CONTROL, cache),
        ],
        bytes,
    )
        .into_response())
}

/// The log is read with the audit scope by the tenant's own auditors, or by anyone where the tenant chose so. The
/// system's log is read by any tenant's auditors.
async fn check_reader(state: &AppState, tenant: &str, method: &Method, headers: &HeaderMap) -> Result<(), Failure> {
    if tenant != SYSTEM_TENANT {
        let is_public =
            |cx: &mut Context<'_, '_>| Ok(cx.directory()?.tenant.as_ref().is_some_and(|it| it.log_is_public));
        if open_to_all(state, tenant, Mode::Read, is_public).await? {
            return Ok(());
        }
    }
    let caller = caller_of(state, method, headers).await?;
    if caller.tenant != tenant && tenant != SYSTEM_TENANT {
        return Err(absent());
    }
    let scope = caller.clone();
    let check = move |cx: &mut Context<'_, '_>| {
        scope.check_scope(Scope::Audit)?;
        cx.allow(act::actions::AUDIT)
    };
    state.act(Lane::Pages, &caller, Mode::Read, check).await?;
    attempts::note_scope_use(state, &caller, Scope::Audit);
    Ok(())
}

async fn jwks(State(state): State<AppState>, mut places: Places) -> Result<Response, Failure> {
    let tenant = places.take(0);
    let jwks = open_to_all(&state, &tenant, Mode::Read, signing_keys::jwks).await?;
    if jwks.keys.is_empty() {
        return Err(absent());
    }
    let body = jwks.to_json().to_string();
    Ok((
        [
            (header::CONTENT_TYPE, "application/jwk-set+json"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        body,
    )
        .into_response())
}

async fn revocations(State(state): State<AppState>, mut places: Places) -> Result<Response, Failure> {
    let tenant = places.take(0);
    let ready = open_to_all(&state, &tenant, Mode::Read, |cx| {
        if keys::list(cx.tx, signing_keys::PERMIT)?.is_empty() {
            return Err(Refusal::not_found("revocation list").into());
        }
        let kept = revocation::state(cx.tx)?;
        let age = cx.now.as_second() - kept.signed_at.as_second();
        let is_fresh = (0..sign_revocations::RENEWED_AFTER_SECONDS).contains(&age);
        Ok((is_fresh && kept.signed_epoch == kept.epoch && !kept.signed.is_empty()).then_some(kept.signed))
    });
    let signed = match ready.await? {
        Some(signed) => signed,
        None => open_to_all(&state, &tenant, Mode::Write, sign_revocations::sign_revocations).await?,
    };
    Ok((
        [
            (header::CONTENT_TYPE, "application/jose"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        signed,
    )
        .into_response())
}
