//! Keeps, finds and removes a person's own views of a list. A view is a convenience of the one who reads: it moves no
//! decision, so it stands in no log.

use model::act::actions::READ;
use model::refusal::Refusal;
pub use store::saved_view::SavedView;

use crate::error::Result;
use crate::room::Room;

/// The most views of a list that a person keeps.
pub const MOST_VIEWS: i64 = 20;
/// The longest name, in characters.
pub const NAME_LIMIT: usize = 60;
/// The longest query, in bytes.
pub const QUERY_LIMIT: usize = 2_000;

/// Finds the acting person's views of a list, by name.
///
/// # Errors
/// 403, or the store's.
pub fn find_views(room: &mut Room<'_, '_>, list: &str) -> Result<Vec<SavedView>> {
    room.allow(READ)?;
    let person = room.actor.person.0.clone();
    Ok(store::saved_view::list(room.tx, &person, list, MOST_VIEWS)?)
}

/// Keeps a view under a name; one of the same name is replaced.
///
/// # Errors
/// 403, 422 for a name or query that is empty or too long or for one view too many, or the store's.
pub fn save_view(room: &mut Room<'_, '_>, list: &str, name: &str, query: &str) -> Result<()> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_LIMIT {
        let text = format!("A view has a name of at most {NAME_LIMIT} letters.");
        return Err(Refusal::field("name", "length", text).into());
    }
    if query.len() > QUERY_LIMIT {
        let text = format!("The filters of a view have at most {QUERY_LIMIT} letters.");
        return Err(Refusal::field("query", "length", text).into());
    }
    let kept = find_views(room, list)?;
    let is_new = kept.iter().all(|view| view.name != name);
    if is_new && kept.len() >= usize::try_from(MOST_VIEWS).unwrap_or(usize::MAX) {
        let text = format!("There are {MOST_VIEWS} views already. Remove one first.");
        return Err(Refusal::field("name", "too_many", text).into());
    }
    let person = room.actor.person.0.clone();
    let view = SavedView {
        name: name.to_owned(),
        query: query.to_owned(),
    };
    Ok(store::saved_view::save(room.tx, &person, list, &view, room.now)?)
}

/// Removes a view. One that is gone is no error.
///
/// # Errors
/// 403, or the store's.
pub fn remove_view(room: &mut Room<'_, '_>, list: &str, name: &str) -> Result<()> {
    room.allow(READ)?;
    let person = room.actor.person.0.clone();
    store::saved_view::delete(room.tx, &person, list, name)?;
    Ok(())
}
