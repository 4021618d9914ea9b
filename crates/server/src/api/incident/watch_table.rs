//! The length of watch windows.

use acts::Context;
use acts::incident::set_watch_table;
use acts::policy::configurations;
use model::core::act;
use serde_json::json;

use crate::api::policy::configuration_views::created;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table of watch windows.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_watch_table", watch_table),
    Route::writes("propose_watch_table", |cx, ask| {
        let made = set_watch_table::propose_watch_table(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
];

fn watch_table(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let table = set_watch_table::in_force(cx)?;
    let directory = cx.directory()?;
    let from = directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.watch_table_from.as_ref());
    Ok(Reply::ok(json!({
        "digest": configurations::of_watch_table(&table)?,
        "configuration": from.map(|it| it.id.clone()),
        "table": table,
    })))
}
