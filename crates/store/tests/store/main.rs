//! Every verb of the store, on both engines.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod altered;
mod archive;
mod archive_bucket;
mod bundles;
mod copying;
mod damaged;
mod failover;
mod identity;
mod killed_upgrades;
mod lanes;
mod logs;
mod migrations;
mod orders;
mod postgres;
mod queues;
mod records;
mod settled;
mod sinks;
mod sqlite;
mod statements;
mod upgrades;
mod webhooks;
mod world;
