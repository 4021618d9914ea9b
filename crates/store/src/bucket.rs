//! A place for objects outside of the database: an S3-compatible bucket, which is given to this crate as it opens no sockets, or a
//! folder.

mod brought;
mod folder;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub(crate) use self::brought::{Brought, Places, fetch};
use crate::error::Result;

/// When an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Replaces any object under the key.
    Always,
    /// Only where nothing lies under the key.
    IfAbsent,
}

/// Objects by key. Each call blocks until it is done or a short time is over; no call is made within a transaction, except by
/// an act that requested this ([`crate::Tx::read_archive_in_place`]).
///
/// Its errors are [`crate::Error::BucketAway`] where a retry may help and [`crate::Error::Other`] where it does not. They name
/// the bucket's host at most, never a credential.
pub trait Bucket: Send + Sync {
    /// Writes an object, completely or not at all; returns `false` when the object had to be absent and is not.
    ///
    /// # Errors
    /// The bucket's.
    fn put(&self, key: &str, bytes: &[u8], when: Put) -> Result<bool>;

    /// An object's bytes; `None` where it is not there.
    ///
    /// # Errors
    /// The bucket's.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// The next keys that begin with `prefix` and come after `after`, in the order of their bytes: a page, empty at the end.
    ///
    /// # Errors
    /// The bucket's.
    fn list(&self, prefix: &str, after: &str) -> Result<Vec<String>>;

    /// Removes an object. An absent object counts as removed.
    ///
    /// # Errors
    /// The bucket's.
    fn delete(&self, key: &str) -> Result<()>;
}

/// A bucket that clones share.
#[derive(Clone)]
pub struct SharedBucket(pub Arc<dyn Bucket>);

impl SharedBucket {
    /// A folder as a bucket: each object a file, written beside its name and put in its place, on the disk when the call returns.
    /// Its file system has to know hard links.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self(Arc::new(folder::Folder::new(folder)))
    }
}

impl fmt::Debug for SharedBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedBucket(..)")
    }
}

impl PartialEq for SharedBucket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedBucket {}
