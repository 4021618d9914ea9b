//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub mod board;
pub mod lesson;
pub mod lesson_assignment;
pub mod lesson_attempt;
pub mod meeting;
pub mod quorum;
pub mod training;
