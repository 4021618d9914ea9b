//! Emergency cards: a break-glass permit that two people sign beforehand, for work while no server can be reached. It is printed,
//! verified offline and limited in scope, time and number of uses.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_WINDOW};
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::verbs;

/// The most services of one card, so that it fits into one QR code.
pub const MOST_SERVICES: usize = 12;
/// The most uses of one card.
pub const MOST_USES: usize = 20;
/// The most cards of a tenant that are in use.
pub const MOST: usize = 50;
/// For how many days a card is valid at most.
pub const MOST_DAYS: i64 = 92;

/// An emergency card: leave to work on some services while no server can be reached, once a second person has signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct EmergencyCard {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The services to which it applies.
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// The environment.
    pub environment: EnvironmentKey,
    /// The maximum number of uses, on all hosts together.
    #[card(most = MOST_USES)]
    pub uses: i64,
    /// The end of its validity.
    #[card(column)]
    pub ends_at: Timestamp,
    /// The reason for the card and its place of storage.
    #[card(most = 2_000, text)]
    pub reason: String,
    /// The person who proposed it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// Who lent the proposer the way in by which they came, where that was another: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// Whether a second person has signed it.
    pub approved: bool,
    /// Who signed it as the second person: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<PersonId>,
    /// When it was signed; it is valid from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// An emergency card: leave to work on some services while no server can be reached.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct EmergencyCardInput {
    /// The services to which it applies.
    #[card(
        label = "Services",
        refers = "service",
        option = "service",
        example = "label-print",
        needed
    )]
    pub services: BTreeSet<ServiceKey>,
    /// The environment.
    #[card(label = "Environment", example = "production")]
    pub environment: EnvironmentKey,
    /// The maximum number of uses, on all hosts together.
    #[card(label = "Uses", most = MOST_USES, example = "3")]
    pub uses: i64,
    /// The end of its validity.
    #[card(label = "To", option = "to", example = "2026-12-31T00:00:00Z")]
    pub ends_at: Timestamp,
    /// The reason for the card and its place of storage.
    #[card(label = "Why", most = 2_000, text, example = "In the safe of the control room")]
    pub reason: String,
    /// Whether it is signed by a second person, never by the proposer.
    #[card(label = "Signed", example = "false")]
    pub approved: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "gate",
    command: "emergency-card",
    patch: "EmergencyCardPatch",
    columns: &[
        "id",
        "services",
        "environment",
        "uses",
        "ends_at",
        "approved",
        "by",
        "approved_by",
    ],
    verbs: verbs! {
        List "list_emergency_cards" at "/emergency-cards" may READ => "List emergency cards in use";
        Add "propose_emergency_card" at "/emergency-cards" may SET_WINDOW => "Propose an emergency card", called "propose";
        Show "show_emergency_card" at "/emergency-cards/{id}" may READ => "Show an emergency card, without its code";
        Edit "sign_emergency_card" at "/emergency-cards/{id}" may SET_WINDOW => "Sign an emergency card as its second person", called "sign";
        End "revoke_emergency_card" at "/emergency-cards/{id}" may SET_WINDOW => "Revoke an emergency card", called "revoke";
    },
    events: &[
        Event::new("emergency_card.proposed", "edit", "proposed an emergency card"),
        Event::new("emergency_card.signed", "check", "signed an emergency card"),
        Event::new("emergency_card.printed", "check", "printed an emergency card"),
        Event::new("emergency_card.revoked", "x", "revoked an emergency card"),
    ],
    page: Some(Page {
        path: "/emergency-cards",
        byline: "Authorizations to work while no server can be reached. One person proposes a card, another signs \
            it, and the print is kept in a safe.",
        empty: "There is no emergency card.",
        labels: ["Propose a card", "Sign it", "Revoke it"],
    }),
    ..Card::of::<EmergencyCard, EmergencyCardInput>("emergency_card", "Emergency cards")
};

impl EmergencyCard {
    /// Whether an input equals the proposal.
    #[must_use]
    pub fn is_as_proposed(&self, input: &EmergencyCardInput) -> bool {
        self.services == input.services
            && self.environment == input.environment
            && self.uses == input.uses
            && self.ends_at == input.ends_at
            && self.reason == input.reason
    }
}

/// Notes what is wrong with a proposal.
pub fn check(reading: &mut Reading<'_>, input: &EmergencyCardInput, now: Timestamp) {
    let is_wrong = |reading: &Reading<'_>, field: &str| reading.errors.iter().any(|error| error.field == field);
    if !is_wrong(reading, "services") && !(1..=MOST_SERVICES).contains(&input.services.len()) {
        let text = format!("`services` names 1 to {MOST_SERVICES} services: a card fits into one code.");
        reading.wrong("services", "out_of_range", text);
    }
    if !is_wrong(reading, "uses") && input.uses < 1 {
        reading.wrong("uses", "out_of_range", format!("`uses` is 1 to {MOST_USES}."));
    }
    if !is_wrong(reading, "ends_at") {
        if input.ends_at <= now {
            reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
        } else if input.ends_at.duration_since(now) > SignedDuration::from_hours(24 * MOST_DAYS) {
            reading.wrong(
                "ends_at",
                "too_long",
                format!("An emergency card is valid for {MOST_DAYS} days at most."),
            );
        }
    }
    if input.approved {
        let text = "A proposal cannot be signed on creation: a second person signs it.";
        reading.wrong("approved", "own_proposal", text);
    }
}
