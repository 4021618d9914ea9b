//! Risk: impact, reach, the risk table, categories and checklists.

pub mod assessment;
pub mod regimes;
