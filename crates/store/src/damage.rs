//! Damage in the storage itself, independent of the log: a file with inconsistent pages or indexes, cells of a wrong type, rows
//! that belong to no tenant. Replay compares records by tenant and cannot see these.

mod sqlite;

pub(crate) use self::sqlite::of_file;

use crate::error::{Error, Result};
use crate::migrate;
use crate::tenant::SYSTEM_TENANT;
use crate::tx::CrossTx;
use crate::value::{Row, Value};

/// One thing that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The table, or `database` where it is the file as a whole.
    pub table: String,
    /// The row's key with its tenant first, parted by `/`; empty where no row can be named.
    pub id: String,
    /// The column, where one can be named.
    pub column: Option<String>,
    /// The damage, in one sentence.
    pub what: String,
}

/// The most findings of one kind; more would add nothing new.
pub(crate) const MOST: usize = 100;

pub(crate) fn has_room(found: &[Damage]) -> bool {
    found.len() < MOST
}

impl Damage {
    pub(crate) fn new(table: &str, id: &str, column: Option<&str>, what: String) -> Self {
        Self {
            table: table.to_owned(),
            id: id.to_owned(),
            column: column.map(str::to_owned),
            what,
        }
    }

    /// One of the schema: a table, an index, a trigger or a view.
    pub(crate) fn of_schema(name: &str, what: String) -> Self {
        Self::new("schema", name, None, what)
    }

    /// Damage of the storage as a whole.
    #[must_use]
    pub fn of_database(what: String) -> Self {
        Self::new("database", "", None, what)
    }
}

/// A file that cannot even be looked through is damaged; everything else that goes wrong stays an error.
pub(crate) fn or_damage(found: Result<Vec<Damage>>) -> Result<Vec<Damage>> {
    match found {
        Err(Error::Corrupt(why)) => Ok(vec![Damage::of_database(format!("The file cannot be read: {why}."))]),
        other => other,
    }
}

/// Rows whose tenant is none of this installation's, at most 100: no person sees them, no worker takes them, and the log does
/// not record them.
///
/// # Errors
/// The engine's.
pub fn strays(tx: &mut CrossTx<'_>) -> Result<Vec<Damage>> {
    let mut found = Vec::new();
    let there = tx.tables()?;
    for (table, key) in migrate::keys_of_tables() {
        // A missing table is reported with the schema.
        if !there.contains(&table) {
            continue;
        }
        for tenant in strange_tenants(tx, &table)? {
            rows_of(tx, (&table, &key), &tenant, &mut found)?;
        }
        if !has_room(&found) {
            break;
        }
    }
    Ok(found)
}

/// The tenants of a table's rows that are none of this installation's. Keys begin with the tenant, so each step is one index
/// look-up: a table of a million rows is not scanned.
fn strange_tenants(tx: &mut CrossTx<'_>, table: &str) -> Result<Vec<Value>> {
    let sql = format!(
        "WITH RECURSIVE found (tenant) AS (
            SELECT min(tenant) FROM \"{table}\"
            UNION ALL
            SELECT (SELECT min(s.tenant) FROM \"{table}\" s WHERE s.tenant > found.tenant) FROM found
            WHERE found.tenant IS NOT NULL)
         SELECT tenant FROM found WHERE tenant IS NOT NULL AND tenant <> $system
         AND tenant NOT IN (SELECT tenant FROM tenant_info) ORDER BY tenant LIMIT $most"
    );
    let most = i64::try_from(MOST).unwrap_or(i64::MAX);
    tx.query(&sql, &[("system", SYSTEM_TENANT.into()), ("most", most.into())])?
        .iter()
        .map(|row| row.get("tenant").cloned())
        .collect()
}

fn rows_of(
    tx: &mut CrossTx<'_>,
    (table, key): (&str, &[String]),
    tenant: &Value,
    found: &mut Vec<Damage>,
) -> Result<()> {
    let left = i64::try_from(MOST.saturating_sub(found.len())).unwrap_or_default();
    let columns = key.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {columns} FROM \"{table}\" WHERE tenant = $of ORDER BY {columns} LIMIT $left");
    for row in tx.query(&sql, &[("of", tenant.clone()), ("left", left.into())])? {
        let what = "The row belongs to no tenant of this installation.".to_owned();
        found.push(Damage::new(table, &shown_key(&row, key)?, Some("tenant"), what));
    }
    Ok(())
}

fn shown_key(row: &Row, key: &[String]) -> Result<String> {
    let shown = |column: &String| {
        Ok(match row.get(column)? {
            Value::Text(text) => text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Value::Null => "NULL".to_owned(),
        })
    };
    Ok(key.iter().map(shown).collect::<Result<Vec<_>>>()?.join("/"))
}
