//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub(crate) mod calendar;
pub(crate) mod times;
