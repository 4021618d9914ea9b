//! What stands around a change: requirements, evidence, tasks, comments, links, its timeline.

use acts::Room;
use acts::change::link_change;
use acts::change::record_entry;
use acts::change::verbs;
use acts::core::show_timeline;
use model::change::related_records::{ChangeTask, ChecklistItem, Comment, Entry, Evidence, Link};
use model::change::waiting_on;
use model::core::refusal::Refusal;
use serde_json::{Value, json};
use wire::views;

use crate::api::shared::change_replies::{created, current, id, items, list, nothing_said, show};
use crate::http::route::{Ask, Reply, Route};

/// What is read, added and done around a change.
pub(crate) const ROUTES: &[Route] = &[
    Route::get(
        "/changes/{key}/requirements",
        "Tells all that is unmet ahead, and whom it waits for.",
        requirements,
    ),
    items!("/changes/{key}/evidence", "Lists evidence.", Evidence),
    items!("/changes/{key}/checklist", "Lists checklist items.", ChecklistItem),
    items!("/changes/{key}/tasks", "Lists tasks.", ChangeTask),
    items!("/changes/{key}/comments", "Lists comments.", Comment),
    items!(
        "/changes/{key}/implementation/entries",
        "Lists the log of actions.",
        Entry
    ),
    Route::get("/changes/{key}/links", "Lists links.", |room, ask| {
        let change = room.change(ask.place(0))?;
        let directory = room.directory()?;
        let file = room.file(&change.key)?;
        let items = file.links.iter().map(|link| views::listed(link, &directory));
        ask.whole(items.collect())
    }),
    Route::get("/changes/{key}/watchers", "Lists who watches.", watchers),
    Route::get(
        "/changes/{key}/events",
        "Shows the timeline, with places in the log.",
        events,
    ),
    Route::post(
        "/changes/{key}/evidence/{id}/acceptance",
        "Accepts failed evidence with a reason.",
        |room, ask| {
            verbs::accept_evidence(room, ask.place(0), &id(ask), &ask.body)?;
            created::<Evidence>(room, ask, &id(ask))
        },
    ),
    Route::post(
        "/changes/{key}/checklist/{id}/tick",
        "Ticks a checklist item.",
        |room, ask| {
            verbs::tick_checklist(room, ask.place(0), &id(ask), &ask.body)?;
            created::<ChecklistItem>(room, ask, &id(ask))
        },
    ),
    Route::post("/changes/{key}/tasks", "Gives work to somebody.", |room, ask| {
        let id = verbs::add_task(room, ask.place(0), &ask.body)?;
        created::<ChangeTask>(room, ask, &id)
    }),
    Route::patch(
        "/changes/{key}/tasks/{id}",
        "Moves a task on.",
        task_version,
        |room, ask| {
            verbs::update_task(room, ask.place(0), &id(ask), &ask.body)?;
            show(room, ask.place(0))
        },
    ),
    Route::post("/changes/{key}/comments", "Comments.", |room, ask| {
        let id = verbs::comment_change(room, ask.place(0), &ask.body)?;
        created::<Comment>(room, ask, &id)
    }),
    Route::post(
        "/changes/{key}/implementation/entries",
        "Writes a line in the log of actions.",
        |room, ask| {
            let id = record_entry::record_entry(room, ask.place(0), &ask.body)?;
            created::<Entry>(room, ask, &id)
        },
    ),
    Route::post(
        "/changes/{key}/links",
        "Links to another change or an incident.",
        |room, ask| {
            let id = link_change::link_change(room, ask.place(0), &ask.body)?;
            created::<Link>(room, ask, &id)
        },
    ),
    Route::delete("/changes/{key}/links/{id}", "Takes a link away.", |room, ask| {
        link_change::unlink_change(room, ask.place(0), &id(ask))?;
        show(room, ask.place(0))
    }),
    Route::post("/changes/{key}/watchers", "Watches a change.", |room, ask| {
        let done = verbs::watch_change(room, ask.place(0), true);
        nothing_said(ask, done)?;
        let (change, login) = (room.change(ask.place(0))?, room.directory()?.login(&room.actor.person));
        Ok(Reply::created(
            json!({"id": login, "person": login, "change_state": change.state}),
        ))
    }),
    Route::put("/changes/{key}/watchers", "Watches a change.", current, |room, ask| {
        let done = verbs::watch_change(room, ask.place(0), true);
        nothing_said(ask, done)?;
        show(room, ask.place(0))
    }),
    Route::delete("/changes/{key}/watchers", "Stops watching.", |room, ask| {
        verbs::watch_change(room, ask.place(0), false)?;
        show(room, ask.place(0))
    }),
];

fn requirements(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let file = room.file(ask.place(0))?;
    let directory = room.directory()?;
    let ahead = waiting_on::ahead(&file, &directory, room.now);
    Ok(Reply::ok(json!({
        "items": ahead,
        "next": null,
        "change_state": file.change.state,
        "stop": file.requirements.stop,
        "obligations": file.requirements.obligations,
        "policy_digest": file.requirements.policy_digest,
    })))
}

fn watchers(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let change = room.change(ask.place(0))?;
    let directory = room.directory()?;
    let items = change
        .watchers
        .iter()
        .map(|person| json!(directory.login(person)))
        .collect();
    ask.whole(items)
}

fn events(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let told = show_timeline::show_timeline(room, ask.place(0))?;
    let directory = room.directory()?;
    let mut items = Vec::with_capacity(told.len());
    for told in told {
        let mut value = serde_json::to_value(&told.event)?;
        if let Value::Object(map) = &mut value {
            map.insert("index".into(), json!(told.index));
            map.insert("texts".into(), json!(told.texts));
            let actor = map
                .get("actor")
                .and_then(Value::as_str)
                .map(|id| directory.login(&id.into()));
            map.insert("actor".into(), json!(actor));
        }
        items.push(value);
    }
    // The last event's id is the key: places in the log are given later, so an index would not do.
    let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
    let start = match ask.query("after") {
        Some(after) => items.iter().position(|value| id(value) == after).map(|place| place + 1),
        None => Some(0),
    };
    let start = start.ok_or_else(|| Refusal::field("after", "unknown", "`after` names no event of this change."))?;
    let limit = usize::try_from(ask.limit()?).unwrap_or_default();
    let mut items = items.split_off(start);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(id);
    Ok(ask.page(items, next))
}

fn task_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    current(room, ask)
}
