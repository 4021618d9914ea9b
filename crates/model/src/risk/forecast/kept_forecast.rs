//! The forecast that a change stores, made during its assessment by the model in force then.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::ids::{EnvironmentKey, ServiceKey};
use crate::risk::forecast::base::Group;

/// A forecast of failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// The digest of the model.
    pub model: String,
    /// The key of the model.
    pub model_key: String,
    /// The version of the features.
    pub features_version: i64,
    /// The digest *what* of its content.
    pub what: String,
    /// When it was made.
    pub at: Timestamp,
    /// The service that decides: of a change with several targets, the one with the least certain or the highest forecast.
    pub service: ServiceKey,
    /// The environment of that target.
    pub environment: EnvironmentKey,
    /// Whether its team counted: the directory had it as a team then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_team: bool,
    /// The inputs from the change, in the order of the features, in thousandths.
    pub inputs: Vec<i64>,
    /// The probability of failure, in parts per million; absent where the forecast abstains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability_ppm: Option<i64>,
    /// The lower end of the 90 % interval.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
    /// The parts of the probability; empty where the forecast abstains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ForecastPart>,
    /// The history that it rests on, the widest group first.
    pub groups: Vec<ForecastGroup>,
    /// The reason why it abstains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingHistory>,
}

/// A contribution to a forecast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastPart {
    /// A level of the history (`environment`, `type`, `service`, `team`, `pair`), `base`, or the name of a feature.
    pub source: String,
    /// Parts per million.
    pub ppm: i64,
}

/// The outcomes of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForecastGroup {
    /// The level.
    pub group: Group,
    /// Known outcomes.
    pub outcomes: i64,
    /// The failures among them.
    pub failures: i64,
    /// The lower end of the 90 % interval down to this level.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
}

/// The reason why a forecast abstains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingHistory {
    /// `too_few_outcomes` or `too_wide`.
    pub code: String,
    /// The number of further outcomes that would be enough.
    pub more: i64,
}

/// The part into which a limited view joins the parts of teams.
const JOINED: Group = Group::Service;

impl Forecast {
    /// The same forecast for a reader outside its teams: the parts of teams are joined with the part of the service, so that
    /// the sum stays, and the teams' history is left out.
    #[must_use]
    pub fn without_teams(&self) -> Self {
        let is_of_team = |name: &str| [Group::Team.as_str(), Group::Pair.as_str()].contains(&name);
        let of_teams: i64 = self
            .parts
            .iter()
            .filter(|part| is_of_team(&part.source))
            .map(|part| part.ppm)
            .sum();
        let kept = self.parts.iter().filter(|part| !is_of_team(&part.source));
        let joined = |part: &ForecastPart| ForecastPart {
            ppm: part.ppm + if part.source == JOINED.as_str() { of_teams } else { 0 },
            ..part.clone()
        };
        Self {
            parts: kept.map(joined).collect(),
            groups: self
                .groups
                .iter()
                .filter(|row| !is_of_team(row.group.as_str()))
                .cloned()
                .collect(),
            ..self.clone()
        }
    }
}
