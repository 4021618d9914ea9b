//! Rules that map the addresses of a source of drift to services and config items.

use derive::{Described, Noun};
use serde::{Deserialize, Serialize};

use crate::core::act::actions::SET_CONNECTION;
use crate::core::card::{Card, Event, Page};
use crate::core::ids::{EnvironmentKey, RecordId, ServiceKey};
use crate::incident::drift::fits;
use crate::verbs;

/// The most rules of a connection.
pub const MOST: usize = 500;

/// A rule that maps addresses of one connection to a service. The first rule that fits counts, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct DriftRule {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The addresses, with * for any run of characters.
    pub pattern: String,
    /// The id of the connection that reports the addresses.
    #[card(column)]
    pub connection: RecordId,
    /// The service that they belong to.
    #[card(refers = "service")]
    pub service: ServiceKey,
    /// The environment that they belong to.
    pub environment: EnvironmentKey,
    /// The config item of the service, if they belong to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_item: Option<String>,
    /// Its place: a lower number is tried first.
    #[card(most = 10_000)]
    pub place: i64,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
}

/// A rule that maps addresses of one connection to a service.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DriftRuleInput {
    /// The addresses, with * for any run of characters.
    #[card(label = "Addresses", positional, example = "module.bookings.*")]
    pub pattern: String,
    /// The id of the connection that reports the addresses.
    #[card(label = "Connection", example = "0197c0de-0000-7000-8000-000000000000")]
    pub connection: RecordId,
    /// The service that they belong to.
    #[card(label = "Service", refers = "service", example = "booking-api")]
    pub service: ServiceKey,
    /// The environment that they belong to.
    #[card(label = "Environment", example = "production")]
    pub environment: EnvironmentKey,
    /// The config item of the service, if they belong to one.
    #[card(label = "Config item", option = "config-item", example = "bookings-db")]
    pub config_item: Option<String>,
    /// Its place: a lower number is tried first.
    #[card(label = "Place", most = 10_000, usual = "100", example = "100")]
    pub place: i64,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "drift-rule",
    patch: "DriftRulePatch",
    columns: &[
        "id",
        "place",
        "pattern",
        "service",
        "environment",
        "config_item",
        "connection",
    ],
    verbs: verbs! {
        List "list_drift_rules" at "/drift-rules" may SET_CONNECTION => "List the rules that map drift to services", token Admin;
        Add "add_drift_rule" at "/drift-rules" may SET_CONNECTION => "Add a rule that maps drift to a service", token Admin;
        Show "show_drift_rule" at "/drift-rules/{id}" may SET_CONNECTION => "Show a rule that maps drift", token Admin;
        Edit "edit_drift_rule" at "/drift-rules/{id}" may SET_CONNECTION => "Change a rule that maps drift", token Admin;
        End "end_drift_rule" at "/drift-rules/{id}" may SET_CONNECTION => "End a rule that maps drift", token Admin;
    },
    events: &[
        Event::new("drift_rule.added", "link", "added a rule that maps drift"),
        Event::new("drift_rule.edited", "edit", "changed a rule that maps drift"),
        Event::new("drift_rule.ended", "x", "ended a rule that maps drift"),
    ],
    page: Some(Page {
        path: "/drift-rules",
        byline: "Maps the addresses of drift reports to services. The first matching rule applies.",
        empty: "There are no rules: findings of drift have no service and are assigned to the change managers.",
        labels: ["Add a rule", "Change it", "End it"],
    }),
    ..Card::of::<DriftRule, DriftRuleInput>("drift_rule", "Drift rules")
};

/// The first rule of a connection that matches an address.
pub fn first<'r>(rules: impl IntoIterator<Item = &'r DriftRule>, address: &str) -> Option<&'r DriftRule> {
    let fitting = rules
        .into_iter()
        .filter(|rule| rule.active && fits(&rule.pattern, address));
    fitting.min_by_key(|rule| (rule.place, &rule.id))
}
