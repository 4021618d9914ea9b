//! The times to acknowledge and to decide.

use acts::Context;
use acts::approval::set_sla_table;
use acts::policy::configurations;
use model::core::act;
use serde_json::json;

use crate::api::policy::configuration_views::created;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table of times.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_sla_table", sla_table),
    Route::writes("propose_sla_table", |cx, ask| {
        let made = set_sla_table::propose_sla_table(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
];

fn sla_table(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let table = set_sla_table::in_force(cx)?;
    let directory = cx.directory()?;
    let from = directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.sla_table_from.as_ref());
    Ok(Reply::ok(json!({
        "digest": configurations::of_sla_table(&table)?,
        "configuration": from.map(|it| it.id.clone()),
        "table": configurations::sla_view(&table),
    })))
}
