//! Windows, freezes and calendars.

pub(crate) mod business;
pub(crate) mod loosened;
