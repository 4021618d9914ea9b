//! The two engines behind one enum. Nowhere else is it asked which one runs, except in `search.rs` and the opening.

mod postgres;
mod sqlite;

pub(crate) use self::postgres::{Address, PostgresConnection, quoted};
pub(crate) use self::sqlite::SqliteConnection;

use crate::error::{Error, Result};
use crate::moment::Moment;
use crate::sql::{self, Statement};
use crate::value::{Row, Value};

/// The name of the parameter that a tenant's transaction binds by itself.
pub(crate) const TENANT: &str = "tenant";

/// One open connection. It lives and dies on one thread.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PostgresConnection),
}

/// For whom a transaction is opened.
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

    /// The moment that a reading transaction sees, where the engine can tell.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match self {
            Self::Sqlite(it) => it.moment(),
            Self::Postgres(_) => None,
        }
    }

    /// Runs one statement without parameters that comes again and again: the marks of transactions.
    pub(crate) fn mark(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.mark(text),
            Self::Postgres(it) => it.batch(text),
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
    // SQLite has no row security: there this line alone keeps a forgotten condition from reading foreign rows.
    if tenant.is_some() && !statement.names.iter().any(|it| it == TENANT) {
        return Err(Error::other(
            "a statement of a tenant's transaction has to use `$tenant`",
        ));
    }
    for (at, (name, _)) in values.iter().enumerate() {
        if *name == TENANT {
            return Err(Error::other("`$tenant` is bound by the transaction"));
        }
        if !statement.names.iter().any(|it| it == name) {
            return Err(Error::Other(format!("the statement has no `${name}`")));
        }
        if values[..at].iter().any(|(other, _)| other == name) {
            return Err(Error::Other(format!("`${name}` is bound twice")));
        }
    }
    let values = statement
        .names
        .iter()
        .map(|name| find_value(name, values, tenant))
        .collect::<Result<Vec<_>>>()?;
    Ok(Bound { statement, values })
}

fn find_value<'a>(name: &str, values: &'a [(&str, Value)], tenant: Option<&'a Value>) -> Result<&'a Value> {
    if name == TENANT {
        return tenant.ok_or_else(|| Error::other("a transaction across tenants has no `$tenant`"));
    }
    values
        .iter()
        .find(|(given, _)| *given == name)
        .map(|(_, value)| value)
        .ok_or_else(|| Error::Other(format!("`${name}` is not bound")))
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
