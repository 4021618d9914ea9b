//! What every request passes: routes, callers, bodies, limits and failures.

pub(crate) mod address;
pub(crate) mod attempts;
pub(crate) mod authenticate;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod certificate;
pub(crate) mod change_notifier;
pub(crate) mod clock;
pub(crate) mod concurrency_limit;
pub(crate) mod failed_sync;
pub(crate) mod failure;
pub(crate) mod files;
pub(crate) mod gate_counters;
pub(crate) mod handler;
pub(crate) mod known_connections;
pub(crate) mod metrics;
pub(crate) mod noted;
pub(crate) mod percent;
pub(crate) mod provider_calls;
pub(crate) mod query_words;
pub(crate) mod request_id;
pub(crate) mod route;
pub(crate) mod settings;
pub(crate) mod source;
pub(crate) mod state;
pub(crate) mod throttle;
