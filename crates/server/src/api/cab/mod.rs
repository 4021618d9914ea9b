//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub(super) mod boards;
pub(super) mod lessons;
pub(super) mod meetings;
