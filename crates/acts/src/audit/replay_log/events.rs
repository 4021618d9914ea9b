//! Compares each event's row with its leaf in the log, and derives the records' states from the events.

use std::borrow::Cow;
use std::collections::HashMap;

use proof::crypto::Hash;
use proof::diff::RecordDelta;
use proof::event::Event;
use proof::grounds;
use proof::merkle::leaf_hash;
use proof::tile::{self, TileReader, WIDTH};
use store::audit::event::{self, Event as Row, Waiting};
use store::audit::log::LogState;

use super::{PAGE, Replay, report_progress};
use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::log_tiles::StoredTiles;
use crate::core::row_mac;

impl Replay<'_> {
    /// Reads the log's entries and the events' rows side by side, then the waiting events.
    pub(super) fn check_events(&mut self, cx: &mut Context<'_, '_>, state: &LogState) -> Result<()> {
        let size = u64::try_from(state.size).unwrap_or_default();
        for bundle in 0..size.div_ceil(WIDTH) {
            let leaves = leaves(cx, state, bundle)?;
            let first = bundle * WIDTH;
            let mut rows = self.rows_of(cx, first)?;
            self.made = made_of(cx, first)?;
            for at in first..size.min(first + WIDTH) {
                let leaf = leaves.get((at - first) as usize).unwrap_or(&Leaf::Unread);
                let done = self.entry(cx, at, leaf, rows.remove(&index(at)));
                self.past_damage(cx, ("event", &at.to_string()), done)?;
            }
            report_progress(self.progress, "event", self.events)?;
        }
        self.made = None;
        self.beyond(cx, state.size)?;
        self.waiting(cx)?;
        for id in event::named_without_row(cx.tx, PAGE)? {
            let what = "A version of a record names this event, which has no row.";
            self.find("event_record", &id, None, what);
        }
        Ok(())
    }

    /// The rows with the places of a bundle. An unreadable one is reported, and the others are read one by one.
    fn rows_of(&mut self, cx: &mut Context<'_, '_>, first: u64) -> Result<HashMap<i64, Row>> {
        let by_place = |rows: Vec<Row>| rows.into_iter().filter_map(|row| Some((row.seq?, row))).collect();
        match event::rows(cx.tx, index(first), PAGE) {
            Err(store::Error::Corrupt(_)) if !cx.tx.has_failed() => {}
            rows => return Ok(by_place(rows?)),
        }
        let mut found = Vec::new();
        for at in first..first + WIDTH {
            let row = event::row_at(cx.tx, index(at)).map(|row| found.extend(row));
            self.past_damage(cx, ("event", &at.to_string()), row.map_err(Into::into))?;
        }
        Ok(by_place(found))
    }

    /// One index: the leaf in the log, and the row with that place.
    fn entry(&mut self, cx: &mut Context<'_, '_>, at: u64, leaf: &Leaf, row: Option<Row>) -> Result<()> {
        self.events += 1;
        let told = match leaf {
            Leaf::Read(leaf) => Event::from_bytes(leaf).ok(),
            Leaf::Changed | Leaf::Unread => None,
        };
        let name = told.as_ref().map_or_else(|| at.to_string(), |event| event.id.clone());
        match (&row, leaf) {
            (None, _) => {
                let kind = told.as_ref().map_or("unknown", |event| event.kind.as_str());
                let what =
                    format!("The log has the event `{kind}` at index {at}, but its row is gone or lost its place.");
                self.find("event", &name, Some("seq"), what);
            }
            (Some(row), Leaf::Changed) => self.other_bytes(at, row, &row.id),
            // The row of an event in a full bundle contains no bytes.
            (Some(row), Leaf::Unread) if row.bytes.is_empty() => {}
            (Some(row), Leaf::Unread) => self.columns(row, &row.bytes),
            (Some(row), Leaf::Read(leaf)) if row.bytes.is_empty() && row.id == name => self.columns(row, leaf),
            (Some(row), Leaf::Read(leaf)) if row.bytes == *leaf => self.columns(row, leaf),
            (Some(row), Leaf::Read(_)) => self.other_bytes(at, row, &name),
        }
        // The log's own leaf counts; the row is used only if the leaf cannot be read.
        let event = told.or_else(|| row.and_then(|row| Event::from_bytes(&row.bytes).ok()));
        match event {
            Some(event) => self.tell(cx, event, Some(at)),
            None => Ok(()),
        }
    }

    fn other_bytes(&mut self, at: u64, row: &Row, leaf_id: &str) {
        if row.id == leaf_id {
            let what = format!("The row of the event at index {at} has other bytes than the log.");
            self.find("event", &row.id, Some("bytes"), what);
        } else {
            let what = format!("The row stands at index {at}, where the log has event {leaf_id}.");
            self.find("event", &row.id, Some("seq"), what);
        }
    }

    /// Compares the columns of an event's row with its bytes.
    fn columns(&mut self, row: &Row, leaf: &[u8]) {
        let event = match Event::from_bytes(leaf) {
            Ok(event) => event,
            Err(error) => {
                return self.find(
                    "event",
                    &row.id,
                    Some("bytes"),
                    format!("The event cannot be read: {error}."),
                );
            }
        };
        let columns = [
            ("id", row.id.clone(), event.id),
            ("act", row.act.clone(), event.act),
            ("kind", row.kind.clone(), event.kind),
            ("subject_table", row.subject_table.clone(), event.subject.table),
            ("subject_id", row.subject_id.clone(), event.subject.id),
            ("occurred_at", row.occurred_at.to_string(), event.occurred_at),
            ("recorded_at", row.recorded_at.to_string(), event.recorded_at),
        ];
        for (name, stands, told) in columns {
            if stands != told {
                let what = format!("The column `{name}` of the event says `{stands}`, its bytes say `{told}`.");
                self.find("event", &row.id, Some(name), what);
            }
        }
    }

    /// Rows with a place beyond the end of the log.
    fn beyond(&mut self, cx: &mut Context<'_, '_>, size: i64) -> Result<()> {
        let mut from = size;
        loop {
            let page = event::rows(cx.tx, from, PAGE)?;
            let Some(last) = page.last().and_then(|row| row.seq) else {
                return Ok(());
            };
            for row in page {
                self.events += 1;
                let what = format!(
                    "The row stands at index {}, but the log ends at {size}.",
                    row.seq.unwrap_or_default()
                );
                self.find("event", &row.id, Some("seq"), what);
                if let Ok(event) = Event::from_bytes(&row.bytes) {
                    self.tell(cx, event, None)?;
                }
            }
            from = last + 1;
        }
    }

    /// Events that wait for their place.
    fn waiting(&mut self, cx: &mut Context<'_, '_>) -> Result<()> {
        let count = event::count_unsequenced(cx.tx)?;
        for waiting in event::unsequenced(cx.tx, count)? {
            self.events += 1;
            if !row_mac::is_own_event(cx, &waiting) {
                let what = "The event waits for its place in the log, and no server that holds the master key wrote it: its \
                            code is missing or another one's.";
                self.find("event", &waiting.event.id, Some("mac"), what);
            }
            let Waiting { event: row, .. } = waiting;
            self.columns(&row, &row.bytes);
            if let Ok(event) = Event::from_bytes(&row.bytes) {
                self.tell(cx, event, None)?;
            }
        }
        report_progress(self.progress, "event", self.events)?;
        Ok(())
    }

    /// Applies an event to the states of records. Its grounds are checked once it has its place in the log.
    fn tell(&mut self, cx: &mut Context<'_, '_>, event: Event, place: Option<u64>) -> Result<()> {
        let id = event.id.clone();
        let told = Event {
            records: Vec::new(),
            ..event.clone()
        };
        self.ways_in.note(&event, cx.now);
        self.numbers.note_size(&event);
        self.note_halt(&event);
        let deltas = self.deltas(cx, event)?;
        self.check_made(cx, &id, &deltas)?;
        if let Some(lack) = place.and_then(|at| self.judge.note(at, &told, &deltas)) {
            let what = format!(
                "The event `{}` at index {} lacks its reasons: {}",
                lack.kind, lack.index, lack.what
            );
            self.find("event", &id, Some(grounds::MEMBER), what);
        }
        for delta in deltas {
            if let Some(folds) = &mut self.folds {
                folds.add(&told, delta)?;
            }
        }
        Ok(())
    }

    /// Compares the rows that list the versions made by an event with the event itself.
    fn check_made(&mut self, cx: &mut Context<'_, '_>, id: &str, deltas: &[RecordDelta]) -> Result<()> {
        let made = |delta: &RecordDelta| event::RecordRef {
            table: delta.table.clone(),
            id: delta.id.clone(),
            version: index(delta.version),
        };
        let mut told: Vec<event::RecordRef> = deltas.iter().map(made).collect();
        let of_bundle = self.made.as_mut().map(|made| made.remove(id));
        let mut stands = match of_bundle {
            Some(Some(stands)) => stands,
            Some(None) if told.is_empty() => Vec::new(),
            // An event that lost its place does not belong to its bundle.
            _ => event::records_of(cx.tx, id)?,
        };
        told.sort_unstable();
        stands.sort_unstable();
        if stands != told {
            let what = "The rows of the versions that the event made say something else than the event.";
            self.find("event_record", id, None, what);
        }
        Ok(())
    }

    /// The deltas of an event, including those stored beside it.
    fn deltas(&mut self, cx: &mut Context<'_, '_>, event: Event) -> Result<Vec<RecordDelta>> {
        let Some(digest) = event.records_digest.clone() else {
            return Ok(event.records);
        };
        let id = event.id.clone();
        let beside = event::payloads(cx.tx, &id)?
            .into_iter()
            .find(|(name, _)| *name == digest);
        match beside.map(|(_, bytes)| event.with_payload(&bytes)) {
            Some(Ok(event)) => Ok(event.records),
            Some(Err(error)) => {
                self.find(
                    "event_payload",
                    &id,
                    Some("bytes"),
                    format!("What stands beside the event was changed: {error}."),
                );
                Ok(Vec::new())
            }
            None => {
                self.find("event_payload", &id, None, "What stands beside the event is gone.");
                Ok(Vec::new())
            }
        }
    }
}

/// The versions that the events of a bundle made, by the database's rows; `None` if one row cannot be read, so that
/// they are read event by event.
fn made_of(cx: &mut Context<'_, '_>, first: u64) -> Result<Option<HashMap<String, Vec<event::RecordRef>>>> {
    match event::records_between(cx.tx, index(first), index(first + WIDTH)) {
        Err(store::Error::Corrupt(_)) if !cx.tx.has_failed() => Ok(None),
        made => Ok(Some(made?)),
    }
}

fn index(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// An entry of the log.
enum Leaf {
    Read(Vec<u8>),
    /// No row of a bundle that is not full contains the bytes in the log.
    Changed,
    /// Its bundle cannot be read, which was reported with the log.
    Unread,
}

/// The entries of a bundle; none when it cannot be read.
fn leaves(cx: &mut Context<'_, '_>, state: &LogState, bundle: u64) -> Result<Vec<Leaf>> {
    let source = StoredTiles::new(cx.tx, state.clone());
    let reader = TileReader::new(&source, source.size());
    let width = reader.width(0, bundle);
    let (mut entries, mut hashes) = (Cow::default(), None);
    if width == WIDTH {
        entries = reader.bundle(bundle).unwrap_or_default();
    } else {
        hashes = reader.tile(0, bundle).ok();
    }
    // An unreadable bundle was reported with the log.
    source.damaged();
    source.settle(Ok(()))?;
    if width == WIDTH {
        let entries = tile::read_entries(&entries).unwrap_or_default();
        return Ok(entries.into_iter().map(|entry| Leaf::Read(entry.to_vec())).collect());
    }
    let first = bundle * WIDTH;
    let rows = event::leaves(cx.tx, index(first), index(first + width))?;
    Ok(in_rows(rows, (first, width), hashes.as_deref().map(Vec::as_slice)))
}

/// The entries of a bundle that is not full: its rows contain them, and the log knows each by its hash, wherever its
/// row is.
fn in_rows(rows: Vec<(i64, Vec<u8>)>, (first, width): (u64, u64), hashes: Option<&[Hash]>) -> Vec<Leaf> {
    let Some(hashes) = hashes else {
        let mut by_place: HashMap<i64, Vec<u8>> = rows.into_iter().collect();
        let at = |at| by_place.remove(&index(at)).map_or(Leaf::Unread, Leaf::Read);
        return (first..first + width).map(at).collect();
    };
    let by_hash = rows.into_iter().map(|(_, leaf)| (leaf_hash(&leaf), leaf));
    let mut by_hash: HashMap<Hash, Vec<u8>> = by_hash.collect();
    let of_hash = |hash| by_hash.remove(hash).map_or(Leaf::Changed, Leaf::Read);
    hashes.iter().map(of_hash).collect()
}
