//! The two engines behind one enum. No other code depends on the engine, except `search.rs` and the opening.

mod postgres;
mod sqlite;
mod statistics;

pub(crate) use self::postgres::{Address, Analysis, PostgresConnection, hosts, quoted};
pub(crate) use self::sqlite::SqliteConnection;

use crate::error::{Error, Result};
use crate::moment::Moment;
use crate::sql::{self, Given, Statement};
use crate::value::{Row, Value};

/// The name of the parameter that a tenant's transaction binds by itself.
pub(crate) const TENANT: &str = "tenant";

/// The log target of statements, each once a connection, at the level `trace`: the text, never the values.
pub(crate) const STATEMENTS_LOG: &str = "assent_statements";

/// One open connection. The connection stays on one thread for its whole life.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PostgresConnection),
}

/// The reach of a transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach<'a> {
    /// One tenant, whose id binds to `$tenant`.
    Tenant(&'a str),
    /// All tenants; `$tenant` is refused.
    Across,
}

/// A statement's values in the order of its names.
pub(crate) struct Bound<'a> {
    pub(crate) statement: &'a Statement,
    pub(crate) values: Vec<&'a Value>,
}

impl Connection {
    pub(crate) fn query(&mut self, text: &str, values: &[(&str, Value)], reach: Reach<'_>) -> Result<Vec<Row>> {
        let tenant = tenant_value(reach);
        match self {
            Self::Sqlite(it) => {
                let known = it.known(text)?;
                it.query(text, &known, &bind(&known.statement, values, tenant.as_ref())?)
            }
            Self::Postgres(it) => it.query(&bind(&sql::parse_cached(text), values, tenant.as_ref())?),
        }
    }

    pub(crate) fn execute(&mut self, text: &str, values: &[(&str, Value)], reach: Reach<'_>) -> Result<u64> {
        let tenant = tenant_value(reach);
        match self {
            Self::Sqlite(it) => {
                let known = it.known(text)?;
                it.execute(text, &known, &bind(&known.statement, values, tenant.as_ref())?)
            }
            Self::Postgres(it) => it.execute(&bind(&sql::parse_cached(text), values, tenant.as_ref())?),
        }
    }

    /// The names of the tables that are there.
    pub(crate) fn tables(&mut self) -> Result<Vec<String>> {
        let text = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table'",
            Self::Postgres(_) => {
                "SELECT relname::text AS name FROM pg_catalog.pg_class
                 WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
            }
        };
        let rows = self.query(text, &[], Reach::Across)?;
        rows.iter().map(|row| row.text("name")).collect()
    }

    /// The moment that a reading transaction sees, where the engine can determine it.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match self {
            Self::Sqlite(it) => it.moment(),
            Self::Postgres(_) => None,
        }
    }

    pub(crate) fn counted(&self) -> Option<Moment> {
        match self {
            Self::Sqlite(it) => it.counted(),
            Self::Postgres(_) => None,
        }
    }

    /// How many statements with parameters it has run; only SQLite's are counted, for its one writing thread.
    pub(crate) fn statements(&self) -> u64 {
        match self {
            Self::Sqlite(it) => it.statements(),
            Self::Postgres(_) => 0,
        }
    }

    /// Runs one statement without parameters that comes again and again: the marks of transactions.
    pub(crate) fn mark(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.mark(text),
            Self::Postgres(it) => it.batch(text),
        }
    }

    /// Begins a transaction by this text; `is_again` for another attempt at the same act.
    pub(crate) fn begin(&mut self, text: &str, is_again: bool) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.batch(text),
            Self::Postgres(it) => it.begin(text, is_again),
        }
    }

    /// A number of a counter that no other transaction gets; `None` where the transaction itself raises the counter.
    pub(crate) fn number(&mut self, tenant: &str, name: &str) -> Option<i64> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(it) => it.number(tenant, name),
        }
    }

    /// The numbers of the transaction are not used again.
    pub(crate) fn leave_numbers_out(&mut self) {
        if let Self::Postgres(it) = self {
            it.leave_numbers_out();
        }
    }

    /// Commits a transaction. `Unknown` where the server reports a commit that a standby may not have.
    pub(crate) fn commit(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.batch("COMMIT"),
            Self::Postgres(it) => it.commit(),
        }
    }

    /// Runs statements without parameters.
    pub(crate) fn batch(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.batch(text),
            Self::Postgres(it) => it.batch(text),
        }
    }
}

fn tenant_value(reach: Reach<'_>) -> Option<Value> {
    match reach {
        Reach::Tenant(tenant) => Some(Value::from(tenant)),
        Reach::Across => None,
    }
}

/// Puts the values into the order of the statement's names. A missing, extra, doubled or reserved name is a mistake.
fn bind<'a>(statement: &'a Statement, values: &'a [(&str, Value)], tenant: Option<&'a Value>) -> Result<Bound<'a>> {
    let names = || values.iter().map(|(name, _)| *name);
    let known = statement.given.get().filter(|given| given.names.iter().eq(names()));
    let places = match known {
        Some(given) => &given.places,
        None => &checked(statement, &names().collect::<Vec<_>>(), tenant.is_some())?,
    };
    if tenant.is_some() != places.contains(&None) {
        return Err(wrong_tenant(tenant.is_some()));
    }
    let place = |place: &Option<usize>| match place {
        Some(at) => values.get(*at).map(|(_, value)| value),
        None => tenant,
    };
    let values = places.iter().filter_map(place).collect();
    Ok(Bound { statement, values })
}

/// Finds the place of each of the statement's names among those given, and remembers the first order that was right: then
/// a text that comes again and again has its many names compared once.
fn checked(statement: &Statement, given: &[&str], has_tenant: bool) -> Result<Vec<Option<usize>>> {
    // SQLite has no row security: there this line alone keeps a forgotten condition from reading foreign rows.
    if has_tenant && !statement.names.iter().any(|it| it == TENANT) {
        return Err(wrong_tenant(true));
    }
    for (at, name) in given.iter().enumerate() {
        if *name == TENANT {
            return Err(Error::other("`$tenant` is bound by the transaction"));
        }
        if !statement.names.iter().any(|it| it == name) {
            return Err(Error::Other(format!("the statement has no `${name}`")));
        }
        if given[..at].contains(name) {
            return Err(Error::Other(format!("`${name}` is bound twice")));
        }
    }
    let place = |name: &String| {
        if name == TENANT {
            return Ok(None);
        }
        let place = given.iter().position(|given| given == name);
        let missing = || Error::Other(format!("`${name}` is not bound"));
        place.map(Some).ok_or_else(missing)
    };
    let places: Vec<Option<usize>> = statement.names.iter().map(place).collect::<Result<_>>()?;
    statement.given.get_or_init(|| Given {
        names: given.iter().map(|name| (*name).to_owned()).collect(),
        places: places.clone(),
    });
    Ok(places)
}

fn wrong_tenant(has_tenant: bool) -> Error {
    Error::other(if has_tenant {
        "a statement of a tenant's transaction has to use `$tenant`"
    } else {
        "a transaction across tenants has no `$tenant`"
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn check(text: &str, values: &[(&str, Value)], tenant: bool, wanted: Result<Vec<Value>>) {
        let statement = sql::parse(text);
        let of = Value::from("acme");
        let bound = bind(&statement, values, tenant.then_some(&of))
            .map(|it| it.values.into_iter().cloned().collect::<Vec<_>>());
        assert_eq!(bound, wanted, "{text}");
    }

    #[test]
    fn values_follow_the_names_of_the_text() {
        let values = [("a", Value::Int(1)), ("b", Value::Int(2))];
        let across = Ok(vec![Value::Int(2), Value::Int(1)]);
        check("$b $a", &values, false, across);
        let mine = Ok(vec![Value::Int(2), "acme".into(), Value::Int(1)]);
        check("$b $tenant $a $b", &values, true, mine);
    }

    #[test]
    fn an_order_that_was_right_once_is_not_taken_for_another() {
        let statement = sql::parse("$b $tenant $a");
        let of = Value::from("acme");
        let bound = |values: &[(&str, Value)], tenant: Option<&Value>| {
            bind(&statement, values, tenant).map(|it| it.values.into_iter().cloned().collect::<Vec<_>>())
        };
        let (one, two) = (Value::Int(1), Value::Int(2));
        let wanted = Ok(vec![two.clone(), of.clone(), one.clone()]);
        for _ in 0..2 {
            assert_eq!(bound(&[("a", one.clone()), ("b", two.clone())], Some(&of)), wanted);
            assert_eq!(bound(&[("b", two.clone()), ("a", one.clone())], Some(&of)), wanted);
            assert!(bound(&[("a", one.clone()), ("b", two.clone())], None).is_err());
            assert!(bound(&[("a", one.clone())], Some(&of)).is_err());
            let more = [("a", one.clone()), ("b", two.clone()), ("c", two.clone())];
            assert!(bound(&more, Some(&of)).is_err());
            assert!(bound(&[], Some(&of)).is_err());
        }
    }

    #[test]
    fn missing_extra_doubled_and_reserved_names_are_mistakes() {
        let mistake = |text: &str| Err(Error::other(text));
        let one = [("a", Value::Int(1))];
        let twice = [("a", Value::Int(1)), ("a", Value::Int(2))];
        let tenant = [("tenant", Value::from("other"))];
        check("$a $b", &one, false, mistake("`$b` is not bound"));
        check("$b", &one, false, mistake("the statement has no `$a`"));
        check("$a", &twice, false, mistake("`$a` is bound twice"));
        let reserved = mistake("`$tenant` is bound by the transaction");
        check("$tenant", &tenant, true, reserved);
        let across = mistake("a transaction across tenants has no `$tenant`");
        check("$tenant", &[], false, across);
        let forgotten = mistake("a statement of a tenant's transaction has to use `$tenant`");
        check("$a", &one, true, forgotten);
    }
}
