//! The server as a program: starting, stopping, backup, configuration and health.

#[cfg(feature = "server")]
pub mod backup;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod doctor;
pub mod man;
#[cfg(feature = "server")]
pub mod migrate;
pub mod nouns;
#[cfg(feature = "server")]
pub mod running_copies;
#[cfg(feature = "server")]
pub mod serve;
