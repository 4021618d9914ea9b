//! Notifications: messages, preferences, mail and feeds.

pub(crate) mod calendar_feed;
pub(super) mod customer_letters;
pub(super) mod inbox;
mod inbox_item;
mod inbox_list;
pub(crate) mod letters;
pub(super) mod messages;
pub(super) mod preferences;
pub(super) mod status;
pub(super) mod told_people;
