//! Incidents: what changed before them; drift.

pub(super) mod drift;
pub(super) mod what_changed;
