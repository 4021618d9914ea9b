//! Change advisory boards: meetings, agenda, minutes, on-call and training.

pub(super) mod board_pack;
pub(super) mod boards;
pub(super) mod home_board;
pub(super) mod item_words;
pub(super) mod lessons;
pub(super) mod meeting_acts;
pub(super) mod meeting_page;
pub(super) mod meeting_parts;
pub(super) mod meetings;
pub(crate) mod pack_pdf;
