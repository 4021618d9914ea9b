//! Risk: the model of failure and its forecasts, root causes and how they move forecasts.

pub mod fit_model;
pub mod move_forecasts;
pub mod set_cause;
pub mod show_forecast;
