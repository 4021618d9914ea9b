//! Incidents: their command, what changed before them, and what they teach.

pub(super) mod incidents;

pub(super) mod learning;
pub(super) mod monitoring;

pub(super) mod drift;
pub(super) mod what_changed;
