//! What a change keeps of the answers to its security questions.

use serde::{Deserialize, Serialize};

use crate::core::enums::SecurityQuestion;

/// An answer to a security question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityAnswer {
    /// The question.
    pub question: SecurityQuestion,
    /// Whether it is so.
    pub yes: bool,
    /// What exactly; a yes says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
