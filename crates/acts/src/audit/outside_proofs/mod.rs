//! What others attest of this log, and this tenant of theirs: witnesses and time stamps.

pub mod ask_witnesses;
pub mod set_time_authority;
pub mod set_watched_log;
pub mod stamp_log;
pub mod witness_log;
