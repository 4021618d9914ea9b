//! Translators to outside systems: verified bytes become a [`model::integration::signal::Signal`] or a
//! [`evidence::Reading`], and a [`mail::Letter`] becomes a message that a server understands.
//!
//! This room knows no database and none of our rules: it says what arrived, never what it means.
//! All input here is written by strangers, so every reader has a limit on size and depth, and
//! answers with a reason instead of a panic. Only [`socket`] opens sockets.

pub mod change;
pub mod directory;
pub mod identity;
pub mod integration;
pub mod notify;
pub mod schedule;
pub mod socket;
