//! Records of an auditor's reads: one record for each auditor, record and day.

use derive::{Described, Noun};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proof::crypto::digest_text;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::AUDIT;
use crate::core::card::{Card, Event, NoInput};
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// How many hexadecimal digits of its digest an id has.
const DIGITS: usize = 32;

/// That an auditor looked at something on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct AuditorLook {
    /// The record's id: the day, and a digest over auditor, kind and key.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The auditor: a login.
    #[card(column)]
    pub person: PersonId,
    /// What it was: change, or the name of a route.
    pub about: String,
    /// The key of the change; the address of anything else.
    pub key: String,
    /// When it was looked at first on that day, in UTC.
    pub at: Timestamp,
}

/// The card.
pub const CARD: Card = Card {
    tag: "log",
    command: "auditor-look",
    columns: &["id", "person", "about", "key", "at"],
    verbs: verbs! {
        List "list_auditor_looks" at "/auditor-looks" may AUDIT => "List the records that auditors viewed, once per auditor, record and day", token Audit;
        Show "show_auditor_look" at "/auditor-looks/{id}" may AUDIT => "Show a record that an auditor viewed", token Audit;
    },
    events: &[Event::new("auditor_look.noted", "eye", "viewed a record as an auditor")],
    ..Card::of::<AuditorLook, NoInput>("auditor_look", "Auditor access")
};

impl AuditorLook {
    /// The look of an auditor at something now.
    #[must_use]
    pub fn of(person: PersonId, (about, key): (&str, &str), now: Timestamp) -> Self {
        let day = now.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string();
        let digest = digest_text(format!("{person}\n{about}\n{key}").as_bytes());
        let digest: String = digest.trim_start_matches("sha256:").chars().take(DIGITS).collect();
        Self {
            id: RecordId(format!("{day}-{digest}")),
            version: 0,
            person,
            about: about.to_owned(),
            key: key.to_owned(),
            at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn a_record_is_noted_once_per_auditor_and_day() {
        let look = |person: &str, key: &str, at: &str| {
            let look = AuditorLook::of(PersonId::from(person), ("change", key), at.parse().unwrap());
            look.id.0
        };
        let first = look("a", "CHG-1", "2026-11-28T08:00:00Z");
        assert_eq!(first, look("a", "CHG-1", "2026-11-28T23:59:59Z"));
        for other in [
            look("a", "CHG-1", "2026-11-29T00:00:00Z"),
            look("b", "CHG-1", "2026-11-28T08:00:00Z"),
            look("a", "CHG-2", "2026-11-28T08:00:00Z"),
        ] {
            assert_ne!(first, other);
        }
    }
}
