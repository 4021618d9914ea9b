//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub mod board;
pub mod meeting;
pub mod quorum;
pub mod training;
