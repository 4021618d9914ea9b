//! Keeps, finds, shares and removes a person's own views of a list. A view only helps its reader: it moves no decision, so the
//! log has no entry of it.

use model::core::act::actions::READ;
use model::core::body::Body;
use model::core::ids::PersonId;
use model::core::parse::Reading;
use model::core::refusal::Refusal;
use store::report::saved_view;
pub use store::report::saved_view::SavedView;

use crate::core::context::Context;
use crate::core::error::Result;

/// The most views of a list that a person keeps.
pub const MOST_VIEWS: i64 = 20;
/// The most shared views in a list.
pub const MOST_SHARED: i64 = 500;
/// The longest name, in characters.
pub const NAME_LIMIT: usize = 60;
/// The longest query, in bytes.
pub const QUERY_LIMIT: usize = 2_000;
/// The lists that have views.
pub const LISTS: &[&str] = &["changes"];

/// Finds the acting person's views of a list, by name.
///
/// # Errors
/// 403, or the store's.
pub fn find_views(cx: &mut Context<'_, '_>, list: &str) -> Result<Vec<SavedView>> {
    cx.allow(READ)?;
    let person = cx.actor.person.0.clone();
    Ok(saved_view::list(cx.tx, &person, list, MOST_VIEWS)?)
}

/// Finds the views of a list that others share, by name. A person who has left shares nothing any more.
///
/// # Errors
/// 403, or the store's.
pub fn find_shared_views(cx: &mut Context<'_, '_>, list: &str) -> Result<Vec<(PersonId, SavedView)>> {
    cx.allow(READ)?;
    let (person, directory) = (cx.actor.person.0.clone(), cx.directory()?);
    let rows = saved_view::list_shared(cx.tx, &person, list, MOST_SHARED)?;
    let rows = rows.into_iter().map(|(owner, view)| (PersonId(owner), view));
    Ok(rows.filter(|(owner, _)| directory.is_active(owner)).collect())
}

/// Finds one of the acting person's views.
///
/// # Errors
/// 403, 404, or the store's.
pub fn find_view(cx: &mut Context<'_, '_>, list: &str, name: &str) -> Result<SavedView> {
    let kept = find_views(cx, list)?;
    let found = kept.into_iter().find(|view| view.name == name);
    Ok(found.ok_or_else(|| Refusal::not_found(format!("view {name}")))?)
}

/// Keeps a view under a name; one of the same name is replaced, and stays shared if it was.
///
/// # Errors
/// 403, 422 for a name or query that is empty or too long or for one view too many, or the store's.
pub fn save_view(cx: &mut Context<'_, '_>, list: &str, name: &str, query: &str) -> Result<()> {
    let kept = find_views(cx, list)?;
    let old = kept.iter().find(|view| view.name == name.trim());
    let view = SavedView {
        name: name.trim().to_owned(),
        query: query.to_owned(),
        is_shared: old.is_some_and(|view| view.is_shared),
        version: old.map_or(1, |view| view.version + 1),
    };
    check(&view)?;
    if old.is_none() {
        check_room(&kept)?;
    }
    keep(cx, list, &view)
}

/// Makes a view (`POST /views {list, name, query, is_shared}`).
///
/// # Errors
/// 403, 422, or the store's.
pub fn create_view(cx: &mut Context<'_, '_>, body: &Body) -> Result<(String, SavedView)> {
    cx.allow(READ)?;
    let mut reading = Reading::new(body, "");
    let list = reading.text("list", NAME_LIMIT).unwrap_or_else(|| LISTS[0].to_owned());
    if !LISTS.contains(&list.as_str()) {
        reading.wrong(
            "list",
            "unknown_word",
            format!("`list` is one of {}.", LISTS.join(", ")),
        );
    }
    let view = SavedView {
        name: reading.needed("name", NAME_LIMIT).trim().to_owned(),
        query: reading.text("query", QUERY_LIMIT).unwrap_or_default(),
        is_shared: reading.boolean("is_shared").unwrap_or(false),
        version: 1,
    };
    reading.finish()?;
    check(&view)?;
    let kept = find_views(cx, &list)?;
    if kept.iter().any(|known| known.name == view.name) {
        return Err(not_unique(&view.name).into());
    }
    check_room(&kept)?;
    keep(cx, &list, &view)?;
    Ok((list, view))
}

/// Renames a view, gives it other filters, shares it or keeps it to oneself (`PATCH /views/{name}`).
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn change_view(cx: &mut Context<'_, '_>, list: &str, name: &str, body: &Body) -> Result<SavedView> {
    let old = find_view(cx, list, name)?;
    let mut reading = Reading::new(body, "");
    let view = SavedView {
        name: reading
            .text("name", NAME_LIMIT)
            .unwrap_or_else(|| old.name.clone())
            .trim()
            .to_owned(),
        query: reading.text("query", QUERY_LIMIT).unwrap_or_else(|| old.query.clone()),
        is_shared: reading.boolean("is_shared").unwrap_or(old.is_shared),
        version: old.version + 1,
    };
    reading.finish()?;
    check(&view)?;
    if view.name != old.name {
        if find_views(cx, list)?.iter().any(|known| known.name == view.name) {
            return Err(not_unique(&view.name).into());
        }
        let person = cx.actor.person.0.clone();
        saved_view::delete(cx.tx, &person, list, &old.name)?;
    }
    keep(cx, list, &view)?;
    Ok(view)
}

/// Removes a view. Removing an absent view is no error.
///
/// # Errors
/// 403, or the store's.
pub fn remove_view(cx: &mut Context<'_, '_>, list: &str, name: &str) -> Result<()> {
    cx.allow(READ)?;
    let person = cx.actor.person.0.clone();
    saved_view::delete(cx.tx, &person, list, name)?;
    Ok(())
}

fn check(view: &SavedView) -> std::result::Result<(), Refusal> {
    if view.name.is_empty() || view.name.chars().count() > NAME_LIMIT {
        let text = format!("A view has a name of at most {NAME_LIMIT} letters.");
        return Err(Refusal::field("name", "length", text));
    }
    if view.query.len() > QUERY_LIMIT {
        let text = format!("The filters of a view have at most {QUERY_LIMIT} letters.");
        return Err(Refusal::field("query", "length", text));
    }
    Ok(())
}

fn check_room(kept: &[SavedView]) -> std::result::Result<(), Refusal> {
    if kept.len() >= usize::try_from(MOST_VIEWS).unwrap_or(usize::MAX) {
        let text = format!("There are {MOST_VIEWS} views already. Remove one first.");
        return Err(Refusal::field("name", "too_many", text));
    }
    Ok(())
}

fn not_unique(name: &str) -> Refusal {
    let text = format!("You have a view `{name}` already. Choose another name, or change that one.");
    Refusal::field("name", "not_unique", text)
}

fn keep(cx: &mut Context<'_, '_>, list: &str, view: &SavedView) -> Result<()> {
    let person = cx.actor.person.0.clone();
    Ok(saved_view::save(cx.tx, &person, list, view, cx.now)?)
}
