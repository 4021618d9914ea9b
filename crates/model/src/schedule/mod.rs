//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod calendar;
pub mod freeze;
pub mod frozen_target;
pub mod plan;
pub mod slots;
