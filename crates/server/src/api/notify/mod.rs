//! Notifications: messages, preferences, mail and feeds.

pub(super) mod action_items;
pub(super) mod communications;
pub(super) mod preferences;
pub(super) mod stream;
