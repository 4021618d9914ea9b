//! Risk: the model of failure and its forecasts, root causes and how they move forecasts, quarterly adjustments.

mod adjust_parameters;
pub mod adjust_rules;
pub mod adjustment_items;
pub mod ask_probes;
pub mod closed_changes;
pub mod find_affected;
pub mod fit_model;
pub mod move_forecasts;
mod remove_rules;
pub mod set_cause;
pub mod set_probe;
pub mod show_forecast;
