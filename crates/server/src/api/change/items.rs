//! The records around a change: requirements, evidence, tasks, comments, links, its timeline.

use acts::Context;
use acts::change::{link_change, record_entry, verbs};
use acts::core::show_timeline;
use acts::risk::ask_probes;
use model::change::duties::items::item_status;
use model::change::related_records::{ChangeTask, ChecklistItem, Comment, Entry, Evidence, Link};
use model::change::waiting_on;
use model::core::act::actions;
use model::core::refusal::Refusal;
use serde_json::{Value, json};
use wire::views;

use crate::api::shared::change_replies::{created, current, id, items, list, show, without_parameters};
use crate::http::route::{Ask, Reply, Route};

/// The routes that read, add or act around a change.
pub(crate) const ROUTES: &[Route] = &[
    Route::reads("list_requirements", requirements),
    items!("list_evidence", Evidence),
    Route::reads("list_checklist", checklist),
    items!("list_tasks", ChangeTask),
    items!("list_comments", Comment),
    items!("list_entries", Entry),
    Route::reads("list_links", |cx, ask| {
        let change = cx.change(ask.place(0))?;
        let directory = cx.directory()?;
        let file = cx.file(&change.key)?;
        let items = file.links.iter().map(|link| views::listed(link, &directory));
        ask.whole(items.collect())
    }),
    Route::reads("list_watchers", watchers),
    Route::reads("list_events", events),
    Route::writes("accept_evidence", |cx, ask| {
        verbs::accept_evidence(cx, ask.place(0), &id(ask), &ask.body)?;
        created::<Evidence>(cx, ask, &id(ask))
    }),
    Route::writes("tick_checklist", |cx, ask| {
        verbs::tick_checklist(cx, ask.place(0), &id(ask), &ask.body)?;
        created::<ChecklistItem>(cx, ask, &id(ask))
    }),
    Route::writes("waive_item", |cx, ask| {
        verbs::waive_item(cx, ask.place(0), &id(ask), &ask.body)?;
        created::<ChecklistItem>(cx, ask, &id(ask))
    }),
    Route::writes("ask_probe", |cx, ask| {
        ask_probes::ask_probe(cx, ask.place(0), &id(ask))?;
        created::<ChecklistItem>(cx, ask, &id(ask))
    }),
    Route::writes("add_task", |cx, ask| {
        let id = verbs::add_task(cx, ask.place(0), &ask.body)?;
        created::<ChangeTask>(cx, ask, &id)
    }),
    Route::edits("update_task", task_version, |cx, ask| {
        verbs::update_task(cx, ask.place(0), &id(ask), &ask.body)?;
        show(cx, ask.place(0))
    }),
    Route::writes("comment_change", |cx, ask| {
        let id = verbs::comment_change(cx, ask.place(0), &ask.body)?;
        created::<Comment>(cx, ask, &id)
    }),
    Route::writes("record_entry", |cx, ask| {
        let id = record_entry::record_entry(cx, ask.place(0), &ask.body)?;
        created::<Entry>(cx, ask, &id)
    }),
    Route::writes("link_change", |cx, ask| {
        let id = link_change::link_change(cx, ask.place(0), &ask.body)?;
        created::<Link>(cx, ask, &id)
    }),
    Route::writes("unlink_change", |cx, ask| {
        link_change::unlink_change(cx, ask.place(0), &id(ask))?;
        show(cx, ask.place(0))
    }),
    Route::writes("add_watcher", |cx, ask| {
        let done = verbs::watch_change(cx, ask.place(0), true);
        without_parameters(ask, done)?;
        let (change, login) = (cx.change(ask.place(0))?, cx.directory()?.login(&cx.actor.person));
        Ok(Reply::created(
            json!({"id": login, "person": login, "change_state": change.state}),
        ))
    }),
    Route::edits("watch_change", current, |cx, ask| {
        let done = verbs::watch_change(cx, ask.place(0), true);
        without_parameters(ask, done)?;
        show(cx, ask.place(0))
    }),
    Route::writes("unwatch_change", |cx, ask| {
        verbs::watch_change(cx, ask.place(0), false)?;
        show(cx, ask.place(0))
    }),
];

fn requirements(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let file = cx.file(ask.place(0))?;
    let directory = cx.directory()?;
    let ahead = waiting_on::ahead(&file, &directory, cx.now);
    Ok(Reply::ok(json!({
        "items": ahead,
        "next": null,
        "change_state": file.change.state,
        "stop": file.requirements.stop,
        "obligations": file.requirements.obligations,
        "policy_digest": file.requirements.policy_digest,
    })))
}

/// The lines of the checklist; of a typed checklist also its state, its assignee and its open items.
fn checklist(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(actions::READ)?;
    let change = cx.change(ask.place(0))?;
    let (directory, now) = (cx.directory()?, cx.now);
    let file = cx.file(&change.key)?;
    let line = |line: &ChecklistItem| {
        let mut view = views::listed(line, &directory);
        if let Some(found) = item_status(&file, &directory, line, now) {
            let owners = found.owners.iter().map(|person| directory.login(person));
            view["state"] = json!(found.state);
            view["owners"] = json!(owners.collect::<Vec<_>>());
            view["reason"] = json!(found.reason);
            if let Some(lacks) = found.lacks {
                view["lacks"] = json!(lacks.text);
            }
        }
        view
    };
    ask.whole(file.checklist.iter().map(line).collect())
}

fn watchers(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let change = cx.change(ask.place(0))?;
    let directory = cx.directory()?;
    let items = change
        .watchers
        .iter()
        .map(|person| json!(directory.login(person)))
        .collect();
    ask.whole(items)
}

fn events(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let told = show_timeline::show_timeline(cx, ask.place(0))?;
    let directory = cx.directory()?;
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
        views::leave_way_in(&mut value);
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

fn task_version(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    current(cx, ask)
}
