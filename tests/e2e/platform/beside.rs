//! SQL beside a server, past the product: the content of its database, and the effect of edits there.

use std::time::Duration;

use postgres::SimpleQueryMessage;
use tests::Place;

/// A connection of the test's own to a place's database. PostgreSQL copies and drops no database while one is open.
pub enum Beside {
    /// To the file.
    Sqlite(rusqlite::Connection),
    /// To the database.
    Postgres(Box<postgres::Client>),
}

impl Beside {
    /// Connects.
    pub fn of(place: &Place) -> Self {
        let Some(url) = &place.database else {
            let base = rusqlite::Connection::open(place.folder.path().join("assent.db")).unwrap();
            base.busy_timeout(Duration::from_secs(60)).unwrap();
            return Self::Sqlite(base);
        };
        Self::Postgres(Box::new(postgres::Client::connect(url, postgres::NoTls).unwrap()))
    }

    /// Runs statements one after another, and returns their output: a line for each row, `|` between its columns.
    pub fn ask(&mut self, statements: &[&str]) -> String {
        match self {
            Self::Sqlite(base) => statements.iter().map(|sql| in_file(base, sql)).collect(),
            Self::Postgres(base) => in_database(base, &statements.join("; ")),
        }
    }
}

/// Runs SQL beside the server once, and returns its output.
pub fn beside(place: &Place, sql: &str) -> String {
    Beside::of(place).ask(&[sql])
}

fn in_file(base: &rusqlite::Connection, sql: &str) -> String {
    if !sql.starts_with("SELECT") {
        base.execute_batch(sql).unwrap();
        return String::new();
    }
    let mut statement = base.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut said = String::new();
    while let Some(row) = rows.next().unwrap() {
        let cells = (0..columns).map(|at| match row.get_ref(at).unwrap() {
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        });
        said.push_str(&cells.collect::<Vec<_>>().join("|"));
        said.push('\n');
    }
    said
}

fn in_database(base: &mut postgres::Client, sql: &str) -> String {
    let answered = base
        .simple_query(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let mut said = String::new();
    for message in answered {
        if let SimpleQueryMessage::Row(row) = message {
            let cells = (0..row.len()).map(|at| row.get(at).unwrap_or_default());
            said.push_str(&cells.collect::<Vec<_>>().join("|"));
            said.push('\n');
        }
    }
    said
}
