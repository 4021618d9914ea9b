//! Fits the model of failure from the outcomes that are known: once a quarter, and earlier while the history is short and
//! grows fast. Loading and fitting run outside of the writer; the fitted model is written by an act of its own and is never
//! changed afterwards. A model that is there already when another server has fitted one as well is not written twice.

use std::sync::Arc;

use model::change::record::Change;
use model::core::enums::State;
use model::core::ids::RecordId;
use model::risk::forecast::known_outcome::{self, ByEnvironment};
use model::risk::forecast::model_record::{FailureModel, is_due};
use serde_json::json;
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;

/// The most changes that a model learns from, the newest first.
const MOST_CHANGES: usize = 100_000;
/// How many changes are read at once.
const AT_ONCE: usize = 500;

/// The data from which a model is fitted.
#[derive(Debug)]
pub struct Material {
    outcomes: ByEnvironment,
    changes: i64,
    in_force: Option<Arc<FailureModel>>,
    now: jiff::Timestamp,
}

impl Material {
    /// Fits the model. It takes seconds with a long history, so it runs outside of every transaction.
    #[must_use]
    pub fn fit(&self) -> FailureModel {
        FailureModel::fitted(&self.outcomes, self.changes, self.now, self.in_force.as_deref())
    }
}

/// How many changes are closed, which is the most outcomes that can be known.
///
/// # Errors
/// The store's.
pub fn count_closed(cx: &mut Context<'_, '_>) -> Result<i64> {
    let closed = Filter::new().equals("state", State::Closed.as_str());
    Ok(record::count::<Change>(cx.tx, &closed)?)
}

/// The data for the next model; nothing where none is due.
///
/// # Errors
/// The store's.
pub fn find_material(cx: &mut Context<'_, '_>) -> Result<Option<Material>> {
    let directory = cx.directory()?;
    let closed = count_closed(cx)?;
    if !is_due(directory.failure_model.as_deref(), closed, cx.now) {
        return Ok(None);
    }
    let mut outcomes = ByEnvironment::new();
    let (mut seen, mut before) = (0, None::<String>);
    loop {
        let mut page = Filter::new()
            .also_one_of("state", [State::Closed.as_str()])
            .descending_by("id");
        if let Some(before) = &before {
            page = page.less("id", before.as_str());
        }
        let found = record::bodies::<Change>(cx.tx, &page.limit(i64::try_from(AT_ONCE).unwrap_or(i64::MAX)))?;
        seen += found.len();
        before = found.last().map(|change| change.id.0.clone());
        for change in &found {
            known_outcome::add(&mut outcomes, change, &directory);
        }
        if found.len() < AT_ONCE || seen >= MOST_CHANGES {
            break;
        }
    }
    Ok(Some(Material {
        outcomes,
        changes: closed,
        in_force: directory.failure_model.clone(),
        now: cx.now,
    }))
}

/// Writes a fitted model, unless another one came meanwhile; returns whether it was written.
///
/// # Errors
/// The store's.
pub fn keep_model(cx: &mut Context<'_, '_>, model: &FailureModel, material: &Material) -> Result<bool> {
    let in_force = cx.directory()?.failure_model.clone();
    let digest = |model: Option<&Arc<FailureModel>>| model.map(|it| it.id.clone());
    if digest(in_force.as_ref()) != digest(material.in_force.as_ref()) {
        return Ok(false);
    }
    let model = FailureModel {
        id: RecordId(cx.new_id()?),
        ..model.clone()
    };
    let told = json!({"key": model.key, "model": model.digest, "outcomes": model.outcomes, "failures": model.failures});
    cx.put_estate("failure_model.fitted", model, told)?;
    Ok(true)
}

/// Finds models, the newest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_models(cx: &mut Context<'_, '_>) -> Result<Vec<FailureModel>> {
    /// This many quarters are ten years.
    const MOST_SHOWN: i64 = 40;
    cx.allow(model::core::act::actions::READ)?;
    let newest = Filter::new().descending_by("fitted_at").limit(MOST_SHOWN);
    Ok(record::bodies::<FailureModel>(cx.tx, &newest)?)
}
