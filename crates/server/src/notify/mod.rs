//! Notifications: messages, preferences, mail and feeds.

pub(crate) mod event_stream;
pub(crate) mod live_events;
