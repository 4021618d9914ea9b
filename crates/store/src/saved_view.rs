//! Saved views: the filters and columns of a list under a name, one person's own. They decide nothing, so no event
//! tells of them.

use jiff::Timestamp;

use crate::error::Result;
use crate::tx::Tx;

/// A saved view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedView {
    /// Its name, unique among a person's views of a list.
    pub name: String,
    /// The list's address behind the question mark.
    pub query: String,
}

/// A person's views of a list, by name; at most `limit`.
pub fn list(tx: &mut Tx<'_>, person: &str, list: &str, limit: i64) -> Result<Vec<SavedView>> {
    tx.query(
        "SELECT name, query FROM saved_view WHERE tenant = $tenant AND person = $person AND list = $list
         ORDER BY name LIMIT $limit",
        &[
            ("person", person.into()),
            ("list", list.into()),
            ("limit", limit.into()),
        ],
    )?
    .iter()
    .map(|row| {
        Ok(SavedView {
            name: row.text("name")?,
            query: row.text("query")?,
        })
    })
    .collect()
}

/// Keeps a view; one of the same name is replaced.
pub fn save(tx: &mut Tx<'_>, person: &str, list: &str, view: &SavedView, at: Timestamp) -> Result<()> {
    delete(tx, person, list, &view.name)?;
    tx.execute(
        "INSERT INTO saved_view (tenant, person, list, name, query, created_at)
         VALUES ($tenant, $person, $list, $name, $query, $created_at)",
        &[
            ("person", person.into()),
            ("list", list.into()),
            ("name", view.name.as_str().into()),
            ("query", view.query.as_str().into()),
            ("created_at", at.into()),
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
