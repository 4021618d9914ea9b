//! Starts without approvals, in the open (`POST …/break-glass`), and counts it against the team's budget.

use jiff::SignedDuration;
use model::file::EventDraft;
use model::glass::{BUDGET_DAYS, GlassUse, team_of};
use model::ids::RecordId;
use model::verbs::Body;
use serde_json::{Value, json};
use store::record::{self, Filter};

use crate::error::Result;
use crate::room::Room;
use crate::save::Written;

/// Starts without approvals, in the open (`POST …/break-glass`). Over the budget of its team it starts too.
///
/// # Errors
/// The refusals of the verb in `model`, or the store's.
pub fn break_glass(room: &mut Room<'_, '_>, key: &str, body: &Body) -> Result<()> {
    let change = room.change(key)?;
    let team = team_of(&change, &*room.directory()?);
    let since = room.now - SignedDuration::from_hours(24 * BUDGET_DAYS);
    let filter = Filter::new().equals("team", team.as_str()).more("at", since);
    let used = record::count::<GlassUse>(room.tx, &filter)?;
    room.on_change(key, |case| model::verbs::glass::break_glass(case, body, used))?;
    note(room, key)
}

/// Writes the opening down where budgets are counted.
fn note(room: &mut Room<'_, '_>, key: &str) -> Result<()> {
    let change = room.change(key)?;
    let Some((glass, counted)) = change
        .break_glass
        .as_ref()
        .and_then(|glass| Some((glass, glass.counted.as_ref()?)))
    else {
        return Ok(());
    };
    let row = GlassUse {
        id: RecordId(room.new_id()?),
        version: 0,
        team: counted.team.clone(),
        change: change.id.clone(),
        change_key: change.key.clone(),
        by: glass.by.clone(),
        at: glass.at,
        number: counted.number,
        budget: counted.budget,
        over_budget: counted.is_over(),
    };
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
