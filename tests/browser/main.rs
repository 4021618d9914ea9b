//! The pages in a real Chromium, on the demo: rules for every page, journeys of people, live news, bad input.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod admin;
mod bad_input;
mod board;
mod commander;
mod desk;
mod every_page;
mod everyday;
mod feed;
mod finding;
mod first_run;
mod homes;
mod journeys;
mod keyboard;
mod lists;
mod live;
mod oversight;
mod own_fields;
mod parts;
mod passkeys;
mod picked;
mod questions;
mod runbook;
mod scanned;
mod screens;
mod second_look;
mod spans;
mod tabs;
mod torn;
mod writing;
