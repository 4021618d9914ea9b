//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod calendars;
pub mod freezes;
pub mod planning;
pub mod windows;
