//! Saved views: the filters and columns of a list under a name, one person's own, shown to others where they share it. They
//! decide nothing, so they have no event.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;
use crate::value::Row;

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Its name, unique among a person's views of a list.
    pub name: String,
    /// The list's address behind the question mark.
    pub query: String,
    /// Whether others see it, too.
    pub is_shared: bool,
    /// Grows with every change of it.
    pub version: i64,
}

fn view(row: &Row) -> Result<SavedView> {
    Ok(SavedView {
        name: row.text("name")?,
        query: row.text("query")?,
        is_shared: row.bool("shared")?,
        version: row.int("version")?,
    })
}

/// A person's views of a list, by name; at most `limit`.
pub fn list(tx: &mut Tx<'_>, person: &str, list: &str, limit: i64) -> Result<Vec<SavedView>> {
    tx.query(
        "SELECT name, query, shared, version FROM saved_view
         WHERE tenant = $tenant AND person = $person AND list = $list ORDER BY name LIMIT $limit",
        &[
            ("person", person.into()),
            ("list", list.into()),
            ("limit", limit.into()),
        ],
    )?
    .iter()
    .map(view)
    .collect()
}

/// The views of a list that others share, each with its owner's id, by name; at most `limit`.
pub fn list_shared(tx: &mut Tx<'_>, person: &str, list: &str, limit: i64) -> Result<Vec<(String, SavedView)>> {
    tx.query(
        "SELECT person, name, query, shared, version FROM saved_view
         WHERE tenant = $tenant AND list = $list AND shared = $shared AND person <> $person
         ORDER BY name, person LIMIT $limit",
        &[
            ("person", person.into()),
            ("list", list.into()),
            ("shared", true.into()),
            ("limit", limit.into()),
        ],
    )?
    .iter()
    .map(|row| Ok((row.text("person")?, view(row)?)))
    .collect()
}

/// Keeps a view; one of the same name is replaced.
pub fn save(tx: &mut Tx<'_>, person: &str, list: &str, view: &SavedView, at: Timestamp) -> Result<()> {
    delete(tx, person, list, &view.name)?;
    tx.execute(
        "INSERT INTO saved_view (tenant, person, list, name, query, created_at, shared, version)
         VALUES ($tenant, $person, $list, $name, $query, $created_at, $shared, $version)",
        &[
            ("person", person.into()),
            ("list", list.into()),
            ("name", view.name.as_str().into()),
            ("query", view.query.as_str().into()),
            ("created_at", at.into()),
            ("shared", view.is_shared.into()),
            ("version", view.version.into()),
        ],
    )?;
    Ok(())
}

/// Removes a view; false when there was none.
pub fn delete(tx: &mut Tx<'_>, person: &str, list: &str, name: &str) -> Result<bool> {
    let done = tx.execute(
        "DELETE FROM saved_view WHERE tenant = $tenant AND person = $person AND list = $list AND name = $name",
        &[("person", person.into()), ("list", list.into()), ("name", name.into())],
    )?;
    Ok(done > 0)
}
