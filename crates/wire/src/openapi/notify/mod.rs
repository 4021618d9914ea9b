//! Notifications: action items.

pub(super) mod action_items;
