//! The histories of the model's property tests, judged by the shipped policies in place of those that mimic them there.
#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]
#![allow(dead_code, reason = "the model's other tests use the rest of their world")]

#[path = "../../../model/tests/it/oracle.rs"]
mod oracle;
mod people;
#[path = "../../../model/tests/it/properties.rs"]
mod properties;
#[path = "../../../model/tests/it/people.rs"]
mod stand_ins;
#[path = "../../../model/tests/it/waiting.rs"]
mod waiting;
#[path = "../../../model/tests/it/world.rs"]
mod world;
