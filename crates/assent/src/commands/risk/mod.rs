//! Risk: impact, reach, the risk table, categories and checklists.

pub mod table;
