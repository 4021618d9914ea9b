//! Risk: impact, reach, the risk table, categories and checklists.

mod affected;
mod forecast;
pub mod table;
