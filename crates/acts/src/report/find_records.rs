//! Finds the records that lists and pages show beside changes: comments, entries, gate checks, messages, tokens,
//! deliveries.

use jiff::Timestamp;
use model::change::related_records::{Comment, Deployment, Entry, GateCheck, Message};
use model::core::act::actions;
use model::core::enums::CheckState;
use model::core::ids::{EnvironmentKey, ServiceKey};
use model::directory::snapshot::Token;
use model::integration::occurrence::Phase;
use store::integration::inbox::{self, Delivery};
use store::record::{self, Filter, Record};

use crate::core::connections;
use crate::core::context::Context;
use crate::core::error::{Error, Result};

fn all<R: Record>(cx: &mut Context<'_, '_>, filter: &Filter) -> Result<Vec<R>> {
    Ok(record::find::<R>(cx.tx, filter)?
        .into_iter()
        .map(|stored| stored.record)
        .collect())
}

/// The comments of a change by its id, oldest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_comments(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<Comment>> {
    cx.allow(actions::READ)?;
    all(cx, &Filter::new().equals("change_id", change).order_by("id"))
}

/// The log of actions of a change by its id, oldest first.
///
/// # Errors
/// 403, or the store's.
pub fn find_entries(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<Entry>> {
    cx.allow(actions::READ)?;
    all(cx, &Filter::new().equals("change_id", change).order_by("occurred_at"))
}

/// A report of a pipeline about a deployment of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineReport {
    /// When it occurred.
    pub at: Timestamp,
    /// The meaning of its status.
    pub phase: Phase,
    /// Whether its deployment had no approved change.
    pub is_unauthorized: bool,
    /// The name of the connection that delivered it; empty for a removed one.
    pub connection: String,
    /// The service.
    pub service: ServiceKey,
    /// The environment.
    pub environment: EnvironmentKey,
}

/// The reports of pipelines about the deployments of a change by its id, oldest first; without statuses that mean nothing here.
///
/// # Errors
/// 403, or the store's.
pub fn find_pipeline_reports(cx: &mut Context<'_, '_>, change: &str) -> Result<Vec<PipelineReport>> {
    cx.allow(actions::READ)?;
    let deployments: Vec<Deployment> = all(cx, &Filter::new().equals("change_id", change).order_by("id"))?;
    let mut found = Vec::new();
    for deployment in deployments {
        let from = connections::find(cx, deployment.connection.as_str())?;
        let connection = from.map(|it| it.name).unwrap_or_default();
        found.extend(deployment.words.iter().map(|word| PipelineReport {
            at: word.at,
            phase: Phase::of(&word.status),
            is_unauthorized: deployment.unauthorized,
            connection: connection.clone(),
            service: deployment.service.clone(),
            environment: deployment.environment.clone(),
        }));
    }
    found.retain(|report| report.phase != Phase::Other);
    found.sort_by_key(|report| report.at);
    Ok(found)
}

/// Which gate checks are wanted.
#[derive(Debug, Clone, Default)]
pub struct CheckQuery {
    /// Recorded before the one with this id.
    pub before: Option<String>,
    /// About this service.
    pub service: Option<String>,
    /// In this state.
    pub state: Option<CheckState>,
}

/// How many checks are read for a person who is scoped to services.
const MOST_LOOKED: usize = 5_000;

/// Gate checks, newest first; a scoped person sees their own and those about their services.
///
/// # Errors
/// 403, or the store's.
pub fn find_gate_checks(cx: &mut Context<'_, '_>, query: &CheckQuery, limit: i64) -> Result<Vec<GateCheck>> {
    cx.allow(actions::READ)?;
    let Some(scope) = cx.scope()? else {
        return all(cx, &check_filter(query, limit));
    };
    let (person, count) = (cx.actor.person.clone(), usize::try_from(limit).unwrap_or_default());
    let (mut query, mut found, mut looked) = (query.clone(), Vec::new(), 0);
    while found.len() < count && looked < MOST_LOOKED {
        let rows: Vec<GateCheck> = all(cx, &check_filter(&query, limit))?;
        looked += rows.len();
        let Some(last) = rows.last() else { break };
        query.before = Some(last.id.0.clone());
        found.extend(rows.into_iter().filter(|it| it.by == person || scope.has(&it.service)));
    }
    found.truncate(count);
    Ok(found)
}

fn check_filter(query: &CheckQuery, limit: i64) -> Filter {
    // Ids grow with time, and the keys of the indexes end with them, so that a million checks are not sorted first.
    let mut filter = Filter::new().descending_by("id").limit(limit);
    if let Some(before) = &query.before {
        filter = filter.less("id", before.as_str());
    }
    if let Some(service) = &query.service {
        filter = filter.equals("service", service.as_str());
    }
    match query.state {
        Some(CheckState::Settled) => filter.equals("state", CheckState::Settled.as_str()),
        // All others have an end of their wait, by which their index is kept small.
        Some(state) => filter.equals("state", state.as_str()).is_set("wait_until"),
        None => filter,
    }
}

/// Messages to the acting person, newest first; without those about a change that they no longer see.
///
/// # Errors
/// The store's.
pub fn find_messages(cx: &mut Context<'_, '_>, limit: i64) -> Result<Vec<Message>> {
    let person = cx.actor.person.clone();
    let filter = Filter::new().equals("person", person.as_str());
    let mut found: Vec<Message> = all(cx, &filter.descending_by("id").limit(limit))?;
    if cx.scope()?.is_some() {
        let mut seen = Vec::with_capacity(found.len());
        for message in found {
            let is_seen = match &message.change_key {
                Some(key) => cx.sees_key(key)?,
                None => true,
            };
            seen.extend(is_seen.then_some(message));
        }
        found = seen;
    }
    Ok(found)
}

/// The tenant's tokens, by administrators; the acting person's own otherwise.
///
/// # Errors
/// The store's.
pub fn find_tokens(cx: &mut Context<'_, '_>) -> Result<Vec<Token>> {
    let filter = Filter::new().order_by("id");
    let filter = match cx.allow(actions::SET_TOKEN) {
        Ok(()) => filter,
        Err(Error::Refused(_)) => filter.equals("person", cx.actor.person.as_str()),
        Err(fault) => return Err(fault),
    };
    all(cx, &filter)
}

/// The newest deliveries of outside systems.
///
/// # Errors
/// 403, or the store's.
pub fn find_deliveries(cx: &mut Context<'_, '_>, limit: i64) -> Result<Vec<Delivery>> {
    cx.allow(actions::AUDIT)?;
    let mut found = Vec::new();
    for state in ["waiting", "done", "parked"] {
        found.extend(inbox::list(cx.tx, state, limit)?);
    }
    found.sort_by_key(|row| std::cmp::Reverse(row.received_at));
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok(found)
}
