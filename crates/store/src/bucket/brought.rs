//! The objects fetched from a bucket for one act. No transaction waits for the network: an act that needs an object ends
//! without any change, a separate thread fetches the object (`lanes`), and the act runs again with it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SharedBucket;
use crate::error::{Error, Result};

/// How many objects are fetched for one act, and how many bytes of them.
const MOST_OBJECTS: usize = 256;
const MOST_BYTES: usize = 64 << 20;

/// Where the bytes of archive segments may lie, as a transaction sees it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Places<'c> {
    /// The folder of segments, where they are files.
    pub(crate) folder: Option<&'c Path>,
    /// The bucket, with the objects fetched from it for this act.
    pub(crate) bucket: Option<(&'c SharedBucket, &'c Brought)>,
}

/// The objects fetched from the bucket for one act, over all its runs.
#[derive(Default)]
pub(crate) struct Brought(Mutex<State>);

#[derive(Default)]
struct State {
    /// The objects found, or the error of that object alone.
    found: HashMap<String, Result<Arc<[u8]>>>,
    bytes: usize,
    /// The key of the object for which the last run ended.
    wanted: Option<String>,
    /// Why the bucket gives nothing more to this act.
    away: Option<Error>,
    in_place: bool,
}

impl Brought {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object's bytes, or an error that ends the run so that they are fetched.
    pub(crate) fn read(&self, bucket: &SharedBucket, key: &str) -> Result<Arc<[u8]>> {
        let mut state = self.state();
        if let Some(found) = state.found.get(key) {
            return found.clone();
        }
        if let Some(away) = &state.away {
            return Err(away.clone());
        }
        if state.in_place {
            let bytes = fetch(bucket, key);
            if let Err(away @ Error::BucketAway(_)) = &bytes {
                state.away = Some(away.clone());
            }
            return bytes;
        }
        if state.found.len() >= MOST_OBJECTS || state.bytes > MOST_BYTES {
            return Err(Error::other(
                "more of the bucket is needed at once than is brought for one act",
            ));
        }
        state.wanted = Some(key.to_owned());
        Err(Error::BucketAway("the object is being brought".to_owned()))
    }

    /// From now on this act reads the bucket where it runs.
    pub(crate) fn read_in_place(&self) {
        self.state().in_place = true;
    }

    /// Whether the run has to be repeated once an object is there.
    pub(crate) fn is_wanting(&self) -> bool {
        self.state().wanted.is_some()
    }

    /// Clears the wanted object of an earlier run.
    pub(crate) fn begin(&self) {
        self.state().wanted = None;
    }

    /// The object that the last run wanted; it is returned once.
    pub(crate) fn take_wanted(&self) -> Option<String> {
        self.state().wanted.take()
    }

    /// Stores a fetched object, or why there is none.
    pub(crate) fn put(&self, key: String, bytes: Result<Arc<[u8]>>) {
        let mut state = self.state();
        if let Err(away @ Error::BucketAway(_)) = bytes {
            state.away = Some(away);
            return;
        }
        state.bytes += bytes.as_ref().map_or(0, |bytes| bytes.len());
        state.found.insert(key, bytes);
    }
}

/// An object from the bucket.
pub(crate) fn fetch(bucket: &SharedBucket, key: &str) -> Result<Arc<[u8]>> {
    let gone = || Error::Corrupt(format!("the object `{key}` is gone from the bucket"));
    bucket.0.get(key)?.map(Arc::from).ok_or_else(gone)
}
