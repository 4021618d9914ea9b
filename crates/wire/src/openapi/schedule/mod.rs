//! Schedule: conflicts of plans and free times.

pub(super) mod planning;
