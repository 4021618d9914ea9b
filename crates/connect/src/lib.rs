//! Translators to outside systems: verified bytes become a [`model::integration::signal::Signal`] or a
//! [`change::evidence::Reading`], and a [`notify::mail::Letter`] becomes a message that a server understands.
//!
//! The crate knows no database and no rule of the product: it reports what arrived, never its meaning. All input here is
//! untrusted, so every reader has a limit on size and depth, and returns a reason instead of a panic. Only [`socket`] opens
//! sockets.

pub mod change;
pub mod directory;
pub mod identity;
pub mod incident;
pub mod integration;
pub mod notify;
pub mod report;
pub mod schedule;
pub mod socket;
