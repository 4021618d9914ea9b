//! Responses about records: a page of a list, one record, a record that was made or set.

use std::collections::BTreeSet;

use acts::Context;
use model::core::body::Body;
use model::core::ids::ServiceKey;
use model::core::parse::nearest;
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use serde::Serialize;
use serde_json::Value;
use store::record::{self, Filter, Record};
use wire::views;

use crate::http::route::{Ask, Reply};

/// A list from the directory, by its key.
macro_rules! known {
    ($operation:literal, |$directory:ident| $rows:expr) => {
        Route::reads($operation, known!(@|$directory| $rows))
    };
    ($path:literal, $summary:literal, |$directory:ident| $rows:expr) => {
        Route::get($path, $summary, known!(@|$directory| $rows))
    };
    (@|$directory:ident| $rows:expr) => {
        |cx, ask| {
            cx.allow(model::core::act::actions::READ)?;
            let $directory = cx.visible()?;
            keyed(ask, $rows)
        }
    };
}
pub(crate) use known;

/// One record of the directory.
macro_rules! one {
    ($operation:literal, $what:literal, |$directory:ident, $key:ident| $found:expr) => {
        Route::reads($operation, one!(@$what, |$directory, $key| $found))
    };
    ($path:literal, $summary:literal, $what:literal, |$directory:ident, $key:ident| $found:expr) => {
        Route::get($path, $summary, one!(@$what, |$directory, $key| $found))
    };
    (@$what:literal, |$directory:ident, $key:ident| $found:expr) => {
        |cx, ask| {
            cx.allow(model::core::act::actions::READ)?;
            let $directory = cx.visible()?;
            let $key = ask.place(0);
            let found = $found.ok_or_else(|| Refusal::not_found(format!("{} {}", $what, $key)))?;
            tagged(&$directory, found)
        }
    };
}
pub(crate) use one;

/// An act that sets a record of the directory from the body.
macro_rules! set {
    ($operation:literal, $verb:path) => {
        Route::writes($operation, set!(@$verb))
    };
    ($path:literal, $summary:literal, $verb:path) => {
        Route::post($path, $summary, set!(@$verb))
    };
    (@$verb:path) => {
        |cx, ask| {
            let made = $verb(cx, &ask.body)?;
            new_one(cx, &made)
        }
    };
}
pub(crate) use set;

/// An act that creates a record of the directory from the body, or sets the one whose key the body names.
macro_rules! make_or_set {
    ($operation:literal, $verb:path, |$directory:ident, $key:ident| $found:expr) => {
        Route::writes($operation, make_or_set!(@$verb, |$directory, $key| $found))
    };
    ($path:literal, $summary:literal, $verb:path, |$directory:ident, $key:ident| $found:expr) => {
        Route::post($path, $summary, make_or_set!(@$verb, |$directory, $key| $found))
    };
    (@$verb:path, |$directory:ident, $key:ident| $found:expr) => {
        |cx, ask| {
            let $directory = cx.directory()?;
            let $key = ask.body.get("key").and_then(Value::as_str).unwrap_or_default();
            let stands = $found.is_some();
            let made = $verb(cx, &ask.body);
            made_or_set(cx, ask, stands, made)
        }
    };
}
pub(crate) use make_or_set;

pub(crate) fn tagged<T: Serialize + Record>(directory: &Directory, record: &T) -> acts::Result<Reply> {
    Ok(Reply::ok(views::shown(record, directory)).tagged(record.version()))
}

pub(crate) fn new_one<T: Serialize + Record>(cx: &mut Context<'_, '_>, record: &T) -> acts::Result<Reply> {
    let directory = cx.directory()?;
    Ok(Reply {
        status: 201,
        ..tagged(&directory, record)?
    })
}

/// The response to a request that creates a record or sets the existing one: 201 for a new record, 200 for an existing one.
/// With `If-None-Match: *` (RFC 9110, section 13.1.2) only a new one is accepted.
///
/// # Errors
/// The act's; 412 where the record exists and only a new one is accepted.
pub(crate) fn made_or_set<T: Serialize + Record>(
    cx: &mut Context<'_, '_>,
    ask: &Ask,
    stands: bool,
    made: acts::Result<T>,
) -> acts::Result<Reply> {
    if stands {
        ask.check_wants_known(&made)?;
        return tagged(&*cx.directory()?, &made?);
    }
    new_one(cx, &made?)
}

/// A page of a list of the directory, in the order of keys.
pub(crate) fn keyed(ask: &Ask, rows: impl Iterator<Item = (String, Value)>) -> acts::Result<Reply> {
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

pub(crate) fn all<R: Record>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(model::core::act::actions::READ)?;
    page::<R>(cx, ask, Filter::new(), views::shown)
}

pub(crate) fn loaded<R: Record>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Reply> {
    cx.allow(model::core::act::actions::READ)?;
    let found = store::record::load::<R>(cx.tx, ask.place(0))?.ok_or_else(|| Refusal::not_found(R::TABLE))?;
    tagged(&*cx.directory()?, &found.record)
}

/// A record with the body's merge patch applied, without the fields that the server itself adds. Cleared fields are named with
/// null, as absent fields keep their value.
pub(crate) fn merged<T: Serialize>(ask: &Ask, what: &str, old: Option<T>) -> acts::Result<Body> {
    let Some(old) = old else {
        return Err(Refusal::not_found(format!("{what} {}", ask.place(0))).into());
    };
    let Value::Object(mut map) = serde_json::to_value(&old)? else {
        return Ok(Body::new());
    };
    for ours in ["id", "version", "watchers", "watching_groups", "led_by"] {
        map.remove(ours);
    }
    let key = map.get("key").and_then(Value::as_str);
    if let Some(wrong) = key.and_then(|key| model::core::parse::other_key(&ask.body, key)) {
        return Err(Refusal::Invalid(vec![wrong]).into());
    }
    model::change::read_content::merge(&mut map, &ask.body);
    let cleared = ask.body.iter().filter(|(_, value)| value.is_null());
    map.extend(cleared.map(|(field, _)| (field.clone(), Value::Null)));
    Ok(map)
}

/// The version of a record that the directory does not hold by a key.
pub(crate) fn version_of<R: Record>(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<Option<i64>> {
    Ok(store::record::load::<R>(cx.tx, ask.place(0))?.map(|found| found.record.version()))
}

/// How many records a filtered list reads at a time, and at most for one page. A page that has read the most names the position
/// of the next one, even if it found fewer records than requested.
const AT_ONCE: i64 = 200;
const MOST_LOOKED: usize = 5_000;

/// A page of the records that `wanted` picks, in the order of ids.
pub(crate) fn filtered<R: Record>(
    cx: &mut Context<'_, '_>,
    ask: &Ask,
    wanted: impl Fn(&R) -> bool,
    view: fn(&R, &Directory) -> Value,
) -> acts::Result<Reply> {
    let limit = usize::try_from(ask.limit()?).unwrap_or_default();
    let directory = cx.directory()?;
    let mut after = ask.query("after").unwrap_or_default().to_owned();
    let (mut found, mut looked): (Vec<R>, usize) = (Vec::new(), 0);
    let next = loop {
        let filter = Filter::new().more("id", after.as_str()).order_by("id").limit(AT_ONCE);
        let rows = record::bodies::<R>(cx.tx, &filter)?;
        looked += rows.len();
        let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < AT_ONCE);
        if let Some(last) = rows.last() {
            last.id().clone_into(&mut after);
        }
        found.extend(rows.into_iter().filter(|row| wanted(row)));
        if found.len() > limit {
            found.truncate(limit);
            break found.last().map(|row| row.id().to_owned());
        }
        if is_last {
            break None;
        }
        if looked >= MOST_LOOKED {
            break Some(after);
        }
    };
    Ok(ask.page(found.iter().map(|row| view(row, &directory)).collect(), next))
}

/// The state that a list is filtered by, one of the known values.
///
/// # Errors
/// 422.
pub(crate) fn state_filter<'a>(ask: &'a Ask, known: &[&'static str]) -> acts::Result<Option<&'a str>> {
    let Some(word) = ask.query("state").filter(|word| !word.is_empty()) else {
        return Ok(None);
    };
    if known.contains(&word) {
        return Ok(Some(word));
    }
    let help = match nearest(word, known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("There are {}.", known.join(", ")),
    };
    let text = format!("There is no state `{word}`. {help}");
    Err(Refusal::field("state", "unknown", text).into())
}

/// Whether a list is filtered by a service outside of the reader's scope: the result would reveal something about that service.
///
/// # Errors
/// The store's.
pub(crate) fn filters_outside_scope(cx: &mut Context<'_, '_>, ask: &Ask) -> acts::Result<bool> {
    let service = ask.query("service").unwrap_or_default();
    let scope = cx.scope()?;
    Ok(!service.is_empty() && scope.is_some_and(|scope| !scope.has(service)))
}

/// Whether these services include the one that a list is filtered by; an empty set means all.
pub(crate) fn is_of(ask: &Ask, services: &BTreeSet<ServiceKey>) -> bool {
    let asked = ask.query("service").unwrap_or_default();
    asked.is_empty() || services.is_empty() || services.iter().any(|key| key.as_str() == asked)
}

/// Whether a title contains the text of `q`.
pub(crate) fn is_titled(ask: &Ask, title: &str) -> bool {
    let wanted = ask.query("q").unwrap_or_default().to_lowercase();
    title.to_lowercase().contains(&wanted)
}

/// A page of records in the order of ids.
pub(crate) fn page<R: Record>(
    cx: &mut Context<'_, '_>,
    ask: &Ask,
    filter: Filter,
    view: fn(&R, &model::directory::snapshot::Directory) -> Value,
) -> acts::Result<Reply> {
    let limit = ask.limit()?;
    let directory = cx.directory()?;
    let filter = match ask.query("after") {
        Some(after) => filter.more("id", after),
        None => filter,
    };
    let mut rows = record::find::<R>(cx.tx, &filter.order_by("id").limit(limit + 1))?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count > limit);
    rows.truncate(usize::try_from(limit).unwrap_or_default());
    let next = rows.last().filter(|_| more).map(|row| row.record.id().to_owned());
    Ok(ask.page(rows.iter().map(|row| view(&row.record, &directory)).collect(), next))
}
