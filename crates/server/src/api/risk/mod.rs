//! Risk: impact, reach, the risk table, categories and checklists.

pub(super) mod risk_table;
