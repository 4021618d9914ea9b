//! Risk: forecasts of failure and their models.

pub(super) mod forecasts;
