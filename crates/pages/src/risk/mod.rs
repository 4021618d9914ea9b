//! Risk: forecasts of failure, drawn.

pub(crate) mod calibration;
pub(crate) mod forecast;
pub(crate) mod icon_array;
pub(crate) mod matrix;
