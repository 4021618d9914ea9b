//! The log on a real store: placing events, proving them, packing bundles, and finding what somebody changed in the
//! database past the server.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod addresses;
mod administrators;
mod asked;
mod by_two;
mod catalogues;
mod claims;
mod configuring;
mod connections;
mod damaged;
mod ending;
mod erasing;
mod estates;
mod files;
mod glasses;
mod hands;
mod interleaving;
mod leaving;
mod locked_out;
mod managers;
mod mutating;
mod narrower_rights;
mod narrowing;
mod on_postgres;
mod ordering;
mod outsiders;
mod placing;
mod planting;
mod proving;
mod replaying;
mod reviewing;
mod rights;
mod seats;
mod showing;
mod sitting;
mod telling;
mod timers;
mod trying;
mod turning;
mod two_people;
mod voices;
mod ways_in;
mod witnessing;
mod world;
mod writing;
