//! The answers to a change's security questions, as the change keeps them.

use serde::{Deserialize, Serialize};

use crate::core::enums::SecurityQuestion;

/// An answer to a security question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityAnswer {
    /// The question.
    pub question: SecurityQuestion,
    /// Whether it is so.
    pub yes: bool,
    /// The details, which a yes requires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
