//! The server: REST, pages, hooks, and the background threads.
//!
//! A handler extracts the input, runs one act on the executor and renders its result. No handler decides anything about
//! changes, approvals or windows. Acts run on the store's own threads; their results come back over a oneshot.

#[cfg(test)]
mod access;
mod api;
mod background;
mod change;
mod compliance;
pub mod demo;
mod dialects;
pub mod gateway;
mod http;
pub mod identity;
mod integration;
pub mod logs;
mod notify;
mod report;
mod schedule;
pub mod start;
pub mod web;

pub use http::caller::{Caller, Credential, SESSION_COOKIE};
pub use http::certificate::{CERTIFICATE_ENDS_SOON, certificate_end};
pub use http::change_notifier::Bells;
pub use http::clock::SystemClock;
pub use http::failure::Failure;
pub use http::files::NewFile;
pub use http::settings::{Settings, Smtp, Tls};
pub use http::state::AppState;
pub use identity::sign_in::{NewSession, Origin, Shown, end_session, sign_in, step_up};
pub use start::bucket::{BucketSettings, CopyPlace, Place as BucketPlace};
pub use start::open_store::{Opened, failover_setup, find_damage, open, open_uncoded, waiting_migrations};
pub use start::running_copy;
pub use start::seen_logs::FILES as SEEN_LOGS_FILES;
pub use start::serve::{Prepare, Running, check, serve, start};
pub use start::serve_error::ServeError;
