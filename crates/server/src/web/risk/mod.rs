//! Risk: forecasts of failure and their models.

pub(super) mod adjustments;
pub(super) mod affected;
pub(super) mod failure_models;
pub(super) mod forecast_section;
pub(super) mod matrix_section;
