//! The times to acknowledge and to decide.

use acts::Room;
use serde_json::json;

use super::configuration_views::created;
use crate::caller::Scope;
use crate::route::{Ask, Reply, Route};

/// The table of times.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/sla-table", "Shows the times to acknowledge and to decide.", sla_table),
    Route::post(
        "/sla-table",
        "Proposes times to acknowledge and to decide.",
        |room, ask| {
            let made = acts::set_sla_table::propose_sla_table(room, &ask.body)?;
            created(room, &made)
        },
    )
    .scope(Scope::Admin),
];

fn sla_table(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let table = acts::set_sla_table::in_force(room)?;
    let directory = room.directory()?;
    let from = directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.sla_table_from.as_ref());
    Ok(Reply::ok(json!({
        "digest": acts::configurations::of_sla_table(&table)?,
        "configuration": from.map(|it| it.id.clone()),
        "table": acts::configurations::sla_view(&table),
    })))
}
