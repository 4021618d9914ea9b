//! The forecast that a change keeps: made while it is assessed, by the model in force then. A later model never changes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::change::record::Change;
use crate::core::enums::State;
use crate::core::ids::{EnvironmentKey, PersonId, ServiceKey};
use crate::directory::snapshot::Directory;
use crate::risk::forecast::base::{Count, Group, Place};
use crate::risk::forecast::environment::{Missing, Score, Source};
use crate::risk::forecast::inputs::{FEATURES, inputs, place};
use crate::risk::forecast::model_record::FailureModel;

/// A forecast of failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// The digest of the model.
    pub model: String,
    /// The key of the model.
    pub model_key: String,
    /// The version of the features.
    pub features_version: i64,
    /// The digest *what* of the content that it is about.
    pub what: String,
    /// When it was made.
    pub at: Timestamp,
    /// The service that decides: of a change with several targets, the one with the least certain or the highest forecast.
    pub service: ServiceKey,
    /// The environment of that target.
    pub environment: EnvironmentKey,
    /// Whether its team counted: the estate knew it as a team then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_team: bool,
    /// What was looked at in the change, in the order of the features, in thousandths.
    pub inputs: Vec<i64>,
    /// The probability of failure, in parts per million; absent where the forecast abstains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability_ppm: Option<i64>,
    /// The lower end of the 90 % interval.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
    /// What adds up to the probability; empty where the forecast abstains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ForecastPart>,
    /// The history that it rests on, the widest group first.
    pub groups: Vec<ForecastGroup>,
    /// Why it abstains.
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
    /// Those that failed.
    pub failures: i64,
    /// The lower end of the 90 % interval down to this level.
    pub low_ppm: i64,
    /// The upper end.
    pub high_ppm: i64,
}

/// Why a forecast abstains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingHistory {
    /// `too_few_outcomes` or `too_wide`.
    pub code: String,
    /// How many outcomes more would do.
    pub more: i64,
}

/// What a narrowed view joins the parts of teams into.
const JOINED: Group = Group::Service;

impl Forecast {
    /// The same forecast for somebody who is in none of its teams: what teams add is joined with the part of the service, so that
    /// the sum stays, and their history is left out.
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

/// Whether a person is a member of a group of the team's name: only they see what a team's own outcomes are.
#[must_use]
pub fn is_of_team(directory: &Directory, person: &PersonId, team: Option<&String>) -> bool {
    let Some(team) = team else { return false };
    let is_team = |key: &str, name: &str| key == team || name == team;
    let mut groups = directory.groups.values();
    groups.any(|group| is_team(group.key.as_str(), &group.name) && group.members.contains(person))
}

/// The forecast of a change by a model; nothing for a change without targets. Where it has targets in production, these decide:
/// of them the one with the widest interval of those with too little history, else the one that fails most likely.
#[must_use]
pub fn forecast(change: &Change, directory: &Directory, model: &FailureModel, now: Timestamp) -> Option<Forecast> {
    let inputs = inputs(change);
    let is_production = |key: &EnvironmentKey| directory.environments.get(key).is_none_or(|it| it.is_production);
    let mut places: Vec<(&ServiceKey, &EnvironmentKey)> = change
        .content
        .targets
        .iter()
        .map(|target| (&target.service, &target.environment))
        .collect();
    places.sort_unstable();
    places.dedup();
    if places.iter().any(|(_, environment)| is_production(environment)) {
        places.retain(|(_, environment)| is_production(environment));
    }
    let scores = places.into_iter().map(|(service, environment)| {
        let of = model.of(environment.as_str());
        (
            of.score(&place(change, service.as_str(), directory), &inputs),
            service,
            environment,
        )
    });
    let heavier = |left: &(Score, _, _), right: &(Score, _, _)| weight(&left.0).cmp(&weight(&right.0));
    let (score, service, environment) = scores.max_by(heavier)?;
    Some(Forecast {
        model: model.digest.clone(),
        model_key: model.key.clone(),
        features_version: model.features_version,
        what: change.digests.what.clone(),
        at: now,
        service: service.clone(),
        environment: environment.clone(),
        has_team: !place(change, service.as_str(), directory).team.is_empty(),
        inputs,
        probability_ppm: score.missing.is_none().then_some(score.ppm),
        low_ppm: score.low_ppm,
        high_ppm: score.high_ppm,
        parts: if score.missing.is_none() {
            parts(&score)
        } else {
            Vec::new()
        },
        groups: score.groups.iter().map(group).collect(),
        missing: score.missing.map(missing),
    })
}

/// A score without enough history goes before one with it.
fn weight(score: &Score) -> (bool, i64) {
    match score.missing {
        Some(_) => (true, score.high_ppm - score.low_ppm),
        None => (false, score.ppm),
    }
}

fn parts(score: &Score) -> Vec<ForecastPart> {
    let name = |source: Source| match source {
        Source::Group(group) => group.as_str(),
        Source::Base => "base",
        Source::Feature(at) => FEATURES.get(at).map_or("base", |feature| feature.name),
    };
    let part = |(source, ppm): &(Source, i64)| ForecastPart {
        source: name(*source).to_owned(),
        ppm: *ppm,
    };
    score.parts.iter().map(part).collect()
}

fn group((group, count, (low_ppm, high_ppm)): &(Group, Count, (i64, i64))) -> ForecastGroup {
    ForecastGroup {
        group: *group,
        outcomes: count.outcomes,
        failures: count.failures,
        low_ppm: *low_ppm,
        high_ppm: *high_ppm,
    }
}

fn missing(missing: Missing) -> MissingHistory {
    let (code, more) = match missing {
        Missing::TooFewOutcomes { known, needed } => ("too_few_outcomes", needed - known),
        Missing::TooWide { more } => ("too_wide", more),
    };
    MissingHistory {
        code: code.to_owned(),
        more,
    }
}

/// The forecast that a change is to keep now, by the model in force: another one until its assessment is over, and after an edit
/// of what is done before the work begins. Otherwise the one that it has, whatever model came since.
#[must_use]
pub fn kept(change: &Change, directory: &Directory, now: Timestamp) -> Option<Forecast> {
    let model = directory
        .failure_model
        .as_ref()
        .filter(|_| change.state.is_before_start());
    let is_settled = change.state > State::Assessing && !change.state.is_final();
    let stands = |it: &&Forecast| is_settled && it.what == change.digests.what;
    match (change.forecast.as_ref().filter(stands), model) {
        (None, Some(model)) => forecast(change, directory, model, now),
        _ => change.forecast.clone(),
    }
}

/// Whether the forecast of a change is what its model says of its inputs: what replay checks. A change whose texts are gone may
/// have lost its team, and is believed.
#[must_use]
pub fn is_repeated(change: &Change, pinned: &Forecast, model: &FailureModel) -> bool {
    let is_of_model = model.digest == pinned.model && model.is_whole();
    if change.has_lost_texts() {
        return is_of_model;
    }
    let team = change.content.team.as_ref().filter(|_| pinned.has_team);
    let place = Place {
        kind: change.content.category.as_str().to_owned(),
        service: pinned.service.0.clone(),
        team: team.cloned().unwrap_or_default(),
    };
    let score = model.of(pinned.environment.as_str()).score(&place, &pinned.inputs);
    let told = (
        score.missing.is_none().then_some(score.ppm),
        score.low_ppm,
        score.high_ppm,
    );
    is_of_model && told == (pinned.probability_ppm, pinned.low_ppm, pinned.high_ppm)
}
