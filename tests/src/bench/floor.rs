//! The floors: what a server that does nothing but the bare work reaches on the same machine in the same run.
//!
//! Three routes of plain axum: one that only answers, one that does a prepared look-up on a database thread, and one
//! that hands rows to a thread which commits those of all waiting requests together, as durably as the product does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Result, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How many rows the look-up's table has.
const ROWS: usize = 10_000;
/// How many requests are committed at once: as many as the product does.
const BATCH: usize = 64;
/// The key that is looked up.
const KEY: &str = "sha256:5000";

/// How many rows an act adds to one table, and how many bytes each has.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Rows of one act.
    pub count: usize,
    /// Bytes of one row.
    pub bytes: usize,
}

/// Rows and bytes of each table.
pub type Weight = BTreeMap<String, (f64, f64)>;

/// Weighs every table of the product's database, but for those that the sequencer and the clocks write behind the acts.
pub fn weigh(database: &Path) -> Result<Weight> {
    let connection = Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut weight = Weight::new();
    for table in names(&connection, "SELECT name FROM sqlite_schema WHERE type = 'table'")? {
        let behind = [
            "log_state",
            "log_bundle",
            "log_tile",
            "checkpoint",
            "server",
            "revocation_state",
            "counter",
        ];
        if behind.contains(&table.as_str()) {
            continue;
        }
        let columns = names(&connection, &format!("SELECT name FROM pragma_table_info('{table}')"))?;
        let bytes: Vec<String> = columns
            .iter()
            .map(|column| format!("coalesce(length(CAST(\"{column}\" AS BLOB)), 0)"))
            .collect();
        let question = format!("SELECT count(*), total({}) FROM \"{table}\"", bytes.join(" + "));
        let found = connection.query_row(&question, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        weight.insert(table, found);
    }
    Ok(weight)
}

/// How many bundles of the log are full.
pub fn count_bundles(database: &Path) -> Result<i64> {
    let connection = Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    Ok(connection.query_row("SELECT count(*) FROM log_bundle", [], |row| row.get(0))?)
}

fn names(connection: &Connection, question: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(question)?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// What one of so many acts wrote.
pub fn rows_of_one(before: &Weight, after: &Weight, acts: f64) -> Vec<Rows> {
    let mut rows = Vec::new();
    for (table, (count, bytes)) in after {
        let (old_count, old_bytes) = before.get(table).copied().unwrap_or_default();
        let added = count - old_count;
        let each = (added / acts).round();
        if each >= 1.0 {
            rows.push(Rows {
                count: each as usize,
                bytes: ((bytes - old_bytes) / added) as usize,
            });
        }
    }
    rows
}

/// A request to the database's thread, and where its answer goes.
type Lookup = oneshot::Sender<Option<String>>;
type Commit = oneshot::Sender<bool>;

#[derive(Clone)]
struct Threads {
    lookups: Sender<Lookup>,
    commits: Sender<Commit>,
}

/// The running floors. They end with the program, or when this is dropped.
pub struct Floor {
    /// Where they listen: `/bare`, `/lookup` and `/commit`.
    pub address: SocketAddr,
    _runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Floor {
    /// Starts them; `/commit` writes these rows.
    pub fn start(rows: &[Rows]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let database = folder.path().join("floor.db");
        let writer = open(&database)?;
        fill(&writer, rows)?;
        let reader = open(&database)?;
        let (lookups, asked) = channel();
        let (commits, handed) = channel();
        std::thread::spawn(move || answer_lookups(&reader, &asked));
        let rows = rows.to_vec();
        std::thread::spawn(move || commit_groups(&writer, &rows, &handed));
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let routes = Router::new()
            .route("/bare", get(|| async { "{\"decision\":\"go\"}" }))
            .route("/lookup", get(lookup))
            .route("/commit", post(commit))
            .with_state(Threads { lookups, commits });
        runtime.spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            address,
            _runtime: runtime,
            _folder: folder,
        })
    }
}

fn open(database: &Path) -> Result<Connection> {
    let connection = Connection::open(database)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    Ok(connection)
}

fn fill(connection: &Connection, rows: &[Rows]) -> Result<()> {
    connection.execute_batch("CREATE TABLE looked_up (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT; BEGIN;")?;
    let body = "x".repeat(600);
    for number in 0..ROWS {
        connection.execute(
            "INSERT INTO looked_up VALUES (?1, ?2)",
            params![format!("sha256:{number}"), body],
        )?;
    }
    connection.execute_batch("COMMIT;")?;
    for at in 0..rows.len() {
        connection.execute_batch(&format!(
            "CREATE TABLE written_{at} (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;"
        ))?;
    }
    Ok(())
}

fn answer_lookups(connection: &Connection, asked: &Receiver<Lookup>) {
    while let Ok(answer) = asked.recv() {
        let found = connection
            .prepare_cached("SELECT body FROM looked_up WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([KEY], |row| row.get(0)).optional());
        // Nobody listens any more when the request was given up.
        let _ = answer.send(found.ok().flatten());
    }
}

fn commit_groups(connection: &Connection, rows: &[Rows], handed: &Receiver<Commit>) {
    let bodies: Vec<String> = rows
        .iter()
        .map(|row| "x".repeat(row.bytes.saturating_sub(32)))
        .collect();
    let mut number = 0_u64;
    while let Ok(first) = handed.recv() {
        let mut group = vec![first];
        group.extend(handed.try_iter().take(BATCH - 1));
        let done = commit_one_group(connection, rows, &bodies, group.len(), &mut number);
        if let Err(error) = &done {
            eprintln!("bench: the floor could not commit: {error:#}");
        }
        for answer in group {
            let _ = answer.send(done.is_ok());
        }
    }
}

fn commit_one_group(
    connection: &Connection,
    rows: &[Rows],
    bodies: &[String],
    acts: usize,
    number: &mut u64,
) -> Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for _ in 0..acts {
        for (at, (row, body)) in rows.iter().zip(bodies).enumerate() {
            let mut statement = connection.prepare_cached(&format!("INSERT INTO written_{at} VALUES (?1, ?2)"))?;
            for _ in 0..row.count {
                *number += 1;
                statement.execute(params![format!("{number:032}"), body])?;
            }
        }
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

async fn lookup(State(threads): State<Threads>) -> Result<String, StatusCode> {
    let (answer, answered) = oneshot::channel();
    threads
        .lookups
        .send(answer)
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let found = answered.await.ok().flatten();
    found.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn commit(State(threads): State<Threads>) -> StatusCode {
    let (answer, answered) = oneshot::channel();
    if threads.commits.send(answer).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match answered.await {
        Ok(true) => StatusCode::CREATED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Says what a floor commits for each act.
pub fn told(rows: &[Rows]) -> Result<String> {
    ensure!(!rows.is_empty(), "the act wrote no rows");
    let count: usize = rows.iter().map(|row| row.count).sum();
    let bytes: usize = rows.iter().map(|row| row.count * row.bytes).sum();
    let tables = rows.len();
    Ok(format!("{count} rows in {tables} tables, {bytes} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_act_are_told_apart_from_strays() {
        let before = Weight::from([("event".to_owned(), (10.0, 1_000.0)), ("job".to_owned(), (1.0, 10.0))]);
        let after = Weight::from([("event".to_owned(), (30.0, 5_000.0)), ("job".to_owned(), (2.0, 20.0))]);
        assert_eq!(rows_of_one(&before, &after, 10.0), [Rows { count: 2, bytes: 200 }]);
    }
}
