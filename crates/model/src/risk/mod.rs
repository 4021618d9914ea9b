//! Risk: impact, reach, the risk table, categories and checklists.

pub mod assessment;
pub mod cause;
pub mod cause_move;
pub mod derived;
pub mod effective;
pub mod forecast;
pub mod matrix;
pub mod regimes;
pub mod terms;
