//! Fits the model of failure from the outcomes that are known: once a quarter, and earlier while the history is short and
//! grows fast. Loading and fitting run outside of the writer; the fitted model is written by an act of its own and is never
//! changed afterwards. A model that is there already when another server has fitted one as well is not written twice.

use std::sync::Arc;

use model::change::change_file::Actor;
use model::change::record::Change;
use model::core::enums::State;
use model::core::ids::RecordId;
use model::directory::snapshot::Directory;
use model::risk::forecast::known_outcome::{self, ByEnvironment};
use model::risk::forecast::model_record::{FailureModel, is_due};
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::transactions::Transactions;

/// The most changes that a model learns from, the newest first.
const MOST_CHANGES: usize = 100_000;
/// How many changes are read at once.
const AT_ONCE: usize = 200;

/// The data from which a model is fitted.
#[derive(Debug)]
pub struct Material {
    outcomes: ByEnvironment,
    changes: i64,
    in_force: Option<Arc<FailureModel>>,
    now: jiff::Timestamp,
    directory: Arc<Directory>,
    /// How many changes were read, and the id of the last of them.
    seen: usize,
    before: Option<String>,
}

impl Material {
    /// Fits the model. It takes seconds with a long history, so it runs outside of every transaction.
    #[must_use]
    pub fn fit(&self) -> FailureModel {
        FailureModel::fitted(&self.outcomes, self.changes, self.now, self.in_force.as_deref())
    }

    /// Adds a page; returns whether older ones follow.
    fn add(&mut self, page: &[Change]) -> bool {
        for change in page {
            known_outcome::add(&mut self.outcomes, change, &self.directory);
        }
        self.seen += page.len();
        self.before = page.last().map(|change| change.id.0.clone());
        page.len() == AT_ONCE && self.seen < MOST_CHANGES
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

/// The data for the next model, read in one transaction; nothing where none is due.
///
/// # Errors
/// The store's.
pub fn find_material(cx: &mut Context<'_, '_>) -> Result<Option<Material>> {
    let Some(mut material) = due_material(cx)? else {
        return Ok(None);
    };
    while material.add(&closed_page(cx, material.before.as_deref())?) {}
    Ok(Some(material))
}

/// The same with a transaction for each page: SQLite's write-ahead log grows while one transaction reads, and a long history takes
/// half a minute. What closes meanwhile is in the next model.
///
/// # Errors
/// The store's.
pub fn gather_material(executor: &impl Transactions, tenant: &str) -> Result<Option<Material>> {
    let found = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, due_material);
    let Some(mut material) = found? else {
        return Ok(None);
    };
    loop {
        let before = material.before.clone();
        let read = move |cx: &mut Context<'_, '_>| closed_page(cx, before.as_deref());
        let page = executor.wait(Lane::Worker, tenant, Actor::system(), Mode::Read, read)?;
        if !material.add(&page) {
            return Ok(Some(material));
        }
    }
}

/// The next model's data before any change was read; nothing where none is due.
fn due_material(cx: &mut Context<'_, '_>) -> Result<Option<Material>> {
    let directory = cx.directory()?;
    let closed = count_closed(cx)?;
    let in_force = directory.failure_model.clone();
    Ok(is_due(in_force.as_deref(), closed, cx.now).then(|| Material {
        outcomes: ByEnvironment::new(),
        changes: closed,
        in_force,
        now: cx.now,
        directory,
        seen: 0,
        before: None,
    }))
}

/// The closed changes before one, the newest first.
fn closed_page(cx: &mut Context<'_, '_>, before: Option<&str>) -> Result<Vec<Change>> {
    let mut page = Filter::new()
        .also_one_of("state", [State::Closed.as_str()])
        .descending_by("id");
    if let Some(before) = before {
        page = page.less("id", before);
    }
    let most = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
    Ok(record::bodies::<Change>(cx.tx, &page.limit(most))?)
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
