//! The acts on nouns with a card. Each checks the permission that the row of the verb names, then reads the input, then runs
//! the rules of the noun: 403 comes before 422.

use model::core::body::Body;
use model::core::card::{self, Described, Does, Field, Input, Kind, Noun};
use model::core::ids::{GroupKey, ServiceKey};
use model::core::parse::{LINE, Reading};
use model::core::refusal::Refusal;
use model::directory::snapshot::Directory;
use model::directory::unknown_name;
use serde_json::Value;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::Versioned;

/// The manually written rules of a noun.
pub trait PlainNoun: Versioned + Noun {
    /// The input of its verbs.
    type Input: Input;
    /// Whether its records never end, so that a list of them is read page by page.
    const IS_HISTORY: bool = false;
    /// Whether the data for an addition is read before, in a transaction of its own that lets others write meanwhile.
    const READS_FIRST: bool = false;

    /// Reads the data that an addition needs, and stores it with the services. Errors in the request are left to `add`.
    ///
    /// # Errors
    /// The store's.
    fn read_first(_cx: &mut Context<'_, '_>) -> Result<()> {
        Ok(())
    }

    /// The records in use, a bounded number in the order of their keys.
    ///
    /// # Errors
    /// The store's.
    fn listed(cx: &mut Context<'_, '_>) -> Result<Vec<Self>> {
        in_use(cx)
    }

    /// The record with this key, in use or not.
    ///
    /// # Errors
    /// The store's.
    fn found(cx: &mut Context<'_, '_>, key: &str) -> Result<Option<Self>> {
        Ok(record::load::<Self>(cx.tx, key)?.map(|stored| stored.record))
    }

    /// The name of a record in addresses.
    fn key(&self) -> &str;

    /// The path of the record's own page below the tenant's address, if there is one.
    fn page(&self) -> Option<String> {
        None
    }

    /// The path below the tenant's address that prints the record, if printing is an act.
    fn print(&self) -> Option<String> {
        None
    }

    /// Whether the record is in use, so that it can be changed and ended.
    fn is_in_use(&self) -> bool {
        true
    }

    /// Adds or replaces a record; ends the reading.
    ///
    /// # Errors
    /// 422, or the store's.
    fn add(cx: &mut Context<'_, '_>, input: Self::Input, reading: Reading<'_>) -> Result<Self>;

    /// Changes a record; ends the reading.
    ///
    /// # Errors
    /// 422, or the store's.
    fn edit(self, _cx: &mut Context<'_, '_>, _input: Self::Input, _reading: Reading<'_>) -> Result<Self> {
        Err(absent::<Self>(self.key()).into())
    }

    /// Ends a record's use.
    ///
    /// # Errors
    /// The store's.
    fn end(self, _cx: &mut Context<'_, '_>) -> Result<Self> {
        Err(absent::<Self>(self.key()).into())
    }

    /// The further lines of a record's page: labels with their texts.
    ///
    /// # Errors
    /// The store's.
    fn further(&self, _cx: &mut Context<'_, '_>) -> Result<Vec<(&'static str, Vec<String>)>> {
        Ok(Vec::new())
    }

    /// Adds the computed fields of a response; `values` are views of the records.
    ///
    /// # Errors
    /// The store's.
    fn complete(_cx: &mut Context<'_, '_>, _records: &[Self], _values: &mut [Value]) -> Result<()> {
        Ok(())
    }
}

/// The records of a table with the column `active`, in the order of their ids.
///
/// # Errors
/// The store's.
pub fn in_use<N: Versioned>(cx: &mut Context<'_, '_>) -> Result<Vec<N>> {
    let filter = Filter::new().equals("active", true).order_by("id");
    Ok(record::bodies::<N>(cx.tx, &filter)?)
}

/// The records of a table with the columns `active` and `key`, in the order of their keys.
///
/// # Errors
/// The store's.
pub fn in_use_by_keys<N: Versioned>(cx: &mut Context<'_, '_>) -> Result<Vec<N>> {
    let filter = Filter::new().equals("active", true).order_by("key").order_by("id");
    Ok(record::bodies::<N>(cx.tx, &filter)?)
}

/// The records in use.
///
/// # Errors
/// 403, or the store's.
pub fn list<N: PlainNoun>(cx: &mut Context<'_, '_>) -> Result<Vec<N>> {
    allow::<N>(cx, Does::List)?;
    N::listed(cx)
}

/// One record.
///
/// # Errors
/// 403, 404, or the store's.
pub fn show<N: PlainNoun>(cx: &mut Context<'_, '_>, key: &str) -> Result<N> {
    allow::<N>(cx, Does::Show)?;
    Ok(N::found(cx, key)?.ok_or_else(|| absent::<N>(key))?)
}

/// Reads the data for the addition of a record, before the transaction that adds it.
///
/// # Errors
/// 403, or the store's.
pub fn read_first<N: PlainNoun>(cx: &mut Context<'_, '_>) -> Result<()> {
    allow::<N>(cx, Does::Add)?;
    N::read_first(cx)
}

/// Adds a record, or sets one.
///
/// # Errors
/// 403, 422, or the store's.
pub fn add<N: PlainNoun>(cx: &mut Context<'_, '_>, body: &Body) -> Result<N> {
    let does = if N::CARD.verb(Does::Set).is_some() {
        Does::Set
    } else {
        Does::Add
    };
    allow::<N>(cx, does)?;
    let mut reading = Reading::new(body, "");
    let input = card::read::<N::Input>(&mut reading);
    check_references::<N::Input>(&mut reading, &*cx.directory()?);
    check_clear::<N>(&mut reading);
    N::add(cx, input, reading)
}

/// Changes a record in part.
///
/// # Errors
/// 403, 404, 422, or the store's.
pub fn edit<N: PlainNoun>(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<N> {
    allow::<N>(cx, Does::Edit)?;
    let old = in_use_by_key::<N>(cx, key)?;
    let mut reading = Reading::new(body, "");
    let input = card::read_edit::<N::Input, N>(&mut reading, &old);
    check_references::<N::Input>(&mut reading, &*cx.directory()?);
    check_clear::<N>(&mut reading);
    old.edit(cx, input, reading)
}

/// Ends a record's use.
///
/// # Errors
/// 403, 404, or the store's.
pub fn end<N: PlainNoun>(cx: &mut Context<'_, '_>, key: &str) -> Result<N> {
    allow::<N>(cx, Does::End)?;
    in_use_by_key::<N>(cx, key)?.end(cx)
}

fn in_use_by_key<N: PlainNoun>(cx: &mut Context<'_, '_>, key: &str) -> Result<N> {
    let found = N::found(cx, key)?.filter(N::is_in_use);
    Ok(found.ok_or_else(|| absent::<N>(key))?)
}

/// A missing record; a record with a key of its own is named.
fn absent<N: PlainNoun>(key: &str) -> Refusal {
    let noun = N::CARD.command;
    let is_keyed = N::CARD.verbs.iter().any(|verb| verb.path.ends_with("{key}"));
    Refusal::not_found(if is_keyed {
        format!("{noun} {key}")
    } else {
        noun.to_owned()
    })
}

/// Checks the permission of a verb as its row names it: one of the listed actions suffices.
///
/// # Errors
/// 403, or the store's.
pub fn allow<N: Noun>(cx: &mut Context<'_, '_>, does: Does) -> Result<()> {
    let may = N::CARD.verb(does).map_or("", |verb| verb.may);
    let mut actions: Vec<&'static str> = may.split(" | ").collect();
    let last = actions.pop().unwrap_or_default();
    if actions.into_iter().any(|action| cx.allow(action).is_ok()) {
        return Ok(());
    }
    cx.allow(last)
}

/// Notes each text that the log would show in clear and that is not a technical name; free text is sealed, keys are
/// looked up.
fn check_clear<N: PlainNoun>(reading: &mut Reading<'_>) {
    for field in N::Input::FIELDS.iter().filter(|field| field.refers.is_empty()) {
        let kept = N::CARD.fields.iter().find(|it| it.name == field.name);
        // The noun itself reads a table of several lines.
        let is_table = matches!(field.kind, Kind::Text(most) if most > LINE);
        if is_table || kept.is_none_or(|it| it.is_free_text) {
            continue;
        }
        for text in texts_of_field(reading, field) {
            reading.check_technical(field.name, &text);
        }
    }
}

/// The texts of a field; a value of another form is noted already.
fn texts_of_field(reading: &mut Reading<'_>, field: &Field) -> Vec<String> {
    let before = reading.errors.len();
    let said = match field.kind {
        Kind::Texts(most) => reading.texts(field.name, most).unwrap_or_default(),
        Kind::Text(most) => reading.text(field.name, most).into_iter().collect(),
        _ => Vec::new(),
    };
    reading.errors.truncate(before);
    said
}

/// Notes each key of another noun that the tenant does not have; fields that a request omits are not checked.
fn check_references<I: Described>(reading: &mut Reading<'_>, directory: &Directory) {
    for field in I::FIELDS.iter().filter(|field| !field.refers.is_empty()) {
        // A value that is no list of texts was reported already.
        let before = reading.errors.len();
        let said = match field.kind {
            Kind::Texts(most) => reading.texts(field.name, most).unwrap_or_default(),
            _ => reading.text(field.name, LINE).into_iter().collect(),
        };
        reading.errors.truncate(before);
        for (place, key) in said.iter().enumerate() {
            let Some(text) = why_absent(field.refers, key, directory) else {
                continue;
            };
            let at = match field.kind {
                Kind::Texts(_) => format!("{}[{place}]", field.name),
                _ => field.name.to_owned(),
            };
            reading.wrong(&at, "unknown", text);
        }
    }
}

/// Why a key names no record of a noun in the directory; `None` if it does.
fn why_absent(noun: &str, key: &str, directory: &Directory) -> Option<String> {
    match noun {
        "group" => {
            let is_known = directory.groups.contains_key(&GroupKey::from(key));
            (!is_known).then(|| unknown_name::group(directory, key))
        }
        _ => {
            let is_known = directory.services.contains_key(&ServiceKey::from(key));
            (!is_known).then(|| unknown_name::service(directory, key))
        }
    }
}
