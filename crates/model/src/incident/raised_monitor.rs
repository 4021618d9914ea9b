//! Monitors that were raised for a change: one record for each, with its start and end. The monitors raised now follow from
//! these records alone, so a server behaves the same after a crash.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::ids::RecordId;
use crate::verbs;

/// A monitor that was raised for a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct RaisedMonitor {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key of the change.
    #[card(column)]
    pub change: String,
    /// The id of the monitor.
    #[card(column)]
    pub monitor: RecordId,
    /// The key of the monitor.
    pub monitor_key: String,
    /// The places of the change, as service/environment.
    pub places: BTreeSet<String>,
    /// When it was raised.
    #[card(column)]
    pub at: Timestamp,
    /// When it was lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_at: Option<Timestamp>,
    /// Whether it is raised now.
    #[card(column)]
    pub active: bool,
}

/// Nothing: monitors are raised by the clock.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct RaisedMonitorInput {}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "raised-monitor",
    columns: &["at", "change", "monitor_key", "lowered_at", "id"],
    verbs: verbs! {
        List "list_raised_monitors" at "/raised-monitors" may READ => "List monitors that were raised for changes";
        Show "show_raised_monitor" at "/raised-monitors/{id}" may READ => "Show a monitor that was raised for a change";
    },
    events: &[
        Event::new("raised_monitor.raised", "eye", "raised monitoring for a change"),
        Event::new(
            "raised_monitor.lowered",
            "eye",
            "lowered monitoring after the watch of a change",
        ),
    ],
    ..Card::of::<RaisedMonitor, RaisedMonitorInput>("raised_monitor", "Raised monitoring")
};
