//! Notifications: messages, preferences, mail and feeds.

pub mod mail;
pub(crate) mod messages;
