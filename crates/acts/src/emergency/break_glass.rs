//! Starts work without approvals, visibly (`POST …/break-glass`), and counts it against its teams' budgets.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use model::change::change_file::EventDraft;
use model::change::record::Change;
use model::core::body::Body;
use model::core::ids::{ChangeId, RecordId, ServiceKey};
use model::emergency::budget::{BUDGET_DAYS, Used, spellings_of_team, teams_of, teams_of_services};
use model::emergency::records::BreakGlassUse;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::core::context::Context;
use crate::core::error::Result;
use crate::core::write::Written;

/// Starts work without approvals, visibly (`POST …/break-glass`). A used-up budget of one of its teams does not prevent
/// the start.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn break_glass(cx: &mut Context<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let change = cx.change(key)?;
    let used = count_uses(cx, &change)?;
    cx.on_change(key, |case| {
        model::emergency::break_glass::break_glass(case, body, &used)
    })?;
    note(cx, key, &used)
}

/// How often the change's teams used break-glass in the last [`BUDGET_DAYS`]. A use for one of a team's services counts
/// for the present team of that service: a new team gets no new budget.
fn count_uses(cx: &mut Context<'_, '_>, change: &Change) -> Result<Used> {
    let directory = cx.directory()?;
    let since = cx.now - SignedDuration::from_hours(24 * BUDGET_DAYS);
    let latest = Filter::new().more("at", since).order_by("at");
    let latest = record::bodies::<BreakGlassUse>(cx.tx, &latest)?;
    let teams = teams_of_services(change, &directory);
    let opened = opened_for(cx, &latest)?;
    let count = |team: &str| {
        let words = spellings_of_team(team, &directory);
        let is_for = |service: &ServiceKey| teams.get(service).is_some_and(|its| its == team);
        let is_meant = |row: &&BreakGlassUse| words.contains(&row.team) || opened[&row.change].iter().any(is_for);
        // One opening stands in a row for each team that it counted against.
        let openings: BTreeSet<_> = latest
            .iter()
            .filter(is_meant)
            .map(|row| (&row.change, row.at))
            .collect();
        i64::try_from(openings.len()).unwrap_or(i64::MAX)
    };
    let used = teams_of(change, &directory).into_iter();
    Ok(used.map(|team| (team.clone(), count(&team))).collect())
}

/// The services for which each glass was broken.
fn opened_for(cx: &mut Context<'_, '_>, uses: &[BreakGlassUse]) -> Result<BTreeMap<ChangeId, BTreeSet<ServiceKey>>> {
    let changes: BTreeSet<&ChangeId> = uses.iter().map(|row| &row.change).collect();
    let mut found = BTreeMap::new();
    for id in changes {
        let stored = record::load::<Change>(cx.tx, id.as_str())?;
        let targets = stored.map(|it| it.record.content.targets).unwrap_or_default();
        let services = targets.into_iter().map(|target| target.service).collect();
        found.insert(id.clone(), services);
    }
    Ok(found)
}

/// Records the use where budgets are counted: once for each of its teams.
fn note(cx: &mut Context<'_, '_>, key: &str, used: &Used) -> Result<()> {
    let change = cx.change(key)?;
    let Some((glass, counted)) = change
        .break_glass
        .as_ref()
        .and_then(|glass| Some((glass, glass.counted.as_ref()?)))
    else {
        return Ok(());
    };
    let (by, at, budget) = (glass.by.clone(), glass.at, counted.budget);
    let bypassed = glass.bypassed.clone();
    for (team, before) in used {
        let row = BreakGlassUse {
            id: RecordId(cx.new_id()?),
            version: 0,
            team: team.clone(),
            change: change.id.clone(),
            change_key: change.key.clone(),
            by: by.clone(),
            at,
            number: before.saturating_add(1),
            budget,
            over_budget: *before >= budget,
            bypassed: bypassed.clone(),
        };
        write(cx, row)?;
    }
    Ok(())
}

fn write(cx: &mut Context<'_, '_>, row: BreakGlassUse) -> Result<()> {
    let mut written = Written::default();
    let row = cx.put(&mut written, row)?;
    let told = EventDraft {
        kind: "break_glass.counted",
        subject: ("glass_use", row.id.0),
        occurred_at: cx.now,
        data: match json!({"number": row.number, "budget": row.budget}) {
            Value::Object(map) => map,
            _ => serde_json::Map::new(),
        },
    };
    cx.emit(vec![told], written)?;
    Ok(())
}
