//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub(super) mod business_calendars;
pub(super) mod calendar;
pub(super) mod planning;
pub(super) mod windows_freezes;
