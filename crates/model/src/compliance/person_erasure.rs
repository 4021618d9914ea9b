//! The erasure of a person's data: requested by one person and done by another, for an account that is deactivated. The
//! person's acts stay, under an id that discloses nothing about the person.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{AUDIT, SET_PERSON};
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// The longest reason, in characters.
pub const REASON: usize = 2_000;
/// The name of a person whose data was erased.
pub const NAME: &str = "Erased person";
/// How many characters of the id are in the login of a person whose data was erased.
const OF_ID: usize = 12;

/// An erasure of a person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct PersonErasure {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The person whose data is erased: a login, replaced after the erasure.
    pub person: PersonId,
    /// The reason: the request that it answers, without names.
    #[card(most = REASON, text)]
    pub reason: String,
    /// The person who requested it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// Who handed out the way in by which it was asked, where that was another person: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub handed_by: Option<PersonId>,
    /// When.
    pub at: Timestamp,
    /// The person who did it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub done_by: Option<PersonId>,
    /// The time of the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
    /// Whether it waits for a second person.
    #[card(column)]
    pub active: bool,
}

/// An erasure of a person's data.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct PersonErasureInput {
    /// The person whose data is erased: the login of a deactivated account.
    #[card(positional, example = "leaver")]
    pub person: String,
    /// The reason: the request that it answers, without names.
    #[card(most = REASON, text, example = "Request of 3 November, ticket 812")]
    pub reason: String,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "person-erasure",
    columns: &["id", "person", "by", "at", "done_by", "done_at"],
    verbs: verbs! {
        List "list_person_erasures" at "/person-erasures" may AUDIT => "List the erasures of people's data, those that were done included", token Audit;
        Add "ask_person_erasure" at "/person-erasures" may SET_PERSON => "Request the erasure of a person's data; another person confirms it", token Admin, called "ask";
        Show "show_person_erasure" at "/person-erasures/{id}" may AUDIT => "Show an erasure of a person's data", token Audit;
        End "withdraw_person_erasure" at "/person-erasures/{id}" may SET_PERSON => "Withdraw an erasure that waits for a second person", token Admin, called "withdraw";
    },
    events: &[
        Event::new(
            "person_erasure.asked",
            "people",
            "requested the erasure of a person’s data",
        ),
        Event::new(
            "person_erasure.done",
            "check",
            "confirmed the erasure of a person’s data",
        ),
        Event::new(
            "person_erasure.withdrawn",
            "x",
            "withdrew the erasure of a person’s data",
        ),
    ],
    page: Some(Page {
        path: "/person-erasures",
        byline: "Erasures of personal data. The actions of an erased person stay in the log and its proofs under an \
            anonymous id.",
        empty: "No person’s data was erased.",
        labels: ["Request an erasure", "Change it", "Withdraw it"],
    }),
    ..Card::of::<PersonErasure, PersonErasureInput>("person_erasure", "Person erasures")
};

/// The login of a person whose data was erased; unique like the id.
#[must_use]
pub fn login_of(person: &PersonId) -> String {
    let id: Vec<char> = person.as_str().chars().collect();
    let end: String = id[id.len().saturating_sub(OF_ID)..].iter().collect();
    format!("erased-{}", end.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_says_nothing_but_the_end_of_the_id() {
        let person = PersonId::from("019aa0dd-9100-7000-8000-0123456789AB");
        assert_eq!(login_of(&person), "erased-0123456789ab");
        assert_eq!(login_of(&PersonId::from("x")), "erased-x");
    }
}
