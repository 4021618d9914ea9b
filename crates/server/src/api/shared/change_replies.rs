//! Responses about a change and its items.

use acts::Context;
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
    ($operation:literal, $verb:path) => {
        Route::writes($operation, act!(@$verb))
    };
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, act!(@$verb))
    };
    (@$verb:path) => {
        |cx, ask| {
            $verb(cx, ask.place(0), &ask.body)?;
            moved(cx, ask)
        }
    };
}
pub(crate) use act;

/// An act on a change that takes nothing.
macro_rules! plain_act {
    ($operation:literal, $verb:path) => {
        Route::writes($operation, plain_act!(@$verb))
    };
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, plain_act!(@$verb))
    };
    (@$verb:path) => {
        |cx, ask| {
            let done = $verb(cx, ask.place(0)).map(drop);
            without_parameters(ask, done)?;
            moved(cx, ask)
        }
    };
}
pub(crate) use plain_act;

/// A list of records around a change.
macro_rules! items {
    ($operation:literal, $noun:ty) => {
        Route::reads($operation, |cx, ask| list::<$noun>(cx, ask, "change_id"))
    };
    ($path:literal, $summary:literal, $noun:ty) => {
        Route::get($path, $summary, |cx, ask| list::<$noun>(cx, ask, "change_id"))
    };
}
pub(crate) use items;

/// A change as responses show it, with its ETag.
pub(crate) fn show(cx: &mut Context<'_, '_>, key: &str) -> acts::Result<Reply> {
    let change = cx.change(key)?;
    let directory = cx.directory()?;
    Ok(Reply::ok(views::change(&change, &directory)).tagged(change.revision))
}

/// An act without parameters refuses fields in the body, by name: a caller who sends a reason must not believe that it was
/// kept. A caller without the permission gets that refusal first. The refusal rolls the act back.
pub(crate) fn without_parameters<T>(ask: &Ask, done: acts::Result<T>) -> acts::Result<T> {
    match done {
        Err(acts::Error::Refused(Refusal::NotFound { .. } | Refusal::NotAllowed { .. })) => done,
        _ => {
            Reading::new(&ask.body, "").finish()?;
            done
        }
    }
}

pub(crate) fn moved(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    Ok(Reply {
        status: 201,
        ..show(cx, ask.place(0))?
    })
}

/// The version that `If-Match` is compared with.
pub(crate) fn current(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(Some(cx.change(ask.place(0))?.revision))
}

pub(crate) fn id(ask: &Ask) -> RecordId {
    RecordId::from(ask.place(1))
}

/// A new item: the record, and the state of its change.
pub(crate) fn created<R: Record>(cx: &mut Context<'_, '_>, ask: &Ask, id: &RecordId) -> acts::Result<Reply> {
    let change = cx.change(ask.place(0))?;
    Ok(Reply::created(item::<R>(cx, &change, id)?))
}

/// An item of a change as responses show it.
pub(crate) fn item<R: Record>(cx: &mut Context<'_, '_>, change: &Change, id: &RecordId) -> acts::Result<Value> {
    let directory = cx.directory()?;
    let found = record::load::<R>(cx.tx, id.as_str())?.ok_or_else(|| Refusal::not_found(R::TABLE))?;
    Ok(views::item(&found.record, change.state, &directory))
}

pub(crate) fn list<R: Record>(cx: &mut Context<'_, '_>, ask: &Ask, column: &str) -> acts::Result<Reply> {
    let change = cx.change(ask.place(0))?;
    let filter = Filter::new().equals(column, change.id.as_str());
    page::<R>(cx, ask, filter, views::listed)
}
