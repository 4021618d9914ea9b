//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub mod boards;
pub mod lessons;
pub mod meetings;
pub mod on_call;
pub mod training;
