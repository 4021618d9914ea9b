//! Notifications: messages, preferences, mail and feeds.

pub mod action_items;
pub mod communications;
pub mod preferences;
pub mod status;
