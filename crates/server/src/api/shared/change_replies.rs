//! Answers about a change and its items.

use acts::Room;
use model::change::record::Change;
use model::core::ids::RecordId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use serde_json::Value;
use store::record::{self, Filter, Record};
use wire::views;

use crate::api::shared::records::page;
use crate::http::route::{Ask, Reply};

/// An act on a change that takes the body's fields.
macro_rules! act {
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, |room, ask| {
            $verb(room, ask.place(0), &ask.body)?;
            moved(room, ask)
        })
    };
}
pub(crate) use act;

/// An act on a change that takes nothing.
macro_rules! plain_act {
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, |room, ask| {
            let done = $verb(room, ask.place(0)).map(drop);
            nothing_said(ask, done)?;
            moved(room, ask)
        })
    };
}
pub(crate) use plain_act;

/// A list of records around a change.
macro_rules! items {
    ($path:literal, $summary:literal, $noun:ty) => {
        Route::get($path, $summary, |room, ask| list::<$noun>(room, ask, "change_id"))
    };
}
pub(crate) use items;

/// A change as answers show it, with its ETag.
pub(crate) fn show(room: &mut Room<'_, '_>, key: &str) -> acts::Result<Reply> {
    let change = room.change(key)?;
    let directory = room.directory()?;
    Ok(Reply::ok(views::change(&change, &directory)).tagged(change.revision))
}

/// An act that takes nothing refuses what it is told all the same, by name: who sends a reason must not believe that it was
/// kept. Who may not do it learns that first; what was done is taken back with the refusal.
pub(crate) fn nothing_said<T>(ask: &Ask, done: acts::Result<T>) -> acts::Result<T> {
    match done {
        Err(acts::Error::Refused(Refusal::NotFound { .. } | Refusal::NotAllowed { .. })) => done,
        _ => {
            Reading::new(&ask.body, "").finish()?;
            done
        }
    }
}

pub(crate) fn moved(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    Ok(Reply {
        status: 201,
        ..show(room, ask.place(0))?
    })
}

/// What `If-Match` is held against.
pub(crate) fn current(room: &mut Room<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(Some(room.change(ask.place(0))?.revision))
}

pub(crate) fn id(ask: &Ask) -> RecordId {
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

pub(crate) fn list<R: Record>(room: &mut Room<'_, '_>, ask: &Ask, column: &str) -> acts::Result<Reply> {
    let change = room.change(ask.place(0))?;
    let filter = Filter::new().equals(column, change.id.as_str());
    page::<R>(room, ask, filter, views::listed)
}
