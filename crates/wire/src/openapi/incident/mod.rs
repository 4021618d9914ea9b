//! Incidents: what changed before them.

pub(super) mod what_changed;
