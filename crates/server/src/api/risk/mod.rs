//! Risk: impact, reach, the risk table, categories and checklists.

pub(super) mod adjustments;
pub(super) mod affected;
pub(super) mod forecasts;
pub(super) mod matrix;
pub(super) mod risk_table;
