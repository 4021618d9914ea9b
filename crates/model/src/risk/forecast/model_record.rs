//! The record of a fitted model. The job that fits the model writes it once, and nobody changes it: with its digest, every
//! score can be computed again.

use std::sync::LazyLock;

use derive::{Described, Noun};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::core::ids::RecordId;
use crate::risk::forecast::environment::{EnvironmentModel, LEAST_KNOWN};
use crate::risk::forecast::features::{FEATURES, FEATURES_VERSION};
use crate::risk::forecast::fit::fit;
use crate::risk::forecast::outcome::ByEnvironment;

/// A model of failure: the models of all environments of which outcomes are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Described, Noun)]
#[noun(table = "failure_model")]
pub struct FailureModel {
    /// The record's id.
    pub id: RecordId,
    /// Grows with every save; a model is saved once.
    pub version: i64,
    /// `failure-2026-Q4`; a further one of the quarter is `failure-2026-Q4.2`.
    #[card(column)]
    pub key: String,
    /// When it was fitted; nothing later was known to it.
    #[card(column)]
    pub fitted_at: Timestamp,
    /// The version of the features that it was fitted with.
    pub features_version: i64,
    /// The digest of the features' version and of everything below.
    #[card(column)]
    pub digest: String,
    /// The number of closed changes then.
    pub changes: i64,
    /// The number of outcomes in the training data: one for each service and environment of a change.
    pub outcomes: i64,
    /// The number of failures among them.
    pub failures: i64,
    /// The model of each environment, in the order of their keys.
    #[card(object)]
    pub environments: Vec<OfEnvironment>,
}

/// The model of one environment with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfEnvironment {
    /// The environment's key.
    pub environment: String,
    /// Its model.
    pub model: EnvironmentModel,
}

/// The quarter of an instant, in UTC: `2026-Q4`.
#[must_use]
pub fn quarter(at: Timestamp) -> String {
    let date = at.to_zoned(TimeZone::UTC).date();
    format!("{}-Q{}", date.year(), (date.month() - 1) / 3 + 1)
}

impl FailureModel {
    /// Fits a model from the outcomes that are known at an instant, when so many changes are closed. `before` is the model in force.
    #[must_use]
    pub fn fitted(outcomes: &ByEnvironment, changes: i64, now: Timestamp, before: Option<&Self>) -> Self {
        let environments: Vec<OfEnvironment> = outcomes
            .iter()
            .map(|(environment, outcomes)| OfEnvironment {
                environment: environment.clone(),
                model: fit(outcomes, &FEATURES, now.as_second()),
            })
            .collect();
        let known = |it: &OfEnvironment| it.model.total();
        let quarter = quarter(now);
        Self {
            id: RecordId::default(),
            version: 0,
            key: next_key(&quarter, before),
            fitted_at: now,
            features_version: FEATURES_VERSION,
            digest: digest(&environments),
            changes,
            outcomes: environments.iter().map(|it| known(it).outcomes).sum(),
            failures: environments.iter().map(|it| known(it).failures).sum(),
            environments,
        }
    }

    /// The model of an environment; an empty one if no outcome is known there.
    #[must_use]
    pub fn of(&self, environment: &str) -> &EnvironmentModel {
        static EMPTY: LazyLock<EnvironmentModel> = LazyLock::new(EnvironmentModel::default);
        let found = self.environments.iter().find(|it| it.environment == environment);
        found.map_or(&*EMPTY, |it| &it.model)
    }

    /// Whether the digest matches the content.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.digest == digest(&self.environments)
    }
}

fn next_key(quarter: &str, before: Option<&FailureModel>) -> String {
    let first = format!("failure-{quarter}");
    let Some(before) = before.filter(|it| it.key.starts_with(&first)) else {
        return first;
    };
    let number = before
        .key
        .rsplit_once('.')
        .and_then(|(_, number)| number.parse::<i64>().ok());
    format!("{first}.{}", number.unwrap_or(1) + 1)
}

fn digest(environments: &[OfEnvironment]) -> String {
    let value = serde_json::json!({"features_version": FEATURES_VERSION, "environments": environments});
    // Whole numbers and texts always have a canonical form; were it ever to fail, an empty digest matches no model.
    proof::canonical::digest(&value).unwrap_or_default()
}

/// The growth of outcomes, as a factor, at which a new model is due before the quarter is over.
const GROWN: i64 = 2;

/// Whether another model is due: in a new quarter, or once twice as many changes are closed as the model in force learned from.
/// `closed` is the number of closed changes; with fewer than [`LEAST_KNOWN`] there is nothing to learn.
#[must_use]
pub fn is_due(in_force: Option<&FailureModel>, closed: i64, now: Timestamp) -> bool {
    if closed < LEAST_KNOWN {
        return false;
    }
    let Some(model) = in_force else { return true };
    let is_of_another_quarter = quarter(model.fitted_at) != quarter(now) && model.fitted_at < now;
    is_of_another_quarter || closed >= GROWN * model.changes.max(LEAST_KNOWN)
}
