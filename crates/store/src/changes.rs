//! Lists of changes, and the targets by which changes are found.

use jiff::Timestamp;
use model::change::{Change, Target};

use crate::error::Result;
use crate::search;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// Which changes to list; what is absent does not matter. Times are `[from, to)`.
#[derive(Debug, Clone, Default)]
pub struct ChangeFilter {
    /// States; empty means all.
    pub states: Vec<String>,
    /// `normal`, `standard` or `emergency`.
    pub kind: Option<String>,
    /// A service of one of the targets.
    pub service: Option<String>,
    /// An environment of one of the targets; with a service, of the same target.
    pub environment: Option<String>,
    /// The level of risk.
    pub risk: Option<String>,
    /// The owner's id.
    pub owner: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The requester's id.
    pub requester: Option<String>,
    /// Words to find.
    pub q: Option<String>,
    /// Planned to start at or after.
    pub planned_from: Option<Timestamp>,
    /// Planned to start before.
    pub planned_to: Option<Timestamp>,
    /// Created at or after.
    pub created_from: Option<Timestamp>,
    /// Created before.
    pub created_to: Option<Timestamp>,
}

/// A change in a list, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// The record's id.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// `CHG-1042`.
    pub key: String,
    /// The number in the key, which lists are ordered by.
    pub number: i64,
    /// In one line.
    pub title: String,
    /// Where it stands.
    pub state: String,
    /// How it is governed.
    pub kind: String,
    /// The level of risk.
    pub risk: String,
    /// Whether it is paused.
    pub on_hold: bool,
    /// Whether it is late normal work.
    pub expedited: bool,
    /// Who asked for it.
    pub requester: String,
    /// Who answers for it.
    pub owner: String,
    /// The team.
    pub team: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The planned start.
    pub planned_start: Option<Timestamp>,
    /// The planned end.
    pub planned_end: Option<Timestamp>,
}

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
    /// What is deployed.
    pub artifact: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// What runs again after a rollback.
    pub rollback_to: Option<String>,
    /// `open`, or its outcome.
    pub state: String,
}

/// Changes with the newest number first; `after` is the number of the last one seen.
pub fn list_changes(tx: &mut Tx<'_>, filter: &ChangeFilter, limit: i64, after: Option<i64>) -> Result<Vec<ChangeRow>> {
    let rare = match &filter.q {
        Some(question) => search::rare_word(tx, "change", question)?,
        None => None,
    };
    let (sql, params) = list_sql(filter, rare, limit, after);
    let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    tx.query(&sql, &params)?.iter().map(change_row).collect()
}

/// The statement of a list, so that a test can look at its plan; `rare` is the place of the question's word that few
/// changes have, if there is one.
pub(crate) fn list_sql(
    filter: &ChangeFilter,
    rare: Option<usize>,
    limit: i64,
    after: Option<i64>,
) -> (String, Vec<(String, Value)>) {
    let mut list = Conditions::default();
    list.texts("state", &filter.states);
    for (column, value) in [
        ("kind", &filter.kind),
        ("risk", &filter.risk),
        ("owner", &filter.owner),
        ("team", &filter.team),
        ("requester", &filter.requester),
    ] {
        list.compare(column, "=", value.as_deref());
    }
    list.compare("planned_start", ">=", filter.planned_from);
    list.compare("planned_start", "<", filter.planned_to);
    list.compare("created_at", ">=", filter.created_from);
    list.compare("created_at", "<", filter.created_to);
    list.compare("number", "<", after);
    list.targets(filter);
    if let Some(question) = &filter.q {
        list.words(question, rare);
    }
    list.params.push(("limit".to_owned(), limit.into()));
    let sql = format!(
        "SELECT id, version, key, number, title, state, kind, risk, on_hold, expedited, requester, owner, team,
            created_at, updated_at, planned_start, planned_end
         FROM \"change\" WHERE tenant = $tenant{} ORDER BY number DESC LIMIT $limit",
        list.sql
    );
    (sql, list.params)
}

#[derive(Default)]
struct Conditions {
    sql: String,
    params: Vec<(String, Value)>,
}

impl Conditions {
    fn compare<V: Into<Value>>(&mut self, column: &str, sign: &str, value: Option<V>) {
        let Some(value) = value else { return };
        let name = format!("f{}", self.params.len());
        self.sql.push_str(&format!(" AND {column} {sign} ${name}"));
        self.params.push((name, value.into()));
    }

    fn texts(&mut self, column: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        let places: Vec<String> = values
            .iter()
            .map(|value| {
                let name = format!("f{}", self.params.len());
                let place = format!("${name}");
                self.params.push((name, value.into()));
                place
            })
            .collect();
        self.sql.push_str(&format!(" AND {column} IN ({})", places.join(", ")));
    }

    fn targets(&mut self, filter: &ChangeFilter) {
        if filter.service.is_none() && filter.environment.is_none() {
            return;
        }
        self.sql
            .push_str(" AND id IN (SELECT change_id FROM change_target WHERE tenant = $tenant");
        self.compare("service", "=", filter.service.as_deref());
        self.compare("environment", "=", filter.environment.as_deref());
        self.sql.push(')');
    }

    fn words(&mut self, question: &str, rare: Option<usize>) {
        let Some((condition, params)) = search::condition("\"change\".id", question, rare) else {
            self.sql.push_str(" AND 1 = 0");
            return;
        };
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition);
        self.params.extend(params);
        self.params.push(("table".to_owned(), "change".into()));
    }
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

/// How many changes stand in each state.
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

/// Whether each target row of a change carries its number.
pub fn are_numbered(tx: &mut Tx<'_>, change_id: &str, number: i64) -> Result<bool> {
    let other = tx.query(
        "SELECT target_id FROM change_target WHERE tenant = $tenant AND change_id = $change_id AND number <> $number
         ORDER BY target_id LIMIT 1",
        &[("change_id", change_id.into()), ("number", number.into())],
    )?;
    Ok(other.is_empty())
}

/// Targets of changes in a service and environment whose artifact, commit or way back is one of those given.
pub fn targets_for(
    tx: &mut Tx<'_>,
    service: &str,
    environment: &str,
    artifact: Option<&str>,
    commit: Option<&str>,
) -> Result<Vec<TargetRow>> {
    // One arm for each index: joined by OR they would be one walk through all targets of the place, and so they would be
    // if the engine were to sort or to compare what they give, as the key of the table is in that order.
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

/// Rewrites the targets' rows where they differ.
pub(crate) fn save_targets(tx: &mut Tx<'_>, change: &Change, is_new: bool) -> Result<()> {
    let wanted = target_rows(change);
    let id = change.id.as_str();
    if !is_new {
        if targets_of(tx, id)? == wanted {
            return Ok(());
        }
        tx.execute(
            "DELETE FROM change_target WHERE tenant = $tenant AND change_id = $change_id",
            &[("change_id", id.into())],
        )?;
    }
    for row in wanted {
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
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::{Config, Error, Lane, Mode, Store};

    /// Sets one part of a filter to the given text or time.
    type Part = fn(&mut ChangeFilter, Option<String>, Option<Timestamp>);

    fn plan(store: &Store, filter: &ChangeFilter, rare: Option<usize>) -> String {
        let (sql, params) = list_sql(filter, rare, 20, Some(1_000));
        store
            .wait(Lane::Pages, "acme", Mode::Read, move |tx| {
                let params: Vec<(&str, Value)> = params.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
                let rows = tx.query(&format!("EXPLAIN QUERY PLAN {sql}"), &params)?;
                let lines = rows.iter().map(|row| row.text("detail"));
                Ok::<_, Error>(lines.collect::<Result<Vec<_>>>()?.join("\n"))
            })
            .unwrap()
    }

    /// Every combination of up to three filters is answered from indexes, and the usual ones in their order.
    #[test]
    fn no_list_reads_a_whole_table() {
        let name = format!("assent-plans-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
        let some = || Some("x".to_owned());
        let time = Some(Timestamp::UNIX_EPOCH);
        let parts: [Part; 11] = [
            |it, text, _| it.states = text.into_iter().collect(),
            |it, text, _| it.kind = text,
            |it, text, _| it.service = text,
            |it, text, _| it.environment = text,
            |it, text, _| it.risk = text,
            |it, text, _| it.owner = text,
            |it, text, _| it.team = text,
            |it, text, _| it.requester = text,
            |it, text, _| it.q = text,
            |it, _, time| it.planned_from = time,
            |it, _, time| it.created_to = time,
        ];
        for (first, one) in parts.iter().enumerate() {
            for (second, two) in parts.iter().enumerate() {
                for three in &parts {
                    let mut filter = ChangeFilter::default();
                    for set in [one, two, three] {
                        set(&mut filter, some(), time);
                    }
                    for rare in [None, Some(0)] {
                        let plan = plan(&store, &filter, rare);
                        assert!(!plan.contains("SCAN "), "{filter:?}\n{plan}");
                        let by_column = first == second && [0, 1, 4, 5, 6, 7].contains(&first);
                        let by_common_word = first == second && first == 8 && rare.is_none();
                        if (by_column || by_common_word) && std::ptr::eq(two, three) {
                            assert!(!plan.contains("TEMP B-TREE"), "{filter:?}\n{plan}");
                        }
                    }
                }
            }
        }
        let plain = plan(&store, &ChangeFilter::default(), None);
        assert!(!plain.contains("SCAN ") && !plain.contains("TEMP"), "{plain}");
        store.close();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
