//! Risk: the model of failure and its forecasts.

pub mod ask_probes;
pub mod find_affected;
pub mod fit_model;
pub mod set_probe;
pub mod show_forecast;
