//! Segments in a bucket. No transaction waits for the network: an act that needs a segment ends without having changed anything,
//! the segment is brought by a thread of its own, and the act runs again with it. So no lane and no writer is held up by a bucket
//! that hangs.

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use super::place;
use crate::bucket::SharedBucket;
use crate::error::{Error, Result};
use crate::lanes::{Queue, Work};

/// How many threads bring segments.
const THREADS: usize = 4;
/// How many acts wait for a segment at most. A bucket that hangs lets each wait for its time, so a long queue would only make all
/// of them wait longer.
const MOST_WAITING: usize = 32;
/// How many segments are brought for one act, and how many bytes of them.
const MOST_SEGMENTS: usize = 256;
const MOST_BYTES: usize = 64 << 20;

/// Where the bytes of segments may lie, as a transaction sees it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Places<'c> {
    /// The folder of segments, where they are files.
    pub(crate) folder: Option<&'c Path>,
    /// The bucket, with what was brought from it for this act.
    pub(crate) bucket: Option<(&'c SharedBucket, &'c Brought)>,
}

/// What was brought from the bucket for one act, over all its runs.
#[derive(Default)]
pub(crate) struct Brought(Mutex<State>);

#[derive(Default)]
struct State {
    found: HashMap<String, Arc<[u8]>>,
    bytes: usize,
    /// The segment for which the last run ended.
    wanted: Option<String>,
    /// Why the bucket gives nothing more to this act.
    away: Option<Error>,
    in_place: bool,
}

impl Brought {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A segment's bytes, or an error that ends the run so that they are brought.
    pub(super) fn read(&self, bucket: &SharedBucket, id: &str) -> Result<Arc<[u8]>> {
        let mut state = self.state();
        if let Some(bytes) = state.found.get(id) {
            return Ok(Arc::clone(bytes));
        }
        if let Some(away) = &state.away {
            return Err(away.clone());
        }
        if state.in_place {
            let bytes = fetch(bucket, id);
            if let Err(away @ Error::BucketAway(_)) = &bytes {
                state.away = Some(away.clone());
            }
            return bytes;
        }
        if state.found.len() >= MOST_SEGMENTS || state.bytes > MOST_BYTES {
            return Err(Error::other(
                "more of the archive is needed at once than is opened for one act",
            ));
        }
        state.wanted = Some(id.to_owned());
        Err(Error::BucketAway("the segment is being brought".to_owned()))
    }

    /// From now on this act reads the bucket where it runs.
    pub(crate) fn read_in_place(&self) {
        self.state().in_place = true;
    }

    /// Whether the run has to be repeated once a segment is there.
    pub(crate) fn is_wanting(&self) -> bool {
        self.state().wanted.is_some()
    }

    /// Forgets what a run before wanted.
    pub(crate) fn begin(&self) {
        self.state().wanted = None;
    }

    /// The segment that the last run wanted; it is told once.
    pub(crate) fn take_wanted(&self) -> Option<String> {
        self.state().wanted.take()
    }

    fn put(&self, id: String, bytes: Result<Arc<[u8]>>) {
        let mut state = self.state();
        match bytes {
            Ok(bytes) => {
                state.bytes += bytes.len();
                state.found.insert(id, bytes);
            }
            Err(away) => state.away = Some(away),
        }
    }
}

fn fetch(bucket: &SharedBucket, id: &str) -> Result<Arc<[u8]>> {
    let bytes = bucket.0.get(&place::key_of(id)?)?;
    let gone = || {
        Error::Corrupt(format!(
            "the object of the archive segment `{id}` is gone from the bucket"
        ))
    };
    bytes.map(Arc::from).ok_or_else(gone)
}

/// An act that waits for a segment.
struct Errand {
    id: String,
    back: Back,
    work: Box<dyn Work>,
}

/// The bucket of a store, and the threads that bring segments from it. They end with it.
pub(crate) struct Remote {
    pub(crate) bucket: SharedBucket,
    errands: SyncSender<Errand>,
}

impl Remote {
    /// Starts the threads.
    pub(crate) fn start(bucket: SharedBucket) -> Result<Self> {
        let (errands, waiting) = sync_channel(MOST_WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 1..=THREADS {
            let (bucket, waiting) = (bucket.clone(), Arc::clone(&waiting));
            let thread = Builder::new().name(format!("store-bucket-{number}"));
            // Nobody waits for their end: one may be at a bucket that hangs.
            thread
                .spawn(move || serve(&bucket, &waiting))
                .map_err(|it| Error::Unavailable(format!("no thread for the bucket: {it}")))?;
        }
        Ok(Self { bucket, errands })
    }
}

fn serve(bucket: &SharedBucket, waiting: &Mutex<Receiver<Errand>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Errand { id, back, work }) = next else { return };
        let bytes = fetch(bucket, &id);
        if let Err(error) = &bytes {
            tracing::warn!(%error, "a segment of the archive is not brought");
        }
        back.brought.put(id, bytes);
        back.again(work);
    }
}

/// The way back into its lane of an act that wanted a segment.
#[derive(Clone)]
pub(crate) struct Back {
    pub(crate) remote: Arc<Remote>,
    pub(crate) brought: Arc<Brought>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) slot: usize,
}

impl Back {
    /// Has a segment brought, and the act run again with it.
    pub(crate) fn bring(self, id: String, work: Box<dyn Work>) {
        let remote = Arc::clone(&self.remote);
        let errand = Errand { id, back: self, work };
        if let Err(TrySendError::Full(errand) | TrySendError::Disconnected(errand)) = remote.errands.try_send(errand) {
            let why = Error::BucketAway("too many changes are being opened".to_owned());
            errand.back.brought.put(errand.id, Err(why));
            errand.back.again(errand.work);
        }
    }

    fn again(self, work: Box<dyn Work>) {
        if let Err(mut refused) = self.queue.push(self.slot, work) {
            refused.settle(Error::Busy);
            refused.answer();
        }
    }
}
