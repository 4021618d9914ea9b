//! Code shared by the translators of deliveries: the stored delivery, and readers for its JSON, times and commits.

use jiff::Timestamp;
use model::integration::signal::{self, SetAside};

use crate::integration::github;

/// Looks a header up, by its name in small letters; empty when it is not there.
pub type Headers<'a> = &'a dyn Fn(&str) -> String;

/// A delivery as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The sender's name for it.
    pub event: String,
    /// The sender's own id for it; empty when it has none.
    pub delivery_id: String,
    /// The body; a CloudEvent in binary mode is kept in structured mode, so that its attributes stay with it.
    pub body: Vec<u8>,
}

/// Parses JSON with the reason that people need.
pub(crate) fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, SetAside> {
    if body.len() > github::BODY_MAX_BYTES {
        return Err(SetAside::because("the body is larger than 25 MiB"));
    }
    serde_json::from_slice(body).map_err(|error| SetAside::because(format_args!("the body cannot be read: {error}")))
}

/// Reads a time in RFC 3339, in whole microseconds as all times here are.
pub(crate) fn time(field: &str, text: &str) -> Result<Timestamp, SetAside> {
    text.parse::<Timestamp>()
        .and_then(|at| Timestamp::from_microsecond(at.as_microsecond()))
        .map_err(|_| SetAside::because(format_args!("{field} is not a time: {text}")))
}

/// A commit where it is one: other texts in the field (a branch, a chart's version) name no commit.
pub(crate) fn commit_or_none(text: Option<&str>) -> String {
    text.filter(|text| signal::commit("commit", text).is_ok())
        .unwrap_or_default()
        .to_owned()
}
