//! The records and rules of change enablement.
//!
//! Nouns as types, and functions from a change's file, a command and the time to an outcome or a refusal. The crate does no
//! I/O, reads no clock, makes no ids and knows no engine: its caller passes everything in.

pub mod approval;
pub mod audit;
pub mod cab;
pub mod change;
pub mod compliance;
pub mod core;
pub mod directory;
pub mod emergency;
pub mod gate;
pub mod identity;
pub mod incident;
pub mod integration;
pub mod notify;
pub mod nouns;
pub mod policy;
pub mod report;
pub mod risk;
pub mod schedule;
