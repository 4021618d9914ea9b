//! The part of verifying a log that needs nothing but bytes: reading entries against the canonical form and hashing
//! them. Most of the work lies here, so that it is shared out over the machine's cores, a bundle of entries at a time,
//! while whoever verifies goes through what was looked at in the order of the log.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::num::NonZero;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use crate::crypto::Hash;
use crate::head::{DeltaHead, Head, Unread};
use crate::merkle;
use crate::tile::{self, WIDTH};

/// The number of bundles in progress for each core: enough that none waits for the next, few enough for memory (a bundle has at
/// most 16 MiB and most often a hundredth of that).
const AHEAD: usize = 4;

/// An entry bundle as it was read.
pub(crate) struct Bundle<'b> {
    /// Its bytes; they may hold entries beyond the tree.
    pub bytes: Cow<'b, [u8]>,
    /// The number of its entries in the tree.
    pub width: u64,
}

/// The content of a bundle's bytes alone.
pub(crate) struct Looked<'b> {
    /// The bytes.
    bytes: Cow<'b, [u8]>,
    /// The content of each entry, or the reason why it is unreadable.
    pub entries: Vec<Result<Entry, Unread>>,
    /// The records that the entries made, one entry's behind the other's.
    deltas: Vec<Delta>,
    /// The leaf hash of each entry.
    pub hashes: Vec<Hash>,
    /// The root over the leaf hashes, when they fill a tile.
    pub root: Option<Hash>,
}

/// The parts of an entry that are checked. Texts are named by their place in the bundle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub v: u64,
    pub tenant: Text,
    /// The place of its records among the bundle's.
    records: Range<usize>,
    pub records_digest: Option<Text>,
}

/// The record and version that an entry made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    pub table: Text,
    pub id: Text,
    pub version: u64,
}

/// A text of a bundle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// The bundle has it unchanged.
    At(Range<usize>),
    /// The bundle has it with escapes.
    Escaped(Vec<u8>),
}

impl Text {
    fn of(bytes: &[u8], text: Cow<'_, [u8]>) -> Self {
        match text {
            Cow::Borrowed(text) => {
                let start = text.as_ptr().addr().saturating_sub(bytes.as_ptr().addr());
                Self::At(start..start + text.len())
            }
            Cow::Owned(text) => Self::Escaped(text),
        }
    }
}

impl Delta {
    fn of(bytes: &[u8], delta: DeltaHead<'_>) -> Self {
        Self {
            table: Text::of(bytes, delta.table),
            id: Text::of(bytes, delta.id),
            version: delta.version,
        }
    }
}

impl Looked<'_> {
    /// The bytes of the text that is meant; they are UTF-8.
    pub(crate) fn text<'a>(&'a self, text: &'a Text) -> &'a [u8] {
        match text {
            Text::At(range) => self.bytes.get(range.clone()).unwrap_or_default(),
            Text::Escaped(text) => text,
        }
    }

    /// The records that an entry of this bundle made.
    pub(crate) fn records(&self, entry: &Entry) -> &[Delta] {
        self.deltas.get(entry.records.clone()).unwrap_or_default()
    }
}

fn look(bundle: Bundle<'_>) -> Option<Looked<'_>> {
    let Bundle { bytes, width } = bundle;
    let Content {
        entries,
        deltas,
        hashes,
    } = Content::of(&bytes, usize::try_from(width).ok()?)?;
    let is_full = hashes.len() as u64 == WIDTH;
    Some(Looked {
        entries,
        deltas,
        root: is_full.then(|| tile::complete_root(&hashes)),
        hashes,
        bytes,
    })
}

/// The content of a bundle's entries, as [`Looked`] keeps it.
struct Content {
    entries: Vec<Result<Entry, Unread>>,
    deltas: Vec<Delta>,
    hashes: Vec<Hash>,
}

impl Content {
    /// The bundle's first `width` entries: each is read right after it was hashed. `None` when there are fewer, or the bundle's
    /// last one is cut.
    fn of(bytes: &[u8], width: usize) -> Option<Self> {
        let mut content = Self {
            entries: Vec::with_capacity(width),
            deltas: Vec::with_capacity(width),
            hashes: Vec::with_capacity(width),
        };
        let mut heads = Vec::new();
        for entry in tile::entries(bytes) {
            let entry = entry.ok()?;
            // Entries beyond the tree are not checked.
            if content.hashes.len() < width {
                content.hashes.push(merkle::leaf_hash(entry));
                let read = content.read(bytes, entry, &mut heads);
                content.entries.push(read);
            }
        }
        (content.hashes.len() == width).then_some(content)
    }

    /// Reads one entry; `heads` is room for its records, lent to each in turn.
    fn read<'a>(&mut self, bytes: &[u8], entry: &'a [u8], heads: &mut Vec<DeltaHead<'a>>) -> Result<Entry, Unread> {
        heads.clear();
        let head = Head::read(entry, heads)?;
        let first = self.deltas.len();
        self.deltas.extend(heads.drain(..).map(|delta| Delta::of(bytes, delta)));
        Ok(Entry {
            v: head.v,
            tenant: Text::of(bytes, head.tenant),
            records: first..self.deltas.len(),
            records_digest: head.records_digest.map(|digest| Text::of(bytes, digest)),
        })
    }
}

/// A bundle that waits to be looked at, with its number.
type Task<'b> = (u64, Bundle<'b>);
/// A bundle that was looked at; `None` for one that has fewer entries than the tree.
type Done<'b> = (u64, Option<Looked<'b>>);

/// Reads bundles: in order for the caller, and out of order in the threads behind.
pub(crate) struct Lookers<'s, 'b> {
    waiting: &'s Mutex<VecDeque<Task<'b>>>,
    /// One message for each task, which wakes an idle thread.
    call: Option<Sender<()>>,
    done: Receiver<Done<'b>>,
    early: HashMap<u64, Option<Looked<'b>>>,
    cores: usize,
    given: u64,
    taken: u64,
}

/// The state that the threads of [`Lookers`] share.
#[derive(Default)]
pub(crate) struct Desk<'b> {
    waiting: Mutex<VecDeque<Task<'b>>>,
    calls: Mutex<Option<Receiver<()>>>,
}

fn take<'b>(waiting: &Mutex<VecDeque<Task<'b>>>) -> Option<Task<'b>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

impl<'s, 'b: 's> Lookers<'s, 'b> {
    /// Starts a thread for each core but the caller's own; they end with this.
    pub(crate) fn start<'e>(scope: &'s Scope<'s, 'e>, desk: &'s Desk<'b>) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let (call, calls) = channel();
        let (send, done) = channel();
        *desk.calls.lock().unwrap_or_else(PoisonError::into_inner) = Some(calls);
        for _ in 1..cores {
            let send = send.clone();
            scope.spawn(move || serve(desk, &send));
        }
        Self {
            waiting: &desk.waiting,
            call: Some(call),
            done,
            early: HashMap::new(),
            cores,
            given: 0,
            taken: 0,
        }
    }

    /// Whether another bundle should be given before one is taken.
    pub(crate) fn is_hungry(&self) -> bool {
        self.given - self.taken < (self.cores * AHEAD) as u64
    }

    /// Gives the next bundle.
    pub(crate) fn give(&mut self, bundle: Bundle<'b>) {
        let task = (self.given, bundle);
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(task);
        self.given += 1;
        // Without threads nobody listens, and the caller looks at all by itself.
        let _ = self.call.as_ref().map(|call| call.send(()));
    }

    /// Takes the next bundle in the order in which they were given; `None` when all were taken.
    pub(crate) fn take(&mut self) -> Option<Option<Looked<'b>>> {
        if self.taken == self.given {
            return None;
        }
        let wanted = self.taken;
        self.taken += 1;
        loop {
            self.early.extend(self.done.try_iter());
            if let Some(looked) = self.early.remove(&wanted) {
                return Some(looked);
            }
            // Rather than wait, the caller looks at one itself.
            let done = match take(self.waiting) {
                Some((number, bundle)) => (number, look(bundle)),
                None => self.done.recv().ok()?,
            };
            self.early.insert(done.0, done.1);
        }
    }
}

fn serve<'b>(desk: &Desk<'b>, done: &Sender<Done<'b>>) {
    loop {
        let called = {
            let calls = desk.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.as_ref().is_some_and(|calls| calls.recv().is_ok())
        };
        if !called {
            return;
        }
        // The caller may have been faster.
        let Some((number, bundle)) = take(&desk.waiting) else {
            continue;
        };
        if done.send((number, look(bundle))).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn bundles_keep_their_order_whoever_looks_at_them() {
        let bundle = |number: u64| Bundle {
            bytes: tile::write_entries(&[format!(r#"{{"tenant":"t\n{number}","v":1}}"#), "x".to_owned()])
                .unwrap()
                .into(),
            width: if number == 5 { 3 } else { 2 },
        };
        let desk = Desk::default();
        thread::scope(|scope| {
            let mut lookers = Lookers::start(scope, &desk);
            let (mut given, mut taken) = (0, 0);
            while taken < 200 {
                while given < 200 && lookers.is_hungry() {
                    lookers.give(bundle(given));
                    given += 1;
                }
                match lookers.take().unwrap() {
                    Some(looked) => {
                        let first = looked.entries[0].as_ref().unwrap();
                        assert_eq!(looked.text(&first.tenant), format!("t\n{taken}").as_bytes());
                        assert_eq!(looked.entries[1], Err(Unread::Form));
                        assert_eq!((looked.hashes.len(), looked.root), (2, None));
                    }
                    None => assert_eq!(taken, 5, "only one bundle lacks an entry"),
                }
                taken += 1;
            }
            assert!(lookers.take().is_none());
        });
    }
}
