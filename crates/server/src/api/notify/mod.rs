//! Notifications: messages, preferences, mail and feeds.

pub(super) mod preferences;
pub(super) mod stream;
