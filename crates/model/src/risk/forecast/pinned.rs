//! Makes the forecast that a change stores: during its assessment, by the model in force then. A later model never changes it.

use jiff::Timestamp;

use crate::change::record::Change;
use crate::core::enums::State;
use crate::core::ids::{EnvironmentKey, PersonId, ServiceKey};
use crate::directory::snapshot::Directory;
use crate::risk::forecast::base::{Count, Group, Place};
use crate::risk::forecast::environment::{Missing, Score, Source};
use crate::risk::forecast::features::FEATURES;
use crate::risk::forecast::inputs::{inputs, place};
pub use crate::risk::forecast::kept_forecast::{Forecast, ForecastGroup, ForecastPart, MissingHistory};
use crate::risk::forecast::model_record::FailureModel;

/// Whether a person is a member of a group of the team's name: only they see what a team's own outcomes are.
#[must_use]
pub fn is_of_team(directory: &Directory, person: &PersonId, team: Option<&String>) -> bool {
    let Some(team) = team else { return false };
    let is_team = |key: &str, name: &str| key == team || name == team;
    let mut groups = directory.groups.values();
    groups.any(|group| is_team(group.key.as_str(), &group.name) && group.members.contains(person))
}

/// The forecast of a change by a model; `None` for a change without targets. If it has targets in production, these decide: the
/// one with the widest interval among those with too little history, else the most likely failure.
#[must_use]
pub fn forecast(change: &Change, directory: &Directory, model: &FailureModel, now: Timestamp) -> Option<Forecast> {
    let inputs = inputs(change, directory);
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

/// A score with too little history comes before one with enough.
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

/// The forecast that a change stores now, by the current model: a new one until its assessment is over, and after an edit of
/// *what* before the work begins. Otherwise the existing one, whatever model came since.
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

/// Whether the forecast of a change equals its model's result for its inputs: replay checks this. A change whose texts are
/// erased may have lost its team, so its values are not recomputed.
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
