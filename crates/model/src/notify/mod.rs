//! Notifications: messages, preferences, mail and feeds.

pub mod action_item;
pub mod announcement;
pub mod change_items;
pub mod item_clock;
pub mod preferences;
pub mod watching;
