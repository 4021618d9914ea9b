//! Risk: forecasts of failure, drawn.

pub(crate) mod calibration;
pub(crate) mod forecast;
