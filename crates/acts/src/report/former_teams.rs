//! The teams that ran services when work on them ended, from the log: a service that is given to another team takes no history along.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::core::ids::ServiceKey;
use model::directory::snapshot::Service;
use model::report::change_outcome::ChangeOutcome;
use model::report::population::Facts;
use proof::diff::RecordDelta;
use store::audit::{event, salts};
use store::record::Record;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::field_changes::{ERASED, open};
use crate::core::show_timeline::opened;

/// The directory's facts about rows, with the former teams of the services of rows without a team of their own.
///
/// # Errors
/// The store's.
pub(crate) fn facts_of(cx: &mut Context<'_, '_>, rows: &[ChangeOutcome]) -> Result<Facts> {
    facts_about(cx, &without_team(rows))
}

/// The services of rows without a team of their own.
pub(crate) fn without_team(rows: &[ChangeOutcome]) -> BTreeSet<ServiceKey> {
    let unnamed = rows.iter().filter(|row| row.team.is_none());
    let targets = unnamed.flat_map(|row| &row.targets);
    targets.map(|target| target.service.clone()).collect()
}

/// The directory's facts, with the former teams of some services.
///
/// # Errors
/// The store's.
pub(crate) fn facts_about(cx: &mut Context<'_, '_>, services: &BTreeSet<ServiceKey>) -> Result<Facts> {
    let directory = cx.directory()?;
    let mut facts = Facts::of(&directory);
    for key in services {
        let Some(service) = directory.services.get(key).filter(|it| it.version > 1) else {
            continue;
        };
        let teams = teams_of(cx, service)?;
        if teams.len() > 1 {
            facts.former_teams.insert(key.clone(), teams);
        }
    }
    Ok(facts)
}

/// Since when which team has run a service, from the first team on, the oldest first.
fn teams_of(cx: &mut Context<'_, '_>, service: &Service) -> Result<Vec<(Timestamp, Option<String>)>> {
    let texts = salts::of_record(cx.tx, Service::TABLE, service.id.as_str())?;
    let mut teams = Vec::new();
    for stored in event::of_record(cx.tx, Service::TABLE, service.id.as_str())? {
        let (event, _) = opened(cx, &stored)?;
        let is_its = |delta: &&RecordDelta| delta.table == Service::TABLE && delta.id == service.id.0;
        let Some(delta) = event.records.iter().find(is_its) else {
            continue;
        };
        let is_unset = delta.unset.iter().any(|field| field == "team");
        let mut team = delta.set.get("team").cloned().unwrap_or_default();
        open(&mut team, &texts);
        let team = team.as_str().filter(|team| *team != ERASED);
        if team.is_some() || (is_unset && !teams.is_empty()) {
            teams.push((stored.occurred_at, team.map(str::to_owned)));
        }
    }
    Ok(teams)
}
