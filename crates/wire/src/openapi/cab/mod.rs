//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub(super) mod lessons;
pub(super) mod meetings;
