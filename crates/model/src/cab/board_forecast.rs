//! Forecasts of board members: how likely a change succeeds, given before its work begins and compared with its outcome.

use std::collections::BTreeMap;

use derive::{Described, Noun};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::act::actions::READ;
use crate::core::card::{Card, Event};
use crate::core::ids::{GroupKey, PersonId, RecordId};
use crate::verbs;

/// The fewest forecasts with an outcome for which a member's score is shown.
pub const LEAST: usize = 5;

/// What a member of a board expects of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
pub struct BoardForecast {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save.
    pub version: i64,
    /// The agenda on which the change is: its id.
    #[card(column)]
    pub agenda: RecordId,
    /// The board.
    #[card(column = "people_group", refers = "group")]
    pub group: GroupKey,
    /// The change: its id.
    pub change: RecordId,
    /// The change's key.
    #[card(column)]
    pub change_key: String,
    /// Whose forecast it is: a login.
    #[card(column)]
    pub person: PersonId,
    /// How likely the change succeeds, in percent.
    #[card(most = 100)]
    pub percent: i64,
    /// When it was given last.
    pub at: Timestamp,
}

/// A forecast of the acting person. Given again it takes the place of the one before, until the work begins.
#[derive(Debug, Clone, Default, Deserialize, Described)]
#[serde(default)]
pub struct BoardForecastInput {
    /// The agenda: its id.
    #[card(positional, example = "01kb2m6w8e0000000000000000")]
    pub agenda: String,
    /// The change's key.
    #[card(example = "CHG-1042")]
    pub change: String,
    /// How likely it succeeds, in percent.
    #[card(most = 100, example = "85")]
    pub percent: i64,
}

/// The card. Members see those of others once they gave their own.
pub const CARD: Card = Card {
    tag: "boards",
    command: "board-forecast",
    columns: &["agenda", "change_key", "person", "percent", "at"],
    verbs: verbs! {
        List "list_board_forecasts" at "/board-forecasts" may READ => "List your own forecasts, the latest first";
        Add "add_board_forecast" at "/board-forecasts" may READ => "Forecast whether a change on an agenda succeeds, as a member of the board";
        Show "show_board_forecast" at "/board-forecasts/{id}" may READ => "Show a forecast of your own";
    },
    events: &[
        Event::new("board_forecast.given", "chart", "forecast a change"),
        Event::new("board_forecast.renewed", "chart", "revised a forecast of a change"),
    ],
    ..Card::of::<BoardForecast, BoardForecastInput>("board_forecast", "Forecasts of board members")
};

/// The forecasts of a member beside what came of the changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForecastScore {
    /// The member.
    pub person: PersonId,
    /// How many forecasts they gave.
    pub given: usize,
    /// How many of them have an outcome.
    pub compared: usize,
    /// Of these, how many changes succeeded.
    pub succeeded: usize,
    /// The mean of these forecasts, in percent; `None` below [`LEAST`].
    pub expected: Option<i64>,
    /// The mean squared distance of forecast and outcome (Brier 1950), in parts per million: 0 is best, 250,000 is that of who
    /// always gives 50 %; `None` below [`LEAST`].
    pub brier: Option<i64>,
}

/// The scores of members, in the order of their ids; each forecast with whether its change succeeded, where that is known.
#[must_use]
pub fn scores(forecasts: &[(&BoardForecast, Option<bool>)]) -> Vec<ForecastScore> {
    let mut by_person: BTreeMap<&PersonId, Vec<(i64, Option<bool>)>> = BTreeMap::new();
    for (forecast, outcome) in forecasts {
        let row = (forecast.percent, *outcome);
        by_person.entry(&forecast.person).or_default().push(row);
    }
    by_person
        .into_iter()
        .map(|(person, rows)| score(person, &rows))
        .collect()
}

fn score(person: &PersonId, rows: &[(i64, Option<bool>)]) -> ForecastScore {
    let known: Vec<(i64, bool)> = rows
        .iter()
        .filter_map(|(percent, outcome)| Some((*percent, (*outcome)?)))
        .collect();
    let count = i64::try_from(known.len()).unwrap_or(i64::MAX);
    let is_enough = known.len() >= LEAST;
    // The squares of hundredths are ten-thousandths, so a hundred of them make parts per million.
    let square = |(percent, is_success): &(i64, bool)| {
        let distance = if *is_success { 100 - percent } else { *percent };
        distance * distance * 100
    };
    ForecastScore {
        person: person.clone(),
        given: rows.len(),
        compared: known.len(),
        succeeded: known.iter().filter(|(_, is_success)| *is_success).count(),
        expected: is_enough.then(|| known.iter().map(|(percent, _)| percent).sum::<i64>() / count),
        brier: is_enough.then(|| known.iter().map(square).sum::<i64>() / count),
    }
}
