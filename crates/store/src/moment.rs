//! Moments: the committed state that a transaction sees, so that data read at one moment are reused until the next commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A committed state of an embedded database, as this process counts them. Data read at a moment are valid while that moment is
/// the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// A moment by its number, for tests of caches.
    #[must_use]
    pub fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// Counts the moments. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moments(Arc<AtomicU64>);

impl Moments {
    /// The present moment.
    pub(crate) fn present(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }

    /// Begins the next moment: after each commit, before anybody learns of it.
    pub(crate) fn next(&self) -> Moment {
        Moment(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}
