//! A report of work that was done while no server was reachable. The report is filed afterwards from the host's record, with
//! every difference from the emergency card.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, NoInput};
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// One use of an emergency card, or one act without one, as a host recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct EmergencyUse {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The digest of the line: the same line again is the same use.
    #[card(column)]
    pub digest: String,
    /// The record's name with the number of the line.
    #[card(column)]
    pub place: String,
    /// The id of the card that was shown; empty without a known one.
    #[card(column = "card")]
    pub card: String,
    /// The service, as the host named it.
    #[serde(with = "crate::core::typed")]
    #[card(column)]
    pub service: String,
    /// The environment, as the host named it.
    #[serde(with = "crate::core::typed")]
    pub environment: String,
    /// The artifact’s digest, or the commit.
    #[serde(with = "crate::core::typed::plain")]
    pub build: String,
    /// The host that recorded it.
    #[serde(with = "crate::core::typed")]
    pub host: String,
    /// Who did it, as they said there.
    #[card(text)]
    pub said_by: String,
    /// Why, in their words.
    #[card(most = 2_500, text)]
    pub reason: String,
    /// When, by the clock of that host.
    pub done_at: Timestamp,
    /// Whether the host let it through.
    pub allowed: bool,
    /// What differs from what the card allowed, as codes; none where nothing does.
    pub differences: Vec<String>,
    /// Who reported it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// When it was reported.
    #[card(column)]
    pub at: Timestamp,
}

/// The card. Uses are reported with their record.
pub const CARD: Card = Card {
    tag: "gate",
    command: "emergency-use",
    columns: &[
        "at",
        "done_at",
        "service",
        "environment",
        "build",
        "said_by",
        "allowed",
        "differences",
    ],
    verbs: verbs! {
        List "list_emergency_uses" at "/emergency-uses" may READ => "List what was done while no server could be reached, the newest first";
        Show "show_emergency_use" at "/emergency-uses/{id}" may READ => "Show what was done while no server could be reached";
    },
    events: &[Event::new(
        "emergency_use.reported",
        "clock",
        "reported offline work afterwards",
    )],
    ..Card::of::<EmergencyUse, NoInput>("emergency_use", "Offline work")
};
