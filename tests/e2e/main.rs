//! The whole product through its real binary: guide walks, crashes, tampering, deliveries, foreign verifiers.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod alerts;
mod attacks;
mod backup;
mod bad_input;
mod canaries;
mod clock_jumps;
mod contract;
mod crash;
mod cross_site;
mod decisions;
mod deliveries;
mod disk;
mod every_route;
mod foreign;
mod gated;
mod gateways;
mod gitlab;
mod guide;
mod lost_database;
mod outage;
mod partition;
mod paused_server;
mod pipelines;
mod poison;
mod promises;
mod provisioning;
mod rollback;
mod swept;
mod tamper;
mod tenants;
mod told;
mod two_servers;
mod unsent;
mod webhooks;
