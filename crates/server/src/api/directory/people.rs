//! People, groups, the tenant, and which packs they can staff.

use acts::Room;
use acts::directory::deactivate_person;
use acts::directory::set_person;
use acts::policy::find_unstaffed;
use model::core::act;
use model::core::refusal::Refusal;
use model::directory::snapshot::Person;
use serde_json::json;
use wire::views;

use crate::api::shared::records::{keyed, known, new_one, one, set, tagged};
use crate::http::caller::Scope;
use crate::http::route::{Ask, Reply, Route};

/// People and groups.
pub(crate) const ROUTES: &[Route] = &[
    known!("/people", "Lists people.", |it| it
        .people
        .values()
        .map(|row| (row.login.clone(), views::shown(row, &it)))),
    set!("/people", "Makes a person.", set_person::create_person).scope(Scope::Admin),
    Route::get("/people/{login}", "Shows a person.", |room, ask| {
        room.allow(act::actions::READ)?;
        let directory = room.directory()?;
        let login = ask.place(0);
        let absent = || Refusal::not_found(format!("person {login}"));
        let found = directory.by_login(login).ok_or_else(absent)?;
        Ok(Reply::ok(views::person(found, &directory)).tagged(found.version))
    }),
    Route::patch(
        "/people/{login}",
        "Changes or deactivates a person.",
        person_version,
        |room, ask| {
            let made = set_person::edit_person(room, ask.place(0), &ask.body)?;
            tagged(&*room.directory()?, &made)
        },
    )
    .scope(Scope::Admin),
    Route::post(
        "/people/{login}/deactivation",
        "Deactivates a person, plain or as compromised.",
        |room, ask| {
            let ended = deactivate_person::deactivate_person(room, ask.place(0), &ask.body)?;
            new_one(room, &ended)
        },
    )
    .scope(Scope::Admin),
    known!("/groups", "Lists groups.", |it| it
        .groups
        .values()
        .map(|row| (row.key.0.clone(), views::shown(row, &it)))),
    one!("/groups/{key}", "Shows a group.", "group", |it, key| it
        .groups
        .get(&key.into())),
    Route::put("/groups/{key}", "Makes or sets a group.", group_version, |room, ask| {
        let made = set_person::set_group(room, ask.place(0), &ask.body)?;
        tagged(&*room.directory()?, &made)
    })
    .scope(Scope::Admin),
    Route::get("/me", "Shows who asks.", me),
    Route::get("/tenant", "Shows the tenant's settings.", tenant),
    Route::get(
        "/staffing",
        "Tells which packs this directory cannot staff.",
        |room, ask| {
            let found = find_unstaffed::find_unstaffed(room)?;
            ask.whole(found.iter().map(|row| json!(row)).collect())
        },
    ),
];

pub(crate) fn person_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(room.directory()?.by_login(ask.place(0)).map(|row: &Person| row.version))
}

fn group_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(room
        .directory()?
        .groups
        .get(&ask.place(0).into())
        .map(|row| row.version))
}

fn me(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    let directory = room.directory()?;
    let person = directory
        .people
        .get(&room.actor.person)
        .ok_or_else(|| Refusal::not_found("person"))?;
    let mut value = views::shown(person, &directory);
    value["tenant"] = json!(room.tenant());
    value["groups"] = json!(directory.groups_of(&room.actor.person));
    value["by_token"] = json!(room.actor.by_token);
    value["stepped_up"] = json!(room.actor.is_stepped_up(room.now));
    value["is_second_factor"] = json!(room.actor.has_second_factor(room.now));
    if let Some(roles) = room.actor.narrowed_to() {
        value["narrowed_to"] = json!(roles);
    }
    Ok(Reply::ok(value))
}

fn tenant(room: &mut Room<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    room.allow(act::actions::READ)?;
    let directory = room.directory()?;
    let tenant = directory.tenant.as_ref().ok_or_else(|| Refusal::not_found("tenant"))?;
    tagged(&directory, tenant)
}
