//! When it was last shown that something can be written to the database.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a successful write proves that writes work: frequent checks cause no more writes than this.
const PROVED_FOR: Duration = Duration::from_secs(2);

/// The time of the last successful write.
#[derive(Default)]
pub(crate) struct ProvedWrites(Mutex<Option<Instant>>);

impl ProvedWrites {
    /// Whether it has to be shown again.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|at| now.saturating_duration_since(at) >= PROVED_FOR)
    }

    /// Records a successful write.
    pub(crate) fn note(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}
