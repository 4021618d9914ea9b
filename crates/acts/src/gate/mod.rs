//! The gate: checks, permits, running builds, coverage and gateway dialects.

pub mod answer;
pub mod consume_permit;
pub mod coverage;
pub mod gate_waits;
pub mod keep_attestation;
pub mod keep_provenance;
pub(crate) mod led;
pub(crate) mod rejudge;
pub mod reopen_gate;
pub mod run_tasks;
pub mod running;
pub(crate) mod said;
pub mod shown_permit;
pub(crate) mod take_run_task;
pub mod verbs;
