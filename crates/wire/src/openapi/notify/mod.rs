//! Notifications: action items, communications.

pub(super) mod action_items;
pub(super) mod communications;
