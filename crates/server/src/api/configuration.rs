//! Policies and the risk table: what is in force, what is proposed, trying it, putting it in force.

use acts::Room;
use model::configuration::Configuration;
use model::directory::Directory;
use model::risk::RiskTable;
use serde_json::{Value, json};
use store::record::Filter;
use wire::views;

use super::around::page;
use crate::caller::Scope;
use crate::route::{Ask, Reply, Route};

/// Reading, proposing, trying, activating.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/policies", "Lists the active policies, with their texts.", policies),
    Route::post("/policies", "Proposes a set of policies.", |room, ask| {
        let made = acts::propose_configuration::propose_policies(room, &ask.body)?;
        created(room, &made)
    })
    .scope(Scope::Admin),
    Route::question(
        "/policies/trial",
        "Judges the last changes under a proposed set; writes nothing.",
        |room, ask| {
            let trial = acts::try_policies::try_policies(room, &ask.body)?;
            Ok(Reply::ok(serde_json::to_value(trial)?))
        },
    )
    .scope(Scope::Admin),
    Route::get(
        "/changes/{key}/policies",
        "Explains which policies ask what of a change.",
        explain,
    ),
    Route::get("/risk-table", "Shows the risk table in force.", risk_table),
    Route::post("/risk-table", "Proposes a risk table.", |room, ask| {
        let made = acts::propose_configuration::propose_risk_table(room, &ask.body)?;
        created(room, &made)
    })
    .scope(Scope::Admin),
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
    Route::get(
        "/retention",
        "Shows for how long texts, files and raw deliveries are kept.",
        retention,
    ),
    Route::post("/retention", "Proposes another retention.", |room, ask| {
        let made = acts::set_retention::propose_retention(room, &ask.body)?;
        created(room, &made)
    })
    .scope(Scope::Admin),
    Route::post(
        "/ownership-proposals",
        "Proposes rows of the ownership matrix, for another person or an approved change to put in force.",
        |room, ask| {
            let made = acts::propose_ownership::propose_ownership(room, &ask.body)?;
            created(room, &made)
        },
    )
    .scope(Scope::Admin),
    Route::get(
        "/configurations",
        "Lists sets of policies and risk tables, proposed, in force and replaced.",
        configurations,
    ),
    Route::get("/configurations/{id}", "Shows one with its content.", |room, ask| {
        room.allow(model::act::actions::READ)?;
        let found = acts::activate_configuration::configuration(room, ask.place(0))?;
        let directory = room.directory()?;
        Ok(Reply::ok(whole(&found, &directory)).tagged(found.version))
    }),
    Route::post(
        "/configurations/{id}/activation",
        "Puts a proposal in force, and judges open changes again.",
        |room, ask| {
            let made = acts::activate_configuration::activate_configuration(room, ask.place(0), &ask.body)?;
            created(room, &made)
        },
    )
    .scope(Scope::Admin),
    Route::delete("/configurations/{id}", "Withdraws a proposal.", |room, ask| {
        let made = acts::activate_configuration::withdraw_configuration(room, ask.place(0))?;
        Ok(Reply::ok(brief(&made, &*room.directory()?)).tagged(made.version))
    })
    .scope(Scope::Admin),
];

fn created(room: &mut Room<'_, '_>, made: &Configuration) -> acts::Result<Reply> {
    let directory = room.directory()?;
    Ok(Reply::created(brief(made, &directory)).tagged(made.version))
}

/// Without the files.
fn brief(row: &Configuration, directory: &Directory) -> Value {
    let mut value = whole(row, directory);
    if let Value::Object(map) = &mut value {
        map.remove("files");
        map.remove("cases");
    }
    value
}

fn whole(row: &Configuration, directory: &Directory) -> Value {
    let mut value = views::shown(row, directory);
    if let Value::Object(map) = &mut value {
        map.remove("text");
    }
    // Views leave digests of secrets out; this one is what approvers decide about.
    value["digest"] = json!(row.digest);
    if let Some(text) = &row.text {
        // Kept apart from the files of policies, which name nobody, and shown as one.
        value["files"] = json!([{"path": acts::propose_ownership::FILE, "content": text}]);
    }
    for (field, person) in [
        ("proposer", Some(&row.proposer)),
        ("activated_by", row.activated_by.as_ref()),
    ] {
        if let Some(person) = person {
            value[field] = json!(directory.login(person));
        }
    }
    if let Some(table) = &row.table {
        value["table"] = table_view(table);
    }
    if let Some(table) = &row.slas {
        value["slas"] = acts::set_sla_table::view(table);
    }
    value
}

fn policies(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let set = room.policies()?;
    let items = set
        .sources()
        .map(|it| json!({"id": it.id, "file": it.file, "line": it.line, "text": it.text, "reason": it.reason}));
    let directory = room.directory()?;
    let from = directory.tenant.as_ref().and_then(|tenant| tenant.policies.as_ref());
    Ok(Reply::ok(json!({
        "digest": set.digest(),
        "configuration": from.map(|it| it.id.clone()),
        "policies": items.collect::<Vec<Value>>(),
    })))
}

fn explain(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let file = room.file(ask.place(0))?;
    let (set, directory) = (room.policies()?, room.directory()?);
    let facts = model::permission::change_facts(&file, &room.tenant());
    let explained = set.explain(&facts, &model::permission::target_facts(&file, &directory, room.now));
    Ok(Reply::ok(serde_json::to_value(explained)?))
}

fn risk_table(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let directory = room.directory()?;
    let tenant = directory.tenant.as_ref();
    let table = tenant.map(|tenant| tenant.risk_table.clone()).unwrap_or_default();
    let digest = acts::propose_configuration::digest_of(&table)?;
    let from = tenant.and_then(|tenant| tenant.risk_table_from.as_ref());
    Ok(Reply::ok(
        json!({"digest": digest, "configuration": from.map(|it| it.id.clone()), "table": table_view(&table)}),
    ))
}

fn sla_table(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let table = acts::set_sla_table::in_force(room)?;
    let directory = room.directory()?;
    let from = directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.sla_table_from.as_ref());
    Ok(Reply::ok(json!({
        "digest": acts::set_sla_table::digest_of(&table)?,
        "configuration": from.map(|it| it.id.clone()),
        "table": acts::set_sla_table::view(&table),
    })))
}

fn retention(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let kept = acts::set_retention::in_force(room)?;
    let directory = room.directory()?;
    let from = directory
        .tenant
        .as_ref()
        .and_then(|tenant| tenant.retention_from.as_ref());
    Ok(Reply::ok(json!({
        "digest": acts::set_retention::digest_of(&kept)?,
        "configuration": from.map(|it| it.id.clone()),
        "changes_days": kept.changes_days,
        "deliveries_days": kept.deliveries_days,
    })))
}

/// Rows are the highest impact, columns the complexity.
fn table_view(table: &RiskTable) -> Value {
    let row = |cells: &[model::words::Level; 3]| json!({"low": cells[0], "medium": cells[1], "high": cells[2]});
    let [none, low, medium, high] = &table.0;
    json!({"none": row(none), "low": row(low), "medium": row(medium), "high": row(high)})
}

fn configurations(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let filter = match ask.query("kind") {
        Some(kind) => Filter::new().equals("kind", kind),
        None => Filter::new(),
    };
    page::<Configuration>(room, ask, filter, brief)
}
