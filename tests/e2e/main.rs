//! The whole product through its real binary: guide walks, crashes, tampering, deliveries, foreign verifiers.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod api;
mod approval;
mod audit;
mod cab;
mod change;
mod compliance;
mod directory;
mod gate;
mod identity;
mod incident;
mod integration;
mod notify;
mod platform;
mod policy;
mod report;
mod risk;
mod schedule;
