//! Risk: reach, forecasts of failure and their models.

pub(super) mod adjustments;
pub(super) mod affected;
pub(super) mod checklists;
pub(super) mod forecasts;
