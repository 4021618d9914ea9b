//! A cache of public status pages: requests without a credential make the server render each page at most once in a few
//! seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a page is good.
const FRESH: Duration = Duration::from_secs(5);

/// How many tenants' pages are kept; past it those that are no longer good are forgotten, and then all.
const MOST: usize = 1_000;

/// The pages and feeds, by tenant and which of the two it is.
#[derive(Default)]
pub(crate) struct PublicPages(Mutex<HashMap<String, (Instant, Arc<str>)>>);

impl PublicPages {
    fn map(&self) -> MutexGuard<'_, HashMap<String, (Instant, Arc<str>)>> {
        // Pages are whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cached page of a tenant, while it is fresh. The caller checks whether the tenant still has a public page.
    pub(crate) fn get(&self, tenant: &str, now: Instant) -> Option<Arc<str>> {
        let map = self.map();
        let (written, page) = map.get(tenant)?;
        (now.saturating_duration_since(*written) < FRESH).then(|| Arc::clone(page))
    }

    /// Keeps the page of a tenant.
    pub(crate) fn keep(&self, tenant: &str, page: &str, now: Instant) {
        let mut map = self.map();
        if map.len() >= MOST && !map.contains_key(tenant) {
            map.retain(|_, (written, _)| now.saturating_duration_since(*written) < FRESH);
            if map.len() >= MOST {
                map.clear();
            }
        }
        map.insert(tenant.to_owned(), (now, Arc::from(page)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::clock;

    #[test]
    fn a_page_is_good_for_a_few_seconds_and_for_its_own_tenant() {
        let pages = PublicPages::default();
        let now = clock::tick();
        pages.keep("halden", "one", now);
        assert_eq!(pages.get("halden", now).as_deref(), Some("one"));
        assert_eq!(pages.get("cartwell", now), None);
        assert_eq!(pages.get("halden", now + FRESH), None);
        pages.keep("halden", "two", now + FRESH);
        assert_eq!(pages.get("halden", now + FRESH).as_deref(), Some("two"));
    }

    #[test]
    fn the_pages_that_are_kept_are_bounded() {
        let pages = PublicPages::default();
        let now = clock::tick();
        for number in 0..2 * MOST {
            pages.keep(&number.to_string(), "page", now);
        }
        assert!(pages.map().len() <= MOST);
    }
}
