//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub mod answer;
pub mod consume_permit;
pub mod coverage;
pub mod gate_waits;
pub mod reopen_gate;
pub mod run_tasks;
pub mod running;
pub mod shown_permit;
pub mod verbs;
