//! Sources of drift: the scope that a connection checks, and its last check.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::ids::RecordId;
use crate::verbs;

/// What a connection looks at for drift, and what it reported last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct DriftSource {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The connection's id.
    #[card(column)]
    pub connection: RecordId,
    /// What it looks at, in its own words; empty for all of it.
    #[card(column, optional)]
    pub scope: String,
    /// When it looked last.
    pub reported_at: Timestamp,
    /// When it looked at everything last; absent while it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_at: Option<Timestamp>,
    /// How many reports were taken.
    #[card(most = i64::MAX)]
    pub reports: i64,
    /// How many differences the last report had.
    #[card(most = i64::MAX)]
    pub differences: i64,
    /// How many of them a baseline silenced.
    #[card(most = i64::MAX)]
    pub expected: i64,
}

/// Nothing: sources are made by their reports.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DriftSourceInput {}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "drift-source",
    columns: &[
        "id",
        "connection",
        "scope",
        "reported_at",
        "complete_at",
        "differences",
        "expected",
    ],
    verbs: verbs! {
        List "list_drift_sources" at "/drift-sources" may READ => "List sources of drift and their last reports";
        Show "show_drift_source" at "/drift-sources/{id}" may READ => "Show a source of drift";
    },
    events: &[Event::new("drift_source.reported", "eye", "received a drift report")],
    ..Card::of::<DriftSource, DriftSourceInput>("drift_source", "Sources of drift")
};
