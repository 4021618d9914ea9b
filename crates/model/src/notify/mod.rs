//! Notifications: messages, preferences, mail and feeds.

pub mod action_item;
pub mod announcement;
pub mod business_unit;
pub mod change_items;
pub mod communicated;
pub mod communication;
pub mod communication_plan;
pub mod customer_list;
pub mod item_clock;
pub mod letter_draft;
pub mod placeholders;
pub mod preferences;
pub mod watching;
pub mod wording;
