//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub mod agenda;
pub mod agenda_item;
pub mod board;
pub mod board_forecast;
pub mod duty_rota;
pub mod lesson;
pub mod lesson_assignment;
pub mod lesson_attempt;
pub mod lesson_session;
pub mod meeting;
pub mod meeting_series;
pub mod minutes;
pub mod on_duty;
pub mod quorum;
pub mod training;
