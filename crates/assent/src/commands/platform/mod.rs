//! The server as a program: starting, stopping, backup, configuration and health.

pub mod backup;
pub mod config;
pub mod doctor;
pub mod nouns;
pub mod running_copies;
pub mod serve;
