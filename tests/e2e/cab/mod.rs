//! Change advisory boards: lessons.

pub(crate) mod lessons;
