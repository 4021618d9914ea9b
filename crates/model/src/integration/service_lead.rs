//! The system that leads the changes of a service during its migration: Assent, unless two people transfer the lead to another
//! system. One person can take the lead back.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::directory::snapshot::Directory;
use crate::directory::unknown_name;
use crate::verbs;

/// The most services with a lead elsewhere, proposals included.
pub const MOST: usize = 1_000;
/// The actions by which a person decides on it.
const MAY: &str = "set_connection | set_freeze";

/// The lead of a service by a system beside this one, once a second person has confirmed it. Until it ends, changes there open the gate of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ServiceLead {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The service.
    #[card(refers = "service", column)]
    pub service: ServiceKey,
    /// The id of the external system that manages its changes.
    #[card(column)]
    pub system: RecordId,
    /// The digest of the system's settings; a confirmation covers exactly these settings.
    pub terms: String,
    /// Why.
    #[card(most = 2_000, text)]
    pub reason: String,
    /// The person who proposed it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// Who lent the proposer the way in by which they came, where that was another: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// Whether a second person has confirmed it.
    pub approved: bool,
    /// The person who confirmed it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<PersonId>,
    /// The time from which the system is the system of record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// The person who returned the service to Assent, or withdrew the proposal: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<PersonId>,
    /// The time from which Assent is the system of record again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether it stands.
    #[card(column)]
    pub active: bool,
}

/// An external system as system of record for a service.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ServiceLeadInput {
    /// The service.
    #[card(label = "Service", refers = "service", example = "label-print")]
    pub service: ServiceKey,
    /// The id of the external system that manages its changes.
    #[card(label = "System", example = "0197c0de-0000-7000-8000-000000000000")]
    pub system: RecordId,
    /// Why.
    #[card(
        label = "Why",
        most = 2_000,
        text,
        example = "Its change board still meets there until the new year"
    )]
    pub reason: String,
    /// Whether it is confirmed by a second person, never by the proposer.
    #[card(label = "Confirmed", example = "false")]
    pub approved: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    command: "service-lead",
    patch: "ServiceLeadPatch",
    columns: &[
        "id",
        "service",
        "system",
        "approved",
        "by",
        "approved_by",
        "approved_at",
    ],
    verbs: verbs! {
        List "list_service_leads" at "/service-leads" may READ => "List services with another system of record, or a proposed one";
        Add "propose_service_lead" at "/service-leads" may MAY => "Propose another system of record for a service", called "propose";
        Show "show_service_lead" at "/service-leads/{id}" may READ => "Show the system of record of a service, and who decided on it";
        Edit "confirm_service_lead" at "/service-leads/{id}" may MAY => "Confirm another system of record for a service as the second person", called "confirm";
        End "end_service_lead" at "/service-leads/{id}" may MAY => "Make Assent the system of record for a service again", called "return";
    },
    events: &[
        Event::new(
            "service_lead.proposed",
            "edit",
            "proposed another system of record for a service",
        ),
        Event::new(
            "service_lead.confirmed",
            "check",
            "confirmed another system of record for a service",
        ),
        Event::new("service_lead.ended", "x", "returned the lead of a service to Assent"),
    ],
    page: Some(Page {
        path: "/service-leads",
        byline: "Services whose changes another system manages: its changes open their gates, and changes in Assent \
            cannot start. Handing over takes two people, taking back takes one.",
        empty: "Assent is the system of record for every service.",
        labels: ["Propose another system", "Confirm it", "Return it to Assent"],
    }),
    ..Card::of::<ServiceLead, ServiceLeadInput>("service_lead", "Systems of record")
};

impl ServiceLead {
    /// Whether an input equals the proposal.
    #[must_use]
    pub fn is_as_proposed(&self, input: &ServiceLeadInput) -> bool {
        self.service == input.service && self.system == input.system && self.reason == input.reason
    }
}

/// Reports mistakes in a proposal; `is_read` where the system is one that is read.
pub fn check(reading: &mut Reading<'_>, input: &ServiceLeadInput, directory: &Directory, is_read: bool) {
    let is_wrong = |reading: &Reading<'_>, field: &str| reading.errors.iter().any(|error| error.field == field);
    if !is_wrong(reading, "service") && !directory.services.contains_key(&input.service) {
        let text = unknown_name::service(directory, input.service.as_str());
        reading.wrong("service", "unknown", text);
    }
    if !is_wrong(reading, "system") && !is_read {
        let text = format!("No external system with the id `{}` is connected.", input.system);
        reading.wrong("system", "unknown", text);
    }
    if input.approved {
        let text = "A proposal cannot be confirmed on creation: a second person confirms it.";
        reading.wrong("approved", "own_proposal", text);
    }
}
