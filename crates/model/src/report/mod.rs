//! Figures: what each metric counts, from which rows, and how sure it is.

pub mod change_outcome;
pub mod control_chart;
pub mod definition;
pub mod deployments;
pub mod evaluate;
pub mod event_log;
pub mod field_use;
pub mod figure;
pub mod parity;
pub mod population;
pub mod statistics;
pub mod window;
