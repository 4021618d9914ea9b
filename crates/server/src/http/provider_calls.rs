//! What calls to identity providers and platforms share: the client, turns, and what these said of themselves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use connect::identity::oidc::Discovered;
use connect::identity::workload::Keys;
use connect::socket::http::Http;
use tokio::sync::Semaphore;

use crate::http::clock;

/// How many providers are asked at once; a slow one must not take every thread.
const AT_ONCE: usize = 8;

/// How long what a provider says of itself is believed when somebody sets out. What comes back is always checked against
/// keys read anew, so that a rotation is no trouble.
pub(crate) const FRESH: Duration = Duration::from_secs(300);

/// The most providers that are remembered.
pub(crate) const MOST: usize = 200;

/// Calls to the outside: the client, turns, and what providers said of themselves.
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
