//! How an act stands to others in the log beyond the records that it wrote: what it read. A permit stands between the version of
//! the change that it was given for and the next one, also where another server's clock says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use model::change::Change;
use store::act_order::{self, ESTATE, Standing};
use store::event::RecordRef;
use store::record::{self, Record};

use crate::error::Result;
use crate::room::Room;

/// Whether what acts read of this table is noted: what decisions rest on. All that is held of the estate counts as one record,
/// whose version is its counter.
pub(crate) fn is_heeded(table: &str) -> bool {
    table == Change::TABLE || table == ESTATE
}

/// What is to be noted of an act.
#[derive(Default)]
pub(crate) struct Standings {
    /// The act's first event.
    first_event: Option<String>,
    /// Versions of changes that it read, before it wrote any.
    read: BTreeMap<String, i64>,
    /// Changes that it wrote: what it read of them is told by what it made.
    written: BTreeSet<String>,
}

impl Room<'_, '_> {
    /// Notes that the act goes by this version of a change.
    pub(crate) fn note_read(&mut self, change: &Change) {
        if self.writes {
            self.standings.read.entry(change.id.0.clone()).or_insert(change.version);
        }
    }

    /// Notes that the act goes by a change as it stands.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn note_read_of(&mut self, change: &str) -> Result<()> {
        let is_known = self.standings.read.contains_key(change) || self.standings.written.contains(change);
        if is_known || !self.writes {
            return Ok(());
        }
        if let Some(version) = record::version::<Change>(self.tx, change)? {
            self.standings.read.insert(change.to_owned(), version);
        }
        Ok(())
    }

    /// Notes that the act wrote a record.
    pub(crate) fn note_made(&mut self, table: &str, id: &str) {
        if table == Change::TABLE {
            self.standings.written.insert(id.to_owned());
        }
    }

    /// Notes an event that the act wrote.
    pub(crate) fn note_event(&mut self, id: &str) {
        self.standings.first_event.get_or_insert_with(|| id.to_owned());
    }

    /// Leaves for the sequencer what it must know of the act; at the act's end. An act without an event has no place in the log.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn tell_standings(&mut self) -> Result<()> {
        let standings = std::mem::take(&mut self.standings);
        let Some(event) = standings.first_event else {
            return Ok(());
        };
        let estate = self.estate_standing()?;
        let changes = standings
            .read
            .into_iter()
            .filter(|(id, _)| !standings.written.contains(id));
        let changes = changes.map(|(id, version)| standing(Change::TABLE, id, version, false));
        for standing in changes.chain(estate) {
            act_order::insert(self.tx, &event, &standing)?;
        }
        Ok(())
    }

    fn estate_standing(&mut self) -> Result<Option<Standing>> {
        let made = self.has_touched_directory();
        if !made && !self.has_read_generation() {
            return Ok(None);
        }
        let generation = self.generation()?;
        Ok(Some(standing(ESTATE, String::new(), generation, made)))
    }
}

fn standing(table: &str, id: String, version: i64, made: bool) -> Standing {
    let record = RecordRef {
        table: table.to_owned(),
        id,
        version,
    };
    Standing { record, made }
}
