//! Policies: the sets in force and the proposed ones, trying a set, putting it in force.

use acts::Context;
use acts::policy::{
    activate_configuration, propose_configuration, propose_ownership, propose_parameters, try_policies,
};
use model::core::act;
use model::policy::configuration::Configuration;
use model::policy::permission;
use serde_json::{Value, json};
use store::record::Filter;

use crate::api::policy::configuration_views::{brief, created, whole};
use crate::api::shared::records::page;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// Reading, proposing, trying, activating.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_policies", policies),
    Route::writes("propose_policies", |cx, ask| {
        let made = propose_configuration::propose_policies(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
    Route::writes("propose_policy_parameters", |cx, ask| {
        let made = propose_parameters::propose_parameters(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
    Route::asks("try_policies", |cx, ask| {
        let trial = try_policies::try_policies(cx, &ask.body)?;
        Ok(Reply::ok(serde_json::to_value(trial)?))
    })
    .scope(Scope::Admin),
    Route::reads("explain_policies", explain),
    Route::writes("propose_ownership", |cx, ask| {
        let made = propose_ownership::propose_ownership(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
    Route::reads("list_configurations", configurations),
    Route::reads("show_configuration", |cx, ask| {
        cx.allow(act::actions::READ)?;
        let found = acts::policy::configurations::configuration(cx, ask.place(0))?;
        let directory = cx.directory()?;
        Ok(Reply::ok(whole(&found, &directory)).tagged(found.version))
    }),
    Route::writes("activate_configuration", |cx, ask| {
        let made = activate_configuration::activate_configuration(cx, ask.place(0), &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
    Route::writes("withdraw_configuration", |cx, ask| {
        let made = activate_configuration::withdraw_configuration(cx, ask.place(0))?;
        Ok(Reply::ok(brief(&made, &*cx.directory()?)).tagged(made.version))
    })
    .scope(Scope::Admin),
];

fn policies(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let set = cx.policies()?;
    let items = set
        .sources()
        .map(|it| json!({"id": it.id, "file": it.file, "line": it.line, "text": it.text, "reason": it.reason}));
    let directory = cx.directory()?;
    let from = directory.tenant.as_ref().and_then(|tenant| tenant.policies.as_ref());
    Ok(Reply::ok(json!({
        "digest": set.digest(),
        "configuration": from.map(|it| it.id.clone()),
        "policies": items.collect::<Vec<Value>>(),
        "parameters": set.parameters(),
    })))
}

fn explain(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let file = cx.file(ask.place(0))?;
    let (set, directory) = (cx.policies()?, cx.directory()?);
    let facts = permission::present_facts(&file, &directory, &cx.tenant(), cx.now);
    let explained = set.explain(&facts, &permission::target_facts(&file, &directory, cx.now));
    Ok(Reply::ok(serde_json::to_value(explained)?))
}

fn configurations(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let filter = match ask.query("kind") {
        Some(kind) => Filter::new().equals("kind", kind),
        None => Filter::new(),
    };
    page::<Configuration>(cx, ask, filter, brief)
}
