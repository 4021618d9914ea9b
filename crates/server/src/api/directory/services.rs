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
    known!("/services", "Lists services.", |it| it
        .services
        .values()
        .map(|row| (row.key.0.clone(), views::shown(row, &it)))),
    one!("/services/{key}", "Shows a service.", "service", |it, key| it
        .services
        .get(&key.into())),
    make_or_set!(
        "/services",
        "Makes or sets a service.",
        set_service::set_service,
        |it, key| it.services.get(&key.into())
    ),
    Route::patch("/services/{key}", "Changes a service.", service_version, |cx, ask| {
        let old = cx.directory()?.services.get(&ask.place(0).into()).cloned();
        let merged = merged(ask, "service", old)?;
        let made = set_service::set_service(cx, &merged)?;
        tagged(&*cx.directory()?, &made)
    }),
    Route::get(
        "/services/{key}/watchers",
        "Lists who watches a service.",
        service_watchers,
    ),
    Route::post("/services/{key}/watchers", "Watches a service.", |cx, ask| {
        watch_service::watch_service(cx, ask.place(0), &ask.body, true)?;
        Ok(Reply {
            status: 201,
            ..service_watchers(cx, ask)?
        })
    }),
    Route::delete("/services/{key}/watchers", "Stops watching a service.", |cx, ask| {
        let group = ask.query("group").map(|key| ("group".to_owned(), json!(key)));
        watch_service::watch_service(cx, ask.place(0), &group.into_iter().collect(), false)?;
        service_watchers(cx, ask)
    }),
    known!("/environments", "Lists environments.", |it| {
        it.environments
            .values()
            .map(|row| (row.key.0.clone(), views::shown(row, &it)))
    }),
    one!(
        "/environments/{key}",
        "Shows an environment.",
        "environment",
        |it, key| it.environments.get(&key.into())
    ),
    make_or_set!(
        "/environments",
        "Makes or sets an environment.",
        set_service::set_environment,
        |it, key| it.environments.get(&key.into())
    ),
    Route::patch(
        "/environments/{key}",
        "Changes an environment.",
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
    known!("/config-items", "Lists config items.", |it| {
        it.config_items
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    one!(
        "/config-items/{key}",
        "Shows a config item.",
        "config item",
        |it, key| it.config_items.get(key)
    ),
    make_or_set!(
        "/config-items",
        "Makes or sets a config item.",
        set_service::set_config_item,
        |it, key| it.config_items.get(key)
    ),
    Route::patch(
        "/config-items/{key}",
        "Changes a config item.",
        |cx, ask| Ok(cx.directory()?.config_items.get(ask.place(0)).map(|row| row.version)),
        |cx, ask| {
            let old = cx.directory()?.config_items.get(ask.place(0)).cloned();
            let merged = merged(ask, "config item", old)?;
            let made = set_service::set_config_item(cx, &merged)?;
            tagged(&*cx.directory()?, &made)
        },
    ),
    Route::get("/dependencies", "Lists dependencies.", all::<Dependency>),
    Route::get("/dependencies/{id}", "Shows a dependency.", loaded::<Dependency>),
    set!(
        "/dependencies",
        "Says that one service needs another.",
        set_service::set_dependency
    ),
    Route::get("/ownerships", "Lists ownership.", all::<Ownership>),
    Route::get("/ownerships/{id}", "Shows a line of ownership.", loaded::<Ownership>),
    set!("/ownerships", "Adds a line of ownership.", set_service::set_ownership),
    Route::delete("/ownerships/{id}", "Ends a line of ownership.", |cx, ask| {
        let ended = set_service::end_ownership(cx, ask.place(0))?;
        tagged(&*cx.directory()?, &ended)
    }),
    Route::delete("/dependencies/{id}", "Takes a dependency away.", |cx, ask| {
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
