//! The fresh factor with which a person confirms their identity before a critical act, and whether it is more than a password.

use serde::{Deserialize, Serialize};

/// A fresh factor behind a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// `password`, `totp`, `passkey`, `recovery_code` or `provider:KEY`.
    pub kind: String,
    /// Whether it counts as a second factor: a device or key beside the password, not set up a moment ago with the password
    /// alone.
    #[serde(default)]
    pub is_second: bool,
}

impl Factor {
    /// A factor of this kind.
    pub fn new(kind: impl Into<String>, is_second: bool) -> Self {
        Self {
            kind: kind.into(),
            is_second,
        }
    }
}

/// The fresh factor that a rule requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// Any, also the password once more.
    Any,
    /// A factor that is more than a password.
    Second,
}
