//! Notifications: messages, preferences, mail and feeds.

pub mod announcement;
pub mod preferences;
pub mod watching;
