//! Notifications: messages, preferences, mail and feeds.

pub(super) mod calendar_feed;
pub(crate) mod letters;
pub(super) mod messages;
pub(super) mod preferences;
