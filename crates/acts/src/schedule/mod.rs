//! Schedule: windows, freezes, the calendar, free slots and conflicts.

pub mod change_conflicts;
pub mod edit_span;
pub mod expand_spans;
pub mod find_conflicts;
pub mod find_earliest;
pub mod find_freeze_report;
pub mod find_hits;
pub mod frozen_times;
pub mod keep_conflicts;
pub mod loosen_freeze;
pub mod notice_by_mail;
pub mod offer_slots;
pub mod preview_freeze;
pub mod push_freezes;
pub mod read_calendars;
pub(crate) mod read_repeat;
pub mod set_calendar;
pub mod set_freeze;
pub mod set_joint_maintenance;
pub mod set_outside_calendar;
pub mod set_planning_terms;
pub mod set_traffic;
pub(crate) mod sign_step;
pub mod step_freeze;
pub mod take_notice;
pub mod tell_notice;
