//! The queue: jobs, leases, timers, and the trace that queued work goes on with.

pub mod job;
pub(crate) mod lease;
pub mod timer;
pub mod trace;
