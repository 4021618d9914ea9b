//! Deliberate faults: full disks, failed syncs, lost databases, paused servers, cut lines.
//!
//! Everything here needs root or the right to trace one's own children; a missing need is a failure that names the remedy,
//! never a test that passes without a check.

pub mod cluster;
pub mod deeds;
pub mod disk;
pub mod load;
pub mod memory;
pub mod network;
pub mod nodes;
pub mod proxy;
pub mod raw;
pub mod signals;
pub mod tracer;

/// A size from the environment, or the one that the suite uses.
///
/// # Panics
/// When the variable is there and holds no number.
pub fn size(variable: &str, usual: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} holds `{text}`, which is no number")),
        Err(_) => usual,
    }
}

/// Waits until something is so, two minutes at most; held clocks go after a while, see [`crate::held`].
///
/// # Panics
/// When it never came to be; the message names `what`.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let came = crate::held::awaited(|| is_so().then_some(()));
    assert!(came.is_some(), "it never came to be that {what}");
}
