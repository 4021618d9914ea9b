//! What people call a record that is known by its table and id: a change by its key, a freeze by its title, an approval by who gave it.

use model::core::act::actions;
use model::core::ids::PersonId;
use model::core::private_fields::is_withheld;
use serde_json::Value;

use crate::core::context::Context;
use crate::core::error::Result;

/// The fields that name a record, the best first.
const NAMING: [&str; 4] = ["key", "title", "name", "login"];
/// The fields that tell whose a record without a name is.
const WHOSE: [&str; 4] = ["person", "by", "author", "from"];

/// What a record is called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordName {
    /// Its key, title or name.
    pub name: Option<String>,
    /// Whose it is, where it has no name of its own.
    pub person: Option<PersonId>,
    /// The key of the change that it belongs to.
    pub change: Option<String>,
}

/// Finds what a record is called. What [`model::core::private_fields`] names is no name, nor is a text of a letter.
///
/// # Errors
/// 403, or the store's.
pub fn name_record(cx: &mut Context<'_, '_>, table: &str, id: &str) -> Result<RecordName> {
    cx.allow(actions::AUDIT)?;
    let Some(body) = store::nouns::load_body(cx.tx, table, id)? else {
        return Ok(RecordName::default());
    };
    let text = |field: &&str| {
        let value = body.get(*field).and_then(Value::as_str);
        value
            .filter(|text| !text.is_empty() && !is_withheld(table, field))
            .map(str::to_owned)
    };
    let of_change = ["change", "from_change"]
        .iter()
        .find_map(text)
        .filter(|_| table != "change");
    let change = match of_change {
        Some(id) => cx.change(&id).ok().map(|change| change.key),
        None => None,
    };
    // What a letter says is its reader's; whose it is may be told.
    let is_letter = table == "message";
    let name = NAMING.iter().find_map(text).filter(|_| !is_letter);
    Ok(RecordName {
        person: WHOSE
            .iter()
            .find_map(text)
            .map(PersonId::from)
            .filter(|_| name.is_none()),
        name,
        change,
    })
}
