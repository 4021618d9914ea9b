//! Notifications: messages, preferences, mail and feeds.

pub mod preferences;
pub mod watching;
