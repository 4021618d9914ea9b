//! Risk: the model of failure and its forecasts.

pub mod find_affected;
pub mod fit_model;
pub mod show_forecast;
