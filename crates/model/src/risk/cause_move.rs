//! The effect of a reviewed failure on the forecasts of pending changes: a failure whose root cause shares a feature with the
//! change counts like one more failed change beside a hundred known ones, until the next model learns from it.
//!
//! The stored forecast of a change stays unchanged. A move is a record of its own beside it, written once.

use std::collections::BTreeSet;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::core::act::actions::READ;
use crate::core::card::{Card, Event, NoInput};
use crate::core::enums::CauseFeature;
use crate::core::ids::{ChangeId, RecordId};
use crate::risk::cause::Cause;
use crate::risk::forecast::fixed::{ONE, rounded};
use crate::risk::forecast::kept_forecast::Forecast;
use crate::risk::forecast::words::percent;
use crate::verbs;

/// The number of known changes beside which a reviewed failure counts as one more.
pub const BESIDE: i64 = 100;

/// A move of the forecast of a pending change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct CauseMove {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; a move is saved once.
    pub version: i64,
    /// The change: its record's id.
    #[card(column = "change_id", needed)]
    pub change: String,
    /// The change's key.
    pub change_key: String,
    /// The incident or failed change whose review named the cause.
    #[card(column)]
    pub incident_key: String,
    /// The root cause.
    pub cause: String,
    /// What the change shares with the cause.
    #[card(words)]
    pub features: BTreeSet<CauseFeature>,
    /// The digest of the model whose forecast moved.
    pub model: String,
    /// The digest *what* of the content that the forecast is about.
    pub what: String,
    /// The probability of failure before, in parts per million.
    #[card(most = ONE)]
    pub from_ppm: i64,
    /// The probability of failure after, in parts per million.
    #[card(most = ONE)]
    pub to_ppm: i64,
    /// When it moved.
    #[card(column)]
    pub at: Timestamp,
}

/// The card.
pub const CARD: Card = Card {
    tag: "changes",
    command: "forecast-move",
    columns: &["change_key", "incident_key", "cause", "from_ppm", "to_ppm", "at"],
    verbs: verbs! {
        List "list_cause_moves" at "/cause-moves" may READ => "List how reviewed failures moved the forecasts of pending changes";
        Show "show_cause_move" at "/cause-moves/{id}" may READ => "Show a move of a forecast";
    },
    events: &[Event::new(
        "cause_move.noted",
        "chart",
        "moved the forecast of a change",
    )],
    ..Card::of::<CauseMove, NoInput>("cause_move", "Moved forecasts")
};

/// A root cause that a completed review named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The incident, or the failed change.
    pub incident_key: String,
    /// The cause.
    pub cause: Cause,
    /// When the review was completed.
    pub at: Timestamp,
    /// The keys of other records of the same failure: the failed change of an incident, and the incidents of a failed change.
    pub same: BTreeSet<String>,
}

/// A probability after one more failure beside [`BESIDE`] known changes. It never falls and never reaches one.
#[must_use]
pub fn raised(ppm: i64) -> i64 {
    let ppm = ppm.clamp(0, ONE - 1);
    let sum = i128::from(ppm) * i128::from(BESIDE) + i128::from(ONE);
    rounded(sum, i128::from(BESIDE + 1)).clamp(ppm, ONE - 1)
}

/// Whether a move is about the change's current forecast.
fn is_of(row: &CauseMove, forecast: &Forecast) -> bool {
    row.model == forecast.model && row.what == forecast.what
}

/// The moves of a change that count now, in their order.
#[must_use]
pub fn current<'m>(change: &Change, moves: &'m [CauseMove]) -> Vec<&'m CauseMove> {
    let Some(forecast) = &change.forecast else {
        return Vec::new();
    };
    moves.iter().filter(|row| is_of(row, forecast)).collect()
}

/// The moves that are due for a pending change: one for each incident whose review named a cause with a feature of the change,
/// after the current model was fitted, and that did not move the change yet. A change without a figure, or with begun work, is
/// not moved. The caller assigns ids.
#[must_use]
pub fn due(
    change: &Change,
    known: &[CauseMove],
    named: &[Named],
    fitted_at: Timestamp,
    now: Timestamp,
) -> Vec<CauseMove> {
    let Some(forecast) = change.forecast.as_ref().filter(|_| change.state.is_before_start()) else {
        return Vec::new();
    };
    let Some(recorded) = forecast.probability_ppm else {
        return Vec::new();
    };
    let counted = current(change, known);
    let mut told = counted.last().map_or(recorded, |row| row.to_ppm);
    let mut seen: BTreeSet<&str> = counted.iter().map(|row| row.incident_key.as_str()).collect();
    let mut found = Vec::new();
    for it in named.iter().filter(|it| it.at > fitted_at) {
        let features = it.cause.shared(forecast.features_version, &forecast.inputs);
        let is_counted = it.same.iter().any(|key| seen.contains(key.as_str()));
        if features.is_empty() || is_counted || !seen.insert(&it.incident_key) {
            continue;
        }
        let to_ppm = raised(told);
        found.push(CauseMove {
            id: RecordId::default(),
            version: 0,
            change: change.id.0.clone(),
            change_key: change.key.clone(),
            incident_key: it.incident_key.clone(),
            cause: it.cause.key.clone(),
            features: features.into_iter().collect(),
            model: forecast.model.clone(),
            what: forecast.what.clone(),
            from_ppm: told,
            to_ppm,
            at: now,
        });
        told = to_ppm;
    }
    found
}

impl CauseMove {
    /// The change's id.
    #[must_use]
    pub fn change_id(&self) -> ChangeId {
        ChangeId::from(self.change.as_str())
    }

    /// As text: “moved from 3.1 % to 4.1 % because it changes a schema: INC-101 had the root cause schema_migration”.
    #[must_use]
    pub fn told(&self) -> String {
        let features: Vec<&str> = self.features.iter().map(|feature| feature.words()).collect();
        format!(
            "moved from {} % to {} % because it {}: {} had the root cause {}",
            percent(self.from_ppm),
            percent(self.to_ppm),
            features.join(" and "),
            self.incident_key,
            self.cause
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_more_is_one_of_a_hundred_and_one() {
        assert_eq!([0, 31_000, 500_000, ONE].map(raised), [9_901, 40_594, 504_950, 999_999]);
    }
}
