//! Damage in a SQLite file: pages and indexes as the engine itself checks them; cells of another type than their column has,
//! which the engine accepts from other programs; and a schema that the migrations never made, such as a trigger that would
//! rewrite lawful data.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::damage::{Damage, MOST, has_room};
use crate::driver::SqliteConnection;
use crate::error::Result;
use crate::migrate;

/// The damage in a file, found by reading all of it.
pub(crate) fn of_file(file: &SqliteConnection) -> Result<Vec<Damage>> {
    file.inspect(|raw| {
        let mut found = broken(raw)?;
        found.extend(strange_cells(raw)?);
        found.extend(strange_schema(raw)?);
        Ok(found)
    })
}

/// The errors that the engine finds in its own pages and indexes.
fn broken(raw: &Connection) -> rusqlite::Result<Vec<Damage>> {
    let mut statement = raw.prepare(&format!("PRAGMA integrity_check({MOST})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = Vec::new();
    for line in lines {
        let line = line?;
        let told = line.lines().map(str::trim).filter(|it| !it.is_empty() && *it != "ok");
        found.extend(told.map(|told| Damage::of_database(format!("SQLite finds in the file: {told}."))));
    }
    Ok(found)
}

/// Parts of the file's schema that the migrations did not make, made otherwise, or made and that are missing now.
fn strange_schema(raw: &Connection) -> rusqlite::Result<Vec<Damage>> {
    let there = schema(raw)?;
    if !there.contains_key("schema_migration") {
        return Ok(Vec::new());
    }
    let mut statement = raw.prepare("SELECT number FROM schema_migration")?;
    let numbers = statement.query_map([], |row| row.get::<_, i64>(0))?;
    let numbers: Vec<i64> = numbers.collect::<rusqlite::Result<_>>()?;
    let fresh = Connection::open_in_memory()?;
    for statement in migrate::statements_of(&numbers) {
        fresh.execute_batch(&statement)?;
    }
    let wanted = schema(&fresh)?;
    let mut found = Vec::new();
    for (name, (kind, sql)) in &there {
        match wanted.get(name) {
            None => found.push(Damage::of_schema(
                name,
                format!("The {kind} `{name}` is none of ours: nothing here makes it."),
            )),
            Some((_, known)) if known != sql => {
                found.push(Damage::of_schema(
                    name,
                    format!("The {kind} `{name}` is not as it was made: `{sql}`."),
                ));
            }
            Some(_) => {}
        }
    }
    for (name, (kind, _)) in wanted.iter().filter(|(name, _)| !there.contains_key(*name)) {
        found.push(Damage::of_schema(name, format!("The {kind} `{name}` is gone.")));
    }
    found.truncate(MOST);
    Ok(found)
}

/// The parts of a file by name: tables, indexes, triggers and views, with the SQL that made each. The engine's own parts are
/// left out.
fn schema(raw: &Connection) -> rusqlite::Result<BTreeMap<String, (String, String)>> {
    let mut statement = raw.prepare("SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'")?;
    let rows = statement.query_map([], |row| {
        let sql: Option<String> = row.get(2)?;
        Ok((row.get(0)?, (row.get(1)?, sql.unwrap_or_default())))
    })?;
    rows.collect()
}

/// A table as the file has it.
struct Table {
    name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    kind: String,
    /// The place in the key, from 1; 0 outside it.
    in_key: i64,
}

/// Every cell with another type than its column.
fn strange_cells(raw: &Connection) -> rusqlite::Result<Vec<Damage>> {
    let mut found = Vec::new();
    for table in tables(raw)? {
        // Other tables may well be readable where the pages of one are not.
        if let Err(error) = cells_of(raw, &table, &mut found) {
            let what = format!("Its rows cannot be read to their end: {error}.");
            found.push(Damage::new(&table.name, "", None, what));
        }
    }
    Ok(found)
}

fn tables(raw: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut statement =
        raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    names.into_iter().map(|name| table(raw, name)).collect()
}

fn table(raw: &Connection, name: String) -> rusqlite::Result<Table> {
    let mut statement = raw.prepare(&format!("PRAGMA table_info(\"{name}\")"))?;
    let columns = statement.query_map([], |row| {
        Ok(Column {
            name: row.get("name")?,
            kind: row.get("type")?,
            in_key: row.get("pk")?,
        })
    })?;
    Ok(Table {
        columns: columns.collect::<rusqlite::Result<_>>()?,
        name,
    })
}

fn cells_of(raw: &Connection, table: &Table, found: &mut Vec<Damage>) -> rusqlite::Result<()> {
    let mut statement = raw.prepare(&format!("SELECT * FROM \"{}\"", table.name))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for (at, column) in table.columns.iter().enumerate() {
            let cell = row.get_ref(at)?;
            if fits(&column.kind, cell) {
                continue;
            }
            if !has_room(found) {
                return Ok(());
            }
            let what = format!(
                "The column `{}` holds {}, which it never may.",
                column.name,
                type_name(cell)
            );
            found.push(Damage::new(&table.name, &key(table, row)?, Some(&column.name), what));
        }
    }
    Ok(())
}

/// The row's key as people read it: the tenant comes first.
fn key(table: &Table, row: &rusqlite::Row<'_>) -> rusqlite::Result<String> {
    let mut places: Vec<(i64, usize)> = table.columns.iter().map(|it| it.in_key).zip(0..).collect();
    places.retain(|(in_key, _)| *in_key > 0);
    places.sort_unstable();
    let parts = places.into_iter().map(|(_, at)| row.get_ref(at).map(shown));
    Ok(parts.collect::<rusqlite::Result<Vec<_>>>()?.join("/"))
}

/// A forbidden NULL is found by the engine itself.
fn fits(kind: &str, cell: ValueRef<'_>) -> bool {
    match (kind, cell) {
        (_, ValueRef::Null) => true,
        ("TEXT", ValueRef::Text(text)) => std::str::from_utf8(text).is_ok(),
        ("BOOLEAN", ValueRef::Integer(truth)) => matches!(truth, 0 | 1),
        ("BIGINT", ValueRef::Integer(_)) | ("BYTEA", ValueRef::Blob(_)) => true,
        ("DOUBLE PRECISION", ValueRef::Real(_)) => true,
        ("TEXT" | "BOOLEAN" | "BIGINT" | "BYTEA" | "DOUBLE PRECISION", _) => false,
        // Tables of the engine's own or of a later version.
        _ => true,
    }
}

fn type_name(cell: ValueRef<'_>) -> &'static str {
    match cell {
        ValueRef::Null => "nothing",
        ValueRef::Integer(_) => "an integer",
        ValueRef::Real(_) => "a real number",
        ValueRef::Text(text) if std::str::from_utf8(text).is_err() => "text that is no UTF-8",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "bytes",
    }
}

fn shown(cell: ValueRef<'_>) -> String {
    match cell {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
