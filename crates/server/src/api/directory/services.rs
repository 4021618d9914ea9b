//! Services and what belongs to them: environments, config items, dependencies, ownership.

use acts::Context;
use acts::directory::set_service;
use acts::notify::watch_service;
use model::core::act;
use model::core::refusal::Refusal;
use model::directory::snapshot::{Dependency, Ownership};
use serde_json::{Value, json};
use wire::views;

use crate::api::shared::records::{
    all, keyed, known, loaded, made_or_set, make_or_set, merged, new_one, one, set, tagged,
};
use crate::http::route::{Ask, Reply, Route};

/// Services and places.
pub(crate) const ROUTES: &[Route] = &[
    known!("list_services", |it| it
        .services
        .values()
        .map(|row| (row.key.0.clone(), views::shown(row, &it)))),
    one!("show_service", "service", |it, key| it.services.get(&key.into())),
    make_or_set!("set_service", set_service::set_service, |it, key| it
        .services
        .get(&key.into())),
    Route::edits("edit_service", service_version, |cx, ask| {
        let old = cx.directory()?.services.get(&ask.place(0).into()).cloned();
        let merged = merged(ask, "service", old)?;
        let made = set_service::set_service(cx, &merged)?;
        tagged(&*cx.directory()?, &made)
    }),
    Route::reads("list_service_watchers", service_watchers),
    Route::writes("watch_service", |cx, ask| {
        watch_service::watch_service(cx, ask.place(0), &ask.body, true)?;
        Ok(Reply {
            status: 201,
            ..service_watchers(cx, ask)?
        })
    }),
    Route::writes("unwatch_service", |cx, ask| {
        let group = ask.query("group").map(|key| ("group".to_owned(), json!(key)));
        watch_service::watch_service(cx, ask.place(0), &group.into_iter().collect(), false)?;
        service_watchers(cx, ask)
    }),
    known!("list_environments", |it| {
        it.environments
            .values()
            .map(|row| (row.key.0.clone(), views::shown(row, &it)))
    }),
    one!("show_environment", "environment", |it, key| it
        .environments
        .get(&key.into())),
    make_or_set!("set_environment", set_service::set_environment, |it, key| it
        .environments
        .get(&key.into())),
    Route::edits(
        "edit_environment",
        |cx, ask| {
            Ok(cx
                .directory()?
                .environments
                .get(&ask.place(0).into())
                .map(|row| row.version))
        },
        |cx, ask| {
            let old = cx.directory()?.environments.get(&ask.place(0).into()).cloned();
            let merged = merged(ask, "environment", old)?;
            let made = set_service::set_environment(cx, &merged)?;
            tagged(&*cx.directory()?, &made)
        },
    ),
    known!("list_config_items", |it| {
        it.config_items
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    one!("show_config_item", "config item", |it, key| it.config_items.get(key)),
    make_or_set!("set_config_item", set_service::set_config_item, |it, key| it
        .config_items
        .get(key)),
    Route::edits(
        "edit_config_item",
        |cx, ask| Ok(cx.directory()?.config_items.get(ask.place(0)).map(|row| row.version)),
        |cx, ask| {
            let old = cx.directory()?.config_items.get(ask.place(0)).cloned();
            let merged = merged(ask, "config item", old)?;
            let made = set_service::set_config_item(cx, &merged)?;
            tagged(&*cx.directory()?, &made)
        },
    ),
    Route::reads("list_dependencies", all::<Dependency>),
    Route::reads("show_dependency", loaded::<Dependency>),
    set!("set_dependency", set_service::set_dependency),
    Route::reads("list_ownerships", all::<Ownership>),
    Route::reads("show_ownership", loaded::<Ownership>),
    set!("set_ownership", set_service::set_ownership),
    Route::writes("end_ownership", |cx, ask| {
        let ended = set_service::end_ownership(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::writes("end_dependency", |cx, ask| {
        let ended = set_service::end_dependency(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
];

fn service_watchers(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(act::actions::READ)?;
    let directory = cx.directory()?;
    let absent = || Refusal::not_found(format!("service {}", ask.place(0)));
    let service = directory.services.get(&ask.place(0).into()).ok_or_else(absent)?;
    let people: Vec<String> = service.watchers.iter().map(|person| directory.login(person)).collect();
    Ok(Reply::ok(
        json!({"service": service.key, "people": people, "groups": service.watching_groups}),
    ))
}

fn service_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(cx
        .directory()?
        .services
        .get(&ask.place(0).into())
        .map(|row| row.version))
}
