//! The times to acknowledge and to decide.

use acts::Room;
use acts::approval::set_sla_table;
use acts::policy::configurations;
use model::core::act;
use serde_json::json;

use crate::api::policy::configuration_views::created;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table of times.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/sla-table", "Shows the times to acknowledge and to decide.", sla_table),
    Route::post(
        "/sla-table",
        "Proposes times to acknowledge and to decide.",
        |room, ask| {
            let made = set_sla_table::propose_sla_table(room, &ask.body)?;
            created(room, &made)
        },
    )
    .scope(Scope::Admin),
];

fn sla_table(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    room.allow(act::actions::READ)?;
    let table = set_sla_table::in_force(room)?;
    let directory = room.directory()?;
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
