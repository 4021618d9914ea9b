//! Retention periods, legal holds and erasures.

use acts::Context;
use acts::compliance::{erase_texts, set_legal_hold, set_retention};
use acts::policy::configurations;
use serde_json::json;

use crate::api::policy::configuration_views::created;
use crate::api::shared::change_replies::{act, moved, plain_act, without_parameters};
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// Retention, legal holds and erasures.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_retention", retention),
    Route::writes("propose_retention", |cx, ask| {
        let made = set_retention::propose_retention(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
    act!("place_legal_hold", set_legal_hold::place_legal_hold),
    act!("end_legal_hold", set_legal_hold::end_legal_hold).scope(Scope::Admin),
    act!("ask_erasure", erase_texts::ask_erasure).scope(Scope::Admin),
    plain_act!("confirm_erasure", erase_texts::confirm_erasure).scope(Scope::Admin),
    plain_act!("withdraw_erasure", erase_texts::withdraw_erasure).scope(Scope::Admin),
];

fn retention(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(model::core::act::actions::READ)?;
    let kept = set_retention::in_force(cx)?;
    let directory = cx.directory()?;
    let from = directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.retention_from.as_ref());
    Ok(Reply::ok(json!({
        "digest": configurations::of_retention(&kept)?,
        "configuration": from.map(|it| it.id.clone()),
        "changes_days": kept.changes_days,
        "deliveries_days": kept.deliveries_days,
        "archive_days": kept.archive_days,
    })))
}
