//! The result of an objective while a change was watched: the last value of one place, and the number of misses.

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::enums::ObjectiveResult;
use crate::core::ids::RecordId;
use crate::verbs;

/// The longest sentence, in characters.
pub const TEXT: usize = 500;

/// The measurements of an objective at one place of a change that is or was watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct ObjectiveMeasure {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The key of the change.
    #[card(column)]
    pub change: String,
    /// The id of the objective.
    pub objective: RecordId,
    /// The key of the objective.
    pub objective_key: String,
    /// The place, as service/environment.
    pub place: String,
    /// The digest of change, objective and place: there is one record of each.
    #[card(column)]
    pub natural_key: String,
    /// The last value, a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The bound at that time, a number.
    pub bound: String,
    /// What the last value says; without a value it is unknown, which is no pass.
    #[card(words)]
    pub result: ObjectiveResult,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[card(most = TEXT, text)]
    pub text: Option<String>,
    /// How often it was measured.
    pub measured_count: i64,
    /// How often the value missed the bound.
    pub missed_count: i64,
    /// When it was measured last.
    #[card(column)]
    pub at: Timestamp,
}

/// Nothing: values are measured by the clock.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct ObjectiveMeasureInput {}

/// The card.
pub const CARD: Card = Card {
    tag: "estate",
    command: "objective-measure",
    columns: &[
        "at",
        "change",
        "objective_key",
        "place",
        "value",
        "bound",
        "result",
        "id",
    ],
    verbs: verbs! {
        List "list_objective_measures" at "/objective-measures" may READ => "List the measurements of objectives while changes were watched";
        Show "show_objective_measure" at "/objective-measures/{id}" may READ => "Show the measurement of an objective";
    },
    events: &[Event::new(
        "objective_measure.taken",
        "eye",
        "measured an objective while a change was watched",
    )],
    ..Card::of::<ObjectiveMeasure, ObjectiveMeasureInput>("objective_measure", "Measured objectives")
};

/// Whether each objective was met when it was measured last, and each of these was measured: objectives with a place at which they
/// count.
#[must_use]
pub fn are_met(measures: &[ObjectiveMeasure], counting: &[(RecordId, String)]) -> bool {
    let is_measured = |(objective, place): &(RecordId, String)| {
        measures
            .iter()
            .any(|it| it.objective == *objective && it.place == *place)
    };
    measures.iter().all(|it| it.result == ObjectiveResult::Met) && counting.iter().all(is_measured)
}
