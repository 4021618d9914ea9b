//! People, groups, the tenant, and the packs that the tenant has enough people for.

use acts::Context;
use acts::directory::{deactivate_person, set_person, suspend_given};
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
    known!("list_people", |it| it
        .people
        .values()
        .map(|row| (row.login.clone(), views::shown(row, &it)))),
    set!("create_person", set_person::create_person).scope(Scope::Admin),
    Route::reads("show_person", |cx, ask| {
        cx.allow(act::actions::READ)?;
        let directory = cx.directory()?;
        let login = ask.place(0);
        let absent = || Refusal::not_found(format!("person {login}"));
        let found = directory.by_login(login).ok_or_else(absent)?;
        Ok(Reply::ok(views::person(found, &directory)).tagged(found.version))
    }),
    Route::edits("edit_person", person_version, |cx, ask| {
        let made = set_person::edit_person(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &made)
    })
    .scope(Scope::Admin),
    Route::writes("decide_suspension", |cx, ask| {
        let person = suspend_given::decide_suspended(cx, ask.place(0), ask.place(1), &ask.body)?;
        new_one(cx, &person)
    })
    .scope(Scope::Admin),
    Route::writes("deactivate_person", |cx, ask| {
        let ended = deactivate_person::deactivate_person(cx, ask.place(0), &ask.body)?;
        new_one(cx, &ended)
    })
    .scope(Scope::Admin),
    known!("list_groups", |it| it
        .groups
        .values()
        .map(|row| (row.key.0.clone(), views::shown(row, &it)))),
    one!("show_group", "group", |it, key| it.groups.get(&key.into())),
    Route::edits("set_group", group_version, |cx, ask| {
        let made = set_person::set_group(cx, ask.place(0), &ask.body)?;
        tagged(&*cx.directory()?, &made)
    })
    .scope(Scope::Admin),
    Route::reads("show_me", me),
    Route::reads("show_tenant", tenant),
    Route::reads("find_unstaffed", |cx, ask| {
        let found = find_unstaffed::find_unstaffed(cx)?;
        ask.whole(found.iter().map(|row| json!(row)).collect())
    }),
];

pub(crate) fn person_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(cx.directory()?.by_login(ask.place(0)).map(|row: &Person| row.version))
}

fn group_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(cx.directory()?.groups.get(&ask.place(0).into()).map(|row| row.version))
}

fn me(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    let person = directory
        .people
        .get(&cx.actor.person)
        .ok_or_else(|| Refusal::not_found("person"))?;
    let mut value = views::shown(person, &directory);
    value["tenant"] = json!(cx.tenant());
    value["groups"] = json!(directory.groups_of(&cx.actor.person));
    value["by_token"] = json!(cx.actor.by_token);
    value["stepped_up"] = json!(cx.actor.is_stepped_up(cx.now));
    value["is_second_factor"] = json!(cx.actor.has_second_factor(cx.now));
    if let Some(roles) = cx.actor.narrowed_to() {
        value["narrowed_to"] = json!(roles);
    }
    Ok(Reply::ok(value))
}

fn tenant(cx: &mut Context<'_, '_>, _: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let tenant = directory.tenant.as_ref().ok_or_else(|| Refusal::not_found("tenant"))?;
    tagged(&directory, tenant)
}
