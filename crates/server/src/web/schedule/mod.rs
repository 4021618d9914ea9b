//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub(crate) mod business_hours;
pub(super) mod calendar;
pub(crate) mod conflict_list;
pub(super) mod free_slots;
pub(super) mod freeze_and_window;
pub(super) mod freeze_parts;
pub(super) mod freeze_steps;
pub(super) mod list;
pub(super) mod reschedule;
