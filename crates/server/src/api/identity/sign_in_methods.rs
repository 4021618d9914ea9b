//! The means of signing in for people and jobs: sessions, second factors, workloads and identity providers.

use acts::Context;
use acts::core::providers;
use acts::directory::set_person;
use acts::guard::session_end;
use acts::identity::{set_identity_provider, set_second_factor as factors, set_workload as workloads};
use model::core::act;
use model::core::refusal::Refusal;
use model::identity::provider;
use model::integration::workload;
use serde_json::{Value, json};
use store::identity::second_factor::SecondFactor;
use store::identity::session::{self, Session};
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_sessions", |cx, ask| {
        let person = cx.actor.person.clone();
        listed(cx, ask, person.as_str())
    }),
    Route::writes("end_own_session", |cx, ask| {
        let person = cx.actor.person.clone();
        let ended = session::delete_by_id(cx.tx, person.as_str(), ask.place(0))?;
        if ended.is_empty() {
            return Err(Refusal::not_found("session").into());
        }
        session_end::note_ended(cx, &ended)?;
        Ok(Reply::ok(json!({"ended": true})))
    }),
    Route::reads("list_sessions_of", |cx, ask| {
        let person = someone(cx, ask)?;
        listed(cx, ask, &person)
    })
    .scope(Scope::Admin),
    Route::writes("end_sessions_of", |cx, ask| {
        let person = someone(cx, ask)?;
        let ended = set_person::end_sessions(cx, &person)?;
        Ok(Reply::ok(json!({"ended": ended})))
    })
    .scope(Scope::Admin),
    Route::reads("list_second_factors", |cx, _| {
        let found = factors::own_factors(cx)?;
        Ok(Reply::ok(factors_view(&found)))
    }),
    Route::writes("begin_totp", |cx, ask| {
        let made = factors::begin_totp(cx, &ask.body)?;
        let body = json!({"id": made.id, "kind": factors::TOTP, "secret": made.secret, "url": made.url});
        Ok(Reply::created(body).shown_once(&["secret", "url"]))
    }),
    Route::writes("confirm_totp", |cx, ask| {
        let code = ask.body.get("code").and_then(Value::as_str).unwrap_or_default();
        let codes = factors::confirm_totp(cx, ask.place(0), code)?;
        let body = json!({"id": ask.place(0), "is_confirmed": true, "recovery_codes": codes});
        Ok(Reply::created(body).shown_once(&["recovery_codes"]))
    }),
    Route::writes("make_recovery_codes", |cx, _| {
        let codes = factors::renew_recovery_codes(cx)?;
        Ok(Reply::created(json!({"recovery_codes": codes})).shown_once(&["recovery_codes"]))
    }),
    Route::writes("remove_second_factor", |cx, ask| {
        factors::remove_factor(cx, ask.place(0))?;
        Ok(Reply::ok(json!({"removed": true})))
    }),
    Route::writes("reset_second_factors", |cx, ask| {
        factors::reset_factors(cx, ask.place(0))?;
        Ok(Reply::ok(json!({"removed": true})))
    })
    .scope(Scope::Admin),
    Route::reads("list_workloads", |cx, ask| {
        cx.allow(act::actions::SET_TOKEN)?;
        let found = workloads::workloads(cx)?;
        let directory = cx.directory()?;
        let items = found.iter().map(|it| views::shown(it, &directory)).collect();
        ask.whole(items)
    })
    .scope(Scope::Admin),
    Route::reads("show_workload", |cx, ask| {
        cx.allow(act::actions::SET_TOKEN)?;
        let found = workloads::workload(cx, ask.place(0))?;
        workload_view(cx, &found)
    })
    .scope(Scope::Admin),
    Route::edits("set_workload", workload_version, |cx, ask| {
        let set = workloads::set_workload(cx, ask.place(0), &ask.body)?;
        workload_view(cx, &set)
    })
    .scope(Scope::Admin),
    Route::writes("end_workload", |cx, ask| {
        let ended = workloads::end_workload(cx, ask.place(0))?;
        workload_view(cx, &ended)
    })
    .scope(Scope::Admin),
    Route::reads("list_identity_providers", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        let found = providers::providers(cx)?;
        let directory = cx.directory()?;
        let items = found.iter().map(|it| views::shown(it, &directory)).collect();
        ask.whole(items)
    })
    .scope(Scope::Admin),
    Route::reads("show_identity_provider", |cx, ask| {
        cx.allow(act::actions::SET_CONNECTION)?;
        let found = providers::provider(cx, ask.place(0))?;
        provider_view(cx, &found)
    })
    .scope(Scope::Admin),
    Route::edits("set_identity_provider", provider_version, |cx, ask| {
        let set = set_identity_provider::set_identity_provider(cx, ask.place(0), &ask.body)?;
        provider_view(cx, &set)
    })
    .scope(Scope::Admin),
    Route::writes("end_identity_provider", |cx, ask| {
        let ended = set_identity_provider::end_identity_provider(cx, ask.place(0))?;
        provider_view(cx, &ended)
    })
    .scope(Scope::Admin),
];

fn workload_view(cx: &mut Context<'_, '_>, found: &workload::Workload) -> acts::Result<Reply> {
    let mut value = views::shown(found, &*cx.directory()?);
    let base = &cx.services.tools().public_url;
    value["trusts_anybody"] = json!(found.trusts_anybody());
    value["token_url"] = json!(format!("{base}/t/{}/token", cx.tenant()));
    Ok(Reply::ok(value).tagged(found.version))
}

fn workload_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    match workloads::workload(cx, ask.place(0)) {
        Ok(found) => Ok(Some(found.version)),
        Err(acts::Error::Refused(Refusal::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

fn provider_view(cx: &mut Context<'_, '_>, found: &provider::IdentityProvider) -> acts::Result<Reply> {
    let mut value = views::shown(found, &*cx.directory()?);
    let base = &cx.services.tools().public_url;
    value["way_back"] = json!(format!("{base}/t/{}/sign-in/{}/callback", cx.tenant(), found.key));
    value["rights_last_days"] = json!(found.rights_last_days);
    Ok(Reply::ok(value).tagged(found.version))
}

fn provider_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    match providers::provider(cx, ask.place(0)) {
        Ok(found) => Ok(Some(found.version)),
        Err(acts::Error::Refused(Refusal::NotFound { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The id of the person whose sessions an administrator requests.
fn someone(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<String> {
    cx.allow(act::actions::SET_PERSON)?;
    let directory = cx.directory()?;
    let login = ask.place(0);
    let found = directory.by_login(login).map(|person| person.id.0.clone());
    found.ok_or_else(|| Refusal::not_found(format!("person {login}")).into())
}

fn listed(cx: &mut Context<'_, '_>, ask: &Ask, person: &str) -> acts::Result<Reply> {
    let found = session::of_person(cx.tx, person, cx.now)?;
    ask.whole(found.iter().map(session_view).collect())
}

fn session_view(it: &Session) -> Value {
    json!({
        "id": it.id, "method": it.method, "factor": it.factor, "is_second_factor": it.is_second_factor, "source": it.source, "agent": it.agent,
        "created_at": it.created_at, "expires_at": it.expires_at, "stepped_up_at": it.stepped_up_at,
    })
}

fn factors_view(found: &[SecondFactor]) -> Value {
    let items: Vec<Value> = found
        .iter()
        .filter(|it| it.kind != factors::RECOVERY)
        .map(|it| {
            json!({
                "id": it.id, "kind": it.kind, "name": it.name, "is_confirmed": it.is_confirmed,
                "created_at": it.created_at, "last_used_at": it.last_used_at,
                "counts_from": it.counts_from.filter(|_| it.is_confirmed),
            })
        })
        .collect();
    let left = found.iter().filter(|it| it.kind == factors::RECOVERY).count();
    json!({"items": items, "next": null, "recovery_codes_left": left})
}
