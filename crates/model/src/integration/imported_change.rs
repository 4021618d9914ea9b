//! Changes of another system's past, imported from a file: one person reports them later, from another system's record. They
//! are kept apart from changes, so that no gate, no approval and no figure counts them as governed work.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::card::{Card, Event, NoInput};
use crate::core::enums::{Kind, Outcome};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::{LINE, Reading};
use crate::core::refusal::FieldError;
use crate::directory::snapshot::Directory;
use crate::directory::unknown_name;
use crate::verbs;

/// The most rows of one import.
pub const MOST_ROWS: usize = 2_000;
/// The longest text of an import, in characters.
pub const MOST_TEXT: usize = 4 << 20;
/// The most wrong lines that a response lists.
pub const MOST_PROBLEMS: usize = 100;
/// The columns of a table, and the fields of a JSON object.
pub const COLUMNS: &[&str] = &[
    "key",
    "title",
    "kind",
    "service",
    "environment",
    "outcome",
    "requested_by",
    "approved_by",
    "planned_start",
    "planned_end",
    "started_at",
    "ended_at",
];
/// The fields that hold lists.
pub const LISTS: &[&str] = &["approved_by"];

/// A change of another system's past, imported as reported later. It proves nothing, opens no gate, and stands in no figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ImportedChange {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The system that it comes from.
    #[card(column)]
    pub source: String,
    /// Its key there.
    #[serde(with = "crate::core::typed")]
    #[card(column)]
    pub foreign_key: String,
    /// Its title.
    #[card(text)]
    pub title: String,
    /// How it was governed there.
    #[card(words)]
    pub kind: Kind,
    /// The service.
    #[card(column)]
    pub service: ServiceKey,
    /// The environment.
    #[card(column)]
    pub environment: EnvironmentKey,
    /// How it ended, as told.
    #[card(words)]
    pub outcome: Outcome,
    /// The person who asked for it there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub told_by: Option<String>,
    /// The people who approved it there. They approved nothing here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[card(text)]
    pub told_approvers: Vec<String>,
    /// Its planned start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_start: Option<Timestamp>,
    /// Its planned end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_end: Option<Timestamp>,
    /// When the work began, as told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended, as told.
    #[card(column)]
    pub ended_at: Timestamp,
    /// That it is imported and was reported later; always so.
    pub is_imported: bool,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// Who imported it: a login.
    #[card(optional)]
    pub by: PersonId,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "imported-change",
    columns: &[
        "source",
        "foreign_key",
        "service",
        "environment",
        "outcome",
        "ended_at",
        "imported_at",
        "title",
    ],
    verbs: verbs! {
        List "list_imported_changes" at "/imported-changes" may "set_connection | set_freeze | audit" => "List changes that were imported from another system's past";
        Show "show_imported_change" at "/imported-changes/{id}" may "set_connection | set_freeze | audit" => "Show a change that was imported";
    },
    events: &[Event::new(
        "imported_change.added",
        "clock",
        "imported past changes of another system",
    )],
    ..Card::of::<ImportedChange, NoInput>("imported_change", "Imported changes")
};

/// A row of an import: the line on which it begins, or its number in a list of JSON, and its fields.
pub type Row = (usize, Map<String, Value>);

/// A mistake in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line on which the row begins, or its number in a JSON list, from 1.
    pub line: usize,
    /// The mistake and its remedy.
    pub error: FieldError,
}

/// The source of the rows, and the current names for reading them.
#[derive(Debug, Clone, Copy)]
pub struct Import<'a> {
    /// The system.
    pub source: &'a str,
    /// The person who imports.
    pub by: &'a PersonId,
    /// The directory.
    pub directory: &'a Directory,
    /// Now.
    pub now: Timestamp,
}

/// Reads rows; each becomes a change without an id, or a list of its mistakes.
#[must_use]
pub fn read(rows: &[Row], import: Import<'_>) -> (Vec<(usize, ImportedChange)>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut keys: BTreeSet<String> = BTreeSet::new();
    for (line, fields) in rows {
        let mut reading = Reading::new(fields, "");
        let change = row(&mut reading, import);
        if !change.foreign_key.is_empty() && !keys.insert(change.foreign_key.clone()) {
            let text = format!("`{}` appears twice in this import.", change.foreign_key);
            reading.wrong("key", "not_unique", text);
        }
        reading.refuse_unknown();
        if reading.errors.is_empty() {
            found.push((*line, change));
        } else {
            let wrong = reading.errors.into_iter().map(|error| Problem { line: *line, error });
            problems.extend(wrong);
        }
    }
    (found, problems)
}

fn row(reading: &mut Reading<'_>, import: Import<'_>) -> ImportedChange {
    let directory = import.directory;
    let key = reading.needed("key", 64);
    let is_key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if !key.bytes().all(is_key) {
        reading.wrong("key", "not_a_key", "`key` has letters, digits, `-`, `_` and `.` only.");
    }
    let service = reading.needed("service", LINE);
    if !service.is_empty() && !directory.services.contains_key(&ServiceKey::from(service.as_str())) {
        reading.wrong("service", "unknown", unknown_name::service(directory, &service));
    }
    let environment = reading.needed("environment", LINE);
    if !environment.is_empty()
        && !directory
            .environments
            .contains_key(&EnvironmentKey::from(environment.as_str()))
    {
        reading.wrong(
            "environment",
            "unknown",
            format!("There is no environment `{environment}`."),
        );
    }
    let ended_at = reading.needed_time("ended_at");
    let started_at = reading.time("started_at");
    if let (Some(start), Some(end)) = (started_at, ended_at)
        && end < start
    {
        reading.wrong("ended_at", "out_of_order", "`ended_at` lies before `started_at`.");
    }
    if ended_at.is_some_and(|end| end > import.now) {
        let text = "`ended_at` lies in the future: only ended changes can be imported; create open work as a change.";
        reading.wrong("ended_at", "not_in_the_past", text);
    }
    ImportedChange {
        id: RecordId::default(),
        version: 0,
        source: import.source.to_owned(),
        foreign_key: key,
        title: reading.needed("title", LINE),
        kind: reading.word("kind").unwrap_or(Kind::Normal),
        service: ServiceKey::from(service.as_str()),
        environment: EnvironmentKey::from(environment.as_str()),
        outcome: reading.needed_word("outcome", Outcome::Succeeded),
        told_by: reading.text("requested_by", LINE),
        told_approvers: reading.texts("approved_by", LINE).unwrap_or_default(),
        planned_start: reading.time("planned_start"),
        planned_end: reading.time("planned_end"),
        started_at,
        ended_at: ended_at.unwrap_or(import.now),
        is_imported: true,
        imported_at: import.now,
        by: import.by.clone(),
    }
}

impl ImportedChange {
    /// Whether another import has the same content.
    #[must_use]
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let plain = |it: &Self| Self {
            id: RecordId::default(),
            version: 0,
            imported_at: Timestamp::default(),
            by: PersonId::from(""),
            ..it.clone()
        };
        plain(self) == plain(other)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn each_wrong_row_is_named_by_its_line_and_a_key_stands_once() {
        let row = |line: usize, fields: Value| (line, fields.as_object().unwrap().clone());
        let rows = [
            row(
                2,
                json!({"key": "CHG1", "title": "T", "service": "none", "environment": "lab", "outcome": "succeeded"}),
            ),
            row(
                3,
                json!({"key": "CHG1", "title": "T", "outcome": "great", "ended_at": "2031-01-01T00:00:00Z"}),
            ),
        ];
        let import = Import {
            source: "sn",
            by: &PersonId::from("p"),
            directory: &Directory::default(),
            now: "2026-11-20T00:00:00Z".parse().unwrap(),
        };
        let (found, problems) = read(&rows, import);
        assert!(found.is_empty());
        let of = |line: usize| -> Vec<&str> {
            let of = problems.iter().filter(|it| it.line == line);
            of.map(|it| it.error.code.as_str()).collect()
        };
        assert_eq!(of(2), ["unknown", "unknown", "missing"]);
        assert!(
            of(3).contains(&"not_unique") && of(3).contains(&"not_in_the_past"),
            "{problems:?}"
        );
    }
}
