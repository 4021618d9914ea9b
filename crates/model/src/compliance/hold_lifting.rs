//! Lifting a legal hold: with a reason, and by two people where the tenant requires two.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::ids::PersonId;

/// How long a first request waits for another person.
pub const WAITS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A person's request to lift a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftRequest {
    /// The requester.
    pub by: PersonId,
    /// The person who issued the requester's credential, where that was another person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// The effect of a request to lift a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The hold is lifted.
    Lift,
    /// It waits for another person.
    Ask,
    /// The first request was of the same person; another person is needed.
    NeedsAnother,
}

impl LiftRequest {
    /// The person behind the request: the issuer of the credential, else the requester.
    fn speaker(&self) -> &PersonId {
        self.handed_by.as_ref().unwrap_or(&self.by)
    }

    /// Whether the request still waits for another person at a moment; after [`WAITS`] it has expired.
    #[must_use]
    pub fn waits(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < WAITS
    }

    /// Whether two requests are of one person, also where one of them issued the other's credential.
    fn is_of_one_person(&self, other: &Self) -> bool {
        let people = [&other.by, other.speaker()];
        people.contains(&&self.by) || people.contains(&self.speaker())
    }
}

/// The effect of a request to lift a hold. `first` is the waiting request, if its author may still lift holds; `by_two` is
/// whether two people are needed now. An expired first request does not count.
#[must_use]
pub fn step(first: Option<&LiftRequest>, word: &LiftRequest, by_two: bool) -> Step {
    match first.filter(|first| first.waits(word.at)) {
        _ if !by_two => Step::Lift,
        None => Step::Ask,
        Some(first) if first.is_of_one_person(word) => Step::NeedsAnother,
        Some(_) => Step::Lift,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(by: &str, handed_by: Option<&str>) -> LiftRequest {
        LiftRequest {
            by: PersonId::from(by),
            handed_by: handed_by.map(PersonId::from),
            at: Timestamp::UNIX_EPOCH,
            reason: "The case is over".to_owned(),
        }
    }

    #[test]
    fn one_person_lifts_alone_only_where_no_rule_asks_for_two() {
        assert_eq!(step(None, &word("ada", None), false), Step::Lift);
        assert_eq!(step(None, &word("ada", None), true), Step::Ask);
        let first = word("ada", None);
        assert_eq!(step(Some(&first), &word("ada", None), true), Step::NeedsAnother);
        assert_eq!(step(Some(&first), &word("bea", None), true), Step::Lift);
        // The rule was switched off while the request waited.
        assert_eq!(step(Some(&first), &word("ada", None), false), Step::Lift);
    }

    #[test]
    fn a_way_in_that_the_first_person_handed_out_is_no_second_person() {
        let first = word("ada", None);
        assert_eq!(step(Some(&first), &word("bea", Some("ada")), true), Step::NeedsAnother);
        let handed = word("bea", Some("ada"));
        assert_eq!(step(Some(&handed), &word("ada", None), true), Step::NeedsAnother);
        let other = word("cyd", Some("ada"));
        assert_eq!(step(Some(&handed), &other, true), Step::NeedsAnother);
        assert_eq!(step(Some(&handed), &word("cyd", None), true), Step::Lift);
    }

    #[test]
    fn a_first_word_lapses_after_seven_days() {
        let first = word("ada", None);
        let later = |by: &str, hours: i64| LiftRequest {
            at: first.at + SignedDuration::from_hours(hours),
            ..word(by, None)
        };
        assert_eq!(step(Some(&first), &later("bea", 167), true), Step::Lift);
        assert_eq!(step(Some(&first), &later("bea", 168), true), Step::Ask);
        // The same person requests it anew.
        assert_eq!(step(Some(&first), &later("ada", 168), true), Step::Ask);
    }
}
