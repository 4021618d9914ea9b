//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod edit_span;
pub mod find_conflicts;
pub mod find_earliest;
pub mod loosen_freeze;
pub mod push_freezes;
pub mod set_calendar;
pub mod set_freeze;
