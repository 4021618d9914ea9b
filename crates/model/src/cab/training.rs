//! Training: the trainings of people, and until when each is valid. Rules may require a training, and policies may test it.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{PersonId, RecordId};

/// A training that a person has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "training")]
pub struct Training {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// Who.
    #[card(column)]
    pub person: PersonId,
    /// The training: a name such as `pci_dss`, in lower case.
    pub training: String,
    /// From when it is valid.
    pub starts_at: Timestamp,
    /// Until when, exclusive; taking it back sets this to that moment.
    #[card(column)]
    pub ends_at: Timestamp,
    /// When it was recorded, by the clock of the server: it counts for nothing before. Absent in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
    /// The proof of the training, such as the number of a certificate; needed where the training began before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub evidence_note: Option<String>,
}

impl Training {
    /// From when it counts: nobody is trained by a record that was not there yet.
    #[must_use]
    pub fn counts_from(&self) -> Timestamp {
        self.recorded_at.map_or(self.starts_at, |at| at.max(self.starts_at))
    }

    /// Whether it is valid at this instant.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.counts_from() <= now && now < self.ends_at
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn an_earlier_begin_counts_from_when_it_was_recorded() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut row = Training {
            id: "t".into(),
            version: 1,
            person: "olga".into(),
            training: "pci_dss".to_owned(),
            starts_at: at("2026-01-01T00:00:00Z"),
            ends_at: at("2027-01-01T00:00:00Z"),
            recorded_at: Some(at("2026-06-01T00:00:00Z")),
            evidence_note: Some("Certificate 17".to_owned()),
        };
        assert!(!row.is_on(at("2026-05-31T23:59:59Z")));
        assert!(row.is_on(at("2026-06-01T00:00:00Z")));
        row.recorded_at = Some(at("2025-12-01T00:00:00Z"));
        assert!(
            !row.is_on(at("2025-12-31T00:00:00Z")),
            "one that is ahead counts from its begin"
        );
        row.recorded_at = None;
        assert!(
            row.is_on(at("2026-01-01T00:00:00Z")),
            "an older record counts as it did"
        );
    }
}
