//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod calendar;
pub mod conflict_record;
pub mod conflict_rules;
pub mod conflicts;
pub mod fiscal;
pub mod freeze;
pub mod freeze_steps;
pub mod frozen_target;
pub mod joint_maintenance;
pub mod joint_rules;
pub mod mailed_notice;
pub mod offer;
pub mod outside_calendar;
pub mod plan;
pub mod planning_terms;
pub mod repeat;
pub mod rule;
pub mod slots;
pub mod traffic;
pub mod traffic_answer;
pub mod vendor_notice;
pub mod ways;
