//! The HTTP client of the tests: an error status is a response as well, redirects are shown and not followed.

use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout, time};

/// A client that waits a minute, longer than any response takes.
pub fn agent() -> Agent {
    agent_for(Duration::from_mins(1))
}

/// A client that waits this long for a whole response.
pub fn agent_for(patience: Duration) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(patience))
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Here)
}

/// Looks addresses up on the caller's own thread.
///
/// The usual way begins a thread for each call that has a time limit, and lets it go. When many of these end at once,
/// the C library of Debian 12 may unmap a thread's stack while the thread is being let go, and the program ends by a
/// segmentation fault. The tests call addresses in figures, which take no time to look up.
#[derive(Debug)]
struct Here;

impl Resolver for Here {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let unhurried = NextTimeout {
            after: time::Duration::NotHappening,
            ..timeout
        };
        DefaultResolver::default().resolve(uri, config, unhurried)
    }
}
