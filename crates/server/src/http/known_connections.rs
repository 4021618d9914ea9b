//! A cache of the connections that accept deliveries, by their id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many connections are remembered; past it they are looked up anew.
const CONNECTIONS: usize = 1_000;

/// A connection that accepts deliveries.
#[derive(PartialEq, Eq)]
pub(crate) struct Found {
    pub tenant: String,
    pub kind: String,
    pub secret: String,
}

/// A connection as of one generation of the tenant data, which includes connections.
#[derive(Clone)]
pub(crate) struct CachedConnection {
    pub found: Arc<Found>,
    pub generation: i64,
}

/// A cache of connections by id. An entry accepts nothing by itself: it saves the look-ups, and the transaction that keeps a
/// delivery checks that the tenant data is unchanged.
#[derive(Default)]
pub(crate) struct KnownConnections(Mutex<HashMap<String, CachedConnection>>);

impl KnownConnections {
    fn map(&self) -> MutexGuard<'_, HashMap<String, CachedConnection>> {
        // The cache stays consistent after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, connection: &str) -> Option<CachedConnection> {
        self.map().get(connection).cloned()
    }

    pub(crate) fn keep(&self, connection: &str, known: &CachedConnection) {
        let mut map = self.map();
        if map.len() >= CONNECTIONS {
            map.clear();
        }
        map.insert(connection.to_owned(), known.clone());
    }

    pub(crate) fn forget(&self, connection: &str) {
        self.map().remove(connection);
    }
}
