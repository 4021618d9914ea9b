//! Mandates of auditors: a right to read that is limited in time, to services and to a span of changes. An auditor who ever had
//! a mandate reads only within the mandate in force, and nothing while none is in force.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{AUDIT, SET_PERSON};
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{PersonId, RecordId, ServiceKey};
use crate::verbs;

/// The most mandates of a tenant, those that are over included: each binds its auditor for good.
pub const MOST: usize = 500;
/// The longest mandate: a year.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The longest reason, in characters.
pub const REASON: usize = 2_000;

/// A right of an auditor to read changes, limited in time and scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct AuditMandate {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The auditor: a login.
    pub person: PersonId,
    /// The purpose: the engagement and the firm.
    #[card(most = REASON, text)]
    pub reason: String,
    /// The services; none means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[card(refers = "service")]
    pub services: BTreeSet<ServiceKey>,
    /// Only changes that were created from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_from: Option<Timestamp>,
    /// Only changes that were created before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_to: Option<Timestamp>,
    /// The start of its validity.
    pub starts_at: Timestamp,
    /// The end of its validity, at most a year ahead.
    pub ends_at: Timestamp,
    /// The person who proposed it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// Who handed out the way in by which it was proposed, where that was another person: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub handed_by: Option<PersonId>,
    /// When.
    pub at: Timestamp,
    /// The person who confirmed it: a login. The mandate is valid only after confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(optional)]
    pub confirmed_by: Option<PersonId>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Whether it is in force.
    #[card(column)]
    pub active: bool,
}

/// A right of an auditor to read changes, limited in time and scope.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct AuditMandateInput {
    /// The auditor: a login whose only right is `auditor`.
    #[card(positional, example = "auditor")]
    pub person: String,
    /// The purpose: the engagement and the firm.
    #[card(most = REASON, text, example = "Year-end audit of 2026")]
    pub reason: String,
    /// The services; none means all.
    #[card(refers = "service", option = "service", example = "booking-api")]
    pub services: BTreeSet<ServiceKey>,
    /// Only changes that were created from then on.
    #[card(label = "Changes from", option = "span-from", example = "2026-01-01T00:00:00Z")]
    pub span_from: Option<Timestamp>,
    /// Only changes that were created before then.
    #[card(label = "Changes until", option = "span-to", example = "2027-01-01T00:00:00Z")]
    pub span_to: Option<Timestamp>,
    /// The start of its validity.
    #[card(label = "From", option = "from", example = "2026-11-28T08:00:00Z")]
    pub starts_at: Timestamp,
    /// The end of its validity, at most a year ahead.
    #[card(label = "Until", option = "until", example = "2027-02-28T08:00:00Z")]
    pub ends_at: Timestamp,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "audit-mandate",
    columns: &[
        "id",
        "person",
        "services",
        "span_from",
        "span_to",
        "starts_at",
        "ends_at",
        "confirmed_by",
    ],
    verbs: verbs! {
        List "list_audit_mandates" at "/audit-mandates" may AUDIT => "List the mandates of auditors that were not withdrawn", token Audit;
        Add "propose_audit_mandate" at "/audit-mandates" may SET_PERSON => "Propose a mandate of an auditor; another person confirms it", token Admin, called "propose";
        Show "show_audit_mandate" at "/audit-mandates/{id}" may AUDIT => "Show a mandate", token Audit;
        End "end_audit_mandate" at "/audit-mandates/{id}" may SET_PERSON => "Withdraw a mandate; its auditor can then read nothing", token Admin;
    },
    events: &[
        Event::new("audit_mandate.proposed", "people", "proposed a mandate of an auditor"),
        Event::new("audit_mandate.confirmed", "check", "confirmed a mandate of an auditor"),
        Event::new("audit_mandate.ended", "x", "withdrew a mandate of an auditor"),
    ],
    page: Some(Page {
        path: "/audit-mandates",
        byline: "Read access of auditors, limited to a time, to services and to a period of changes. Two people \
            grant a mandate.",
        empty: "No mandate is granted.",
        labels: ["Propose a mandate", "Change it", "Take it back"],
    }),
    ..Card::of::<AuditMandate, AuditMandateInput>("audit_mandate", "Audit mandates")
};

impl AuditMandate {
    /// Whether it was ever given, so that it binds its auditor.
    #[must_use]
    pub fn binds(&self) -> bool {
        self.confirmed_at.is_some()
    }

    /// Whether it holds now.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.binds() && self.active && self.starts_at <= now && now < self.ends_at
    }
}
