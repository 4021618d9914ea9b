//! Nouns with a card as records: their columns are the fields that the card marks, computed from the body alone.

use jiff::Timestamp;
use model::core::card::{Kind, Noun};
use model::core::typed;
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::record::{Record, load, read};
use crate::tx::Tx;
use crate::value::Value;

macro_rules! records {
    ($($noun:ty),+ $(,)?) => {
        $(impl Record for $noun {
            const TABLE: &'static str = <$noun as Noun>::CARD.table;

            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn columns(&self) -> Vec<(&'static str, Value)> {
                columns(self)
            }

            fn from_text(body: &str) -> serde_json::Result<Self> {
                serde_json::from_str(body)
            }

            fn from_json(body: Json) -> serde_json::Result<Self> {
                serde_json::from_value(body)
            }

            fn to_text(&self) -> serde_json::Result<String> {
                serde_json::to_string(self)
            }

            fn to_json(&self) -> serde_json::Result<Json> {
                serde_json::to_value(self)
            }

            fn save_derived(&self, tx: &mut Tx<'_>, is_new: bool) -> Result<()> {
                crate::nouns::save_rows(self, tx, is_new)
            }
        })+

        /// Their tables.
        pub(super) const TABLES: &[&str] = &[$(<$noun as Noun>::CARD.table),+];

        /// The derived columns of a body.
        pub(super) fn derived_columns(table: &str, body: &str) -> Result<Vec<(&'static str, Value)>> {
            $(if table == <$noun as Noun>::CARD.table {
                return Ok(columns(&read::<$noun>(body)?));
            })+
            Err(Error::Other(format!("`{table}` is no table of the model's")))
        }

        /// A record's own body.
        pub(super) fn load_body(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Option<Json>> {
            $(if table == <$noun as Noun>::CARD.table {
                let value = load::<$noun>(tx, id)?.map(|it| it.record.to_json());
                return value.transpose().map_err(|error| Error::Other(error.to_string()));
            })+
            Ok(None)
        }
    };
}

/// The tables of records whose cards describe their fields alone.
pub(super) const RECORDS: &[&str] = records_alone::TABLES;
/// The tables of nouns whose cards name their verbs too.
pub(super) const NOUNS: &[&str] = whole_nouns::TABLES;

mod records_alone {
    use super::*;

    model::record_nouns!(records);
}

mod whole_nouns {
    use super::*;

    model::card_nouns!(records);
}

/// The derived columns of a body.
pub(super) fn derived_columns(table: &str, body: &str) -> Result<Vec<(&'static str, Value)>> {
    match RECORDS.contains(&table) {
        true => records_alone::derived_columns(table, body),
        false => whole_nouns::derived_columns(table, body),
    }
}

/// A record's own body; `None` where it is not, or the table is none of a card's.
pub(super) fn load_body(tx: &mut Tx<'_>, table: &str, id: &str) -> Result<Option<Json>> {
    match RECORDS.contains(&table) {
        true => records_alone::load_body(tx, table, id),
        false => whole_nouns::load_body(tx, table, id),
    }
}

fn columns<N: Noun>(noun: &N) -> Vec<(&'static str, Value)> {
    let body = serde_json::to_value(noun).unwrap_or_default();
    let marked = N::CARD.fields.iter().filter(|field| !field.column.is_empty());
    let mut columns: Vec<(&'static str, Value)> = marked
        .map(|field| (field.column, column(field.kind, &body[field.name])))
        .collect();
    columns.extend(
        N::CARD
            .derived
            .iter()
            .map(|(name, derive)| (*name, derived_value(&derive(&body)))),
    );
    columns
}

fn column(kind: Kind, value: &Json) -> Value {
    if let Some(text) = typed::text_of(value) {
        return text.into();
    }
    match (kind, value) {
        (Kind::Time, Json::String(text)) => text.parse::<Timestamp>().map_or(Value::Null, Value::from),
        (_, Json::String(text)) => text.as_str().into(),
        (_, Json::Bool(it)) => (*it).into(),
        // A record leaves out what is not so.
        (Kind::Boolean, Json::Null) => false.into(),
        (_, Json::Number(number)) => number.as_i64().map_or(Value::Null, Value::from),
        _ => Value::Null,
    }
}

/// The value of a column that no field holds.
fn derived_value(value: &Json) -> Value {
    match value {
        Json::Bool(it) => (*it).into(),
        Json::String(text) => text.as_str().into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use std::fs;

    use model::core::card::{Field, Kind};
    use model::nouns::{CARDS, RECORD_CARDS};

    use super::{Json, Value};

    /// The part of the migrations that makes a table, with its columns that were added later.
    fn table(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        let texts = files
            .iter()
            .filter(|it| it.extension().is_some_and(|end| end == "sql"))
            .map(|it| fs::read_to_string(it).unwrap());
        let all = texts.collect::<Vec<_>>().concat();
        let begin = format!("CREATE TABLE \"{name}\" (");
        let made = all
            .split(&begin)
            .nth(1)
            .unwrap_or_else(|| panic!("no migration makes {name}"));
        let begin = format!("ALTER TABLE \"{name}\" ADD COLUMN ");
        let later = all.lines().filter_map(|line| line.strip_prefix(&begin));
        let later = later.map(|line| line.replace("; -- ", ", -- "));
        [made.split(");").next().unwrap().to_owned()]
            .into_iter()
            .chain(later)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn type_of(field: &Field) -> &'static str {
        match field.kind {
            Kind::Time | Kind::Integer(..) => "BIGINT",
            Kind::Boolean => "BOOLEAN",
            _ => "TEXT",
        }
    }

    /// The value for an empty body shows the type.
    fn type_of_derived(value: &Json) -> &'static str {
        match value {
            Json::Bool(_) => "BOOLEAN NOT NULL",
            Json::String(_) => "TEXT NOT NULL",
            _ => "TEXT",
        }
    }

    #[test]
    fn the_migration_has_the_columns_of_the_card_and_no_others() {
        for card in CARDS.iter().chain(RECORD_CARDS) {
            let made = table(card.table);
            let mut wanted: Vec<String> = card
                .fields
                .iter()
                .filter(|field| !field.column.is_empty())
                .map(|field| {
                    let null = if field.is_needed || matches!(field.kind, Kind::Boolean) {
                        " NOT NULL"
                    } else {
                        ""
                    };
                    format!("{} {}{null}, -- derived", field.column, type_of(field))
                })
                .collect();
            wanted.extend(
                card.derived
                    .iter()
                    .map(|(name, derive)| format!("{name} {}, -- derived", type_of_derived(&derive(&Json::Null)))),
            );
            let mut found: Vec<String> = made
                .lines()
                .map(str::trim)
                .filter(|line| line.ends_with("-- derived"))
                .map(str::to_owned)
                .collect();
            wanted.sort();
            found.sort();
            assert_eq!(found, wanted, "{}", card.table);
        }
    }

    #[test]
    fn a_column_that_no_field_holds_is_derived_and_what_a_record_leaves_out_is_not_so() {
        let begun = r#"{"id": "m", "version": 1, "group": "cab", "title": "Tuesday", "starts_at": "2026-11-24T09:00:00Z",
            "by": "p", "at": "2026-11-20T09:00:00Z"}"#;
        let ended = begun.replace("\"by\"", "\"ended_at\": \"2026-11-24T10:00:00Z\", \"by\"");
        let active = |body: &str| {
            let columns = super::derived_columns("meeting", body).unwrap();
            columns.into_iter().find(|(name, _)| *name == "active").unwrap().1
        };
        assert_eq!(active(begun), Value::Bool(true));
        assert_eq!(active(&ended), Value::Bool(false));
        assert_eq!(super::column(Kind::Boolean, &Json::Null), Value::Bool(false));
        assert_eq!(super::column(Kind::Time, &Json::Null), Value::Null);
    }

    #[test]
    fn a_text_that_the_log_seals_is_found_by_its_column() {
        let asked = |key: &str| {
            let body = serde_json::json!({"id": "c", "version": 1, "connection": "k", "ask": "run_task", "natural_key": key,
                "repository": "acme/shop", "service": "shop", "commit": "c", "reply_to": "u", "answer": "waiting", "text": "",
                "at": "2026-11-20T09:00:00Z"});
            let check: model::gate::provenance::OutsideCheck = serde_json::from_value(body).unwrap();
            let kept = serde_json::to_value(&check).unwrap();
            let columns = super::derived_columns("outside_check", &kept.to_string()).unwrap();
            let column = columns.into_iter().find(|(name, _)| *name == "natural_key").unwrap().1;
            (kept["natural_key"].is_string(), column)
        };
        assert_eq!(asked("run-7"), (true, Value::Text("run-7".to_owned())));
        assert_eq!(asked("acme/shop#7"), (false, Value::Text("acme/shop#7".to_owned())));
    }
    #[test]
    fn a_check_is_found_by_its_names_as_they_were_given() {
        let check = |more: serde_json::Value| {
            let mut body = serde_json::json!({"id": "g", "version": 1, "service": "", "environment": "", "purpose": "deploy",
                "by": "p", "asked_at": "2026-11-20T09:00:00Z", "checked_at": "2026-11-20T09:00:00Z", "decision": "stop",
                "reasons": [], "state": "settled"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let check: model::change::related_records::GateCheck = serde_json::from_value(body).unwrap();
            let kept = serde_json::to_value(&check).unwrap();
            let columns = super::derived_columns("gate_check", &kept.to_string()).unwrap();
            ["service", "environment", "artifact"].map(|name| {
                let found = columns.iter().find(|(column, _)| *column == name);
                found.unwrap().1.clone()
            })
        };
        let text = |it: &str| Value::Text(it.to_owned());
        let known = check(serde_json::json!({"service": "shop", "environment": "production", "artifact": "sha256:ab"}));
        assert_eq!(known, [text("shop"), text("production"), text("sha256:ab")]);
        let typed = check(serde_json::json!({"service": "the shop", "environment": "production"}));
        assert_eq!(typed, [text("the shop"), text("production"), Value::Null]);
        let unknown = check(serde_json::json!({"asked_artifact": "latest",
            "asked_place": {"asked_service": "Anna's", "asked_environment": "live"}}));
        assert_eq!(unknown, [text("Anna's"), text("live"), text("latest")]);
    }

    #[test]
    fn an_erased_file_and_a_lapsed_condition_show_in_their_columns() {
        let of = |table: &str, body: serde_json::Value, name: &str| {
            let columns = super::derived_columns(table, &body.to_string()).unwrap();
            columns.into_iter().find(|(column, _)| *column == name).unwrap().1
        };
        let text = |it: &str| Value::Text(it.to_owned());
        let evidence = serde_json::json!({"id": "e", "version": 1, "change": "c", "kind": "file", "aspect": "functional",
            "result": "passed", "name": "n", "file_digest": "sha256:ab", "size": 1, "media_type": "text/plain", "by": "p",
            "at": "2026-11-20T09:00:00Z"});
        let mut erased = evidence.clone();
        erased["file_erased_at"] = serde_json::json!("2026-11-21T09:00:00Z");
        assert_eq!(of("evidence", evidence, "file_digest"), text("sha256:ab"));
        assert_eq!(of("evidence", erased, "file_digest"), text(""));
        let open = serde_json::json!({"id": "c", "version": 1, "change": "c", "approval": "a", "text": "t", "due": "close",
            "checker": "p"});
        let mut met = open.clone();
        met["met"] = serde_json::json!({"by": "p", "at": "2026-11-20T09:00:00Z"});
        let mut lapsed = met.clone();
        lapsed["lapsed"] = serde_json::json!(true);
        for (body, wanted) in [(open, "open"), (met, "met"), (lapsed, "lapsed")] {
            assert_eq!(of("condition", body, "state"), text(wanted));
        }
    }
}
