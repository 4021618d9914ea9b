//! Who else signs the tenant's log, and whether everybody reads it.

use acts::Room;
use acts::audit::publish_log;
use acts::audit::set_witness;
use acts::audit::take_cosignature::{last_cosigned, take_cosignature};
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
    Route::post("/witnesses", "Adds a witness of the log.", |room, ask| {
        let added = set_witness::add_witness(room, &ask.body)?;
        let directory = room.directory()?;
        Ok(Reply::created(view(&added, &directory)))
    })
    .scope(Scope::Admin),
    Route::delete("/witnesses/{id}", "Takes no more of a witness.", |room, ask| {
        let ended = set_witness::end_witness(room, ask.place(0))?;
        let directory = room.directory()?;
        Ok(Reply::ok(view(&ended, &directory)))
    })
    .scope(Scope::Admin),
    Route::post(
        "/log/cosignatures",
        "Takes a checkpoint that witnesses cosigned.",
        cosigned,
    )
    .scope(Scope::Audit),
    Route::post("/log/publication", "Opens the log to everybody.", |room, ask| {
        let tenant = publish_log::publish_log(room, &ask.body)?;
        said(room, &tenant)
    })
    .scope(Scope::Admin),
    Route::post("/log/publication/end", "Closes the log again.", |room, ask| {
        let tenant = publish_log::close_log(room, &ask.body)?;
        said(room, &tenant)
    })
    .scope(Scope::Admin),
];

fn witnesses(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    if room.allow(SET_CONNECTION).is_err() {
        room.allow(AUDIT)?;
    }
    let last = last_cosigned(room)?;
    let directory = room.directory()?;
    let mut items = Vec::new();
    for witness in set_witness::witnesses(room)? {
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

fn cosigned(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (size, taken) = take_cosignature(room, &ask.body)?;
    let names: Vec<&str> = taken.iter().map(|one| one.key.name()).collect();
    Ok(Reply::created(json!({"size": size, "witnesses": names})))
}

fn said(room: &mut Room<'_, '_>, tenant: &Tenant) -> acts::Result<Reply> {
    let directory = room.directory()?;
    let mut value = json!({"log_is_public": tenant.log_is_public});
    if let Some(said) = &tenant.log_said {
        value["by"] = json!(directory.login(&said.by));
        value["at"] = json!(said.at);
        value["reason"] = json!(said.reason);
    }
    Ok(Reply::created(value))
}
