//! Absences of people, and the delegates who decide for an absent person.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{PersonId, RecordId, ServiceKey};

/// A time in which a person is away: they are not reminded, and their deputies are asked beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "absence")]
pub struct Absence {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Who is away.
    #[card(column)]
    pub person: PersonId,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end, exclusive; taking it back sets this to that moment.
    #[card(column)]
    pub ends_at: Timestamp,
    /// The reason that the person gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub reason: Option<String>,
    /// When it was recorded, where it was set to begin before that: it counts from then on, and for nothing decided before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}

impl Absence {
    /// Whether the absence is in force at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        begins(self.starts_at, self.corrected_at) <= now && now < self.ends_at
    }
}

/// One person speaks for another, for a time. Nobody gets a right by it that they may not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "delegation")]
pub struct Delegation {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Whose right it is.
    #[card(column)]
    pub delegator: PersonId,
    /// Who speaks for them.
    #[card(column)]
    pub delegate: PersonId,
    /// The parts that are passed on, as `@from` names them (`owner`, `group:ecab`); empty means all that can be.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub parts: BTreeSet<String>,
    /// Only for these services; empty means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<ServiceKey>,
    /// Its start.
    pub starts_at: Timestamp,
    /// Its end, exclusive; taking it back sets this to that moment.
    #[card(column)]
    pub ends_at: Timestamp,
    /// Whether the delegate is a deputy: called on only during the holder's absence or when the holder's decision is late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deputy: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub reason: Option<String>,
    /// When it was recorded, where it was set to begin before that: it counts from then on, and for nothing decided before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected_at: Option<Timestamp>,
}

impl Delegation {
    /// Whether the delegation is in force at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        begins(self.starts_at, self.corrected_at) <= now && now < self.ends_at
    }

    /// Whether it lies over any instant of `[start, end)`.
    pub fn overlaps(&self, start: Timestamp, end: Timestamp) -> bool {
        begins(self.starts_at, self.corrected_at) < end && start < self.ends_at
    }

    pub(crate) fn passes(&self, part: &str, service: &ServiceKey) -> bool {
        (self.parts.is_empty() || self.parts.contains(part))
            && (self.services.is_empty() || self.services.contains(service))
    }
}

/// From when something counts that was set to begin at a time, and recorded as a correction.
#[must_use]
pub(crate) fn begins(starts_at: Timestamp, corrected_at: Option<Timestamp>) -> Timestamp {
    corrected_at.map_or(starts_at, |at| at.max(starts_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_counts_before_it_was_recorded() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap_or_default();
        let mut row = Absence {
            id: "a".into(),
            version: 0,
            person: "olga".into(),
            starts_at: at("2026-11-01T00:00:00Z"),
            ends_at: at("2026-12-01T00:00:00Z"),
            reason: None,
            corrected_at: None,
        };
        let early = at("2026-11-10T00:00:00Z");
        assert!(row.is_on(early));
        row.corrected_at = Some(at("2026-11-20T00:00:00Z"));
        assert!(!row.is_on(early) && row.is_on(at("2026-11-20T00:00:00Z")));
        assert_eq!(begins(early, None), early);
    }
}
