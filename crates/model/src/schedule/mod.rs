//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod calendar;
pub mod fiscal;
pub mod freeze;
pub mod freeze_steps;
pub mod frozen_target;
pub mod plan;
pub mod repeat;
pub mod rule;
pub mod slots;
