//! The readable name of a record known by table and id: a change's key, a freeze's title, an approval's author.

use model::core::act::actions;
use model::core::ids::PersonId;
use model::core::private_fields::is_withheld;
use serde_json::Value;

use crate::core::context::Context;
use crate::core::error::Result;

/// The fields that name a record, the best first.
const NAMING: [&str; 4] = ["key", "title", "name", "login"];
/// The fields that name the owner of a record without a name.
const WHOSE: [&str; 4] = ["person", "by", "author", "from"];

/// The name of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordName {
    /// Its key, title or name.
    pub name: Option<String>,
    /// Its person, where the record has no name of its own.
    pub person: Option<PersonId>,
    /// The key of the change that it belongs to.
    pub change: Option<String>,
}

/// Finds the name of a record. A field that [`model::core::private_fields`] lists is no name, nor is a text of a letter.
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
    // A letter's text belongs to its reader; the reader may be named.
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
