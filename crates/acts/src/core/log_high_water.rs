//! Remembers outside the database how far a server saw each tenant's log. A log that was truncated or restored to an
//! earlier day is consistent in itself, so only an outside record can show the loss.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use proof::crypto::Hash;

/// How far a log was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenLog {
    /// How many entries it had.
    pub size: u64,
    /// The tree's root at that size (RFC 6962).
    pub root: Hash,
}

/// A store of the last seen size of each log. A stored size only grows.
pub trait SeenLogs: Send + Sync {
    /// The last seen state of a tenant's log; `None` for a log that was never seen.
    fn seen(&self, tenant: &str) -> Option<SeenLog>;

    /// The tenants with a remembered log, in order.
    fn tenants(&self) -> Vec<String>;

    /// Remembers the state of a tenant's log; a smaller size than the known one changes nothing.
    fn note(&self, tenant: &str, log: SeenLog);

    /// The latest noted time, if any.
    fn seen_time(&self) -> Option<Timestamp> {
        None
    }

    /// Remembers the time; an earlier time than the known one changes nothing.
    fn note_time(&self, _now: Timestamp) {}

    /// Stores the notes, if they are to outlive the process.
    ///
    /// # Errors
    /// The system's, if they cannot be written.
    fn keep(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A memory that ends with the process.
#[derive(Debug, Default)]
pub struct SeenInMemory(Mutex<BTreeMap<String, SeenLog>>);

impl SeenInMemory {
    /// A memory of these logs.
    #[must_use]
    pub fn of(logs: BTreeMap<String, SeenLog>) -> Self {
        Self(Mutex::new(logs))
    }

    /// All that is remembered, by tenant.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, SeenLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl SeenLogs for SeenInMemory {
    fn seen(&self, tenant: &str) -> Option<SeenLog> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(tenant)
            .copied()
    }

    fn tenants(&self) -> Vec<String> {
        self.all().into_keys().collect()
    }

    fn note(&self, tenant: &str, log: SeenLog) {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = logs.entry(tenant.to_owned()).or_insert(log);
        if known.size < log.size {
            *known = log;
        }
    }
}
