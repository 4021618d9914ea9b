//! Change advisory boards: agendas and lessons.

pub(crate) mod boards;
pub(crate) mod duty;
pub(crate) mod lessons;
pub(crate) mod packs;
