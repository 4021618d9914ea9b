//! Lists of changes, and the targets by which changes are found.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::change::record::{Change, Target};
use model::core::enums::State;

use crate::change::change_order::Stretch;
use crate::error::Result;
use crate::search;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// How many changes' targets are looked up at once.
const AT_ONCE: usize = 50;
/// The state in which almost all changes are.
const CLOSED: &str = "closed";

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
    /// The artifact of one of the targets; with a service or an environment, of the same target.
    pub artifact: Option<String>,
    /// The commit of one of the targets, or how it begins.
    pub commit: Option<String>,
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
    let few = Few::of(tx, filter)?;
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

/// How many changes were written in a span of time, and what became of them.
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

/// Counts the changes that were written in `[from, to)`. An index holds all that it looks at.
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

/// What of a filter few changes have. Those are gathered and sorted; of what many have, the newest are found by walking
/// through the changes in the order of the list and asking each one, which soon comes to an end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Few {
    /// All that is asked for is common.
    #[default]
    Nothing,
    /// Few have the word at this place in the question.
    Word(usize),
    /// Few targets are of the service and environment, the artifact and the commit.
    Place,
    /// Few have what this part of the filter asks for; a list in the order of numbers does not ask, as its indexes are
    /// in that order.
    Plain(Part),
}

impl Few {
    pub(crate) fn of(tx: &mut Tx<'_>, filter: &ChangeFilter) -> Result<Self> {
        if let Some(question) = &filter.q
            && let Some(at) = search::rare_word(tx, "change", question)?
        {
            return Ok(Self::Word(at));
        }
        let mut place = Conditions::default();
        if !place.place("", filter) {
            return Ok(Self::Nothing);
        }
        let is_rare = is_rare(tx, "change_target", place)?;
        Ok(if is_rare { Self::Place } else { Self::Nothing })
    }

    /// The same for a list in another order than that of numbers.
    pub(crate) fn sorted(tx: &mut Tx<'_>, filter: &ChangeFilter) -> Result<Self> {
        let few = Self::of(tx, filter)?;
        if few != Self::Nothing {
            return Ok(few);
        }
        for part in Part::ALL {
            let mut alone = Conditions::looked_up_by(part);
            alone.part(filter, part);
            if !alone.sql.is_empty() && is_rare(tx, "\"change\"", alone)? {
                return Ok(Self::Plain(part));
            }
        }
        Ok(Self::Nothing)
    }
}

/// Whether few rows of a table fulfil some conditions.
fn is_rare(tx: &mut Tx<'_>, table: &str, mut asked: Conditions) -> Result<bool> {
    let sql = format!(
        "SELECT count(*) AS it FROM (SELECT 1 AS one FROM {table} WHERE tenant = $tenant{} LIMIT $most) AS found",
        asked.sql
    );
    asked.params.push(("most".to_owned(), search::RARE.into()));
    let count = tx
        .query_one(&sql, &named(&asked.params))?
        .map_or(Ok(0), |row| row.int("it"))?;
    Ok(count < search::RARE)
}

/// A part of a filter that speaks of columns of the change itself. Those that few changes share stand first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Requester,
    Owner,
    Team,
    State,
    Planned,
    Created,
    Kind,
    Risk,
}

impl Part {
    pub(crate) const ALL: [Self; 8] = [
        Self::Requester,
        Self::Owner,
        Self::Team,
        Self::State,
        Self::Planned,
        Self::Created,
        Self::Kind,
        Self::Risk,
    ];
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
            created_at, updated_at, planned_start, planned_end
         FROM {gathered}\"change\" WHERE \"change\".tenant = $tenant{} ORDER BY {} LIMIT $limit",
        list.sql,
        stretch.order(!matches!(few, Few::Plain(_)))
    );
    (sql, list.params)
}

/// Which conditions an engine may look up in an index. The others are written so that it cannot, or it would gather and
/// sort what nearly all changes have rather than walk in the order of the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Bare {
    #[default]
    All,
    Only(Part),
    None,
}

#[derive(Default)]
pub(crate) struct Conditions {
    /// Each begins with ` AND `.
    pub(crate) sql: String,
    pub(crate) params: Vec<(String, Value)>,
    bare: Bare,
}

/// Parameters as a statement takes them.
pub(crate) fn named(params: &[(String, Value)]) -> Vec<(&str, Value)> {
    params
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect()
}

impl Conditions {
    /// Conditions of which one part alone is looked up in an index.
    pub(crate) fn looked_up_by(part: Part) -> Self {
        Self {
            bare: Bare::Only(part),
            ..Self::default()
        }
    }

    pub(crate) fn compare<V: Into<Value>>(&mut self, column: &str, sign: &str, value: Option<V>) {
        let Some(value) = value else { return };
        let name = format!("f{}", self.params.len());
        self.sql.push_str(&format!(" AND {column} {sign} ${name}"));
        self.params.push((name, value.into()));
    }

    /// What one part of the filter asks for; nothing where it does not.
    pub(crate) fn part(&mut self, filter: &ChangeFilter, part: Part) {
        let is_bare = match self.bare {
            Bare::All => true,
            Bare::Only(one) => one == part,
            Bare::None => false,
        };
        let text = |column: &str| {
            if is_bare {
                column.to_owned()
            } else {
                format!("{column} || ''")
            }
        };
        let time = |column: &str| {
            if is_bare {
                column.to_owned()
            } else {
                format!("{column} + 0")
            }
        };
        match part {
            Part::State => self.states(&filter.states, is_bare),
            Part::Kind => self.compare(&text("kind"), "=", filter.kind.as_deref()),
            Part::Risk => self.compare(&text("risk"), "=", filter.risk.as_deref()),
            Part::Owner => self.compare(&text("owner"), "=", filter.owner.as_deref()),
            Part::Team => self.compare(&text("team"), "=", filter.team.as_deref()),
            Part::Requester => self.compare(&text("requester"), "=", filter.requester.as_deref()),
            Part::Planned => {
                self.compare(&time("planned_start"), ">=", filter.planned_from);
                self.compare(&time("planned_start"), "<", filter.planned_to);
            }
            Part::Created => {
                self.compare(&time("created_at"), ">=", filter.created_from);
                self.compare(&time("created_at"), "<", filter.created_to);
            }
        }
    }

    /// Almost all changes end as closed ones: where those are asked for beside others, looking all of them up to sort them
    /// costs more than walking from the newest on until the page is full.
    fn states(&mut self, values: &[String], is_bare: bool) {
        if values.is_empty() {
            return;
        }
        let walks = self.bare == Bare::All && values.len() > 1 && values.iter().any(|state| state == CLOSED);
        let column = if walks || !is_bare { "state || ''" } else { "state" };
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

    /// What is asked of one target, whose columns begin with `of`; whether anything is.
    fn place(&mut self, of: &str, filter: &ChangeFilter) -> bool {
        let before = self.params.len();
        self.compare(&format!("{of}service"), "=", filter.service.as_deref());
        self.compare(&format!("{of}environment"), "=", filter.environment.as_deref());
        self.compare(&format!("{of}artifact"), "=", filter.artifact.as_deref());
        // People know a commit by how it begins. After its last digit comes a letter that is none.
        let commit = filter.commit.as_deref();
        self.compare(&format!("{of}commit_sha"), ">=", commit);
        self.compare(&format!("{of}commit_sha"), "<", commit.map(|begin| format!("{begin}g")));
        self.params.len() > before
    }

    /// What is asked of the targets and the words of a change, but for what is gathered.
    pub(crate) fn of_others(&mut self, filter: &ChangeFilter, few: Few) {
        if few != Few::Place {
            self.targets(filter);
        }
        if let Some(question) = &filter.q {
            self.words(question, few);
        }
    }

    /// The statement that gathers what few changes have, written before the table of changes; conditions hold for the rest.
    pub(crate) fn gathered(&mut self, filter: &ChangeFilter, few: Few) -> String {
        let gathering = match (few, &filter.q) {
            (Few::Word(at), Some(question)) => search::gathering(question, at),
            (Few::Place, _) => Some(gathering_targets(filter)),
            _ => None,
        };
        let Some((sql, params)) = gathering else {
            return String::new();
        };
        self.params.extend(params);
        self.sql.push_str(" AND \"change\".id = few.id");
        // Both engines may turn a join around, but SQLite turns none that is written so; it knows no numbers of rows.
        format!("({sql}) AS few CROSS JOIN ")
    }

    fn targets(&mut self, filter: &ChangeFilter) {
        let mut asked = Self {
            params: std::mem::take(&mut self.params),
            ..Self::default()
        };
        let is_asked = asked.place("place.", filter);
        self.params = asked.params;
        if !is_asked {
            return;
        }
        // Where an index begins with the place, the number is its end; else the key of the table finds the targets.
        let each = match filter.environment {
            Some(_) => format!("place.number = \"change\".number{}", asked.sql),
            None => {
                let asked = asked.sql.replace("place.service", "place.service || ''");
                format!("place.change_id = \"change\".id{asked}")
            }
        };
        let exists =
            format!(" AND EXISTS (SELECT 1 FROM change_target AS place WHERE place.tenant = $tenant AND {each})");
        self.sql.push_str(&exists);
    }

    fn words(&mut self, question: &str, few: Few) {
        let gathered = match few {
            Few::Word(at) => Some(at),
            _ => None,
        };
        let Some((condition, params)) = search::condition("\"change\".id", question, gathered) else {
            self.sql.push_str(" AND 1 = 0");
            return;
        };
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition);
        self.params.extend(params);
        self.params.push(("table".to_owned(), "change".into()));
    }
}

/// The statement that gathers, as `id`, the changes with a target of the service and environment, the artifact and the commit.
fn gathering_targets(filter: &ChangeFilter) -> (String, Vec<(String, Value)>) {
    let mut place = Conditions::default();
    place.place("", filter);
    // The names of parameters differ from those of the list's own conditions.
    let (mut sql, mut params) = (place.sql, Vec::new());
    for (at, (name, value)) in place.params.into_iter().enumerate() {
        sql = sql.replace(&format!("${name}"), &format!("$place{at}"));
        params.push((format!("place{at}"), value));
    }
    let sql = format!("SELECT DISTINCT change_id AS id FROM change_target WHERE tenant = $tenant{sql}");
    (sql, params)
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
        // The last id fills up what is left, so that there is one statement whatever the number.
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
mod tests;
