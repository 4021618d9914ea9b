//! The effects of all events on each record. The log is read once, in its order. Its deltas are sorted by record
//! meanwhile, and applied record by record while the rows are read. The memory for this does not grow with the log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proof::bundle::commitments;
use proof::crypto::{Hash, hash_of_text};
use proof::diff::{self, RecordDelta};
use proof::event::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::audit::sorter::{Sorted, Sorter};

use super::MAX_FINDINGS;
use crate::core::error::{Error, Result};
use crate::core::services::Tools;

/// Deltas are sorted in memory up to this size; more go to unnamed files.
const IN_MEMORY: usize = 64 * 1024 * 1024;
/// How many records without a row are held until it is certain that none comes: the database may order ids by other
/// rules than bytes, which moves a row by a few places.
const AHEAD: usize = 1_024;

/// The commitments to a record's texts: those that its versions brought, and those with erased texts.
#[derive(Default)]
pub(super) struct TextCommitments {
    pub(super) brought: BTreeSet<String>,
    pub(super) erased: BTreeSet<String>,
}

impl TextCommitments {
    /// Whether the record never had a text.
    pub(super) fn are_none(&self) -> bool {
        self.brought.is_empty() && self.erased.is_empty()
    }
}

/// The commitments of a record whose texts an event erased.
fn erased_by(event: &Event, (table, id): (&str, &str)) -> Vec<String> {
    if event.kind != "text.erased" {
        return Vec::new();
    }
    let records = event.data.get("records").and_then(Value::as_array);
    let of_record = |row: &&Value| row["table"] == table && row["id"] == id;
    let texts = records.into_iter().flatten().filter(of_record);
    let texts = texts.flat_map(|row| row["texts"].as_array().into_iter().flatten());
    texts.filter_map(|text| Some(text["c"].as_str()?.to_owned())).collect()
}

/// The effect of one event on one record.
#[derive(Serialize, Deserialize)]
struct Made {
    event: String,
    delta: RecordDelta,
    /// The commitments of the record whose texts the event erased.
    erased: Vec<String>,
}

/// Collects the effects of events on records, in the order of the log.
pub(super) struct Folds {
    sorter: Sorter,
    count: u64,
}

impl Folds {
    /// With the server's tools: large logs are sorted beside its data, if there is room, otherwise in the temporary
    /// folder.
    pub(super) fn new(tools: &Tools) -> Self {
        let beside = tools.evidence_folder.as_deref().and_then(Path::parent);
        let folder: PathBuf = beside.map_or_else(std::env::temp_dir, Path::to_owned);
        Self {
            sorter: Sorter::new(folder, IN_MEMORY),
            count: 0,
        }
    }

    /// Adds the effect of an event on a record.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn add(&mut self, event: &Event, delta: RecordDelta) -> Result<()> {
        // Of two events that claim one version the earlier one in the log comes first.
        self.count += 1;
        let numbers = [delta.version.to_be_bytes(), self.count.to_be_bytes()].concat();
        let key = [record_key(&delta.table, &delta.id), numbers].concat();
        let erased = erased_by(event, (&delta.table, &delta.id));
        let made = Made {
            event: event.id.clone(),
            delta,
            erased,
        };
        let value =
            serde_json::to_vec(&made).map_err(|error| Error::Fault(format!("a delta cannot be kept: {error}")))?;
        Ok(self.sorter.add(key, value)?)
    }

    /// All of it, by table and id.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn by_record(self) -> Result<ByRecord> {
        Ok(ByRecord {
            sorted: self.sorter.sorted()?,
        })
    }
}

/// Keys in the order of tables and ids: each part ends with a byte that occurs in no name.
fn record_key(table: &str, id: &str) -> Vec<u8> {
    [table.as_bytes(), &[0], id.as_bytes(), &[0]].concat()
}

/// The part of a key that names the record: before the version and the number, of eight bytes each.
fn record_of(key: &[u8]) -> &[u8] {
    key.get(..key.len().saturating_sub(16)).unwrap_or_default()
}

/// The last version of a record in the log.
#[derive(Clone, Copy, Default)]
pub(super) struct Head {
    pub(super) version: u64,
    /// `None` if the event has no digest.
    pub(super) digest: Option<Hash>,
}

/// The sum of the events of a record.
pub(super) struct Folded {
    pub(super) table: String,
    pub(super) id: String,
    pub(super) head: Head,
    /// The sealed form with the state of its texts; or why the events are inconsistent.
    pub(super) rebuilt: std::result::Result<(Value, TextCommitments), String>,
    /// The versions that a second event claims to have made, with that event.
    pub(super) twice: Vec<(u64, String)>,
}

impl Folded {
    fn of(table: &str, id: &str) -> Self {
        Self {
            table: table.to_owned(),
            id: id.to_owned(),
            head: Head::default(),
            rebuilt: Ok((Value::Null, TextCommitments::default())),
            twice: Vec::new(),
        }
    }

    /// Adds the next version.
    fn add(&mut self, made: Made) {
        let Made { event, delta, erased } = made;
        let before = self.head.version;
        if delta.version == before {
            self.twice.push((delta.version, event));
            return;
        }
        self.head = Head {
            version: delta.version,
            digest: hash_of_text(&delta.digest),
        };
        let Ok((sealed, words)) = &mut self.rebuilt else { return };
        if delta.version != before + 1 {
            self.rebuilt = Err(format!("the event of version {} is missing", before + 1));
            return;
        }
        let previous = (before > 0).then_some(&*sealed);
        match diff::apply(&delta, previous) {
            Ok(next) => {
                words.brought.extend(commitments(&next));
                words.erased.extend(erased);
                *sealed = next;
            }
            Err(error) => self.rebuilt = Err(error.to_string()),
        }
    }
}

/// The records of the log, by table and id.
pub(super) struct ByRecord {
    sorted: Sorted,
}

impl ByRecord {
    /// The table of the next record; `None` at the end.
    pub(super) fn table(&self) -> Option<String> {
        let key = self.sorted.peek()?;
        let table = key.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(table).into_owned())
    }

    /// Whether the next record is of this table, and not after this id in the order of bytes; without an id, any record
    /// of the table.
    fn is_within(&self, table: &str, id: Option<&str>) -> bool {
        let Some(key) = self.sorted.peek() else { return false };
        let is_of_table = key.starts_with(&[table.as_bytes(), &[0]].concat());
        is_of_table && id.is_none_or(|id| record_of(key) <= record_key(table, id).as_slice())
    }

    /// The next record.
    fn next_record(&mut self) -> Result<Option<Folded>> {
        let Some((key, value)) = self.sorted.next_pair()? else {
            return Ok(None);
        };
        let first = read(&value)?;
        let mut folded = Folded::of(&first.delta.table, &first.delta.id);
        folded.add(first);
        let is_same = |next: &[u8]| record_of(next) == record_of(&key);
        while self.sorted.peek().is_some_and(is_same) {
            if let Some((_, value)) = self.sorted.next_pair()? {
                folded.add(read(&value)?);
            }
        }
        Ok(Some(folded))
    }
}

fn read(value: &[u8]) -> Result<Made> {
    serde_json::from_slice(value).map_err(|error| Error::Fault(format!("a kept delta cannot be read: {error}")))
}

/// The records of one table in the log, compared with its rows.
pub(super) struct OfTable<'t> {
    told: &'t mut ByRecord,
    table: &'t str,
    /// Records whose rows were not seen yet.
    waiting: BTreeMap<String, Folded>,
    /// Ids and versions of records that have no row, at most [`MAX_FINDINGS`].
    pub(super) gone: Vec<(String, u64)>,
    /// Versions that two events made, with the second one, at most [`MAX_FINDINGS`].
    pub(super) twice: Vec<(u64, String)>,
}

impl<'t> OfTable<'t> {
    pub(super) fn new(told: &'t mut ByRecord, table: &'t str) -> Self {
        Self {
            told,
            table,
            waiting: BTreeMap::new(),
            gone: Vec::new(),
            twice: Vec::new(),
        }
    }

    /// The sum of the events of the record of a row.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn of_row(&mut self, id: &str) -> Result<Option<Folded>> {
        self.read_up_to(Some(id))?;
        Ok(self.waiting.remove(id))
    }

    /// Reads the remaining records of the table: none of them has a row.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn end(&mut self) -> Result<()> {
        self.read_up_to(None)?;
        while let Some((id, it)) = self.waiting.pop_first() {
            self.note_gone(id, it.head.version);
        }
        self.gone.sort_unstable();
        Ok(())
    }

    fn read_up_to(&mut self, id: Option<&str>) -> Result<()> {
        while self.told.is_within(self.table, id) {
            let Some(mut folded) = self.told.next_record()? else {
                break;
            };
            let room = MAX_FINDINGS.saturating_sub(self.twice.len());
            self.twice.extend(folded.twice.drain(..).take(room));
            self.waiting.insert(folded.id.clone(), folded);
            if self.waiting.len() > AHEAD
                && let Some((id, it)) = self.waiting.pop_first()
            {
                self.note_gone(id, it.head.version);
            }
        }
        Ok(())
    }

    fn note_gone(&mut self, id: String, version: u64) {
        if self.gone.len() < MAX_FINDINGS {
            self.gone.push((id, version));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use proof::event::{self, Subject};
    use serde_json::{Map, json};

    use super::*;

    /// Folds with almost nothing in memory.
    fn folds() -> Folds {
        Folds {
            sorter: Sorter::new(std::env::temp_dir(), 4_000),
            count: 0,
        }
    }

    fn event(id: &str, kind: &str, data: Map<String, Value>) -> Event {
        Event {
            v: event::VERSION,
            id: id.to_owned(),
            tenant: "acme".to_owned(),
            kind: kind.to_owned(),
            actor: "system".to_owned(),
            occurred_at: "2026-01-02T03:04:05Z".to_owned(),
            recorded_at: "2026-01-02T03:04:05Z".to_owned(),
            subject: Subject {
                table: "change".to_owned(),
                id: "c".to_owned(),
            },
            data,
            records: Vec::new(),
            records_digest: None,
            act: id.to_owned(),
        }
    }

    /// Deltas of these many records of two tables, version by version.
    fn told(records: u64, versions: u64) -> Folds {
        let mut folds = folds();
        for version in 1..=versions {
            for number in 0..records {
                let table = if number % 2 == 0 { "change" } else { "permit" };
                let id = format!("r{number:03}");
                let form = |version: u64| json!({"id": id, "step": version});
                let before = (version > 1).then(|| form(version - 1));
                let delta = diff::between(table, &id, version, before.as_ref(), &form(version)).unwrap();
                let name = format!("e{version}-{number}");
                folds.add(&event(&name, "change.edited", Map::new()), delta).unwrap();
            }
        }
        folds
    }

    #[test]
    fn every_record_is_folded_once_and_in_the_order_of_its_versions() {
        let mut by_record = told(100, 12).by_record().unwrap();
        assert_eq!(by_record.table().as_deref(), Some("change"));
        let mut changes = OfTable::new(&mut by_record, "change");
        for number in (0..100).step_by(2) {
            let id = format!("r{number:03}");
            let folded = changes.of_row(&id).unwrap().unwrap();
            assert_eq!((folded.id.as_str(), folded.head.version), (id.as_str(), 12));
            assert_eq!(folded.rebuilt.ok().unwrap().0, json!({"id": id, "step": 12}));
        }
        assert!(changes.of_row("r099").unwrap().is_none(), "it is of another table");
        changes.end().unwrap();
        assert!(changes.gone.is_empty() && changes.twice.is_empty());
        assert_eq!(by_record.table().as_deref(), Some("permit"));
        let mut permits = OfTable::new(&mut by_record, "permit");
        // An order of ids that is not the one of bytes moves a row by a few places.
        assert!(permits.of_row("r005").unwrap().is_some());
        assert!(permits.of_row("r001").unwrap().is_some());
        permits.end().unwrap();
        assert_eq!(permits.gone.len(), 48);
        assert_eq!(permits.gone[0], ("r003".to_owned(), 12));
        assert_eq!(by_record.table(), None);
    }

    #[test]
    fn a_version_that_is_missing_or_made_twice_is_told() {
        let mut folds = folds();
        let one = diff::between("change", "c", 1, None, &json!({"a": 1})).unwrap();
        let other = diff::between("change", "c", 1, None, &json!({"a": 2})).unwrap();
        let later = diff::between("change", "c", 3, Some(&json!({"a": 1})), &json!({"a": 3})).unwrap();
        let erasing = json!({"records": [
            {"table": "change", "id": "c", "texts": [{"c": "sha256:1"}]},
            {"table": "change", "id": "d", "texts": [{"c": "sha256:2"}]},
        ]});
        let erasing = erasing.as_object().cloned().unwrap();
        folds.add(&event("e1", "text.erased", erasing), one).unwrap();
        folds.add(&event("e2", "change.edited", Map::new()), other).unwrap();
        let mut by_record = folds.by_record().unwrap();
        let mut changes = OfTable::new(&mut by_record, "change");
        let folded = changes.of_row("c").unwrap().unwrap();
        let (sealed, words) = folded.rebuilt.ok().unwrap();
        assert_eq!(sealed, json!({"a": 1}), "the earlier one counts");
        assert_eq!(words.erased.into_iter().collect::<Vec<_>>(), ["sha256:1"]);
        assert_eq!(changes.twice, [(1, "e2".to_owned())]);

        let mut folds = self::folds();
        folds.add(&event("e3", "change.edited", Map::new()), later).unwrap();
        let mut by_record = folds.by_record().unwrap();
        let folded = OfTable::new(&mut by_record, "change").of_row("c").unwrap().unwrap();
        assert_eq!(folded.head.version, 3);
        assert_eq!(
            folded.rebuilt.err().as_deref(),
            Some("the event of version 1 is missing")
        );
    }
}
