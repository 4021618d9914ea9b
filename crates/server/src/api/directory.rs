//! The directory beside the estate: who is away, who speaks for whom, by which calendars clocks run, and the lines of the
//! ownership matrix.

use acts::Room;
use model::absence::{Absence, Delegation};
use model::basis::Holder;
use model::directory::{Directory, Person};
use model::holders::Line;
use model::ids::{EnvironmentKey, ServiceKey};
use model::matrix::Place;
use model::refusal::Refusal;
use model::words::OwnershipRole;
use serde_json::{Value, json};
use wire::views;

use super::estate::{all, keyed, loaded, made_or_set, merged, new_one, tagged};
use crate::route::{Ask, Reply, Route};

/// Absences, delegations, calendars, and who answers for a place.
pub(crate) const ROUTES: &[Route] = &[
    Route::get("/absences", "Lists absences.", all::<Absence>),
    Route::get("/absences/{id}", "Shows an absence.", loaded::<Absence>),
    Route::post("/absences", "Says that a person is away.", |room, ask| {
        let made = acts::set_absence::set_absence(room, &ask.body)?;
        new_one(room, &made)
    }),
    Route::delete("/absences/{id}", "Ends an absence.", |room, ask| {
        let ended = acts::set_absence::end_absence(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    Route::get("/delegations", "Lists delegations.", all::<Delegation>),
    Route::get("/delegations/{id}", "Shows a delegation.", loaded::<Delegation>),
    Route::post("/delegations", "Lets one person speak for another.", |room, ask| {
        let made = acts::set_delegation::set_delegation(room, &ask.body)?;
        new_one(room, &made)
    }),
    Route::delete("/delegations/{id}", "Ends a delegation.", |room, ask| {
        let ended = acts::set_delegation::end_delegation(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    Route::get("/calendars", "Lists business calendars.", |room, ask| {
        room.allow(model::act::actions::READ)?;
        let directory = room.directory()?;
        let rows = directory.calendars.values();
        keyed(ask, rows.map(|row| (row.key.clone(), views::shown(row, &directory))))
    }),
    Route::get("/calendars/{key}", "Shows a business calendar.", |room, ask| {
        room.allow(model::act::actions::READ)?;
        let directory = room.directory()?;
        let absent = || Refusal::not_found(format!("calendar {}", ask.place(0)));
        tagged(&directory, directory.calendars.get(ask.place(0)).ok_or_else(absent)?)
    }),
    Route::post("/calendars", "Makes or sets a business calendar.", |room, ask| {
        let key = ask.body.get("key").and_then(Value::as_str).unwrap_or_default();
        let stands = room.directory()?.calendars.contains_key(key);
        let made = acts::set_calendar::set_calendar(room, &ask.body);
        made_or_set(room, ask, stands, made)
    }),
    Route::patch(
        "/calendars/{key}",
        "Changes a business calendar.",
        |room, ask| Ok(room.directory()?.calendars.get(ask.place(0)).map(|row| row.version)),
        |room, ask| {
            let old = room.directory()?.calendars.get(ask.place(0)).cloned();
            let merged = merged(ask, "calendar", old)?;
            let made = acts::set_calendar::set_calendar(room, &merged)?;
            tagged(&*room.directory()?, &made)
        },
    ),
    Route::get("/ownership-lines", "Shows who answers for a place, and why.", lines),
];

/// The place that a query names.
struct Asked {
    service: ServiceKey,
    environment: EnvironmentKey,
    items: Vec<String>,
}

fn place(directory: &Directory, ask: &Ask) -> acts::Result<Asked> {
    let needed = |field: &str| {
        let missing = || Refusal::field(field, "missing", format!("`{field}` is missing."));
        ask.query(field).map(str::to_owned).ok_or_else(missing)
    };
    let service = ServiceKey(needed("service")?);
    if !directory.services.contains_key(&service) {
        return Err(Refusal::not_found(format!("service {service}")).into());
    }
    let environment = EnvironmentKey(needed("environment")?);
    if !directory.environments.contains_key(&environment) {
        return Err(Refusal::not_found(format!("environment {environment}")).into());
    }
    Ok(Asked {
        service,
        environment,
        items: ask.queries("config_item"),
    })
}

fn lines(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let directory = room.directory()?;
    let asked = place(&directory, ask)?;
    let now = ask.query_time("at")?.unwrap_or(room.now);
    let roles: Vec<OwnershipRole> = match ask.query("role") {
        Some(word) => vec![
            word.parse()
                .map_err(|text: String| Refusal::field("role", "unknown_word", text))?,
        ],
        None => OwnershipRole::ALL.to_vec(),
    };
    let place = Place {
        service: &asked.service,
        environment: &asked.environment,
        items: &asked.items,
    };
    let parts = roles.iter().map(|role| {
        let asked_now = directory.holders_at(&place, *role, now);
        let lines = directory.lines(&place, *role, now);
        json!({
            "role": role,
            "asked": asked_now.iter().map(|holder| holder_view(holder, &directory)).collect::<Vec<_>>(),
            "lines": lines.iter().map(|line| line_view(line, &directory)).collect::<Vec<_>>(),
        })
    });
    let mut told = json!({
        "service": asked.service, "environment": asked.environment, "config_items": asked.items,
        "at": now, "parts": parts.collect::<Vec<Value>>(),
    });
    // A target may name an item that the estate does not hold, so that asking for one is no error; it is told as there.
    let is_unknown = |key: &&String| !directory.config_items.contains_key(*key);
    let unknown: Vec<&String> = asked.items.iter().filter(is_unknown).collect();
    if !unknown.is_empty() {
        told["unknown_config_items"] = json!(unknown);
    }
    Ok(Reply::ok(told))
}

fn line_view(line: &Line, directory: &Directory) -> Value {
    let idle = line.idle.iter().map(|(row, why)| json!({"ownership": row, "why": why}));
    json!({
        "scope": line.scope, "environment": line.environment, "path": line.path,
        "holders": line.holders.iter().map(|holder| holder_view(holder, directory)).collect::<Vec<_>>(),
        "idle": idle.collect::<Vec<Value>>(),
    })
}

fn holder_view(holder: &Holder, directory: &Directory) -> Value {
    let login = directory
        .people
        .get(&holder.person)
        .map_or("", |person: &Person| person.login.as_str());
    json!({"person": login, "why": holder.why, "basis": views::shown(&holder.basis, directory)})
}
