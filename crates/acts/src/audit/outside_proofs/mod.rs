//! External proofs about this log, and this tenant's proofs about other logs: witnesses and time stamps.

pub mod ask_witnesses;
pub mod set_time_authority;
pub mod set_watched_log;
pub mod stamp_log;
pub mod witness_log;
