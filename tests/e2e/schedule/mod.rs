//! Windows, freezes and calendars.

pub(crate) mod loosened;
