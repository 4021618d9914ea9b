//! The record versions an act read; they order events in the log beside the versions it wrote. A permit belongs between
//! the version of the change that it was issued for and the next one, even if another server's clock differs.

use std::collections::{BTreeMap, BTreeSet};

use model::change::record::Change;
use store::audit::act_order::{ESTATE, UsedVersion};
use store::audit::event::RecordRef;
use store::record::Record;

/// Whether reads of this table are noted, because decisions depend on them. All records of the estate count as one
/// record, whose version is the estate's counter.
pub(crate) fn is_heeded(table: &str) -> bool {
    table == Change::TABLE || table == ESTATE
}

/// The reads that are noted of an act.
#[derive(Default)]
pub(crate) struct Standings {
    /// The act's first event.
    first_event: Option<String>,
    /// Versions of changes that the act read before it wrote any.
    read: BTreeMap<String, i64>,
    /// Changes that the act wrote: the new version implies the version that was read.
    written: BTreeSet<String>,
}

impl Standings {
    /// Notes that the act relies on this version of a change.
    pub(crate) fn note_read(&mut self, change: &str, version: i64) {
        self.read.entry(change.to_owned()).or_insert(version);
    }

    /// Whether a version of a change was noted already.
    pub(crate) fn has_noted(&self, change: &str) -> bool {
        self.read.contains_key(change) || self.written.contains(change)
    }

    /// Notes that the act wrote a record.
    pub(crate) fn note_made(&mut self, table: &str, id: &str) {
        if table == Change::TABLE {
            self.written.insert(id.to_owned());
        }
    }

    /// Notes an event that the act wrote.
    pub(crate) fn note_event(&mut self, id: &str) {
        self.first_event.get_or_insert_with(|| id.to_owned());
    }

    /// The act's first event with the changes that the act read and did not write; `None` for an act without an event,
    /// because such an act has no place in the log.
    pub(crate) fn of_changes(self) -> Option<(String, Vec<UsedVersion>)> {
        let event = self.first_event?;
        let written = self.written;
        let read = self.read.into_iter().filter(|(id, _)| !written.contains(id));
        let changes = read.map(|(id, version)| used_version(Change::TABLE, id, version, false));
        Some((event, changes.collect()))
    }
}

/// The act's read or write of the estate, at this number.
pub(crate) fn of_estate(generation: i64, made: bool) -> UsedVersion {
    used_version(ESTATE, String::new(), generation, made)
}

fn used_version(table: &str, id: String, version: i64, made: bool) -> UsedVersion {
    let record = RecordRef {
        table: table.to_owned(),
        id,
        version,
    };
    UsedVersion { record, made }
}
