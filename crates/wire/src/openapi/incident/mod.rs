//! Incidents: their command, and what changed before them.

pub(super) mod incidents;
pub(super) mod what_changed;
