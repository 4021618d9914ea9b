//! The timeline of an incident: what people noted, what sources delivered, and what its states, commanders and freeze did.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_INCIDENT};
use crate::core::card::{Card, Event};
use crate::core::enums::TimelineKind;
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// The longest text of an entry, in characters.
pub const TEXT: usize = 2_000;
/// The most entries of one incident. Repeated messages of a source add no entry, so even an outage of weeks stays below this
/// limit.
pub const MOST: i64 = 2_000;
/// The most entries with those of people's decisions, which are noted beyond [`MOST`].
pub const MOST_DECIDED: i64 = 2 * MOST;

/// An entry of an incident's timeline. None is ever changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct IncidentEntry {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The incident's key.
    #[card(column)]
    pub about: String,
    /// When it happened.
    #[card(column)]
    pub at: Timestamp,
    /// What it tells.
    #[card(words)]
    pub kind: TimelineKind,
    /// What happened, or what was decided.
    #[card(most = TEXT, text)]
    pub text: String,
    /// Who noted it: a login; absent for a source and for what followed by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// A note for the timeline of an incident.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct IncidentEntryInput {
    /// The incident's key.
    #[card(positional, example = "INC-101")]
    pub about: String,
    /// What happened, or what was decided.
    #[card(most = TEXT, text, positional, example = "Customs confirms the outage by phone.")]
    pub text: String,
    /// When it happened; now unless said.
    #[card(label = "When", example = "2026-11-28T08:00:00Z")]
    pub at: Option<Timestamp>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "timeline",
    columns: &["at", "about", "kind", "by", "text"],
    verbs: verbs! {
        List "list_incident_entries" at "/incident-entries" may READ => "List the latest timeline entries of all incidents";
        Add "add_incident_entry" at "/incident-entries" may SET_INCIDENT => "Add an entry to the timeline of an incident";
        Show "show_incident_entry" at "/incident-entries/{id}" may READ => "Show an entry of a timeline";
    },
    events: &[Event::new(
        "incident_entry.added",
        "comment",
        "added an entry to the timeline of an incident",
    )],
    ..Card::of::<IncidentEntry, IncidentEntryInput>("incident_entry", "Incident timeline entries")
};
