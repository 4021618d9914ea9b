//! The model's nouns as records: under which columns each is found, and which rows of other tables are derived from it. All of
//! this is computed from the body alone, so that replay can compute it again.

use std::any::Any;

use model::change::record::Change;
use model::change::work::outcome_of_targets;
use model::directory::records::{Group, Incident, Person, Service};

use crate::change::changes::save_targets;
use crate::error::{Error, Result};
use crate::identity::identities;
use crate::record::{Record, read};
use crate::search;
use crate::tx::Tx;
use crate::value::Value;

mod cards;

const LISTS: [&[&str]; 3] = [WITHOUT_CARD, cards::RECORDS, cards::NOUNS];

const COUNT: usize = LISTS[0].len() + LISTS[1].len() + LISTS[2].len();

/// The tables of the model's nouns.
pub const TABLES: &[&str] = &all_tables();

const fn all_tables() -> [&'static str; COUNT] {
    let mut all = [""; COUNT];
    let (mut place, mut list) = (0, 0);
    while list < LISTS.len() {
        let mut at = 0;
        while at < LISTS[list].len() {
            all[place] = LISTS[list][at];
            place += 1;
            at += 1;
        }
        list += 1;
    }
    all
}

/// How much of a long text is made findable, in bytes.
const SEARCHED: usize = 4_000;

/// A column with its value; any of the model's ids and enums may be given as a text.
fn column<V: IntoColumn>(name: &'static str, value: V) -> (&'static str, Value) {
    (name, value.into_column())
}

trait IntoColumn {
    fn into_column(self) -> Value;
}

macro_rules! plain_columns {
    ($($kind:ty),+ $(,)?) => {$(
        impl IntoColumn for $kind {
            fn into_column(self) -> Value { self.into() }
        }
    )+};
}

macro_rules! id_columns {
    ($($kind:ident),+ $(,)?) => {$(
        impl IntoColumn for &model::core::ids::$kind {
            fn into_column(self) -> Value { self.as_str().into() }
        }
    )+};
}

macro_rules! word_columns {
    ($($kind:ident),+ $(,)?) => {$(
        impl IntoColumn for model::core::enums::$kind {
            fn into_column(self) -> Value { self.as_str().into() }
        }
    )+};
}

plain_columns!(&str, &String, i64, bool, jiff::Timestamp);
id_columns!(PersonId);
word_columns!(State, Outcome, Kind, Level);

impl<T: IntoColumn> IntoColumn for Option<T> {
    fn into_column(self) -> Value {
        self.map_or(Value::Null, IntoColumn::into_column)
    }
}

/// One noun: its type, its table, and its columns as `name = expression over it`.
macro_rules! nouns {
    ($($noun:ident in $table:literal |$it:ident| { $($name:ident = $value:expr),* $(,)? } $(=> $derive:ident;)?)+) => {
        $(impl Record for $noun {
            const TABLE: &'static str = $table;

            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn columns(&self) -> Vec<(&'static str, Value)> {
                let $it = self;
                vec![$(column(stringify!($name), $value)),*]
            }

            fn from_text(body: &str) -> serde_json::Result<Self> {
                serde_json::from_str(body)
            }

            fn from_json(body: serde_json::Value) -> serde_json::Result<Self> {
                serde_json::from_value(body)
            }

            fn to_text(&self) -> serde_json::Result<String> {
                serde_json::to_string(self)
            }

            fn to_json(&self) -> serde_json::Result<serde_json::Value> {
                serde_json::to_value(self)
            }

            $(fn save_derived(&self, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
                $derive(self, tx, is_new)
            })?
        })+

        const WITHOUT_CARD: &[&str] = &[$($table),+];

        /// The derived columns of a body, computed again: replay compares them with the row. `Other` for a table outside the
        /// model.
        pub fn derived_columns(table: &str, body: &str) -> Result<Vec<(&'static str, Value)>> {
            match table {
                $($table => Ok(read::<$noun>(body)?.columns()),)+
                _ => cards::derived_columns(table, body),
            }
        }

        /// A record's body from any table, for callers with records of all kinds. `None` where it is not, or the table is
        /// outside the model.
        pub fn load_body(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Option<serde_json::Value>> {
            let value = match table {
                $($table => crate::record::load::<$noun>(tx, id)?.map(|it| it.record.to_json()),)+
                _ => return cards::load_body(tx, table, id),
            };
            value.transpose().map_err(|error| Error::Other(error.to_string()))
        }

        /// Writes the rows that are derived from a body (targets, search terms) again.
        pub fn save_derived(tx: &mut Tx<'_>, table: &str, body: &str) -> Result<()> {
            match table {
                $($table => read::<$noun>(body)?.save_derived(tx, false),)+
                _ => save_rows_again(tx, table, body),
            }
        }
    };
}

nouns! {
    Change in "change" |it| {
        key = &it.key,
        number = it.number,
        title = &it.content.title,
        state = it.state,
        kind = it.content.kind,
        risk = it.risk.level,
        on_hold = it.is_on_hold(),
        requester = &it.requester,
        owner = &it.content.owner,
        team = it.content.team.as_ref(),
        created_at = it.created_at,
        planned_start = it.planned_start,
        planned_end = it.planned_end,
        expedited = it.content.expedited,
        updated_at = it.updated_at,
        is_kept = it.is_kept(),
        outcome = outcome_of_targets(it),
        planned_undo = it.content.planned_undo.as_ref().map(|_| "declared"),
        review_cause = it.causal_review().and_then(|review| review.cause.as_ref()),
    } => save_change;
}

/// The texts by which a record is found.
fn texts_of_change(change: &Change) -> Vec<&str> {
    let content = &change.content;
    let mut texts = vec![change.key.as_str(), content.title.as_str()];
    texts.extend(change.labels.iter().map(String::as_str));
    texts.extend(content.targets.iter().map(|it| it.service.as_str()));
    texts.extend(content.incident.as_deref());
    texts.extend(content.description.as_deref().map(beginning));
    texts.extend(content.justification.as_deref().map(beginning));
    texts
}

fn texts_of_person(person: &Person) -> Vec<&str> {
    vec![&person.login, &person.name]
}

fn texts_of_service(service: &Service) -> Vec<&str> {
    let mut texts = vec![service.key.as_str(), service.name.as_str()];
    texts.extend(service.team.as_deref());
    texts
}

fn texts_of_incident(incident: &Incident) -> Vec<&str> {
    let mut texts = vec![incident.key.as_str(), incident.title.as_str()];
    texts.extend(incident.external_ref.as_deref());
    texts.extend(incident.services.iter().map(|it| it.as_str()));
    texts
}

/// Writes the rows of other tables that are derived from a record with a card: search terms, identities, members.
fn save_rows(record: &dyn Any, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    if let Some(person) = record.downcast_ref::<Person>() {
        return save_person(person, tx, is_new);
    }
    if let Some(group) = record.downcast_ref::<Group>() {
        return save_group(group, tx, is_new);
    }
    if let Some(service) = record.downcast_ref::<Service>() {
        return save_service(service, tx, is_new);
    }
    if let Some(incident) = record.downcast_ref::<Incident>() {
        return save_incident(incident, tx, is_new);
    }
    Ok(())
}

/// The same for a stored body.
fn save_rows_again(tx: &mut Tx<'_>, table: &str, body: &str) -> Result<()> {
    match table {
        "person" => save_person(&read::<Person>(body)?, tx, false),
        "people_group" => save_group(&read::<Group>(body)?, tx, false),
        "service" => save_service(&read::<Service>(body)?, tx, false),
        "incident" => save_incident(&read::<Incident>(body)?, tx, false),
        // Nothing else is derived from a noun with a card.
        _ => cards::derived_columns(table, body).map(drop),
    }
}

fn save_change(change: &Change, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    save_targets(tx, change, is_new)?;
    save_terms(tx, "change", change.id.as_str(), &texts_of_change(change), is_new)
}

fn save_group(group: &Group, tx: &mut Tx<'_>, _is_new: bool) -> Result<()> {
    identities::save_group(tx, group)
}

fn save_person(person: &Person, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    identities::save_person(tx, person)?;
    save_terms(tx, "person", person.id.as_str(), &texts_of_person(person), is_new)
}

fn save_service(service: &Service, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    save_terms(tx, "service", service.id.as_str(), &texts_of_service(service), is_new)
}

fn save_incident(incident: &Incident, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
    save_terms(
        tx,
        "incident",
        incident.id.as_str(),
        &texts_of_incident(incident),
        is_new,
    )
}

/// The table whose derived rows differ from this body; `None` when all are right. A change's targets are compared apart, row by
/// row.
pub fn wrong_derived(tx: &mut Tx<'_>, table: &str, body: &str) -> Result<Option<&'static str>> {
    let (name, id, texts) = match table {
        "people_group" => {
            let group = read::<Group>(body)?;
            return Ok((!identities::is_group_right(tx, &group)?).then_some("group_member"));
        }
        "person" => {
            let person = read::<Person>(body)?;
            if !identities::is_person_right(tx, &person)? {
                return Ok(Some("person_identity"));
            }
            ("person", person.id.0.clone(), owned(&texts_of_person(&person)))
        }
        "change" => {
            let change = read::<Change>(body)?;
            ("change", change.id.0.clone(), owned(&texts_of_change(&change)))
        }
        "service" => {
            let service = read::<Service>(body)?;
            ("service", service.id.0.clone(), owned(&texts_of_service(&service)))
        }
        "incident" => {
            let incident = read::<Incident>(body)?;
            ("incident", incident.id.0.clone(), owned(&texts_of_incident(&incident)))
        }
        _ => return Ok(None),
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Ok((!search::is_right(tx, name, &id, &texts)?).then_some("search_term"))
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn save_terms(tx: &mut Tx<'_>, table: &str, id: &str, texts: &[&str], is_new: bool) -> Result<()> {
    if is_new {
        search::insert(tx, table, id, texts)
    } else {
        search::save(tx, table, id, texts)
    }
}

/// The beginning of a long text, cut at a character's edge.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(SEARCHED);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
