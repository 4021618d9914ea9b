//! Policies: Cedar sets, configurations and trials.

pub(super) mod like_this;
pub(super) mod parameters;
pub(super) mod policies;
pub(super) mod policy_document;
pub(super) mod try_policies;
pub(super) mod watch_windows;
