//! Requests that are no valid gate requests, and the form of a digest.

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

/// Whether a text is one digest in the grammar of OCI images (`algorithm:encoded`), of full length for SHA-256.
pub fn is_digest(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':').filter(|_| text.len() <= LONGEST) else {
        return false;
    };
    if algorithm == "sha256" {
        return encoded.len() == 64 && encoded.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    }
    let is_of_algorithm = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+._-".contains(&b);
    let is_of_encoded = |b: u8| b.is_ascii_alphanumeric() || b"=_-".contains(&b);
    let is_whole = |part: &str, fits: fn(u8) -> bool| !part.is_empty() && part.bytes().all(fits);
    is_whole(algorithm, is_of_algorithm) && is_whole(encoded, is_of_encoded)
}
