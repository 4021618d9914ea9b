//! A recorded question to the gate, with its decision.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Waited;
use crate::core::card::Derived;
use crate::core::enums::{CheckState, GateDecision, Purpose};
use crate::core::ids::{PersonId, RecordId};
use crate::core::typed;
use crate::core::unmet::Unmet;
use crate::directory::led_elsewhere::LedBy;

/// A check is found by the names as they were given, whether or not they are known.
const ASKED: &[Derived] = &[
    ("service", |it| place(it, "asked_service", "service")),
    ("environment", |it| place(it, "asked_environment", "environment")),
    ("artifact", |it| match it["artifact"].is_null() {
        true => it["asked_artifact"].clone(),
        false => it["artifact"].clone(),
    }),
];

/// A name of the place: as given where it is unknown.
fn place(check: &Value, unknown: &str, known: &str) -> Value {
    let given = check["asked_place"][unknown].as_str();
    let kept = || typed::text_of(&check[known]).or_else(|| check[known].as_str());
    given.or_else(kept).unwrap_or_default().into()
}

/// Unknown names: they may be anybody's text, which the log commits to and an erasure takes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedPlace {
    /// The service.
    pub asked_service: String,
    /// The environment.
    pub asked_environment: String,
}

/// A recorded gate request and its decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "gate_check", derived = ASKED)]
pub struct GateCheck {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The requested service, as given.
    #[serde(with = "crate::core::typed")]
    pub service: String,
    /// The requested environment, as given.
    #[serde(with = "crate::core::typed")]
    pub environment: String,
    /// The names as given, where the service or the environment is unknown; then both are here alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub asked_place: Option<AskedPlace>,
    /// The digest of the requested artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<String>,
    /// The text that was given as artifact and is no digest: anybody's text, which the log commits to and an erasure removes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(text)]
    pub asked_artifact: Option<String>,
    /// The requested commit, as given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::plain_option"
    )]
    #[card(column = "commit_sha")]
    pub commit: Option<String>,
    /// The change named by the caller, as given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::plain_option"
    )]
    pub asked_change: Option<String>,
    /// The member of a target named by the caller, as given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "crate::core::typed::plain_option"
    )]
    pub member: Option<String>,
    /// Forward or back.
    #[card(object)]
    pub purpose: Purpose,
    /// Until when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column)]
    pub wait_until: Option<Timestamp>,
    /// The requester.
    pub by: PersonId,
    /// The time of the request.
    #[card(column)]
    pub asked_at: Timestamp,
    /// When it was judged last.
    pub checked_at: Timestamp,
    /// The decision.
    #[card(column, words)]
    pub decision: GateDecision,
    /// The change it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(column = "change_key")]
    pub change: Option<String>,
    /// Why not.
    #[card(object)]
    pub reasons: Vec<Unmet>,
    /// When the decision may change by the clock alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_transition_at: Option<Timestamp>,
    /// The source of the decision, for a service that another system leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(object)]
    pub led_by: Option<LedBy>,
    /// Waiting, collectable, settled or over.
    #[card(column, words)]
    pub state: CheckState,
    /// How long it waited, and for what.
    #[serde(default, skip_serializing_if = "Waited::is_nothing")]
    #[card(object)]
    pub waited: Waited,
    /// The permit that was given, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<RecordId>,
}
