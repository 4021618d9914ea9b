//! The comparison of runs with approvals, the dry run of the retention, and erasures of people's data.

use acts::Context;
use acts::compliance::erase_person;
use acts::compliance::lift_hold;
use acts::compliance::preview_retention::{Tried, preview_retention};
use acts::compliance::reconcile_runs::{Wanted, reconcile_runs};
use model::core::refusal::Refusal;
use serde::Serialize;
use wire::views;

use crate::api::compliance::control_reports::size_of;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The reconciliation and the dry run.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_reconciliation", reconciliation).scope(Scope::Audit),
    Route::reads("preview_retention", preview).scope(Scope::Audit),
    Route::writes("lift_hold_order", |cx, ask| {
        let lifted = lift_hold::lift_hold_order(cx, ask.place(0), &ask.body)?;
        Ok(Reply::created(views::shown(&lifted, &*cx.directory()?)))
    })
    .scope(Scope::Admin),
    Route::writes("confirm_person_erasure", |cx, ask| {
        let done = erase_person::confirm_person_erasure(cx, ask.place(0))?;
        Ok(Reply::created(views::shown(&done, &*cx.directory()?)))
    })
    .scope(Scope::Admin),
];

fn reconciliation(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let [from, to] = ask.query_span("from", "to")?;
    let size = ask.query("size").map(size_of).transpose()?;
    let service = ask.query("service").map(str::to_owned);
    let wanted = Wanted {
        from,
        to,
        size,
        service,
    };
    answer(&reconcile_runs(cx, &wanted)?)
}

fn preview(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let days = |name: &'static str| ask.query(name).map(|text| days_of(name, text)).transpose();
    let tried = Tried {
        changes_days: days("changes_days")?,
        deliveries_days: days("deliveries_days")?,
    };
    answer(&preview_retention(cx, tried)?)
}

fn days_of(name: &'static str, text: &str) -> Result<i64, Refusal> {
    text.parse().map_err(|_| {
        let why = format!("`{name}` is a number of days, such as 400.");
        Refusal::field(name, "not_a_number", why)
    })
}

fn answer(found: &impl Serialize) -> acts::Result<Reply> {
    let body = serde_json::to_value(found).map_err(|error| acts::Error::Fault(error.to_string()))?;
    Ok(Reply::ok(body))
}
