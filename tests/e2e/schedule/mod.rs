//! Windows, freezes and calendars.

pub(crate) mod business;
pub(crate) mod conflicts;
pub(crate) mod loosened;
