//! What stands around a change: decisions, evidence, tasks, comments, links, permits, its timeline.

use acts::Room;
use model::change::Change;
use model::ids::RecordId;
use model::records::{
    Approval, ChangeTask, ChecklistItem, Comment, Condition, Entry, Evidence, Link, PeerReview, Permit,
};
use model::refusal::Refusal;
use serde_json::{Value, json};
use store::record::{self, Filter, Record};
use wire::views;

use super::changes::{current, nothing_said, show};
use crate::route::{Ask, Reply, Route};

/// A list of records around a change.
macro_rules! items {
    ($path:literal, $summary:literal, $noun:ty) => {
        Route::get($path, $summary, |room, ask| list::<$noun>(room, ask, "change_id"))
    };
}

/// What is read around a change.
pub(crate) const ROUTES: &[Route] = &[
    Route::get(
        "/changes/{key}/requirements",
        "Tells all that is unmet ahead, and whom it waits for.",
        requirements,
    ),
    items!(
        "/changes/{key}/approvals",
        "Lists decisions, also ended ones.",
        Approval
    ),
    items!("/changes/{key}/conditions", "Lists conditions of approvals.", Condition),
    items!("/changes/{key}/evidence", "Lists evidence.", Evidence),
    items!("/changes/{key}/peer-reviews", "Lists peer reviews.", PeerReview),
    items!("/changes/{key}/checklist", "Lists checklist items.", ChecklistItem),
    items!("/changes/{key}/tasks", "Lists tasks.", ChangeTask),
    items!("/changes/{key}/comments", "Lists comments.", Comment),
    items!(
        "/changes/{key}/implementation/entries",
        "Lists the log of actions.",
        Entry
    ),
    Route::get("/changes/{key}/permits", "Lists permits.", permits),
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
];

/// What is added and done around a change.
pub(crate) const ITEMS: &[Route] = &[
    Route::post(
        "/changes/{key}/approvals",
        "Decides: approve, return, reject, abstain.",
        approve,
    ),
    Route::delete(
        "/changes/{key}/approvals/{id}",
        "Takes one's own decision back.",
        |room, ask| {
            acts::withdraw_approval::withdraw_approval(room, ask.place(0), &id(ask))?;
            show(room, ask.place(0))
        },
    ),
    Route::post(
        "/changes/{key}/conditions/{id}/met",
        "Says that a condition is met.",
        |room, ask| {
            acts::meet_condition::meet_condition(room, ask.place(0), &id(ask), &ask.body)?;
            created::<Condition>(room, ask, &id(ask))
        },
    ),
    Route::post(
        "/changes/{key}/evidence/{id}/acceptance",
        "Accepts failed evidence with a reason.",
        |room, ask| {
            acts::accept_evidence::accept_evidence(room, ask.place(0), &id(ask), &ask.body)?;
            created::<Evidence>(room, ask, &id(ask))
        },
    ),
    Route::post(
        "/changes/{key}/peer-reviews",
        "Says what a peer thinks of plan and code.",
        |room, ask| {
            let id = acts::peer_review_change::peer_review_change(room, ask.place(0), &ask.body)?;
            created::<PeerReview>(room, ask, &id)
        },
    ),
    Route::post(
        "/changes/{key}/checklist/{id}/tick",
        "Ticks a checklist item.",
        |room, ask| {
            acts::tick_checklist::tick_checklist(room, ask.place(0), &id(ask), &ask.body)?;
            created::<ChecklistItem>(room, ask, &id(ask))
        },
    ),
    Route::post("/changes/{key}/tasks", "Gives work to somebody.", |room, ask| {
        let id = acts::add_task::add_task(room, ask.place(0), &ask.body)?;
        created::<ChangeTask>(room, ask, &id)
    }),
    Route::patch(
        "/changes/{key}/tasks/{id}",
        "Moves a task on.",
        task_version,
        |room, ask| {
            acts::update_task::update_task(room, ask.place(0), &id(ask), &ask.body)?;
            show(room, ask.place(0))
        },
    ),
    Route::post("/changes/{key}/comments", "Comments.", |room, ask| {
        let id = acts::comment_change::comment_change(room, ask.place(0), &ask.body)?;
        created::<Comment>(room, ask, &id)
    }),
    Route::post(
        "/changes/{key}/implementation/entries",
        "Writes a line in the log of actions.",
        |room, ask| {
            let id = acts::record_entry::record_entry(room, ask.place(0), &ask.body)?;
            created::<Entry>(room, ask, &id)
        },
    ),
    Route::post(
        "/changes/{key}/links",
        "Links to another change or an incident.",
        |room, ask| {
            let id = acts::link_change::link_change(room, ask.place(0), &ask.body)?;
            created::<Link>(room, ask, &id)
        },
    ),
    Route::delete("/changes/{key}/links/{id}", "Takes a link away.", |room, ask| {
        acts::link_change::unlink_change(room, ask.place(0), &id(ask))?;
        show(room, ask.place(0))
    }),
    Route::post("/changes/{key}/watchers", "Watches a change.", |room, ask| {
        let done = acts::watch_change::watch_change(room, ask.place(0), true);
        nothing_said(ask, done)?;
        let (change, login) = (room.change(ask.place(0))?, room.directory()?.login(&room.actor.person));
        Ok(Reply::created(
            json!({"id": login, "person": login, "change_state": change.state}),
        ))
    }),
    Route::put(
        "/changes/{key}/watchers",
        "Watches a change.",
        super::changes::current,
        |room, ask| {
            let done = acts::watch_change::watch_change(room, ask.place(0), true);
            nothing_said(ask, done)?;
            show(room, ask.place(0))
        },
    ),
    Route::delete("/changes/{key}/watchers", "Stops watching.", |room, ask| {
        acts::watch_change::watch_change(room, ask.place(0), false)?;
        show(room, ask.place(0))
    }),
    Route::post(
        "/changes/{key}/permits",
        "Gives a permit ahead of the window.",
        issue_permit,
    ),
    Route::post("/permits/{jti}/revocation", "Revokes a permit.", revoke_permit),
];

fn id(ask: &Ask) -> RecordId {
    RecordId::from(ask.place(1))
}

/// A new item: the record, and the state of its change.
pub(crate) fn created<R: Record>(room: &mut Room<'_, '_>, ask: &Ask, id: &RecordId) -> acts::Result<Reply> {
    let change = room.change(ask.place(0))?;
    Ok(Reply::created(item::<R>(room, &change, id)?))
}

/// An item of a change as answers show it.
pub(crate) fn item<R: Record>(room: &mut Room<'_, '_>, change: &Change, id: &RecordId) -> acts::Result<Value> {
    let directory = room.directory()?;
    let found = record::load::<R>(room.tx, id.as_str())?.ok_or_else(|| Refusal::not_found(R::TABLE))?;
    Ok(views::item(&found.record, change.state, &directory))
}

fn list<R: Record>(room: &mut Room<'_, '_>, ask: &Ask, column: &str) -> acts::Result<Reply> {
    let change = room.change(ask.place(0))?;
    let filter = Filter::new().equals(column, change.id.as_str());
    page::<R>(room, ask, filter, views::listed)
}

/// A page of records in the order of ids.
pub(crate) fn page<R: Record>(
    room: &mut Room<'_, '_>,
    ask: &Ask,
    filter: Filter,
    view: fn(&R, &model::directory::Directory) -> Value,
) -> acts::Result<Reply> {
    let limit = ask.limit()?;
    let directory = room.directory()?;
    let filter = match ask.query("after") {
        Some(after) => filter.more("id", after),
        None => filter,
    };
    let mut rows = record::find::<R>(room.tx, &filter.order_by("id").limit(limit + 1))?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().filter(|_| more).map(|row| row.record.id().to_owned());
    Ok(ask.page(rows.iter().map(|row| view(&row.record, &directory)).collect(), next))
}

fn requirements(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let file = room.file(ask.place(0))?;
    let directory = room.directory()?;
    let ahead = model::awaited::ahead(&file, &directory, room.now);
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
    let told = acts::show_timeline::show_timeline(room, ask.place(0))?;
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

fn approve(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let id = acts::approve_change::approve_change(room, ask.place(0), &ask.body)?;
    created::<Approval>(room, ask, &id)
}

fn task_version(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    current(room, ask)
}

fn issue_permit(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let (permit, token) = acts::issue_permit::issue_permit(room, ask.place(0), &ask.body)?;
    let change = room.change(ask.place(0))?;
    let mut value = item::<Permit>(room, &change, &permit.id)?;
    value["jti"] = json!(permit.id);
    value["permit"] = json!(token);
    Ok(Reply::created(value).with_permit(Some(permit.id)))
}

fn permits(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let change = room.change(ask.place(0))?;
    page::<Permit>(
        room,
        ask,
        Filter::new().equals("change_id", change.id.as_str()),
        |permit, directory| {
            let mut value = views::listed(permit, directory);
            value["jti"] = json!(permit.id);
            value
        },
    )
}

fn revoke_permit(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    let found = record::load::<Permit>(room.tx, ask.place(0))?.ok_or_else(|| Refusal::not_found("permit"))?;
    let permit = found.record;
    acts::revoke_permit::revoke_permit(room, &permit.change_key, &permit.id, &ask.body)?;
    let change = room.change(&permit.change_key)?;
    Ok(Reply::created(item::<Permit>(room, &change, &permit.id)?))
}
