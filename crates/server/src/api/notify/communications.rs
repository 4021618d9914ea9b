//! Communications: the preview of a plan, the status of a tenant, and feeds. The rest comes from the cards.

use acts::Context;
use acts::notify::find_status::find_status;
use acts::notify::set_communication_plan::preview_communication;
use acts::notify::{make_feed, publish_status};
use model::change::record::Change;
use model::directory::snapshot::{Tenant, Token};
use serde_json::{Value, json};
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Reply, Route};

/// Preview and status.
pub(crate) const ROUTES: &[Route] = &[
    Route::writes("preview_communication", |cx, ask| {
        let preview = preview_communication(cx, ask.place(0), &ask.body)?;
        Ok(Reply::ok(json!(preview)))
    }),
    Route::reads("show_status", |cx, _| {
        let status = find_status(cx)?;
        let directory = cx.visible()?;
        let open = directory.incidents.iter().map(|(_, incident)| incident);
        let open = open.filter(|incident| incident.resolved_at.is_none());
        let incidents: Vec<Value> = open.map(|it| views::incident(it, &directory)).collect();
        Ok(Reply::ok(json!({
            "current": status.current.iter().map(change).collect::<Vec<_>>(),
            "coming": status.coming.iter().map(change).collect::<Vec<_>>(),
            "incidents": incidents,
        })))
    }),
    Route::writes("publish_status", |cx, ask| {
        let tenant = publish_status::publish_status(cx, &ask.body)?;
        list_reply(cx, &tenant)
    })
    .scope(Scope::Admin),
    Route::writes("close_status", |cx, ask| {
        let tenant = publish_status::close_status(cx, &ask.body)?;
        list_reply(cx, &tenant)
    })
    .scope(Scope::Admin),
    Route::reads("list_feeds", |cx, _| {
        let found = make_feed::find_feeds(cx)?;
        Ok(Reply::ok(json!({"feeds": found.iter().map(feed).collect::<Vec<_>>()})))
    }),
    Route::writes("make_feed", |cx, ask| {
        let (token, address) = make_feed::make_feed_of_kind(cx, &ask.body)?;
        let mut made = feed(&token);
        made["address"] = json!(address);
        Ok(Reply::created(made).shown_once(&["address"]))
    }),
];

fn feed(token: &Token) -> Value {
    let kind = match token.scopes.contains(make_feed::STATUS_SCOPE) {
        true => make_feed::STATUS_SCOPE,
        false => make_feed::SCOPE,
    };
    json!({"id": token.id, "kind": kind, "prefix": token.prefix, "created_at": token.created_at})
}

fn list_reply(cx: &mut Context<'_, '_>, tenant: &Tenant) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let mut value = json!({"status_is_public": tenant.status_is_public});
    if let Some(said) = &tenant.status_said {
        value["by"] = json!(directory.login(&said.by));
        value["at"] = json!(said.at);
        value["reason"] = json!(said.reason);
    }
    Ok(Reply::created(value))
}

fn change(change: &Change) -> Value {
    let targets = change.content.targets.iter();
    let services: std::collections::BTreeSet<&str> = targets.map(|target| target.service.as_str()).collect();
    let mut value = json!({
        "key": change.key, "title": change.content.title, "state": change.state, "services": services,
        "is_on_hold": change.hold.is_some(),
    });
    if let Some(plan) = &change.content.disruption {
        value["disruption"] = json!(plan.kind);
    }
    if let Some(start) = change.planned_start {
        value["planned_start"] = json!(start);
    }
    if let Some(end) = change.planned_end {
        value["planned_end"] = json!(end);
    }
    value
}
