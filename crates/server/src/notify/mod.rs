//! Notifications: messages, preferences, mail and feeds.

pub(crate) mod live_events;
