//! One log on either engine: a control report is a function of the log, its size and a span, wherever the rows lie.

use std::process::Command;

use postgres::types::{ToSql, Type};
use postgres::{Client, NoTls};
use rusqlite::types::Value;
use tests::{MASTER_KEY, Place, Server, binary, create_database, on_postgres};

use super::report_files::{FORMATS, Span, file};
use crate::platform::crash::{must_replay, must_run, place_arguments};

/// The rows of every table, which the product migrated itself on either engine, from a file into a database.
fn copy_rows(from: &rusqlite::Connection, to: &mut Client) {
    // Neither triggers nor the order of references may stand against a copy of rows that fit already.
    to.batch_execute("SET session_replication_role = replica; BEGIN")
        .unwrap();
    let tables =
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migration'";
    for row in to.query(tables, &[]).unwrap() {
        copy_table(from, to, row.get(0));
    }
    to.batch_execute("COMMIT").unwrap();
}

fn copy_table(from: &rusqlite::Connection, to: &mut Client, table: &str) {
    to.batch_execute(&format!("DELETE FROM \"{table}\"")).unwrap();
    let insertion = to.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let columns: Vec<(String, Type)> = insertion
        .columns()
        .iter()
        .map(|column| (format!("\"{}\"", column.name()), column.type_().clone()))
        .collect();
    let names = columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO \"{table}\" ({names}) VALUES ({})", places.join(", "));
    let insertion = to.prepare(&sql).unwrap();
    let mut statement = from.prepare(&format!("SELECT {names} FROM \"{table}\"")).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let cells: Vec<Box<dyn ToSql + Sync>> = columns
            .iter()
            .enumerate()
            .map(|(place, (_, kind))| cell(row.get(place).unwrap(), kind))
            .collect();
        let cells: Vec<&(dyn ToSql + Sync)> = cells.iter().map(|cell| &**cell).collect();
        to.execute(&insertion, &cells)
            .unwrap_or_else(|error| panic!("{table}: {error:?}"));
    }
}

/// A value of the file as the database has it.
fn cell(value: Value, kind: &Type) -> Box<dyn ToSql + Sync> {
    match (value, kind) {
        (Value::Integer(it), &Type::BOOL) => Box::new(it != 0),
        (Value::Integer(it), _) => Box::new(it),
        (Value::Real(it), _) => Box::new(it),
        (Value::Text(it), _) => Box::new(it),
        (Value::Blob(it), _) => Box::new(it),
        (Value::Null, &Type::BOOL) => Box::new(None::<bool>),
        (Value::Null, &Type::INT8) => Box::new(None::<i64>),
        (Value::Null, &Type::FLOAT8) => Box::new(None::<f64>),
        (Value::Null, &Type::BYTEA) => Box::new(None::<Vec<u8>>),
        (Value::Null, _) => Box::new(None::<String>),
    }
}

#[test]
fn the_same_log_gives_the_same_reports_on_the_other_engine() {
    if on_postgres() {
        println!("left out: a report on the other engine: the run on SQLite compares both");
        return;
    }
    let mut place = Place::new("report-engines");
    let mut program = Command::new(binary());
    program.env("ASSENT_MASTER_KEY", MASTER_KEY);
    let server = Server::start_on(program, "127.0.0.1", &place, true);
    let span = Span::of(&server);
    let before = FORMATS.map(|format| file(&server, &span.query(format)));
    assert!(server.stop().success());
    let url = create_database("report-engines", "");
    let rows = rusqlite::Connection::open(place.folder.path().join("assent.db")).unwrap();
    place.database = Some(url.clone());
    let mut migrate = Command::new(binary());
    migrate.arg("migrate");
    place_arguments(&place, &mut migrate);
    must_run(&mut migrate);
    copy_rows(&rows, &mut Client::connect(&url, NoTls).unwrap());
    let server = Server::start(&place, true);
    for (format, before) in FORMATS.into_iter().zip(before) {
        assert!(before == file(&server, &span.query(format)), "{format}: other bytes");
    }
    assert!(server.stop().success());
    must_replay(&place);
}
