//! Who else signs the tenant's log, and whether everybody reads it.

use acts::Context;
use acts::audit::take_cosignature::{last_cosigned, take_cosignature};
use acts::audit::{publish_log, set_witness};
use model::audit::witness::Witness;
use model::core::act::actions::{AUDIT, SET_CONNECTION};
use model::directory::snapshot::{Directory, Tenant};
use serde_json::{Value, json};
use wire::views;

use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// The table.
pub(crate) const ROUTES: &[Route] = &[
    Route::get(
        "/witnesses",
        "Lists the witnesses of the log, with what each cosigned last.",
        witnesses,
    )
    .scope(Scope::Audit),
    Route::post("/witnesses", "Adds a witness of the log.", |cx, ask| {
        let added = set_witness::add_witness(cx, &ask.body)?;
        let directory = cx.directory()?;
        Ok(Reply::created(view(&added, &directory)))
    })
    .scope(Scope::Admin),
    Route::delete("/witnesses/{id}", "Takes no more of a witness.", |cx, ask| {
        let ended = set_witness::end_witness(cx, ask.place(0))?;
        let directory = cx.directory()?;
        Ok(Reply::ok(view(&ended, &directory)))
    })
    .scope(Scope::Admin),
    Route::post(
        "/log/cosignatures",
        "Takes a checkpoint that witnesses cosigned.",
        cosigned,
    )
    .scope(Scope::Audit),
    Route::post("/log/publication", "Opens the log to everybody.", |cx, ask| {
        let tenant = publish_log::publish_log(cx, &ask.body)?;
        said(cx, &tenant)
    })
    .scope(Scope::Admin),
    Route::post("/log/publication/end", "Closes the log again.", |cx, ask| {
        let tenant = publish_log::close_log(cx, &ask.body)?;
        said(cx, &tenant)
    })
    .scope(Scope::Admin),
];

fn witnesses(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    if cx.allow(SET_CONNECTION).is_err() {
        cx.allow(AUDIT)?;
    }
    let last = last_cosigned(cx)?;
    let directory = cx.directory()?;
    let mut items = Vec::new();
    for witness in set_witness::witnesses(cx)? {
        let mut value = view(&witness, &directory);
        if let Some((kept, note)) = last.iter().find(|(kept, _)| kept.witness == witness.id.as_str()) {
            let at = jiff::Timestamp::from_second(kept.time).ok();
            value["cosigned"] = json!({"size": kept.size, "at": at, "checkpoint": note});
        }
        items.push(value);
    }
    ask.whole(items)
}

fn view(witness: &Witness, directory: &Directory) -> Value {
    let mut value = views::shown(witness, directory);
    value["name"] = json!(set_witness::name(witness));
    value
}

fn cosigned(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (size, taken) = take_cosignature(cx, &ask.body)?;
    let names: Vec<&str> = taken.iter().map(|one| one.key.name()).collect();
    Ok(Reply::created(json!({"size": size, "witnesses": names})))
}

fn said(cx: &mut Context<'_, '_>, tenant: &Tenant) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let mut value = json!({"log_is_public": tenant.log_is_public});
    if let Some(said) = &tenant.log_said {
        value["by"] = json!(directory.login(&said.by));
        value["at"] = json!(said.at);
        value["reason"] = json!(said.reason);
    }
    Ok(Reply::created(value))
}
