//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub mod agenda;
pub mod agenda_items;
pub mod agenda_pack;
pub mod assign_lesson;
pub mod board_forecasts;
pub mod board_pack;
pub mod boards;
pub mod duty_rotas;
pub(crate) mod follow_minutes;
pub mod import_on_call;
pub mod lesson_sessions;
pub mod lessons;
pub mod listed_items;
pub mod meeting_series;
pub mod meetings;
pub mod on_call;
pub mod sign_minutes;
pub mod training;
