//! Notifications: messages, preferences, mail and feeds.

pub mod atom;
pub(crate) mod bounce;
pub mod chat;
pub mod mail;
pub mod mail_files;
pub mod mail_reply;
pub(crate) mod mail_text;
