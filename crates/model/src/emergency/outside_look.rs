//! The compensating control of a team that is too small for separation of duties: an outsider reviews the team's changes every
//! week and records the result.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::core::parse::TEXT;
use crate::verbs;

/// A look from outside, with the changes that it was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct OutsideLook {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The group of those who look: a key such as outside.
    #[card(column = "people_group")]
    pub group: GroupKey,
    /// Who looked: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When.
    #[card(column)]
    pub at: Timestamp,
    /// What was seen.
    #[card(most = TEXT, text)]
    pub text: String,
    /// Keys of the changes on which work began or ended since the look before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// What somebody outside saw.
#[derive(Debug, Default, Deserialize, Described)]
#[serde(default)]
pub struct OutsideLookInput {
    /// The group of those who look: a key such as outside.
    #[card(refers = "group", positional, example = "outside")]
    pub group: GroupKey,
    /// What was seen.
    #[card(most = TEXT, text, example = "Four changes, each approved by the other.")]
    pub text: String,
}

/// The card.
pub const CARD: Card = Card {
    tag: "directory",
    command: "look",
    columns: &["id", "at", "group", "by", "text"],
    verbs: verbs! {
        List "list_outside_looks" at "/outside-looks" may READ => "List external reviews";
        Add "look_outside" at "/outside-looks" may READ => "Record an external review of a small team's work", called "record";
        Show "show_outside_look" at "/outside-looks/{id}" may READ => "Show an external review";
    },
    events: &[Event::new(
        "outside_look.recorded",
        "eye",
        "recorded an external review",
    )],
    ..Card::of::<OutsideLook, OutsideLookInput>("outside_look", "External reviews")
};
