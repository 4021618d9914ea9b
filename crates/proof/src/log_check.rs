//! Verifies a whole log from its resources alone: signatures, the root over all entries, the tiles,
//! the form of every entry, the versions of every record, and that the log grew out of an older
//! checkpoint. Names the first bad index where one can be named.

use crate::crypto::{self, Hash};
use crate::head::{DeltaHead, Unread};
use crate::look::{self, Bundle, Entry, Looked, Lookers};
use crate::merkle::{self, Frontier};
use crate::note::{self, Checkpoint, VerifierKeys};
use crate::report::{Outcome, Report};
use crate::tile::{self, TileReader, TileSource, WIDTH};
use crate::time_stamp::{Anchors, KeptStamp, MOST_STAMPS};
use crate::{Error, event};
use serde::Serialize;
use std::collections::HashMap;

/// The reference against which a log is verified.
#[derive(Clone, Copy, Default)]
pub struct LogCheck<'a> {
    /// The log's name, when it is known; another one is refused.
    pub origin: Option<&'a str>,
    /// A checkpoint seen earlier, out of which this log must have grown.
    pub older: Option<&'a Checkpoint>,
    /// Receives the number of entries done, every 256 entries.
    pub progress: Option<&'a dyn Fn(u64)>,
}

/// The result of verifying a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Good, bad or undecided.
    pub outcome: Outcome,
    /// Every finding.
    #[serde(flatten)]
    pub report: Report,
    /// The log's name.
    pub origin: Option<String>,
    /// The number of entries in the checkpoint.
    pub size: Option<u64>,
    /// Entries that were read.
    pub checked: u64,
    /// Cosigners whose signature verified, with the time in seconds since 1970.
    pub cosigned: Vec<(String, u64)>,
    /// The first index at which something is wrong, where one can be named.
    pub first_bad: Option<u64>,
}

/// Verifies the log that `source` holds, trusting only `keys`.
#[must_use]
pub fn verify_log(source: &dyn TileSource, keys: &VerifierKeys, check: &LogCheck<'_>) -> LogReport {
    let mut run = Run {
        source,
        report: Report::default(),
        first_bad: None,
        first_tile_bad: None,
        versions: Vec::new(),
        tenant: None,
        checked: 0,
    };
    let trusted = run.open(keys, check);
    if let Some(trusted) = &trusted {
        run.entries(&trusted.checkpoint, check);
    }
    let (checkpoint, cosigned) = match trusted {
        Some(trusted) => (Some(trusted.checkpoint), trusted.cosigned),
        None => (None, Vec::new()),
    };
    LogReport {
        outcome: run.report.outcome(),
        origin: checkpoint.as_ref().map(|checkpoint| checkpoint.origin.clone()),
        size: checkpoint.as_ref().map(|checkpoint| checkpoint.size),
        checked: run.checked,
        cosigned,
        first_bad: run.first_bad,
        report: run.report,
    }
}

/// The most seconds that a cosigner's clock may be ahead of the verifier's.
pub const SKEW_SECONDS: u64 = 60;

impl LogReport {
    /// Holds the log to its age: some cosignature is at most `max_age` seconds old, and none is from the future. Both in seconds
    /// since 1970. Without any cosignature nothing attests the age, which the report remarks already.
    pub fn hold_to_age(&mut self, now: u64, max_age: u64) {
        let latest = now.saturating_add(SKEW_SECONDS);
        if let Some((name, time)) = self.cosigned.iter().find(|(_, time)| *time > latest) {
            let text = format!(
                "`{name}` cosigned the checkpoint {} seconds in the future: a clock is wrong.",
                time - now
            );
            self.report.cannot_tell("cosigned_in_future", "checkpoint", text);
        }
        let believed = self
            .cosigned
            .iter()
            .map(|(_, time)| *time)
            .filter(|time| *time <= latest);
        if let Some(age) = believed.max().map(|time| now.saturating_sub(time))
            && age > max_age
        {
            let text = format!(
                "The newest cosignature is {age} seconds old, more than {max_age}: this is not the log of today."
            );
            self.report.cannot_tell("checkpoint_old", "checkpoint", text);
        }
        self.outcome = self.report.outcome();
    }
}

impl LogReport {
    /// Checks the time stamps that a log serves as `time-stamps`, a JSON object a line, against its tree. With `anchors`, these
    /// certificates are trusted in place of those beside the time stamps.
    pub fn check_stamps(&mut self, source: &dyn TileSource, anchors: Option<&Anchors>) {
        let (Some(origin), Some(size)) = (self.origin.clone(), self.size) else {
            return;
        };
        match source.get("time-stamps") {
            Ok(Some(bytes)) => self.check_served(
                source,
                &String::from_utf8_lossy(&bytes),
                (origin.as_str(), size),
                anchors,
            ),
            Ok(None) if anchors.is_some() => {
                let text = "The log has no time stamps.";
                self.report.remark("no_time_stamps", "time-stamps", text);
            }
            Ok(None) => {}
            Err(error) => {
                let text = format!("The time stamps of the log cannot be read: {error}.");
                self.report.cannot_tell("time_stamps_unread", "time-stamps", text);
            }
        }
        self.outcome = self.report.outcome();
    }

    fn check_served(
        &mut self,
        source: &dyn TileSource,
        lines: &str,
        (origin, size): (&str, u64),
        anchors: Option<&Anchors>,
    ) {
        for line in lines.lines().take(MOST_STAMPS) {
            let Ok(stamp) = serde_json::from_str::<KeptStamp>(line) else {
                let text = "A time stamp of the log cannot be read.";
                self.report.bad("time_stamp_malformed", "time-stamps", text);
                continue;
            };
            let at = format!("time stamp of {} events", stamp.size);
            if stamp.size > size {
                let text = "A time stamp is over a log that is longer than the checkpoint says: entries were cut off.";
                self.report.bad("time_stamp_beyond_log", &at, text);
                continue;
            }
            let root = match stamp.size {
                0 => Ok(merkle::empty_root()),
                stamped => TileReader::new(source, stamped).root(),
            };
            match root {
                Ok(root) if hex::encode(root) == stamp.root => {
                    let stamped = Checkpoint {
                        origin: origin.to_owned(),
                        size: stamp.size,
                        root,
                    };
                    stamp.check_token(&stamped, anchors, &at, &mut self.report);
                }
                Ok(_) => {
                    let text = "A time stamp is over another tree than the one that the log had at that size.";
                    self.report.bad("time_stamp_other_log", &at, text);
                }
                Err(error) => {
                    let text = format!("The tree of a time stamp cannot be read: {error}.");
                    self.report.cannot_tell("time_stamps_unread", &at, text);
                }
            }
        }
    }
}

/// The last version of each record of a table, by id; ids are bytes of UTF-8.
type Versions = HashMap<Box<[u8]>, u64>;

struct Run<'a> {
    source: &'a dyn TileSource,
    report: Report,
    first_bad: Option<u64>,
    /// The first index under a tile that does not fit the tile above it; which of the two is wrong
    /// is known only when the root is.
    first_tile_bad: Option<u64>,
    /// The last version of each record, by table and id.
    versions: Vec<(Box<[u8]>, Versions)>,
    tenant: Option<Box<[u8]>>,
    checked: u64,
}

impl<'s> Run<'s> {
    fn bad_at(&mut self, index: u64, code: &'static str, text: impl Into<String>) {
        self.first_bad = Some(self.first_bad.map_or(index, |first| first.min(index)));
        self.report.bad(code, &index.to_string(), text);
    }

    fn open(&mut self, keys: &VerifierKeys, check: &LogCheck<'_>) -> Option<note::TrustedCheckpoint> {
        let note = match self.source.get("checkpoint") {
            Ok(Some(note)) => note,
            Ok(None) => {
                self.report
                    .cannot_tell("no_checkpoint", "checkpoint", "The log has no checkpoint.");
                return None;
            }
            Err(error) => {
                self.report.cannot_tell("unreadable", "checkpoint", format!("{error}."));
                return None;
            }
        };
        let opened = note::open_checkpoint(&String::from_utf8_lossy(&note), keys, check.origin);
        let trusted = match opened {
            Ok(trusted) => trusted,
            Err(why) => {
                self.report.bad(
                    "checkpoint_untrusted",
                    "checkpoint",
                    format!("The checkpoint is not trusted: {why}."),
                );
                return None;
            }
        };
        if trusted.cosigned.is_empty() {
            let text = "No known cosigner signed the checkpoint, so its age is not attested.";
            self.report.remark("not_cosigned", "checkpoint", text);
        }
        if let Some(older) = check.older {
            self.check_older(older, &trusted.checkpoint);
        }
        Some(trusted)
    }

    fn check_older(&mut self, older: &Checkpoint, now: &Checkpoint) {
        if older.origin != now.origin {
            self.report
                .bad("other_log", "checkpoint", "The older checkpoint is of another log.");
        } else if older.size > now.size {
            let text = format!("The log had {} entries and has {} now.", older.size, now.size);
            self.bad_at(now.size, "log_cut", text);
        }
    }

    fn entries(&mut self, checkpoint: &Checkpoint, check: &LogCheck<'_>) {
        let desk = look::Desk::default();
        std::thread::scope(|scope| self.look_through(Lookers::start(scope, &desk), checkpoint, check));
    }

    fn look_through(&mut self, mut lookers: Lookers<'_, 's>, checkpoint: &Checkpoint, check: &LogCheck<'_>) {
        let reader = TileReader::new(self.source, checkpoint.size);
        let mut frontier = Frontier::new();
        let mut unread = None;
        let mut bundles = 0..checkpoint.size.div_ceil(WIDTH);
        for index in 0.. {
            while unread.is_none() && lookers.is_hungry() {
                let Some(next) = bundles.next() else { break };
                match reader.bundle(next) {
                    Ok(bytes) => lookers.give(Bundle {
                        width: reader.width(0, next),
                        bytes,
                    }),
                    Err(error) => unread = Some((next * WIDTH, error)),
                }
            }
            let Some(looked) = lookers.take() else { break };
            let Some(looked) = looked else {
                let first = index * WIDTH;
                let text = format!("The entry bundle from {first} on is cut.");
                return self.bad_at(first, "entries_missing", text);
            };
            self.bundle(&reader, &mut frontier, index, &looked, check.older);
            self.checked = frontier.size();
            if let Some(progress) = check.progress {
                progress(self.checked);
            }
        }
        match unread {
            Some((first, error)) => self.bundle_unread(first, &error),
            None => self.check_root(&reader, &frontier, checkpoint, check.older),
        }
    }

    /// Checks the entries of one bundle and puts their hashes into the tree.
    fn bundle(
        &mut self,
        reader: &TileReader<'_>,
        frontier: &mut Frontier,
        index: u64,
        looked: &Looked<'_>,
        older: Option<&Checkpoint>,
    ) {
        for (index, entry) in (index * WIDTH..).zip(&looked.entries) {
            self.entry(index, looked, entry);
        }
        self.check_tiles(reader, index, &looked.hashes, looked.root);
        let is_older_inside = older.is_some_and(|older| older.size / WIDTH == index);
        match looked.root.filter(|_| !is_older_inside) {
            Some(root) => {
                frontier.push_subtree(8, root);
                self.check_prefix(frontier, older);
            }
            None => self.push_each(frontier, &looked.hashes, older),
        }
    }

    fn bundle_unread(&mut self, first: u64, error: &Error) {
        match error {
            Error::Source { .. } => self
                .report
                .cannot_tell("unreadable", &first.to_string(), format!("{error}.")),
            _ => {
                let text = format!("Entries from {first} on are missing: {error}.");
                self.bad_at(first, "entries_missing", text);
            }
        }
    }

    fn push_each(&mut self, frontier: &mut Frontier, hashes: &[Hash], older: Option<&Checkpoint>) {
        for hash in hashes {
            frontier.push(*hash);
            self.check_prefix(frontier, older);
        }
    }

    fn entry(&mut self, index: u64, looked: &Looked<'_>, entry: &Result<Entry, Unread>) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(Unread::Form) => {
                return self.bad_at(
                    index,
                    "entry_malformed",
                    format!("Entry {index} is not a canonical JSON object."),
                );
            }
            Err(Unread::Member(name)) => {
                let text = format!("Entry {index} is no event: `{name}` is missing or of another type.");
                return self.bad_at(index, "entry_malformed", text);
            }
        };
        if entry.v != event::VERSION {
            let text = format!("Entry {index} has the unknown version {}.", entry.v);
            self.report.cannot_tell("unknown_version", &index.to_string(), text);
        }
        let of = looked.text(&entry.tenant);
        match &self.tenant {
            None => self.tenant = Some(of.into()),
            Some(tenant) if tenant.as_ref() == of => {}
            Some(_) => self.bad_at(index, "wrong_tenant", format!("Entry {index} is of another tenant.")),
        }
        if let Some(digest) = &entry.records_digest {
            self.payload(index, &String::from_utf8_lossy(looked.text(digest)));
        }
        for delta in looked.records(entry) {
            self.record(index, looked.text(&delta.table), looked.text(&delta.id), delta.version);
        }
    }

    fn record(&mut self, index: u64, table: &[u8], id: &[u8], version: u64) {
        let before = self.replace_version(table, id, version);
        if version != before + 1 {
            let (table, id) = (String::from_utf8_lossy(table), String::from_utf8_lossy(id));
            let text = format!("Entry {index} brings {table} {id} from version {before} to {version}.");
            self.bad_at(index, "version_order", text);
        }
    }

    /// Notes the version of a record and gives the one before, 0 for a record not seen so far.
    fn replace_version(&mut self, table: &[u8], id: &[u8], version: u64) -> u64 {
        // There are a few dozen tables at most, so looking through them is faster than hashing the name.
        let at = self.versions.iter().position(|(known, _)| known.as_ref() == table);
        let at = at.unwrap_or_else(|| {
            self.versions.push((table.into(), HashMap::new()));
            self.versions.len() - 1
        });
        let ids = &mut self.versions[at].1;
        match ids.get_mut(id) {
            Some(known) => std::mem::replace(known, version),
            None => {
                ids.insert(id.into(), version);
                0
            }
        }
    }

    /// The deltas beside an entry.
    fn payload(&mut self, index: u64, digest: &str) {
        let Some(path) = event::payload_path(digest) else {
            return self.bad_at(index, "entry_malformed", format!("Entry {index} names no digest."));
        };
        let payload = match self.source.get(&path) {
            Ok(Some(payload)) => payload,
            Ok(None) | Err(_) => {
                let text = format!("What entry {index} did to records cannot be read.");
                return self.report.cannot_tell("payload_missing", &path, text);
            }
        };
        match DeltaHead::read_all(&payload) {
            Ok(records) if crypto::digest_text(&payload) == digest => {
                for DeltaHead { table, id, version } in &records {
                    self.record(index, table, id, *version);
                }
            }
            _ => self.bad_at(
                index,
                "payload_changed",
                format!("What stands beside entry {index} was changed."),
            ),
        }
    }

    /// Compares the leaf hashes with their tile, and each finished tile with the hash above it.
    /// `root` is the root over the leaf hashes when they fill the tile.
    fn check_tiles(&mut self, reader: &TileReader<'_>, index: u64, hashes: &[Hash], root: Option<Hash>) {
        let first = index * WIDTH;
        let tile = match reader.read_tile_fresh(0, index) {
            Ok(tile) => tile,
            Err(error) => return self.tile_unread(first, &error),
        };
        let mut root = root;
        if let Some(at) = tile
            .iter()
            .zip(hashes)
            .position(|(stored, computed)| stored != computed)
        {
            let at = first + at as u64;
            self.tile_bad(at, &format!("Entry {at} has not the hash that its tile has."));
            root = root.map(|_| tile::complete_root(&tile));
        }
        let (mut level, mut index) = (1, index);
        while let Some(hash) = root {
            let (above, place) = (index / WIDTH, (index % WIDTH) as usize);
            let tile = match reader.tile(level, above) {
                Ok(tile) => tile,
                Err(error) => return self.tile_unread(first, &error),
            };
            if tile.get(place) != Some(&hash) {
                self.tile_bad(
                    first,
                    &format!("The tile above level {} does not fit at {place}.", level - 1),
                );
            }
            // The last hash of a full tile finishes it, and so it is compared in its turn.
            root = (place as u64 == WIDTH - 1).then(|| tile::complete_root(&tile));
            (level, index) = (level + 1, above);
        }
    }

    fn tile_unread(&mut self, index: u64, error: &Error) {
        match error {
            Error::Source { .. } => self
                .report
                .cannot_tell("unreadable", &index.to_string(), format!("{error}.")),
            _ => self.tile_bad(index, &format!("{error}.")),
        }
    }

    fn tile_bad(&mut self, index: u64, why: &str) {
        self.first_tile_bad.get_or_insert(index);
        self.report.bad("tile_wrong", &index.to_string(), why);
    }

    fn check_prefix(&mut self, frontier: &Frontier, older: Option<&Checkpoint>) {
        let Some(older) = older.filter(|older| older.size == frontier.size()) else {
            return;
        };
        if frontier.root() != older.root {
            let text = format!(
                "The first {} entries are not those of the older checkpoint.",
                older.size
            );
            self.report.bad("inconsistent", "checkpoint", text);
            self.first_bad.get_or_insert(self.first_tile_bad.unwrap_or(0));
        }
    }

    fn check_root(
        &mut self,
        reader: &TileReader<'_>,
        frontier: &Frontier,
        checkpoint: &Checkpoint,
        older: Option<&Checkpoint>,
    ) {
        if frontier.root() == checkpoint.root {
            // The entries are right, so whatever is wrong with tiles is wrong with tiles alone.
            match reader.root() {
                Ok(root) if root == checkpoint.root => {}
                Ok(_) => self
                    .report
                    .bad("tile_wrong", "", "The tiles have not the checkpoint's root."),
                Err(error) => self.tile_unread(0, &error),
            }
            return;
        }
        self.report.bad(
            "root_differs",
            "checkpoint",
            "The entries have not the checkpoint's root.",
        );
        let known = older
            .filter(|_| !self.report.has("inconsistent"))
            .map_or(0, |older| older.size);
        // Where nothing else points to an index, all that is known is where the trusted part ends.
        let named = [self.first_bad, self.first_tile_bad].into_iter().flatten().min();
        self.first_bad = Some(named.unwrap_or(known));
    }
}

#[cfg(test)]
#[path = "log_check_tests.rs"]
mod tests;
