//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod ical;
