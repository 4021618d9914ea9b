//! Notifications: messages, preferences, mail and feeds.

pub mod act_on_items;
pub mod action_items;
pub(crate) mod chat_card;
pub mod communicate;
pub mod draft_by_mail;
pub(crate) mod escalate_items;
pub mod find_status;
pub mod invite;
pub mod list_items;
pub mod mail_address;
pub mod make_feed;
pub mod mark_message;
pub mod publish_status;
pub mod reply_by_mail;
pub mod send_deferred;
pub mod set_announcement;
pub mod set_business_unit;
pub mod set_communication_plan;
pub mod set_customer_list;
pub mod set_telling;
pub mod take_bounce;
pub mod watch_service;
