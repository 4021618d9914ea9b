//! The whole product through its real binary: guide walks, crashes, tampering, deliveries, foreign verifiers.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod bad_input;
mod canaries;
mod crash;
mod deliveries;
mod disk;
mod foreign;
mod guide;
mod lost_database;
mod paused_server;
mod promises;
mod tamper;
mod two_servers;
