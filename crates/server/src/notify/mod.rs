//! Notifications: messages, preferences, mail and feeds.

pub(crate) mod event_stream;
pub(crate) mod letter_files;
pub(crate) mod live_events;
pub(crate) mod public_pages;
