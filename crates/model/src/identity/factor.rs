//! With what somebody shows anew who they are, just before a grave act, and whether that is more than a password.

use serde::{Deserialize, Serialize};

/// A fresh factor behind a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// `password`, `totp`, `passkey`, `recovery_code` or `provider:KEY`.
    pub kind: String,
    /// Whether it counts as a second factor: something held beside the password, that was not set up a moment ago by whoever
    /// knows the password alone.
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
    /// One that is more than a password.
    Second,
}
