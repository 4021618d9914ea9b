//! Shared state of calls to identity providers and platforms: the client, turns, and cached provider documents.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use connect::identity::oidc::Discovered;
use connect::identity::workload::Keys;
use connect::socket::http::Http;
use tokio::sync::Semaphore;

use crate::http::clock;

/// How many providers are called at once; a slow one must not take every thread.
const AT_ONCE: usize = 8;

/// How long a provider's cached documents are used to begin a sign-in. The provider's response is always checked against
/// freshly read keys, so a key rotation causes no failure.
pub(crate) const FRESH: Duration = Duration::from_secs(300);

/// The most providers that are remembered.
pub(crate) const MOST: usize = 200;

/// Shared state of outgoing calls: the client, turns, and cached provider documents.
pub(crate) struct Outside {
    pub http: Http,
    pub turns: Semaphore,
    known: Mutex<HashMap<String, (Instant, Discovered)>>,
    pub keys: Mutex<HashMap<String, (Instant, Keys)>>,
}

impl Outside {
    /// With a client under the operator's rules.
    pub(crate) fn new(http: Http) -> Self {
        Self {
            http,
            turns: Semaphore::new(AT_ONCE),
            known: Mutex::new(HashMap::new()),
            keys: Mutex::new(HashMap::new()),
        }
    }

    pub(crate) fn remembered(&self, issuer: &str) -> Option<Discovered> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, found) = known.get(issuer)?;
        let age = clock::tick().saturating_duration_since(*at);
        (age < FRESH).then(|| found.clone())
    }

    pub(crate) fn remember(&self, issuer: &str, found: &Discovered) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(issuer.to_owned(), (clock::tick(), found.clone()));
    }
}
