//! Risk: impact, reach, the risk table, categories and checklists.

mod forecast;
pub mod table;
