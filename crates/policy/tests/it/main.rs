//! The promises of the crate to its callers: packs and cases, the access matrix, hostile texts, no failing open.
#![allow(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

mod hostile;
mod matrix;
mod packs;
mod properties;
mod questions;
mod support;
