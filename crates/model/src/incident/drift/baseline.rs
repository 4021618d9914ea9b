//! Expected drift: until its end, a baseline silences one attribute for the addresses that match its pattern, for one service.
//! One person proposes it, and an owner or security contact of the service signs it.

use derive::{Described, Noun};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{EnvironmentKey, PersonId, RecordId, ServiceKey};
use crate::core::parse::Reading;
use crate::incident::drift::matching::Place;
use crate::incident::drift::{ATTRIBUTE, fits};
use crate::verbs;

/// The most baselines of a tenant that are in use.
pub const MOST: usize = 500;
/// The longest life of a baseline, in days.
pub const MOST_DAYS: i64 = 180;
/// The fewest characters in a pattern besides its stars: a pattern of stars alone would silence every address.
const LEAST_NAMED: usize = 3;

/// Expected drift of one attribute: silenced until it ends, once a second person has signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct DriftBaseline {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The addresses, with * for any run of characters.
    pub pattern: String,
    /// The attribute that is expected to differ.
    #[card(most = ATTRIBUTE)]
    pub attribute: String,
    /// The id of the connection that reports it.
    #[card(column)]
    pub connection: RecordId,
    /// The service with the drift.
    #[card(column, refers = "service")]
    pub service: ServiceKey,
    /// The environment.
    pub environment: EnvironmentKey,
    /// The reason why the drift is expected.
    #[card(most = 2_000, text)]
    pub reason: String,
    /// The end.
    #[card(column)]
    pub ends_at: Timestamp,
    /// The person who proposed it: a login.
    #[card(optional)]
    pub by: PersonId,
    /// Who lent the proposer the way in by which they came, where that was another: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_by: Option<PersonId>,
    /// Whether it was approved.
    #[card(column)]
    pub approved: bool,
    /// Who approved it: a login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<PersonId>,
    /// When it was approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// The signature of its terms by the tenant's permit key: a JWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = 8_000)]
    pub signature: Option<String>,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// Expected drift of one attribute: an autoscaler's count, a certificate that is rotated.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DriftBaselineInput {
    /// The addresses, with * for any run of characters.
    #[card(label = "Addresses", positional, example = "prod/deployments.apps/booking-*")]
    pub pattern: String,
    /// The attribute that is expected to differ.
    #[card(label = "Attribute", most = ATTRIBUTE, example = "spec.replicas")]
    pub attribute: String,
    /// The id of the connection that reports it.
    #[card(label = "Connection", example = "0197c0de-0000-7000-8000-000000000000")]
    pub connection: RecordId,
    /// The service with the drift.
    #[card(label = "Service", refers = "service", example = "booking-api")]
    pub service: ServiceKey,
    /// The environment.
    #[card(label = "Environment", example = "production")]
    pub environment: EnvironmentKey,
    /// The reason why the drift is expected.
    #[card(label = "Why", most = 2_000, text, example = "The autoscaler sets the count")]
    pub reason: String,
    /// The end.
    #[card(label = "Ends", option = "to", example = "2027-02-28T00:00:00Z")]
    pub ends_at: Timestamp,
    /// Whether it is approved by a second person, never by the proposer.
    #[card(label = "Approved", example = "false")]
    pub approved: bool,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "drift-baseline",
    patch: "DriftBaselinePatch",
    columns: &[
        "id",
        "pattern",
        "attribute",
        "service",
        "environment",
        "approved",
        "ends_at",
        "by",
    ],
    verbs: verbs! {
        List "list_drift_baselines" at "/drift-baselines" may READ => "List baselines of expected drift";
        Add "propose_drift_baseline" at "/drift-baselines" may READ => "Propose a baseline of expected drift", called "propose";
        Show "show_drift_baseline" at "/drift-baselines/{id}" may READ => "Show a baseline of expected drift";
        Edit "approve_drift_baseline" at "/drift-baselines/{id}" may READ => "Approve a baseline of expected drift as its second person", called "approve";
        End "end_drift_baseline" at "/drift-baselines/{id}" may READ => "End a baseline of expected drift";
    },
    events: &[
        Event::new(
            "drift_baseline.proposed",
            "edit",
            "proposed a baseline of expected drift",
        ),
        Event::new(
            "drift_baseline.approved",
            "check",
            "approved a baseline of expected drift",
        ),
        Event::new("drift_baseline.ended", "x", "ended a baseline of expected drift"),
    ],
    page: Some(Page {
        path: "/drift-baselines",
        byline: "Expected drift. Each baseline suppresses one attribute until it ends, once an owner or the security \
            owner of the service has approved it.",
        empty: "No baselines are defined.",
        labels: ["Propose a baseline", "Approve it", "End it"],
    }),
    ..Card::of::<DriftBaseline, DriftBaselineInput>("drift_baseline", "Expected drift")
};

impl DriftBaseline {
    /// Whether it silences a difference now.
    pub fn silences(&self, place: Option<&Place>, (address, attribute): (&str, &str), now: Timestamp) -> bool {
        let is_in_force = self.active && self.approved && self.approved_by.is_some() && now < self.ends_at;
        let is_there = place.is_some_and(|it| it.service == self.service && it.environment == self.environment);
        is_in_force && is_there && self.attribute == attribute && fits(&self.pattern, address)
    }

    /// The signed terms: everything that decides which differences the baseline silences, and its two people.
    pub fn terms(&self) -> Value {
        json!({
            "id": self.id, "pattern": self.pattern, "attribute": self.attribute, "connection": self.connection,
            "service": self.service, "environment": self.environment, "ends_at": self.ends_at.to_string(),
            "by": self.by, "approved_by": self.approved_by, "approved_at": self.approved_at.map(|at| at.to_string()),
        })
    }

    /// Whether an input equals the proposal.
    pub fn is_as_proposed(&self, input: &DriftBaselineInput) -> bool {
        self.pattern == input.pattern
            && self.attribute == input.attribute
            && self.connection == input.connection
            && self.service == input.service
            && self.environment == input.environment
            && self.reason == input.reason
            && self.ends_at == input.ends_at
    }
}

/// Notes what is wrong with a proposal.
pub fn check(reading: &mut Reading<'_>, input: &DriftBaselineInput, now: Timestamp) {
    let is_wrong = |reading: &Reading<'_>, field: &str| reading.errors.iter().any(|error| error.field == field);
    let named = input.pattern.chars().filter(|letter| *letter != '*').count();
    if !is_wrong(reading, "pattern") && named < LEAST_NAMED {
        let text = format!(
            "`pattern` needs at least {LEAST_NAMED} characters besides `*`, so that it cannot match every address."
        );
        reading.wrong("pattern", "too_wide", text);
    }
    if !is_wrong(reading, "attribute") && input.attribute.contains('*') {
        let text = "`attribute` must be one attribute without `*`: a baseline cannot cover a whole address.";
        reading.wrong("attribute", "too_wide", text);
    }
    if input.approved {
        let text = "A second person approves a proposal after its creation. Leave out `approved`.";
        reading.wrong("approved", "not_allowed", text);
    }
    if is_wrong(reading, "ends_at") {
        return;
    }
    if input.ends_at <= now {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    } else if input.ends_at > now + SignedDuration::from_hours(24 * MOST_DAYS) {
        let text = format!(
            "`ends_at` may lie at most {MOST_DAYS} days ahead, so that expected drift is reviewed \
            again."
        );
        reading.wrong("ends_at", "too_late", text);
    }
}
