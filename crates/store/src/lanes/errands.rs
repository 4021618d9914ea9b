//! Errands to a bucket: an act that ended as it lacked an object waits here, without a lane, and runs again with it. So no lane and no
//! writer is held up by a bucket that hangs.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use super::queue::Queue;
use super::work::Work;
use crate::bucket::{Brought, SharedBucket, fetch};
use crate::error::{Error, Result};

/// How many threads bring objects.
const THREADS: usize = 4;
/// How many acts wait for an object at most. A bucket that hangs lets each wait for its time, so a long queue would only make all
/// of them wait longer.
const MOST_WAITING: usize = 32;

/// An act that waits for an object.
struct Errand {
    key: String,
    back: Back,
    work: Box<dyn Work>,
}

/// The bucket of a store, and the threads that bring objects from it. They end with it.
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
            // No caller waits for their end: a thread may be at a bucket that hangs.
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
        let Ok(Errand { key, back, work }) = next else { return };
        let bytes = fetch(bucket, &key);
        if let Err(error) = &bytes {
            tracing::warn!(%error, "an object is not brought from the bucket");
        }
        back.brought.put(key, bytes);
        back.again(work);
    }
}

/// Returns an act that wanted an object to its lane.
#[derive(Clone)]
pub(crate) struct Back {
    pub(crate) remote: Arc<Remote>,
    pub(crate) brought: Arc<Brought>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) slot: usize,
}

impl Back {
    /// Has an object fetched, and the act run again with it.
    pub(crate) fn bring(self, key: String, work: Box<dyn Work>) {
        let remote = Arc::clone(&self.remote);
        let errand = Errand { key, back: self, work };
        if let Err(TrySendError::Full(errand) | TrySendError::Disconnected(errand)) = remote.errands.try_send(errand) {
            let why = Error::BucketAway("too many changes are being opened".to_owned());
            errand.back.brought.put(errand.key, Err(why));
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
