//! Risk: impact, reach, the risk table, categories and checklists.

pub mod adjustment;
pub mod assessment;
pub mod cause;
pub mod cause_move;
pub mod closed_change;
pub mod complexity;
pub mod derived;
pub mod effective;
pub mod failed_reviews;
pub mod forecast;
pub mod kept_answers;
pub mod kept_reach;
pub mod matrix;
pub mod parameter_proposal;
pub mod past_level;
pub mod probe;
pub mod reach;
pub mod regimes;
pub mod risk_adjustment;
pub mod rule_removal;
pub mod security_questions;
pub mod source;
pub mod terms;
