//! Dialects: protocols of other systems in which the gate serves their clients. A tenant switches them on one by one.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::{READ, SET_CONNECTION};
use crate::core::card::{Card, Event, Page};
use crate::core::enums::DialectName;
use crate::core::ids::{PersonId, RecordId};
use crate::verbs;

/// A dialect that is switched on. Without one, its addresses answer 404.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct Dialect {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The system whose clients are answered.
    #[card(words, text, column)]
    pub name: DialectName,
    /// Whether it is in use.
    #[card(column)]
    pub active: bool,
    /// The person who switched it on: a login.
    #[card(optional)]
    pub by: PersonId,
    /// The time of activation.
    pub at: Timestamp,
}

/// A dialect that is switched on. Its clients sign in with tokens of this tenant, which may do no more than everywhere else.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct DialectInput {
    /// The system whose clients are answered.
    #[card(words, positional, example = "servicenow")]
    pub name: DialectName,
}

/// The card.
pub const CARD: Card = Card {
    tag: "administration",
    columns: &["id", "name", "by", "at"],
    verbs: verbs! {
        List "list_dialects" at "/dialects" may READ => "List the dialects that are switched on";
        Add "add_dialect" at "/dialects" may SET_CONNECTION => "Switch a dialect on", called "enable";
        Show "show_dialect" at "/dialects/{id}" may READ => "Show a dialect";
        End "end_dialect" at "/dialects/{id}" may SET_CONNECTION => "Switch a dialect off", called "disable";
    },
    events: &[
        Event::new("dialect.enabled", "check", "switched a dialect on"),
        Event::new("dialect.disabled", "x", "switched a dialect off"),
    ],
    page: Some(Page {
        path: "/dialects",
        byline: "Protocols of other systems in which Assent answers their unmodified clients, with tokens of this \
            tenant as passwords.",
        empty: "No dialect is switched on.",
        labels: ["Switch a dialect on", "Change it", "Switch it off"],
    }),
    ..Card::of::<Dialect, DialectInput>("dialect", "Dialects")
};
