//! Notifications: messages, preferences, mail and feeds.

pub(crate) mod announced;
pub(crate) mod by_mail;
pub(crate) mod communications;
mod customers;
pub(crate) mod items;
mod killed;
mod notices;
pub(crate) mod post;
pub(crate) mod told;
mod wishes;
