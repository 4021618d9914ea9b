//! Starting a server: opening the store, listening, the router and the health routes.

pub(crate) mod bucket;
pub mod companion_listener;
pub(crate) mod health;
pub(crate) mod listen;
pub(crate) mod master_key;
pub(crate) mod open_store;
pub(crate) mod router;
pub mod running_copy;
pub(crate) mod seen_logs;
pub(crate) mod serve;
pub(crate) mod serve_error;
mod text_format;
