//! The doors: REST, pages, hooks, and the threads that work behind them.
//!
//! A door extracts what came in, runs one act on the desk and renders its answer. No door decides anything about changes,
//! approvals or windows. Acts run on the store's own threads; their answers come back over a oneshot.

#[cfg(test)]
mod access;
mod address;
mod api;
mod attempts;
mod authenticate;
mod bell;
mod body;
mod bulk;
mod caller;
mod certificate;
mod clock;
mod courier;
pub mod demo;
mod elsewhere;
mod evidence;
mod failed_sync;
mod failure;
mod files;
pub mod gateway;
mod health;
mod holder;
mod hooks;
mod known_connections;
mod listen;
pub mod logs;
mod master;
mod metrics;
mod noted;
mod open;
mod passkeys;
pub mod password;
mod percent;
mod plain;
mod postman;
mod provider_calls;
mod providers;
mod query_words;
mod replays;
mod request_id;
mod route;
mod router;
mod scim;
mod seen_logs;
mod sequencer;
mod serve;
mod serve_error;
mod settings;
mod sign_in;
mod source;
pub mod stand;
mod state;
mod sweep;
mod tally;
mod throttle;
mod turn;
pub mod web;
mod worker;
mod workloads;

pub use bell::Bells;
pub use caller::{Caller, Credential, SESSION_COOKIE};
pub use certificate::{CERTIFICATE_ENDS_SOON, certificate_end};
pub use clock::SystemClock;
pub use failure::Failure;
pub use files::NewFile;
pub use open::{Opened, find_damage, open, waiting_migrations};
pub use seen_logs::FILES as SEEN_LOGS_FILES;
pub use serve::{Prepare, Running, check, serve, start};
pub use serve_error::ServeError;
pub use settings::{Settings, Smtp, Tls};
pub use sign_in::{NewSession, Origin, Shown, end_session, sign_in, step_up};
pub use state::AppState;
