//! Search terms for changes: the artifact and the commit that they bring.

use model::change::read_content;
use model::core::refusal::Refusal;

/// An artifact has one name, in whichever letters somebody writes its digits.
pub(crate) fn artifact_of(text: &str) -> String {
    read_content::tidy_digest(text.trim().to_owned())
}

/// The fewest digits by which a commit is looked for: with fewer there are too many that begin so.
const COMMIT_BEGINS: usize = 7;

/// A commit, or how it begins.
///
/// # Errors
/// 422 for a text that begins no commit: it would match nothing, which reads like a valid result.
pub(crate) fn commit_of(text: &str) -> acts::Result<String> {
    let commit = text.trim().to_lowercase();
    let is_one = commit.len() >= COMMIT_BEGINS && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let wrong = || {
        let text = format!("`commit` has {COMMIT_BEGINS} to 64 hexadecimal digits.");
        Refusal::field("commit", "not_a_commit", text)
    };
    Ok(is_one.then_some(commit).ok_or_else(wrong)?)
}
