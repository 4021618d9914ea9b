//! Lists of changes, and the targets by which changes are found.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::change::record::{Change, Target};
use model::core::enums::State;

use crate::change::change_order::{Order, SortKey, Spot, Stretch, stretches};
use crate::change::change_query::{Bare, Conditions, Few, Part, named};
pub use crate::change::change_query::{ChangeFilter, ChangeRow};
use crate::error::Result;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// How many changes' targets are looked up at once.
const AT_ONCE: usize = 50;

/// A target in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// The change.
    pub change_id: String,
    /// The target's id in it.
    pub target_id: String,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The deployed artifact.
    pub artifact: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The version that runs again after a rollback.
    pub rollback_to: Option<String>,
    /// `open`, or its outcome.
    pub state: String,
}

/// Changes with the newest number first; `after` is the number of the last one seen.
pub fn list_changes(tx: &mut Tx<'_>, filter: &ChangeFilter, limit: i64, after: Option<i64>) -> Result<Vec<ChangeRow>> {
    let few = Few::by_number(tx, filter)?;
    list_stretch(tx, filter, few, &Stretch::of_numbers(true, after), limit)
}

/// The changes of one stretch of a list.
pub(crate) fn list_stretch(
    tx: &mut Tx<'_>,
    filter: &ChangeFilter,
    few: Few,
    stretch: &Stretch,
    limit: i64,
) -> Result<Vec<ChangeRow>> {
    let (sql, params) = list_sql(filter, few, stretch, limit);
    tx.query(&sql, &named(&params))?.iter().map(change_row).collect()
}

/// Changes in an order, behind a place; at most `limit`.
pub fn list_ordered(
    tx: &mut Tx<'_>,
    filter: &ChangeFilter,
    order: Order,
    limit: i64,
    after: Option<&Spot>,
) -> Result<Vec<ChangeRow>> {
    let few = match order.key {
        SortKey::Number => Few::by_number(tx, filter)?,
        _ => Few::sorted(tx, filter)?,
    };
    let mut rows = Vec::new();
    for stretch in stretches(filter, order, after) {
        let left = limit - i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        rows.extend(list_stretch(tx, filter, few, &stretch, left)?);
    }
    Ok(rows)
}

/// The ids of changes with work on one of these services that were saved at a time or later, the earliest first: a change is
/// saved when its work ends, so the list has every change whose work ended since then or goes on. SQLite finds them by the time,
/// not by the state that nearly all have.
pub fn worked_since(tx: &mut Tx<'_>, since: Timestamp, services: &BTreeSet<String>, limit: i64) -> Result<Vec<String>> {
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = (0..services.len()).map(|number| format!("s_{number}")).collect();
    let places: Vec<String> = names.iter().map(|name| format!("${name}")).collect();
    let sql = format!(
        "SELECT id FROM \"change\" WHERE tenant = $tenant AND updated_at >= $since
            AND state || '' IN ('implementing', 'reviewing', 'closed')
            AND EXISTS (SELECT 1 FROM change_target t WHERE t.tenant = $tenant AND t.change_id = id AND t.service IN ({}))
         ORDER BY updated_at, number LIMIT $limit",
        places.join(", ")
    );
    let mut params: Vec<(&str, Value)> = vec![("since", since.into()), ("limit", limit.into())];
    params.extend(
        names
            .iter()
            .map(String::as_str)
            .zip(services.iter().map(|key| key.as_str().into())),
    );
    tx.query(&sql, &params)?.iter().map(|row| row.text("id")).collect()
}

/// How many changes were written in a span of time, and their present results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub written: i64,
    /// Those that are closed by now.
    pub closed: i64,
    /// Those that are emergencies.
    pub emergencies: i64,
    /// Those that are rejected or cancelled by now.
    pub stopped: i64,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            written: self.written + other.written,
            closed: self.closed + other.closed,
            emergencies: self.emergencies + other.emergencies,
            stopped: self.stopped + other.stopped,
        }
    }
}

/// How many changes were written in `[from, to)`. An index covers the whole query.
pub fn count_written(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> Result<i64> {
    let row = tx.query_one(
        "SELECT count(*) AS it FROM \"change\" WHERE tenant = $tenant AND created_at >= $from AND created_at < $to",
        &[("from", from.into()), ("to", to.into())],
    )?;
    row.map_or(Ok(0), |row| row.int("it"))
}

/// The same with their results. An index covers the whole query.
pub fn tally(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp) -> Result<Tally> {
    let row = tx.query_one(
        "SELECT count(*) AS written,
            coalesce(sum(CASE WHEN state = 'closed' THEN 1 ELSE 0 END), 0) AS closed,
            coalesce(sum(CASE WHEN kind = 'emergency' THEN 1 ELSE 0 END), 0) AS emergencies,
            coalesce(sum(CASE WHEN state IN ('rejected', 'cancelled') THEN 1 ELSE 0 END), 0) AS stopped
         FROM \"change\" WHERE tenant = $tenant AND created_at >= $from AND created_at < $to",
        &[("from", from.into()), ("to", to.into())],
    )?;
    let Some(row) = row else {
        return Ok(Tally::default());
    };
    Ok(Tally {
        written: row.int("written")?,
        closed: row.int("closed")?,
        emergencies: row.int("emergencies")?,
        stopped: row.int("stopped")?,
    })
}

/// The statement of a stretch of a list, so that a test can look at its plan.
pub(crate) fn list_sql(
    filter: &ChangeFilter,
    few: Few,
    stretch: &Stretch,
    limit: i64,
) -> (String, Vec<(String, Value)>) {
    let mut list = Conditions {
        bare: match (few, stretch.is_by_number()) {
            (Few::Plain(part), _) => Bare::Only(part),
            (_, true) => Bare::All,
            (_, false) => Bare::None,
        },
        ..Conditions::default()
    };
    for part in Part::ALL {
        list.part(filter, part);
    }
    stretch.add_to(&mut list, few == Few::Nothing);
    list.of_others(filter, few);
    let gathered = list.gathered(filter, few);
    list.params.push(("limit".to_owned(), limit.into()));
    let sql = format!(
        "SELECT \"change\".id, version, key, number, title, state, kind, risk, on_hold, expedited, requester, owner, team,
            created_at, updated_at, planned_start, planned_end, outcome
         FROM {gathered}\"change\" WHERE \"change\".tenant = $tenant{} ORDER BY {} LIMIT $limit",
        list.sql,
        stretch.order(!matches!(few, Few::Plain(_)))
    );
    (sql, list.params)
}

fn change_row(row: &Row) -> Result<ChangeRow> {
    Ok(ChangeRow {
        id: row.text("id")?,
        version: row.int("version")?,
        key: row.text("key")?,
        number: row.int("number")?,
        title: row.text("title")?,
        state: row.text("state")?,
        kind: row.text("kind")?,
        risk: row.text("risk")?,
        on_hold: row.bool("on_hold")?,
        expedited: row.bool("expedited")?,
        requester: row.text("requester")?,
        owner: row.text("owner")?,
        team: row.opt_text("team")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        planned_start: row.opt_time("planned_start")?,
        planned_end: row.opt_time("planned_end")?,
        outcome: row.opt_text("outcome")?,
    })
}

/// The key of the change with this id.
pub fn key_of_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<String>> {
    tx.query_one(
        "SELECT key FROM \"change\" WHERE tenant = $tenant AND id = $id",
        &[("id", id.into())],
    )?
    .map(|row| row.text("key"))
    .transpose()
}

/// The id of the change with this key.
pub fn id_of_key(tx: &mut Tx<'_>, key: &str) -> Result<Option<String>> {
    tx.query_one(
        "SELECT id FROM \"change\" WHERE tenant = $tenant AND key = $key",
        &[("key", key.into())],
    )?
    .map(|row| row.text("id"))
    .transpose()
}

/// The states and outcomes of changes, by their keys; a change that there is not is left out.
pub fn outcomes_of_keys(tx: &mut Tx<'_>, keys: &[&str]) -> Result<BTreeMap<String, (String, Option<String>)>> {
    let mut found = BTreeMap::new();
    for keys in keys.chunks(AT_ONCE) {
        let names: Vec<String> = (0..keys.len()).map(|place| format!("key{place}")).collect();
        let sql = format!(
            "SELECT key, state, outcome FROM \"change\" WHERE tenant = $tenant AND key IN (${}) ORDER BY key",
            names.join(", $")
        );
        let given = names
            .iter()
            .zip(keys)
            .map(|(name, key)| (name.as_str(), Value::from(*key)));
        for row in tx.query(&sql, &given.collect::<Vec<_>>())? {
            found.insert(row.text("key")?, (row.text("state")?, row.opt_text("outcome")?));
        }
    }
    Ok(found)
}

/// The titles of changes, by their keys; a change that there is not is left out.
pub fn titles_of_keys(tx: &mut Tx<'_>, keys: &[&str]) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for keys in keys.chunks(AT_ONCE) {
        let names: Vec<String> = (0..keys.len()).map(|place| format!("key{place}")).collect();
        let sql = format!(
            "SELECT key, title FROM \"change\" WHERE tenant = $tenant AND key IN (${}) ORDER BY key",
            names.join(", $")
        );
        let given = names
            .iter()
            .zip(keys)
            .map(|(name, key)| (name.as_str(), Value::from(*key)));
        for row in tx.query(&sql, &given.collect::<Vec<_>>())? {
            found.insert(row.text("key")?, row.text("title")?);
        }
    }
    Ok(found)
}

/// How many changes each state has.
pub fn count_by_state(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    tx.query(
        "SELECT state, count(*) AS it FROM \"change\" WHERE tenant = $tenant GROUP BY state ORDER BY state",
        &[],
    )?
    .iter()
    .map(|row| Ok((row.text("state")?, row.int("it")?)))
    .collect()
}

/// Every service and environment that some target names.
pub fn places(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>> {
    tx.query(
        "SELECT DISTINCT service, environment FROM change_target WHERE tenant = $tenant ORDER BY service, environment",
        &[],
    )?
    .iter()
    .map(|row| Ok((row.text("service")?, row.text("environment")?)))
    .collect()
}

/// The targets of a change.
pub fn targets_of(tx: &mut Tx<'_>, change_id: &str) -> Result<Vec<TargetRow>> {
    tx.query(
        "SELECT change_id, target_id, service, environment, artifact, commit_sha, rollback_to, state
         FROM change_target WHERE tenant = $tenant AND change_id = $change_id ORDER BY target_id",
        &[("change_id", change_id.into())],
    )?
    .iter()
    .map(target_row)
    .collect()
}

/// The targets of some changes, by the changes' ids; a change without one is left out.
pub fn targets_of_all(tx: &mut Tx<'_>, change_ids: &[&str]) -> Result<BTreeMap<String, Vec<TargetRow>>> {
    let names: Vec<String> = (0..AT_ONCE).map(|place| format!("id{place}")).collect();
    let sql = format!(
        "SELECT change_id, target_id, service, environment, artifact, commit_sha, rollback_to, state
         FROM change_target WHERE tenant = $tenant AND change_id IN (${}) ORDER BY change_id, target_id",
        names.join(", $")
    );
    let mut found: BTreeMap<String, Vec<TargetRow>> = BTreeMap::new();
    for ids in change_ids.chunks(AT_ONCE) {
        // The last id fills the remaining places, so that there is one statement whatever the number.
        let given = names.iter().enumerate().filter_map(|(place, name)| {
            let id = ids.get(place).or_else(|| ids.last())?;
            Some((name.as_str(), Value::from(*id)))
        });
        for row in tx.query(&sql, &given.collect::<Vec<_>>())? {
            let target = target_row(&row)?;
            found.entry(target.change_id.clone()).or_default().push(target);
        }
    }
    Ok(found)
}

/// Whether each target row of a change carries its number.
pub fn are_numbered(tx: &mut Tx<'_>, change_id: &str, number: i64) -> Result<bool> {
    let other = tx.query(
        "SELECT target_id FROM change_target WHERE tenant = $tenant AND change_id = $change_id AND number <> $number
         ORDER BY target_id LIMIT 1",
        &[("change_id", change_id.into()), ("number", number.into())],
    )?;
    Ok(other.is_empty())
}

/// Targets of changes in a service and environment with one of the given artifacts, commits or rollback artifacts.
pub fn targets_for(
    tx: &mut Tx<'_>,
    service: &str,
    environment: &str,
    artifact: Option<&str>,
    commit: Option<&str>,
) -> Result<Vec<TargetRow>> {
    // One arm for each index: joined by OR they would be one scan of all targets of the place, and sorting or comparing their
    // results would have the same effect, because the table's key is in that order.
    const ARM: &str = "SELECT change_id, target_id, service, environment, artifact, commit_sha, rollback_to, state
         FROM change_target WHERE tenant = $tenant AND service = $service AND environment = $environment";
    let sql = format!(
        "{ARM} AND artifact = $artifact UNION ALL {ARM} AND commit_sha = $commit UNION ALL {ARM} AND rollback_to = $artifact"
    );
    let found = tx.query(
        &sql,
        &[
            ("service", service.into()),
            ("environment", environment.into()),
            ("artifact", artifact.into()),
            ("commit", commit.into()),
        ],
    )?;
    let mut rows: Vec<TargetRow> = found.iter().map(target_row).collect::<Result<_>>()?;
    rows.sort_by(|one, other| (&one.change_id, &one.target_id).cmp(&(&other.change_id, &other.target_id)));
    rows.dedup();
    Ok(rows)
}

/// The targets of rejected changes in a service and environment: few changes are rejected. Both indexes have the number, so that
/// no row of another place is read; in two statements, because PostgreSQL would begin one with the place.
pub fn rejected_in(tx: &mut Tx<'_>, service: &str, environment: &str) -> Result<Vec<TargetRow>> {
    let rejected = tx.query(
        "SELECT number FROM \"change\" WHERE tenant = $tenant AND state = 'rejected' ORDER BY number",
        &[],
    )?;
    let rejected: Vec<i64> = rejected.iter().map(|row| row.int("number")).collect::<Result<_>>()?;
    let mut found = Vec::new();
    for numbers in rejected.chunks(AT_ONCE) {
        // A few statements of different lengths: PostgreSQL takes many numbers for a reason to read the whole place. The last
        // number fills the remaining places.
        let names: Vec<String> = (0..numbers.len().next_power_of_two())
            .map(|place| format!("number{place}"))
            .collect();
        let sql = format!(
            "SELECT change_id, target_id, service, environment, artifact, commit_sha, rollback_to, state FROM change_target
             WHERE tenant = $tenant AND service = $service AND environment = $environment AND number IN (${})
             ORDER BY number, change_id, target_id",
            names.join(", $")
        );
        let mut given = vec![("service", service.into()), ("environment", environment.into())];
        given.extend(names.iter().enumerate().filter_map(|(place, name)| {
            let number = numbers.get(place).or_else(|| numbers.last())?;
            Some((name.as_str(), Value::from(*number)))
        }));
        for row in tx.query(&sql, &given)? {
            found.push(target_row(&row)?);
        }
    }
    found.sort_by(|one: &TargetRow, other| (&one.change_id, &one.target_id).cmp(&(&other.change_id, &other.target_id)));
    Ok(found)
}

/// Whether the outcome of a closed change is known in a service and environment: something of it was implemented there.
pub fn has_outcome(tx: &mut Tx<'_>, service: &str, environment: &str) -> Result<bool> {
    let found = tx.query(
        "SELECT t.change_id FROM change_target t CROSS JOIN \"change\" c
         WHERE t.tenant = $tenant AND t.service = $service AND t.environment = $environment
            AND t.state NOT IN ('open', 'not_implemented')
            AND c.tenant = $tenant AND c.id = t.change_id AND c.state = 'closed'
         ORDER BY t.number LIMIT 1",
        &[("service", service.into()), ("environment", environment.into())],
    )?;
    Ok(!found.is_empty())
}

/// The ids of the open changes with a target in a service, in the order of their numbers.
pub fn open_in(tx: &mut Tx<'_>, service: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT id FROM \"change\" c WHERE c.tenant = $tenant AND c.state IN ({}) AND EXISTS (SELECT 1 FROM change_target t
            WHERE t.tenant = $tenant AND t.change_id = c.id AND t.service = $service) ORDER BY c.number",
        open_states()
    );
    let found = tx.query(&sql, &[("service", service.into())])?;
    found.iter().map(|row| row.text("id")).collect()
}

/// The open states, as a list in a statement.
pub(crate) fn open_states() -> String {
    let open = State::ALL.iter().filter(|state| state.is_open());
    let states: Vec<String> = open.map(|state| format!("'{}'", state.as_str())).collect();
    states.join(", ")
}

fn target_row(row: &Row) -> Result<TargetRow> {
    Ok(TargetRow {
        change_id: row.text("change_id")?,
        target_id: row.text("target_id")?,
        service: row.text("service")?,
        environment: row.text("environment")?,
        artifact: row.opt_text("artifact")?,
        commit: row.opt_text("commit_sha")?,
        rollback_to: row.opt_text("rollback_to")?,
        state: row.text("state")?,
    })
}

/// The rows that a change's targets should have, for saving and for replay.
#[must_use]
pub fn target_rows(change: &Change) -> Vec<TargetRow> {
    let mut rows: Vec<TargetRow> = change
        .content
        .targets
        .iter()
        .map(|target| TargetRow {
            change_id: change.id.0.clone(),
            target_id: target.id.0.clone(),
            service: target.service.0.clone(),
            environment: target.environment.0.clone(),
            artifact: target.artifact.clone(),
            commit: target.commit.clone(),
            rollback_to: target.rollback_to.clone(),
            state: target_state(change, target),
        })
        .collect();
    rows.sort_by(|left, right| left.target_id.cmp(&right.target_id));
    rows
}

fn target_state(change: &Change, target: &Target) -> String {
    change
        .target_record(&target.id)
        .and_then(|record| record.outcome)
        .map_or("open", |outcome| outcome.as_str())
        .to_owned()
}

/// Rewrites the targets' rows that differ. Of many targets one moves at a time.
pub(crate) fn save_targets(tx: &mut Tx<'_>, change: &Change, is_new: bool) -> Result<()> {
    let mut wanted: BTreeMap<String, TargetRow> = target_rows(change)
        .into_iter()
        .map(|row| (row.target_id.clone(), row))
        .collect();
    let id = change.id.as_str();
    let present = if is_new { Vec::new() } else { targets_of(tx, id)? };
    for row in present {
        if wanted.get(&row.target_id) == Some(&row) {
            wanted.remove(&row.target_id);
            continue;
        }
        tx.execute(
            "DELETE FROM change_target WHERE tenant = $tenant AND change_id = $change_id AND target_id = $target_id",
            &[("change_id", id.into()), ("target_id", row.target_id.into())],
        )?;
    }
    for row in wanted.into_values() {
        tx.execute(
            "INSERT INTO change_target (tenant, change_id, target_id, number, service, environment, artifact,
                commit_sha, rollback_to, state)
             VALUES ($tenant, $change_id, $target_id, $number, $service, $environment, $artifact,
                $commit_sha, $rollback_to, $state)",
            &[
                ("change_id", row.change_id.into()),
                ("target_id", row.target_id.into()),
                ("number", change.number.into()),
                ("service", row.service.into()),
                ("environment", row.environment.into()),
                ("artifact", row.artifact.into()),
                ("commit_sha", row.commit.into()),
                ("rollback_to", row.rollback_to.into()),
                ("state", row.state.into()),
            ],
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
