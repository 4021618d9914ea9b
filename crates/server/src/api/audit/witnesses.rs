//! Cosignatures of the tenant's log, and whether everybody reads it.

use acts::Context;
use acts::audit::publish_log;
use acts::audit::take_cosignature::take_cosignature;
use model::directory::snapshot::Tenant;
use serde_json::json;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::writes("take_cosignature", cosigned).scope(Scope::Audit),
    Route::writes("publish_log", |cx, ask| {
        let tenant = publish_log::publish_log(cx, &ask.body)?;
        list_reply(cx, &tenant)
    })
    .scope(Scope::Admin),
    Route::writes("close_log", |cx, ask| {
        let tenant = publish_log::close_log(cx, &ask.body)?;
        list_reply(cx, &tenant)
    })
    .scope(Scope::Admin),
];

fn cosigned(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (size, taken) = take_cosignature(cx, &ask.body)?;
    let names: Vec<&str> = taken.iter().map(|one| one.key.name()).collect();
    Ok(Reply::created(json!({"size": size, "witnesses": names})))
}

fn list_reply(cx: &mut Context<'_, '_>, tenant: &Tenant) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let mut value = json!({"log_is_public": tenant.log_is_public});
    if let Some(said) = &tenant.log_said {
        value["by"] = json!(directory.login(&said.by));
        value["at"] = json!(said.at);
        value["reason"] = json!(said.reason);
    }
    Ok(Reply::created(value))
}
