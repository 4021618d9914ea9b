//! Follows a repository by the sender's id: a renamed repository keeps its row of the map, and another repository with the old
//! name does not take the row over.

use model::directory::snapshot::Connection;
use model::integration::signal::Repository;
use serde_json::json;

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::Result;

/// The result of following a repository's id.
pub(crate) struct Followed {
    /// In words.
    pub text: String,
    /// Whether the delivery is of another repository than the map means by the name.
    pub is_stranger: bool,
}

/// Applies the id and the name of a delivery's repository; returns `None` when there is nothing to report.
///
/// # Errors
/// The store's.
pub(crate) fn follow(cx: &mut Context<'_, '_>, connection: &str, it: &Repository) -> Result<Option<Followed>> {
    let mut connection = connections::connection(cx, connection)?;
    let named = |connection: &Connection| connection.map.iter().position(|row| row.is_of(&it.name));
    let has_id = |id: &Option<String>| id.as_deref() == Some(it.id.as_str());
    if let Some(place) = named(&connection) {
        let rows = connection.map.iter().filter(|row| row.is_of(&it.name));
        if rows.clone().any(|row| has_id(&row.repository_id)) {
            return Ok(None);
        }
        if connection.map[place].repository_id.is_some() {
            let text = format!(
                "noted: {} is another repository now than the one that is mapped here",
                it.name
            );
            return Ok(Some(Followed {
                text,
                is_stranger: true,
            }));
        }
        for row in connection.map.iter_mut().filter(|row| row.is_of(&it.name)) {
            row.repository_id = Some(it.id.clone());
        }
        cx.put_estate("connection.edited", connection, json!({}))?;
        return Ok(None);
    }
    let name = it.name.to_lowercase();
    let mut before = None;
    for row in connection.map.iter_mut().filter(|row| has_id(&row.repository_id)) {
        let known = std::mem::replace(&mut row.repository, name.clone());
        row.first_named.get_or_insert_with(|| known.clone());
        before = Some(known);
    }
    let Some(before) = before else { return Ok(None) };
    cx.put_estate("connection.edited", connection, json!({}))?;
    Ok(Some(Followed {
        text: format!("{before} is called {} now", it.name),
        is_stranger: false,
    }))
}
