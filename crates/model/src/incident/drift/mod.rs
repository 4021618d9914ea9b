//! Drift: a difference from the recorded state that no change explains. A report lists differences; rules map each to a
//! service; baselines silence expected differences; each remaining difference becomes a finding.

pub mod baseline;
pub mod decision;
pub mod finding;
pub mod matching;
pub mod rule;
pub mod source;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most differences of one report that become findings of their own. A larger report becomes one finding about all of it.
pub const MOST: usize = 2_000;
/// The longest address, in bytes.
pub const ADDRESS: usize = 512;
/// The longest path of an attribute, in bytes.
pub const ATTRIBUTE: usize = 200;
/// The longest scope, in bytes.
pub const SCOPE: usize = 200;
/// The attribute that shows whether a thing exists.
pub const EXISTENCE: &str = "existence";
/// The attribute of a write without known content.
pub const OBJECT: &str = "object";
/// The address and the attribute of a finding about a whole report.
pub const WHOLE: (&str, &str) = ("(whole report)", "report");

/// One attribute of one thing that differs from the record. Only fingerprints of values are stored, because values may be
/// secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The thing, as its source names it: `aws_instance.web`, `/etc/passwd`, `prod/deployments.apps/booking-api`.
    pub address: String,
    /// The path of the attribute, such as `instance_type`.
    pub attribute: String,
    /// The fingerprint of the found value; absent where the source sends none, or marks the value as a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// The digest of the found artifact, where the attribute names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The time of the difference, if the source gives the exact moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The account that made the difference, if the source names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doer: Option<String>,
}

/// One report of a drift source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftReport {
    /// The part that was checked, where one connection covers several: an application, a host. Empty for all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The time of the check.
    pub taken_at: Timestamp,
    /// Whether it covers everything in its scope, so that unlisted things are as recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_complete: bool,
    /// Whether it is a list of events with their own times, not a state.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_log: bool,
    /// Addresses that were checked and found as recorded, for a report that does not cover everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clean: Vec<String>,
    /// The number of differences; more than are listed if there are too many.
    pub count: u64,
    /// The differences, at most [`MOST`].
    pub differences: Vec<Difference>,
}

impl DriftReport {
    /// Cuts what is too much: the report becomes one difference about all of it, and proves nothing of anything else.
    #[must_use]
    pub fn bounded(mut self, fingerprint: impl FnOnce() -> String) -> Self {
        if self.differences.len() <= MOST {
            return self;
        }
        self.count = self.differences.len() as u64;
        self.is_complete = false;
        self.clean.clear();
        self.differences = vec![Difference {
            address: WHOLE.0.to_owned(),
            attribute: WHOLE.1.to_owned(),
            found: Some(fingerprint()),
            digest: None,
            at: None,
            doer: None,
        }];
        self
    }

    /// Whether it is too large for findings of their own.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.count > self.differences.len() as u64
    }
}

/// Whether a pattern fits a text: `*` matches any number of characters, and everything else matches itself.
#[must_use]
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, read));
            at += 1;
        } else if pattern.get(at) == Some(&text[read]) {
            (at, read) = (at + 1, read + 1);
        } else if let Some((place, taken)) = star {
            // The last star takes one character more, and the rest is matched again.
            star = Some((place, taken + 1));
            (at, read) = (place + 1, taken + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}
