//! Risk: impact, reach, the risk table, categories and checklists.

mod adjustment;
mod affected;
mod forecast;
pub mod table;
