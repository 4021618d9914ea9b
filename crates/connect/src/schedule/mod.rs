//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod caldav;
pub mod calendar_call;
pub mod calendar_state;
pub mod ical;
pub mod sync_windows;
