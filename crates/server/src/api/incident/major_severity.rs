//! From which severity on an incident is major.

use acts::Context;
use acts::incident::set_major_severity::propose_major_severity;
use acts::policy::configurations;
use model::core::act;
use model::incident::major;
use serde_json::json;

use crate::api::policy::configuration_views::created;
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The bound.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("show_major_severity", major_severity),
    Route::writes("propose_major_severity", |cx, ask| {
        let made = propose_major_severity(cx, &ask.body)?;
        created(cx, &made)
    })
    .scope(Scope::Admin),
];

fn major_severity(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let bound = major::bound(&directory);
    let tenant = directory.tenant.as_ref();
    let from = tenant.and_then(|tenant| tenant.major_severity_from.as_ref());
    Ok(Reply::ok(json!({
        "digest": configurations::of_major_severity(bound)?,
        "configuration": from.map(|it| it.id.clone()),
        "severity": bound,
    })))
}
