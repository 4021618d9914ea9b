//! The pages in a real Chromium, on the demo: what every page keeps, journeys of people, live news, bad input.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod desk;
mod every_page;
mod journeys;
mod lists;
mod live;
