//! The effects of a saved change in the same transaction, run by the executor in a fixed order.

pub mod find_lost_timers;
pub(crate) mod follow_items;
pub(crate) mod lapse_exceptions;
pub(crate) mod mirror_links;
pub(crate) mod refresh_gate;
pub mod run_timer;
pub mod settle_left;
pub(crate) mod settle_related_changes;
pub(crate) mod table;
