//! The queue: jobs, leases and timers.

pub mod job;
pub(crate) mod lease;
pub mod timer;
