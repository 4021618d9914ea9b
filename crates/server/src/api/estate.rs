//! The estate: services and what belongs to them, people, templates, freezes, incidents; tokens and connections.

use acts::Room;
use jiff::Timestamp;
use model::directory::{
    Connection, Dependency, Directory, Freeze, Incident, MaintenanceWindow, Ownership, Person, Token,
};
use model::refusal::Refusal;
use model::verbs::Body;
use model::words::{State, TemplateState};
use serde::Serialize;
use serde_json::{Value, json};
use store::record::{Filter, Record};
use wire::views;

use super::around::page;
use crate::caller::Scope;
use crate::route::{Ask, Reply, Route};

/// A list that the directory holds, by its key.
macro_rules! known {
    ($path:literal, $summary:literal, |$directory:ident| $rows:expr) => {
        Route::get($path, $summary, |room, ask| {
            room.allow(model::act::actions::READ)?;
            let $directory = room.directory()?;
            keyed(ask, $rows)
        })
    };
}

/// One thing that the directory holds.
macro_rules! one {
    ($path:literal, $summary:literal, $what:literal, |$directory:ident, $key:ident| $found:expr) => {
        Route::get($path, $summary, |room, ask| {
            room.allow(model::act::actions::READ)?;
            let $directory = room.directory()?;
            let $key = ask.place(0);
            let found = $found.ok_or_else(|| Refusal::not_found(format!("{} {}", $what, $key)))?;
            tagged(&$directory, found)
        })
    };
}

/// An act that sets a thing of the estate from the body.
macro_rules! set {
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, |room, ask| {
            let made = $verb(room, &ask.body)?;
            new_one(room, &made)
        })
    };
}

/// An act that makes a thing of the estate from the body, or sets the one whose key it names.
macro_rules! make_or_set {
    ($path:literal, $summary:literal, $verb:path, |$directory:ident, $key:ident| $found:expr) => {
        Route::post($path, $summary, |room, ask| {
            let $directory = room.directory()?;
            let $key = ask.body.get("key").and_then(Value::as_str).unwrap_or_default();
            let stands = $found.is_some();
            let made = $verb(room, &ask.body);
            made_or_set(room, ask, stands, made)
        })
    };
}

/// Services, places, ownership, people, groups, templates, windows, freezes, incidents.
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
        acts::set_service::set_service,
        |it, key| it.services.get(&key.into())
    ),
    Route::patch("/services/{key}", "Changes a service.", service_version, |room, ask| {
        let old = room.directory()?.services.get(&ask.place(0).into()).cloned();
        let merged = merged(ask, "service", old)?;
        let made = acts::set_service::set_service(room, &merged)?;
        tagged(&*room.directory()?, &made)
    }),
    Route::get(
        "/services/{key}/watchers",
        "Lists who watches a service.",
        service_watchers,
    ),
    Route::post("/services/{key}/watchers", "Watches a service.", |room, ask| {
        acts::watch_service::watch_service(room, ask.place(0), &ask.body, true)?;
        Ok(Reply {
            status: 201,
            ..service_watchers(room, ask)?
        })
    }),
    Route::delete("/services/{key}/watchers", "Stops watching a service.", |room, ask| {
        let group = ask.query("group").map(|key| ("group".to_owned(), json!(key)));
        acts::watch_service::watch_service(room, ask.place(0), &group.into_iter().collect(), false)?;
        service_watchers(room, ask)
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
        acts::set_service::set_environment,
        |it, key| it.environments.get(&key.into())
    ),
    Route::patch(
        "/environments/{key}",
        "Changes an environment.",
        |room, ask| {
            Ok(room
                .directory()?
                .environments
                .get(&ask.place(0).into())
                .map(|row| row.version))
        },
        |room, ask| {
            let old = room.directory()?.environments.get(&ask.place(0).into()).cloned();
            let merged = merged(ask, "environment", old)?;
            let made = acts::set_service::set_environment(room, &merged)?;
            tagged(&*room.directory()?, &made)
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
        acts::set_service::set_config_item,
        |it, key| it.config_items.get(key)
    ),
    Route::patch(
        "/config-items/{key}",
        "Changes a config item.",
        |room, ask| Ok(room.directory()?.config_items.get(ask.place(0)).map(|row| row.version)),
        |room, ask| {
            let old = room.directory()?.config_items.get(ask.place(0)).cloned();
            let merged = merged(ask, "config item", old)?;
            let made = acts::set_service::set_config_item(room, &merged)?;
            tagged(&*room.directory()?, &made)
        },
    ),
    Route::get("/dependencies", "Lists dependencies.", all::<Dependency>),
    Route::get("/dependencies/{id}", "Shows a dependency.", loaded::<Dependency>),
    set!(
        "/dependencies",
        "Says that one service needs another.",
        acts::set_service::set_dependency
    ),
    Route::get("/ownerships", "Lists ownership.", all::<Ownership>),
    Route::get("/ownerships/{id}", "Shows a line of ownership.", loaded::<Ownership>),
    set!(
        "/ownerships",
        "Adds a line of ownership.",
        acts::set_service::set_ownership
    ),
    Route::delete("/ownerships/{id}", "Ends a line of ownership.", |room, ask| {
        let ended = acts::set_service::end_ownership(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    Route::delete("/dependencies/{id}", "Takes a dependency away.", |room, ask| {
        let ended = acts::set_service::end_dependency(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    known!("/people", "Lists people.", |it| it
        .people
        .values()
        .map(|row| (row.login.clone(), views::shown(row, &it)))),
    Route::get("/people/{login}", "Shows a person.", |room, ask| {
        room.allow(model::act::actions::READ)?;
        let directory = room.directory()?;
        let login = ask.place(0);
        let absent = || Refusal::not_found(format!("person {login}"));
        let found = directory.by_login(login).ok_or_else(absent)?;
        Ok(Reply::ok(views::person(found, &directory)).tagged(found.version))
    }),
    known!("/groups", "Lists groups.", |it| it
        .groups
        .values()
        .map(|row| (row.key.0.clone(), views::shown(row, &it)))),
    one!("/groups/{key}", "Shows a group.", "group", |it, key| it
        .groups
        .get(&key.into())),
    known!("/templates", "Lists standard templates.", |it| {
        it.templates
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    one!(
        "/templates/{key}",
        "Shows a standard template.",
        "template",
        |it, key| it.templates.get(key)
    ),
    set!(
        "/templates",
        "Proposes a template, or a new version.",
        acts::set_template::propose_template
    ),
    Route::post(
        "/templates/{key}/approvals",
        "Approves the proposed version.",
        |room, ask| {
            let made = acts::set_template::approve_template(room, ask.place(0), &ask.body)?;
            new_one(room, &made)
        },
    ),
    Route::post("/templates/{key}/suspension", "Suspends a template.", |room, ask| {
        let made = acts::set_template::end_template(room, ask.place(0), &ask.body, TemplateState::Suspended)?;
        new_one(room, &made)
    }),
    Route::post("/templates/{key}/retirement", "Retires a template.", |room, ask| {
        let made = acts::set_template::end_template(room, ask.place(0), &ask.body, TemplateState::Retired)?;
        new_one(room, &made)
    }),
    Route::get("/windows", "Lists maintenance windows.", all::<MaintenanceWindow>),
    Route::get(
        "/windows/{id}",
        "Shows a maintenance window.",
        loaded::<MaintenanceWindow>,
    ),
    set!("/windows", "Sets a maintenance window.", acts::set_service::set_window),
    Route::patch(
        "/windows/{id}",
        "Changes a maintenance window.",
        version_of::<MaintenanceWindow>,
        |room, ask| {
            let made = acts::edit_span::edit_window(room, ask.place(0), &ask.body)?;
            tagged(&*room.directory()?, &made)
        },
    ),
    Route::delete("/windows/{id}", "Takes a maintenance window back.", |room, ask| {
        let ended = acts::set_service::end_window(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    Route::get("/freezes", "Lists freezes.", all::<Freeze>),
    Route::get("/freezes/{id}", "Shows a freeze.", loaded::<Freeze>),
    set!("/freezes", "Sets a freeze.", acts::set_freeze::set_freeze),
    Route::post(
        "/freezes/{id}/exceptions",
        "Lets a change pass a freeze.",
        |room, ask| {
            let made = acts::set_freeze::except_from_freeze(room, ask.place(0), &ask.body)?;
            new_one(room, &made)
        },
    ),
    Route::delete(
        "/freezes/{id}/exceptions/{change}",
        "Lets a change no longer pass a freeze.",
        |room, ask| {
            let freeze = acts::set_freeze::withdraw_exception(room, ask.place(0), ask.place(1))?;
            tagged(&*room.directory()?, &freeze)
        },
    ),
    Route::patch(
        "/freezes/{id}",
        "Changes a freeze.",
        version_of::<Freeze>,
        |room, ask| {
            let made = acts::edit_span::edit_freeze(room, ask.place(0), &ask.body)?;
            tagged(&*room.directory()?, &made)
        },
    ),
    Route::delete("/freezes/{id}", "Takes a freeze back.", |room, ask| {
        let ended = acts::set_freeze::end_freeze(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    known!("/incidents", "Lists incidents.", |it| {
        it.incidents
            .values()
            .map(|row| (row.key.clone(), views::shown(row, &it)))
    }),
    one!("/incidents/{key}", "Shows an incident.", "incident", |it, key| it
        .incidents
        .get(&key.to_uppercase())),
    set!("/incidents", "Opens an incident.", acts::set_incident::open_incident),
    Route::patch(
        "/incidents/{key}",
        "Changes or resolves an incident.",
        incident_version,
        |room, ask| {
            let made = acts::set_incident::edit_incident(room, ask.place(0), &ask.body)?;
            tagged(&*room.directory()?, &made)
        },
    ),
    Route::get(
        "/calendar",
        "Shows planned changes, freezes and windows in a span of time.",
        calendar,
    ),
];

/// Whoever may do what: people, groups, tokens, connections, the tenant.
pub(crate) const ACCESS: &[Route] = &[
    Route::get("/me", "Shows who asks.", me),
    Route::get("/tenant", "Shows the tenant's settings.", tenant),
    set!("/people", "Makes a person.", acts::set_person::create_person).scope(Scope::Admin),
    Route::patch(
        "/people/{login}",
        "Changes or deactivates a person.",
        person_version,
        |room, ask| {
            let made = acts::set_person::edit_person(room, ask.place(0), &ask.body)?;
            tagged(&*room.directory()?, &made)
        },
    )
    .scope(Scope::Admin),
    Route::post(
        "/people/{login}/deactivation",
        "Deactivates a person, plain or as compromised.",
        |room, ask| {
            let ended = acts::deactivate_person::deactivate_person(room, ask.place(0), &ask.body)?;
            new_one(room, &ended)
        },
    )
    .scope(Scope::Admin),
    Route::get(
        "/people/{login}/telling",
        "Shows how a person wishes to be told.",
        |room, ask| {
            let (person, telling) = acts::set_telling::telling_of(room, ask.place(0))?;
            Ok(Reply::ok(telling_view(&person, &telling)).tagged(person.version))
        },
    ),
    Route::put(
        "/people/{login}/telling",
        "Sets how a person wishes to be told.",
        person_version,
        |room, ask| {
            let (person, telling) = acts::set_telling::set_telling(room, ask.place(0), &ask.body)?;
            Ok(Reply::ok(telling_view(&person, &telling)).tagged(person.version))
        },
    ),
    Route::put("/groups/{key}", "Makes or sets a group.", group_version, |room, ask| {
        let made = acts::set_person::set_group(room, ask.place(0), &ask.body)?;
        tagged(&*room.directory()?, &made)
    })
    .scope(Scope::Admin),
    Route::get("/tokens", "Lists tokens, without their secrets.", |room, ask| {
        room.allow(model::act::actions::SET_TOKEN)?;
        let uses = store::session::token_uses(room.tx)?;
        let mut reply = page::<Token>(room, ask, Filter::new(), views::shown)?;
        for item in reply.body["items"].as_array_mut().into_iter().flatten() {
            if let Some(at) = item["id"].as_str().and_then(|id| uses.get(id)) {
                item["last_used_at"] = json!(at);
            }
        }
        Ok(reply)
    })
    .scope(Scope::Admin),
    Route::post("/tokens", "Makes a token; its secret is shown once.", |room, ask| {
        let (token, secret) = acts::set_token::create_token(room, &ask.body)?;
        let mut reply = new_one(room, &token)?.shown_once(&["token"]);
        reply.body["token"] = json!(secret);
        Ok(reply)
    })
    .scope(Scope::Admin),
    Route::delete("/tokens/{id}", "Revokes a token.", |room, ask| {
        let ended = acts::set_token::revoke_token(room, ask.place(0))?;
        tagged(&*room.directory()?, &ended)
    }),
    Route::get("/connections", "Lists connections.", |room, ask| {
        room.allow(model::act::actions::SET_CONNECTION)?;
        page::<Connection>(room, ask, Filter::new(), connection_view)
    })
    .scope(Scope::Admin),
    Route::post(
        "/connections",
        "Makes a connection; its secret is shown once.",
        |room, ask| {
            let (made, secret) = acts::set_connection::create_connection(room, &ask.body)?;
            let directory = room.directory()?;
            let mut reply = Reply::created(connection_view(&made, &directory))
                .tagged(made.version)
                .shown_once(&["secret", "signing_secret"]);
            if made.kind != "github" && made.kind != "pagerduty" {
                reply.body["signing_secret"] = json!(connect::door::signing_secret(&secret));
            }
            reply.body["secret"] = json!(secret);
            Ok(reply)
        },
    )
    .scope(Scope::Admin),
    Route::get("/connections/{id}", "Shows a connection.", |room, ask| {
        room.allow(model::act::actions::SET_CONNECTION)?;
        let found = acts::connections::connection(room, ask.place(0))?;
        let mut reply = Reply::ok(connection_view(&found, &*room.directory()?)).tagged(found.version);
        reply.body["refused"] = super::inbound::refused(room, ask.place(0))?;
        Ok(reply)
    })
    .scope(Scope::Admin),
    Route::patch(
        "/connections/{id}",
        "Changes a connection; its address and secret stay.",
        version_of::<Connection>,
        |room, ask| {
            let made = acts::edit_connection::edit_connection(room, ask.place(0), &ask.body)?;
            Ok(Reply::ok(connection_view(&made, &*room.directory()?)).tagged(made.version))
        },
    )
    .scope(Scope::Admin),
    Route::delete(
        "/connections/{id}",
        "Stops taking a connection's deliveries.",
        |room, ask| {
            let ended = acts::set_connection::end_connection(room, ask.place(0))?;
            Ok(Reply::ok(connection_view(&ended, &*room.directory()?)))
        },
    )
    .scope(Scope::Admin),
    Route::get(
        "/connections/{id}/deliveries",
        "Lists deliveries by their state.",
        deliveries,
    )
    .scope(Scope::Admin),
];

/// A person's wishes in the words in which they are set.
fn telling_view(person: &Person, telling: &model::telling::Telling) -> Value {
    let mut view = json!({
        "person": person.login, "zone": person.zone,
        "how": if telling.digest_at.is_some() { "digest" } else { "at_once" },
    });
    let quiet = telling.quiet.as_ref();
    for (field, value) in [
        ("digest_at", telling.digest_at.as_ref()),
        ("quiet_from", quiet.map(|it| &it.from)),
        ("quiet_until", quiet.map(|it| &it.until)),
        ("language", telling.language.as_ref()),
    ] {
        if let Some(value) = value {
            view[field] = json!(value);
        }
    }
    view
}

fn service_watchers(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let directory = room.directory()?;
    let absent = || Refusal::not_found(format!("service {}", ask.place(0)));
    let service = directory.services.get(&ask.place(0).into()).ok_or_else(absent)?;
    let people: Vec<String> = service.watchers.iter().map(|person| directory.login(person)).collect();
    Ok(Reply::ok(
        json!({"service": service.key, "people": people, "groups": service.watching_groups}),
    ))
}

pub(super) fn tagged<T: Serialize + Record>(directory: &Directory, record: &T) -> acts::Result<Reply> {
    Ok(Reply::ok(views::shown(record, directory)).tagged(record.version()))
}

pub(super) fn new_one<T: Serialize + Record>(room: &mut Room<'_, '_>, record: &T) -> acts::Result<Reply> {
    let directory = room.directory()?;
    Ok(Reply {
        status: 201,
        ..tagged(&directory, record)?
    })
}

/// The answer to a request that makes a thing or sets the one that is there: 201 tells that it is new, 200 that it stood.
/// `If-None-Match: *` (RFC 9110, section 13.1.2) asks for a new one alone.
///
/// # Errors
/// The act's; 412 where it stands and only a new one was asked for.
pub(super) fn made_or_set<T: Serialize + Record>(
    room: &mut Room<'_, '_>,
    ask: &Ask,
    stands: bool,
    made: acts::Result<T>,
) -> acts::Result<Reply> {
    if stands {
        ask.check_wants_known(&made)?;
        return tagged(&*room.directory()?, &made?);
    }
    new_one(room, &made?)
}

/// A page of what the directory holds, in the order of keys.
pub(super) fn keyed(ask: &Ask, rows: impl Iterator<Item = (String, Value)>) -> acts::Result<Reply> {
    let limit = usize::try_from(ask.limit()?).unwrap_or_default();
    let after = ask.query("after").unwrap_or_default();
    let wanted = ask.query("q").unwrap_or_default().to_lowercase();
    let mut rows: Vec<(String, Value)> = rows
        .filter(|(key, _)| after.is_empty() || key.as_str() > after)
        .filter(|(key, value)| wanted.is_empty() || is_named(key, value, &wanted))
        .collect();
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(key, _)| key.clone());
    Ok(ask.page(rows.into_iter().map(|(_, value)| value).collect(), next))
}

fn is_named(key: &str, value: &Value, wanted: &str) -> bool {
    let has = |field: &str| {
        value[field]
            .as_str()
            .is_some_and(|text| text.to_lowercase().contains(wanted))
    };
    key.to_lowercase().contains(wanted) || has("name") || has("title")
}

pub(super) fn all<R: Record>(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    page::<R>(room, ask, Filter::new(), views::shown)
}

pub(super) fn loaded<R: Record>(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let found = store::record::load::<R>(room.tx, ask.place(0))?.ok_or_else(|| Refusal::not_found(R::TABLE))?;
    tagged(&*room.directory()?, &found.record)
}

/// A thing as it stands with the body's merge patch on it, without what the server itself adds. What the patch clears is named,
/// as what is not named stays.
pub(super) fn merged<T: Serialize>(ask: &Ask, what: &str, old: Option<T>) -> acts::Result<Body> {
    let Some(old) = old else {
        return Err(Refusal::not_found(format!("{what} {}", ask.place(0))).into());
    };
    let Value::Object(mut map) = serde_json::to_value(&old)? else {
        return Ok(Body::new());
    };
    for ours in ["id", "version", "watchers", "watching_groups"] {
        map.remove(ours);
    }
    let key = map.get("key").and_then(Value::as_str);
    if let Some(wrong) = key.and_then(|key| model::reading::other_key(&ask.body, key)) {
        return Err(Refusal::Invalid(vec![wrong]).into());
    }
    model::input::merge(&mut map, &ask.body);
    let cleared = ask.body.iter().filter(|(_, value)| value.is_null());
    map.extend(cleared.map(|(field, _)| (field.clone(), Value::Null)));
    Ok(map)
}

/// The version of a record that the directory does not hold by a key.
fn version_of<R: Record>(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(store::record::load::<R>(room.tx, ask.place(0))?.map(|found| found.record.version()))
}

fn service_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(room
        .directory()?
        .services
        .get(&ask.place(0).into())
        .map(|row| row.version))
}

fn incident_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(room
        .directory()?
        .incidents
        .get(&ask.place(0).to_uppercase())
        .map(|row: &Incident| row.version))
}

fn person_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(room.directory()?.by_login(ask.place(0)).map(|row: &Person| row.version))
}

fn group_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(room
        .directory()?
        .groups
        .get(&ask.place(0).into())
        .map(|row| row.version))
}

fn connection_view(connection: &Connection, directory: &Directory) -> Value {
    let mut value = views::shown(connection, directory);
    value["hook_path"] = json!(format!("/hooks/{}", connection.id));
    value
}

fn deliveries(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::SET_CONNECTION)?;
    acts::connections::connection(room, ask.place(0))?;
    const STATES: [&str; 3] = ["waiting", "parked", "done"];
    let state = ask.query("state");
    if let Some(state) = state.filter(|state| !STATES.contains(state)) {
        let text = format!("`{state}` is none of: {}.", STATES.join(", "));
        return Err(Refusal::field("state", "unknown_word", text).into());
    }
    let limit = ask.limit()?;
    let mut found = store::inbox::list_of(room.tx, ask.place(0), state, ask.query("after"), limit + 1)?;
    let more = i64::try_from(found.len()).is_ok_and(|count| count > limit);
    found.truncate(usize::try_from(limit).unwrap_or_default());
    let next = found.last().filter(|_| more).map(|row| row.id.clone());
    let items = found.into_iter().map(|row| {
        json!({
            "id": row.id, "delivery_id": row.delivery_id, "event": row.event, "received_at": row.received_at,
            "state": row.state, "tries": row.tries, "reason": row.reason, "result": row.result,
        })
    });
    Ok(ask.page(items.collect(), next))
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
    room.allow(model::act::actions::READ)?;
    let directory = room.directory()?;
    let tenant = directory.tenant.as_ref().ok_or_else(|| Refusal::not_found("tenant"))?;
    tagged(&directory, tenant)
}

/// How many changes a calendar reads at once.
const CALENDAR_PAGE: i64 = 1_000;

/// How many changes a calendar holds at most.
const CALENDAR_CHANGES: usize = 20_000;

fn calendar(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    room.allow(model::act::actions::READ)?;
    let [from, to] = ask.query_span("from", "to")?;
    let from = from.unwrap_or(room.now);
    let to = to
        .or_else(|| from.checked_add(jiff::SignedDuration::from_hours(24 * 31)).ok())
        .unwrap_or(Timestamp::MAX);
    let (service, environment) = (
        ask.query("service").map(str::to_owned),
        ask.query("environment").map(str::to_owned),
    );
    let filter = store::changes::ChangeFilter {
        planned_to: Some(to),
        service: service.clone(),
        environment: environment.clone(),
        states: State::ALL
            .iter()
            .filter(|state| state.is_open())
            .map(ToString::to_string)
            .collect(),
        ..Default::default()
    };
    let directory = room.directory()?;
    let mut entries = Vec::new();
    for row in every_change(room, &filter)? {
        let (Some(starts_at), Some(ends_at)) = (row.planned_start, row.planned_end) else {
            continue;
        };
        if ends_at <= from {
            continue;
        }
        entries.push(json!({
            "kind": "change", "key": row.key, "title": row.title, "starts_at": starts_at, "ends_at": ends_at,
            "state": row.state, "risk": row.risk, "on_hold": row.on_hold,
        }));
    }
    let asked = |keys: &[String], wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|key| keys.is_empty() || keys.contains(key))
    };
    for (kind, mut value) in spans(&directory, from, to) {
        let keys = |field: &str| -> Vec<String> { serde_json::from_value(value[field].clone()).unwrap_or_default() };
        if asked(&keys("services"), &service) && asked(&keys("environments"), &environment) {
            value["kind"] = json!(kind);
            entries.push(value);
        }
    }
    entries.sort_by_key(|entry| entry["starts_at"].to_string());
    ask.whole(entries)
}

/// The changes of a filter, a page at a time: a calendar that stopped somewhere would show a free day where there is none, so
/// one that would hold too many is refused.
fn every_change(
    room: &mut Room<'_, '_>,
    filter: &store::changes::ChangeFilter,
) -> acts::Result<Vec<store::changes::ChangeRow>> {
    let mut found: Vec<store::changes::ChangeRow> = Vec::new();
    loop {
        let after = found.last().map(|row| row.number);
        let page = store::changes::list_changes(room.tx, filter, CALENDAR_PAGE, after)?;
        let is_last = i64::try_from(page.len()).unwrap_or(i64::MAX) < CALENDAR_PAGE;
        found.extend(page);
        if found.len() > CALENDAR_CHANGES {
            let text = format!(
                "More than {CALENDAR_CHANGES} changes lie in that span: ask for a shorter one, or for one service or environment."
            );
            return Err(Refusal::field("to", "too_many", text).into());
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// Freezes and windows that lie over a span of time.
fn spans(directory: &Directory, from: Timestamp, to: Timestamp) -> Vec<(&'static str, Value)> {
    let freezes = directory.freezes.iter().filter(|row| row.overlaps(from, to));
    let windows = directory
        .windows
        .iter()
        .filter(|row| row.starts_at < to && from < row.ends_at);
    freezes
        .map(|row| ("freeze", views::shown(row, directory)))
        .chain(windows.map(|row| ("window", views::shown(row, directory))))
        .collect()
}
