//! Starts without approvals, in the open (`POST …/break-glass`), and counts it against its teams' budgets.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use model::change::Change;
use model::file::EventDraft;
use model::glass::{BUDGET_DAYS, GlassUse, Used, teams_of, words_of_team};
use model::ids::{ChangeId, RecordId, ServiceKey};
use model::verbs::Body;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;
use crate::save::Written;

/// Starts without approvals, in the open (`POST …/break-glass`). Over the budget of one of its teams it starts too.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn break_glass(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let change = room.change(key)?;
    let used = count_uses(room, &change)?;
    room.on_change(key, |case| model::verbs::glass::break_glass(case, body, &used))?;
    note(room, key, &used)
}

/// How often the change's teams broke the glass in the last [`BUDGET_DAYS`]. What was opened for one of its services counts for
/// each of them, whichever team the service had then: with another team no budget begins anew.
fn count_uses(room: &mut Room<'_, '_>, change: &Change) -> Result<Used> {
    let directory = room.directory()?;
    let since = room.now - SignedDuration::from_hours(24 * BUDGET_DAYS);
    let latest = Filter::new().more("at", since).order_by("at");
    let latest = record::bodies::<GlassUse>(room.tx, &latest)?;
    let of_services = of_same_services(room, change, &latest)?;
    let count = |team: &str| {
        let words = words_of_team(team, &directory);
        let is_meant = |row: &&GlassUse| words.contains(&row.team) || of_services.contains(&row.change);
        // One opening stands in a row for each team that it counted against.
        let openings: BTreeSet<_> = latest
            .iter()
            .filter(is_meant)
            .map(|row| (&row.change, row.at))
            .collect();
        i64::try_from(openings.len()).unwrap_or(i64::MAX)
    };
    let teams = teams_of(change, &directory).into_iter();
    Ok(teams.map(|team| (team.clone(), count(&team))).collect())
}

/// Of the changes whose glass was broken, those for a service of this change.
fn of_same_services(room: &mut Room<'_, '_>, change: &Change, uses: &[GlassUse]) -> Result<BTreeSet<ChangeId>> {
    let targets = change.content.targets.iter();
    let services: BTreeSet<&ServiceKey> = targets.map(|target| &target.service).collect();
    let changes: BTreeSet<&ChangeId> = uses.iter().map(|row| &row.change).collect();
    let mut found = BTreeSet::new();
    for id in changes {
        let other = record::load::<Change>(room.tx, id.as_str())?;
        let is_same = |other: &Change| other.content.targets.iter().any(|it| services.contains(&it.service));
        if other.is_some_and(|stored| is_same(&stored.record)) {
            found.insert(id.clone());
        }
    }
    Ok(found)
}

/// Writes the opening down where budgets are counted: once for each of its teams.
fn note(room: &mut Room<'_, '_>, key: &str, used: &Used) -> Result<()> {
    let change = room.change(key)?;
    let Some((glass, counted)) = change
        .break_glass
        .as_ref()
        .and_then(|glass| Some((glass, glass.counted.as_ref()?)))
    else {
        return Ok(());
    };
    let (by, at, budget) = (glass.by.clone(), glass.at, counted.budget);
    for (team, before) in used {
        let row = GlassUse {
            id: RecordId(room.new_id()?),
            version: 0,
            team: team.clone(),
            change: change.id.clone(),
            change_key: change.key.clone(),
            by: by.clone(),
            at,
            number: before.saturating_add(1),
            budget,
            over_budget: *before >= budget,
        };
        write(room, row)?;
    }
    Ok(())
}

fn write(room: &mut Room<'_, '_>, row: GlassUse) -> Result<()> {
    let mut written = Written::default();
    let row = room.put(&mut written, row)?;
    let told = EventDraft {
        kind: "break_glass.counted",
        subject: ("glass_use", row.id.0),
        occurred_at: room.now,
        data: match json!({"team": row.team, "number": row.number, "budget": row.budget}) {
            Value::Object(map) => map,
            _ => serde_json::Map::new(),
        },
    };
    room.tell(vec![told], written)?;
    Ok(())
}
