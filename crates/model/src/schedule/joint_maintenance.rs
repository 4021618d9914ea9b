//! Coordinated maintenance: several changes that share a window, begin in an order, and have one go or no-go.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_FREEZE};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::GoDecision;
use crate::core::ids::{PersonId, RecordId};
use crate::core::parse::Reading;
use crate::verbs;

/// The longest reason of a decision, in characters.
pub const REASON: usize = 2_000;
/// The most changes of one maintenance.
pub const MOST_CHANGES: usize = 50;
/// The most maintenances of a tenant that are in use.
pub const MOST: usize = 100;

/// Changes that share a window, begin one after the other, and have one go or no-go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct JointMaintenance {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The subject, in one line.
    #[card(text)]
    pub title: String,
    /// The keys of its changes, in the order in which they begin.
    pub changes: Vec<String>,
    /// The start of the shared window.
    pub starts_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// The common decision; absent before it, and after what takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(words)]
    pub decision: Option<GoDecision>,
    /// Why it was decided so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = REASON, text)]
    pub reason: Option<String>,
    /// The keys of the changes whose work has ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<String>,
    /// The keys of changes whose times were moved before those of one ahead of them in the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_of_order: Vec<String>,
    /// Whether it is in use; one that was ended holds nothing any more.
    #[card(column)]
    pub active: bool,
    /// Who set it or decided last: a login.
    #[card(optional)]
    pub by: PersonId,
}

/// Changes that share a window, begin one after the other, and have one go or no-go.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct JointMaintenanceInput {
    /// The subject, in one line.
    #[card(text, example = "Data centre Halden, row 4")]
    pub title: String,
    /// The keys of its changes, in the order in which they begin.
    #[card(option = "change", example = "CHG-1042")]
    pub changes: Vec<String>,
    /// The start of the shared window.
    #[card(label = "From", option = "from", example = "2026-12-05T20:00:00Z")]
    pub starts_at: Timestamp,
    /// Its end.
    #[card(label = "To", option = "to", example = "2026-12-06T04:00:00Z")]
    pub ends_at: Timestamp,
    /// The common decision, once it is set.
    #[card(words, example = "go")]
    pub decision: Option<GoDecision>,
    /// The reason for the decision.
    #[card(most = REASON, text, example = "All teams are ready.")]
    pub reason: Option<String>,
}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "joint-maintenance",
    patch: "JointMaintenancePatch",
    columns: &["id", "title", "changes", "starts_at", "ends_at", "decision"],
    verbs: verbs! {
        List "list_joint_maintenances" at "/joint-maintenances" may READ => "List coordinated maintenances";
        Add "add_joint_maintenance" at "/joint-maintenances" may SET_FREEZE => "Coordinate changes in one window";
        Show "show_joint_maintenance" at "/joint-maintenances/{id}" may READ => "Show a coordinated maintenance";
        Edit "edit_joint_maintenance" at "/joint-maintenances/{id}" may SET_FREEZE => "Change a coordinated maintenance, or decide go or no-go";
        End "end_joint_maintenance" at "/joint-maintenances/{id}" may SET_FREEZE => "End a coordinated maintenance";
    },
    events: &[
        Event::new(
            "joint_maintenance.added",
            "calendar",
            "coordinated changes in one window",
        ),
        Event::new("joint_maintenance.edited", "edit", "changed a coordinated maintenance"),
        Event::new(
            "joint_maintenance.decided",
            "check",
            "decided on a coordinated maintenance",
        ),
        Event::new(
            "joint_maintenance.moved_on",
            "clock",
            "recorded the end of a change in a coordinated maintenance",
        ),
        Event::new(
            "joint_maintenance.order_checked",
            "clock",
            "checked the order of coordinated changes",
        ),
        Event::new("joint_maintenance.ended", "x", "ended a coordinated maintenance"),
    ],
    page: Some(Page {
        path: "/joint-maintenances",
        byline: "Several changes share a window. They start in a fixed order, and only after a common go decision.",
        empty: "No changes are coordinated.",
        labels: ["Coordinate changes", "Change it, or decide", "End it"],
    }),
    ..Card::of::<JointMaintenance, JointMaintenanceInput>("joint_maintenance", "Coordinated maintenances")
};

/// Reports mistakes in the window and the list of changes of an input.
pub fn check_plan(reading: &mut Reading<'_>, input: &JointMaintenanceInput, now: Timestamp) {
    if !reading.errors.is_empty() {
        return;
    }
    if input.ends_at <= input.starts_at {
        reading.wrong("ends_at", "out_of_order", "`ends_at` must lie after `starts_at`.");
    } else if input.ends_at <= now {
        reading.wrong("ends_at", "in_the_past", "`ends_at` must lie ahead.");
    }
    if input.changes.len() < 2 || input.changes.len() > MOST_CHANGES {
        let text = format!("A coordinated maintenance has between 2 and {MOST_CHANGES} changes.");
        reading.wrong("changes", "wrong_count", text);
    }
    for (place, key) in input.changes.iter().enumerate() {
        if input.changes[..place].contains(key) {
            reading.wrong(
                &format!("changes[{place}]"),
                "not_unique",
                format!("{key} is listed twice."),
            );
        }
    }
}
