//! Evidence in other tools' formats, read just far enough to see its result: one short [`Reading`] for each document. Whether
//! it satisfies anything is decided elsewhere.

use std::fmt;

use model::integration::signal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The largest document that is read, in bytes.
pub const DOCUMENT_MAX_BYTES: usize = 16 * 1024 * 1024;
/// The most subjects in one reading.
pub const SUBJECTS_MAX: usize = 1_000;
/// The most findings that one reading names. A document with more is cut, and its last name marks this, so that it never
/// compares as a part of another.
pub const FINDINGS_MAX: usize = 2_000;

/// The formats that are understood; in JSON by their snake-case names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// JUnit XML, as test runners write it.
    Junit,
    /// SARIF 2.1.0, as static analysers write it.
    Sarif,
    /// CycloneDX JSON, a bill of materials.
    Cyclonedx,
    /// An in-toto statement, bare, in a DSSE envelope or in a Sigstore bundle.
    InToto,
}

/// The result of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The format it was read as.
    pub kind: Kind,
    /// One or a few plain sentences for the reader of the evidence.
    pub summary: String,
    /// Whether the examined subject passed; `None` where the format does not judge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Whether the format judges and this document leaves open which way: it neither passed nor failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_undecided: bool,
    /// The subjects that the document names, as `sha256:<64 hex>`, in its order, each once. This is the document's own claim.
    pub subjects: Vec<String>,
    /// Its findings, by names that another report of the same tool has for the same finding; sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// The suites that it ran, of a failed report of tests those that failed; the tools of a SARIF log; sorted, each once. Empty
    /// where the format has no suites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<String>,
}

/// Why a document could not be read. The fault is in the author's document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// One sentence for the sender of the document.
    pub reason: String,
}

impl Unreadable {
    pub(crate) fn because(reason: impl fmt::Display) -> Self {
        // The same cleaning and limit serve here, since parsers repeat the author's text.
        Self {
            reason: signal::SetAside::because(reason).reason,
        }
    }
}

/// Checks the size and takes away the byte order mark, which some tools put before UTF-8.
pub(crate) fn text(document: &[u8]) -> Result<&str, Unreadable> {
    if document.len() > DOCUMENT_MAX_BYTES {
        return Err(Unreadable::because("the document is larger than 16 MiB"));
    }
    let text = std::str::from_utf8(document).map_err(|_| Unreadable::because("the document is not UTF-8 text"))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Reads JSON into a narrow type; serde_json refuses nesting beyond 128 levels in the fields that it keeps, and skips others
/// without recursion.
pub(crate) fn json<T: DeserializeOwned>(document: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_str(text(document)?)
        .map_err(|error| Unreadable::because(format_args!("the document cannot be read: {error}")))
}

/// Collects digests, each once, up to [`SUBJECTS_MAX`].
pub(crate) fn subjects(digests: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    digests
        .filter(|digest| seen.insert(digest.clone()))
        .take(SUBJECTS_MAX)
        .collect()
}

/// Sorts the names of findings, each once, up to [`FINDINGS_MAX`].
pub(crate) fn findings(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = names.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let more = found.len().saturating_sub(FINDINGS_MAX);
    if more > 0 {
        found.truncate(FINDINGS_MAX);
        found.push(format!("and {more} more"));
    }
    found
}

/// Shortens a name for a summary and keeps it on one line.
pub(crate) fn label(text: &str) -> String {
    const LABEL_MAX_CHARS: usize = 200;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LABEL_MAX_CHARS)
        .collect()
}

/// `1 error`, `2 errors`.
pub(crate) fn count(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    }
}
