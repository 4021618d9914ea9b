//! Queries for lists of changes: a filter, its conditions as SQL, and the returned row.

use jiff::Timestamp;

use crate::error::Result;
use crate::search;
use crate::tx::Tx;
use crate::value::Value;

/// The state in which almost all changes are.
const CLOSED: &str = "closed";

/// The changes to list; absent fields match all. Times are `[from, to)`.
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
    /// Outcomes of the whole change (`failed`, `rolled_back` …); empty means all.
    pub outcomes: Vec<String>,
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
    /// With an outcome, and ended at or after.
    pub ended_from: Option<Timestamp>,
    /// With an outcome, and ended before.
    pub ended_to: Option<Timestamp>,
    /// Planned to end at or before.
    pub overdue_at: Option<Timestamp>,
    /// Only changes that declare a planned undo.
    pub has_undo: bool,
    /// The services of which each target is one, and there is a target; `None` for all.
    pub within: Option<Vec<String>>,
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
    /// The requester.
    pub requester: String,
    /// The owner.
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
    /// The outcome of the whole.
    pub outcome: Option<String>,
}

/// The part of a filter that few changes match. Those are collected and sorted; for a frequent value, the newest are found by
/// scanning the changes in the order of the list, which soon ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Few {
    /// All conditions are frequent.
    #[default]
    Nothing,
    /// The term at this position of the query is rare.
    Word(usize),
    /// Few targets are of the service and environment, the artifact and the commit.
    Place,
    /// This part of the filter is rare. A list in the order of numbers has a condition only on several outcomes, as the index
    /// of each other part is in that order.
    Plain(Part),
}

impl Few {
    pub(crate) fn of(tx: &mut Tx<'_>, filter: &ChangeFilter) -> Result<Self> {
        if let Some(question) = &filter.q
            && let Some(at) = search::rare_term(tx, "change", question)?
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

    /// The same for a list in the order of numbers.
    pub(crate) fn by_number(tx: &mut Tx<'_>, filter: &ChangeFilter) -> Result<Self> {
        let few = Self::of(tx, filter)?;
        if few != Self::Nothing || filter.outcomes.len() < 2 {
            return Ok(few);
        }
        let mut alone = Conditions::looked_up_by(Part::Outcome);
        alone.part(filter, Part::Outcome);
        let is_rare = is_rare(tx, "\"change\"", alone)?;
        Ok(if is_rare { Self::Plain(Part::Outcome) } else { few })
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

/// A part of a filter on columns of the change itself. Rare ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Requester,
    Owner,
    Team,
    Outcome,
    State,
    Planned,
    Created,
    Kind,
    Risk,
}

impl Part {
    pub(crate) const ALL: [Self; 9] = [
        Self::Requester,
        Self::Owner,
        Self::Team,
        Self::Outcome,
        Self::State,
        Self::Planned,
        Self::Created,
        Self::Kind,
        Self::Risk,
    ];
}

/// Which conditions an engine may look up in an index. The others are written so that no index applies, or the engine would
/// collect and sort frequent values rather than scan in the order of the list.
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
    pub(crate) bare: Bare,
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

    /// The condition of one part of the filter; nothing where the part is empty.
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
            Part::Outcome => self.outcomes(&filter.outcomes, is_bare),
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

    /// Almost all changes end as closed ones: if those are requested beside others, looking all of them up and sorting costs
    /// more than scanning from the newest on until the page is full.
    fn states(&mut self, values: &[String], is_bare: bool) {
        if values.is_empty() {
            return;
        }
        let walks = self.bare == Bare::All && values.len() > 1 && values.iter().any(|state| state == CLOSED);
        let column = if walks || !is_bare { "state || ''" } else { "state" };
        let places = self.places(values);
        self.sql.push_str(&format!(" AND {column} IN ({places})"));
    }

    /// Of several outcomes, an index's rows have to be sorted: unless few changes have them, scanning in the order of the list
    /// costs less.
    fn outcomes(&mut self, values: &[String], is_bare: bool) {
        if values.is_empty() {
            return;
        }
        let walks = self.bare == Bare::All && values.len() > 1;
        let column = if walks || !is_bare { "outcome || ''" } else { "outcome" };
        let places = self.places(values);
        self.sql.push_str(&format!(" AND {column} IN ({places})"));
    }

    /// When changes ended is in their rows for figures.
    fn ended(&mut self, filter: &ChangeFilter) {
        let mut asked = Self {
            params: std::mem::take(&mut self.params),
            ..Self::default()
        };
        asked.compare("ended_at", ">=", filter.ended_from);
        asked.compare("ended_at", "<", filter.ended_to);
        self.params = asked.params;
        if !asked.sql.is_empty() {
            self.sql.push_str(&format!(
                " AND \"change\".id IN (SELECT change_id FROM change_outcome WHERE tenant = $tenant{})",
                asked.sql
            ));
        }
    }

    /// The condition on one target, whose columns begin with `of`; returns whether there is any.
    fn place(&mut self, of: &str, filter: &ChangeFilter) -> bool {
        let before = self.params.len();
        self.compare(&format!("{of}service"), "=", filter.service.as_deref());
        self.compare(&format!("{of}environment"), "=", filter.environment.as_deref());
        self.compare(&format!("{of}artifact"), "=", filter.artifact.as_deref());
        // People know a commit by its first digits. The end of the range is after the last hexadecimal digit.
        let commit = filter.commit.as_deref();
        self.compare(&format!("{of}commit_sha"), ">=", commit);
        self.compare(&format!("{of}commit_sha"), "<", commit.map(|begin| format!("{begin}g")));
        self.params.len() > before
    }

    /// Binds values, and returns their parameters as a list: `$f0, $f1`.
    fn places(&mut self, values: &[String]) -> String {
        let place = |value: &String| {
            let name = format!("f{}", self.params.len());
            let place = format!("${name}");
            self.params.push((name, value.into()));
            place
        };
        values.iter().map(place).collect::<Vec<_>>().join(", ")
    }

    /// The conditions on the targets and the terms of a change, except for the collected ones.
    pub(crate) fn of_others(&mut self, filter: &ChangeFilter, few: Few) {
        if few != Few::Place {
            self.targets(filter);
        }
        self.ended(filter);
        self.compare("planned_end", "<=", filter.overdue_at);
        self.compare("planned_undo", "=", filter.has_undo.then_some("declared"));
        if let Some(services) = &filter.within {
            self.within(services);
        }
        if let Some(question) = &filter.q {
            self.words(question, few);
        }
    }

    /// The statement that collects rare rows, written before the table of changes; conditions hold for the rest.
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
        // Where an index begins with the place, the number is its end; else the key of the table finds the targets, and no index of a
        // column of which a thousand others have the same value.
        let each = match filter.environment {
            Some(_) => format!("place.number = \"change\".number{}", asked.sql),
            None => {
                let column = |sql: String, name: &str| sql.replace(name, &format!("{name} || ''"));
                let asked = ["place.service", "place.artifact", "place.commit_sha"]
                    .into_iter()
                    .fold(asked.sql, column);
                format!("place.change_id = \"change\".id{asked}")
            }
        };
        let exists =
            format!(" AND EXISTS (SELECT 1 FROM change_target AS place WHERE place.tenant = $tenant AND {each})");
        self.sql.push_str(&exists);
    }

    /// Changes with targets of these services alone.
    fn within(&mut self, services: &[String]) {
        const OF_CHANGE: &str = "place.tenant = $tenant AND place.change_id = \"change\".id";
        if services.is_empty() {
            self.sql.push_str(" AND 1 = 0");
            return;
        }
        let places = self.places(services);
        self.sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM change_target AS place WHERE {OF_CHANGE}) AND NOT EXISTS (SELECT 1 FROM change_target AS \
             place WHERE {OF_CHANGE} AND place.service NOT IN ({places}))"
        ));
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
