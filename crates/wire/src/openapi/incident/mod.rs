//! Incidents: their command, and what changed before them.

pub(super) mod incidents;
//! Incidents: what changed before them, and what they teach.

pub(super) mod learning;
pub(super) mod what_changed;
