//! How far a server saw each tenant's log, remembered outside of the database: a log that was cut back or set back to an earlier
//! day is whole in itself, and only what lies elsewhere can tell.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use model::file::Actor;
use proof::crypto::{Hash, hash_text};
use proof::tile::TileReader;
use store::log::LogState;
use store::{Lane, Mode};

use crate::desk::Desk;
use crate::error::{Error, Result};
use crate::log_tiles::StoredTiles;
use crate::room::Room;

/// How far a log was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenLog {
    /// How many entries it had.
    pub size: u64,
    /// The tree's root at that size (RFC 6962).
    pub root: Hash,
}

/// Where it is remembered how far each log was. What it says of one only grows.
pub trait SeenLogs: Send + Sync {
    /// How far a tenant's log was when it was seen last; nothing for one that was never seen.
    fn seen(&self, tenant: &str) -> Option<SeenLog>;

    /// Remembers how far a tenant's log is; a smaller one than is known changes nothing.
    fn note(&self, tenant: &str, log: SeenLog);

    /// Writes down what was noted, where it outlives the process.
    ///
    /// # Errors
    /// The system's, where that cannot be written.
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

    fn note(&self, tenant: &str, log: SeenLog) {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = logs.entry(tenant.to_owned()).or_insert(log);
        if known.size < log.size {
            *known = log;
        }
    }
}

/// Refuses a log that is shorter than it was, or another one at the size at which it was seen: over such a log nothing is signed.
///
/// # Errors
/// A fault that says how far it was; the store's.
pub(crate) fn check(room: &mut Room<'_, '_>, state: &LogState) -> Result<()> {
    let tenant = room.tenant();
    let Some(seen) = room.desk.tools().seen_logs.seen(&tenant) else {
        return Ok(());
    };
    let size = u64::try_from(state.size).unwrap_or_default();
    let what = if size < seen.size {
        format!(
            "had {} entries when this server saw it last and has {size} now",
            seen.size
        )
    } else if root_at(room, state, seen.size)? != hash_text(&seen.root) {
        format!("is another one than this server saw when it had {} entries", seen.size)
    } else {
        return Ok(());
    };
    Err(Error::Fault(format!(
        "the log of the tenant {tenant} {what}: the database was set back, or the log was cut or written anew. Nothing is \
         placed in it; docs/operations/README.md says how to go on"
    )))
}

fn root_at(room: &mut Room<'_, '_>, state: &LogState, size: u64) -> Result<String> {
    let source = StoredTiles::new(room.tx, state.clone());
    if size == source.size() {
        return Ok(state.root.clone());
    }
    let root = TileReader::new(&source, size).root();
    Ok(hash_text(&source.settle(root)?))
}

/// How far the tenant's log is, once it was held to what is remembered; nothing without a log.
fn checked(room: &mut Room<'_, '_>) -> Result<Option<SeenLog>> {
    let Some(state) = store::log::state(room.tx)? else {
        return Ok(None);
    };
    check(room, &state)?;
    let root = proof::crypto::hash_of_text(&state.root)
        .ok_or_else(|| Error::Fault("the root of a log's state is none".to_owned()))?;
    let size = u64::try_from(state.size).unwrap_or_default();
    Ok(Some(SeenLog { size, root }))
}

/// Remembers how far a tenant's log is, also where another server places its events.
///
/// # Errors
/// A fault where the log is not what it was; the store's.
pub fn note_log(desk: &Desk, tenant: &str) -> Result<()> {
    let log = desk.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, checked);
    if let Some(log) = log? {
        desk.tools().seen_logs.note(tenant, log);
    }
    Ok(())
}
