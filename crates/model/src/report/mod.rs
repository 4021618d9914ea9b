//! Figures: the population, the rows and the precision of each metric.

pub mod change_outcome;
pub mod control_chart;
pub mod dashboard;
pub mod dashboard_subscription;
pub mod definition;
pub mod deployments;
pub mod emergency_causes;
pub mod evaluate;
pub mod event_log;
pub mod field_use;
pub mod figure;
pub mod lookalike;
pub mod parity;
pub mod population;
pub mod process_map;
pub mod saved_dashboard;
pub mod search_query;
pub mod sensitivity;
pub mod share_chart;
pub mod statistics;
pub mod step_rework;
pub mod template_rework;
pub mod wait_budget;
pub mod what_rose;
pub mod window;
