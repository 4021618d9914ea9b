//! Requests that are no valid gate requests, and the form of a digest.

use model::gate::build::is_plain_digest;

/// The longest name, digest or change key in a question, in characters.
pub(super) const LONGEST: usize = 255;

/// The reason why a request is no gate request. Such a request is refused and counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear {
    /// A stable code.
    pub code: &'static str,
    /// The named subject, such as a kind or a text that is no digest.
    pub subject: String,
    /// The plain sentence.
    pub text: String,
    /// The remedy.
    pub satisfy: &'static str,
}

pub(super) fn unclear(code: &'static str, subject: &str, text: impl Into<String>, satisfy: &'static str) -> Unclear {
    Unclear {
        code,
        subject: subject.to_owned(),
        text: text.into(),
        satisfy,
    }
}

/// Whether a text is one whole digest of a known algorithm, in small letters as registries write it.
pub fn is_digest(text: &str) -> bool {
    is_plain_digest(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}
