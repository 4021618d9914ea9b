//! The rules of change enablement, tried from outside: whole walks, every act in every state, and random histories.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it fails")]

mod boards;
mod budget;
mod calendars;
mod clocks;
mod clocks_of_stages;
mod conditions;
mod content;
mod custom_fields;
mod distinct_groups;
mod gate;
mod input;
mod leading;
mod lifecycle;
mod matrix;
mod oracle;
mod order;
mod people;
mod properties;
mod running;
mod small_team;
mod told;
mod waiting;
mod walks;
mod walks_after;
mod walks_around;
mod walks_bound;
mod walks_committers;
mod walks_rules;
mod world;
