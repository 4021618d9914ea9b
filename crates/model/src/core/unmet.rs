//! A condition that is not met, and how it is put into words.

use serde::{Deserialize, Serialize};

/// One condition that is not met: what, what satisfies it, and whom it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// A stable code such as `approval_missing`.
    pub code: String,
    /// The plain sentence.
    pub text: String,
    /// What satisfies it.
    pub satisfy: String,
    /// Logins of the people (or `group:KEY`) it waits for.
    pub waiting_on: Vec<String>,
}

/// What goes before every other step.
pub(crate) fn is_before_all(code: &str) -> bool {
    matches!(code, "on_hold" | "cosignature_missing")
}

/// A helper for sentences: the people who would satisfy something.
pub fn unmet(code: &str, text: impl Into<String>, satisfy: impl Into<String>, waiting_on: Vec<String>) -> Unmet {
    Unmet {
        code: code.to_owned(),
        text: text.into(),
        satisfy: satisfy.into(),
        waiting_on,
    }
}

pub(crate) fn sentence(text: &str) -> String {
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
