//! Turns of signing keys: a new one takes an old one's place, or a stolen one is revoked.

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::enums::KeyRotationKind;
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::later;

/// A retired key of permits stays published at least for so many seconds: as long as a policy may let a permit live, and a
/// verifier's list be old.
const SERVED_SECONDS: i64 = 86_400;
/// Verifiers' clocks may be behind by so many seconds.
const SKEW_SECONDS: i64 = 60;

/// What became of one signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "key_turn")]
pub struct KeyRotation {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Which turn of the tenant's keys it is, from 1.
    #[card(column)]
    pub number: i64,
    /// Rotated or revoked.
    #[card(object)]
    pub kind: KeyRotationKind,
    /// What the key signs: `permit`, `log` or `cosigner`.
    #[card(column)]
    pub purpose: String,
    /// The key.
    pub kid: String,
    /// The key that signs in its place; absent where another key signed already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Until when a retired key of permits stays published. Keys of the log stay for ever, because their signatures do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served_until: Option<Timestamp>,
    /// How many permits of the key were still good and were revoked with it, so far.
    #[serde(default, skip_serializing_if = "is_none_of_them")]
    pub revoked_permits: i64,
    /// While the key's permits are being revoked: when the last one ends that was looked at, at first empty. Absent once all were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoking_after: Option<String>,
    /// Why.
    #[card(text)]
    pub reason: String,
    /// The person who did it.
    pub by: PersonId,
    /// When.
    pub at: Timestamp,
}

impl KeyRotation {
    /// Whether the key that this turn retired is still published.
    pub fn serves(&self, now: Timestamp) -> bool {
        self.kind == KeyRotationKind::Rotated && self.served_until.is_some_and(|until| now < until)
    }
}

fn is_none_of_them(count: &i64) -> bool {
    *count == 0
}

/// Until when a retiring key of permits stays published: until its last permit has ended, at `last_end`, and until no verifier
/// can hold an old list that the key signed.
pub fn served_until(now: Timestamp, last_end: Option<Timestamp>) -> Timestamp {
    let usual = later(now, SignedDuration::from_secs(SERVED_SECONDS));
    let end = last_end.map_or(usual, |end| end.max(usual));
    later(end, SignedDuration::from_secs(SKEW_SECONDS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_retired_key_is_served_for_a_day_or_as_long_as_its_last_permit_lives() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-20T08:00:00Z");
        assert_eq!(served_until(now, None), at("2026-11-21T08:01:00Z"));
        assert_eq!(
            served_until(now, Some(at("2026-11-20T08:15:00Z"))),
            at("2026-11-21T08:01:00Z")
        );
        assert_eq!(
            served_until(now, Some(at("2026-11-28T22:00:00Z"))),
            at("2026-11-28T22:01:00Z")
        );
    }
}
