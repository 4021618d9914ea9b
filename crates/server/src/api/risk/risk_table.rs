//! The risk table.

use acts::Context;
use acts::policy::{configurations, propose_configuration};
use model::core::act;
use serde_json::json;

use crate::api::policy::configuration_views::{created, table_view};
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The risk table.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_risk_table", risk_table),
    Route::writes("propose_risk_table", |cx, ask| {
        let made = propose_configuration::propose_risk_table(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
];

fn risk_table(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let tenant = directory.tenant.as_ref();
    let table = tenant.map(|tenant| tenant.risk_table.clone()).unwrap_or_default();
    let terms = directory.risk_terms();
    let digest = configurations::of_risk_table(&table, &terms)?;
    let from = tenant.and_then(|tenant| tenant.risk_table_from.as_ref());
    Ok(Reply::ok(
        json!({"digest": digest, "configuration": from.map(|it| it.id.clone()), "table": table_view(&table), "terms": terms}),
    ))
}
