//! The floors: the rate of a server that does nothing but the bare work on the same machine in the same run.
//!
//! Three routes of plain axum: one that only responds, one that does a prepared look-up on a database thread, and one that
//! passes rows to a thread which commits those of all waiting requests together, as durably as the product does.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use postgres::{Client, NoTls};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::base::{Base, Weight};

/// How many rows the look-up's table has.
const ROWS: usize = 10_000;
/// How many requests are committed at once: as many as the product does.
const BATCH: usize = 64;
/// How many sessions look up and how many commit on PostgreSQL: as many as the product's lanes of gate and acts have.
const SESSIONS: usize = 4;
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

/// Weighs every table of the product's database, but for those that the sequencer and the clocks write behind the acts.
pub fn weigh(base: &mut Base) -> Result<Weight> {
    let mut weight = Weight::new();
    for table in base.tables()? {
        let behind = [
            "log_state",
            "log_bundle",
            "log_tile",
            "checkpoint",
            "server",
            "revocation_state",
            "counter",
        ];
        if !behind.contains(&table.as_str()) {
            let found = base.values_of(&table)?;
            weight.insert(table, found);
        }
    }
    Ok(weight)
}

/// How many bundles of the log are full.
pub fn count_bundles(base: &mut Base) -> Result<i64> {
    base.count("log_bundle")
}

/// The rows of one act, from the weight of several.
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

/// A request to the database's thread, and the channel of its response.
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
    _place: ::tests::Place,
}

impl Floor {
    /// Starts them; `/commit` writes these rows.
    pub fn start(rows: &[Rows]) -> Result<Self> {
        let place = ::tests::Place::new("floor");
        let (lookups, asked) = channel();
        let (commits, handed) = channel();
        match &place.database {
            Some(url) => in_database(url, rows, (asked, handed))?,
            None => in_file(&place.folder.path().join("floor.db"), rows, (asked, handed))?,
        }
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
            _place: place,
        })
    }
}

/// The requests from the routes: look-ups and commits.
type RequestQueues = (Receiver<Lookup>, Receiver<Commit>);

/// One thread that looks up and one that commits groups, as SQLite takes one writer.
fn in_file(database: &Path, rows: &[Rows], (asked, handed): RequestQueues) -> Result<()> {
    let writer = open(database)?;
    fill(&writer, rows)?;
    let reader = open(database)?;
    std::thread::spawn(move || answer_lookups(&reader, &asked));
    let rows = rows.to_vec();
    std::thread::spawn(move || commit_groups(&writer, &rows, &handed));
    Ok(())
}

/// On PostgreSQL as many sessions as the product has for each of both: a prepared look-up, or a transaction for each act.
fn in_database(url: &str, rows: &[Rows], (asked, handed): RequestQueues) -> Result<()> {
    let mut first = Client::connect(url, NoTls)?;
    fill_database(&mut first, rows)?;
    let (asked, handed) = (Arc::new(Mutex::new(asked)), Arc::new(Mutex::new(handed)));
    for session in 0..SESSIONS {
        let mut reader = Client::connect(url, NoTls)?;
        let asked = Arc::clone(&asked);
        std::thread::spawn(move || look_up_in_database(&mut reader, &asked));
        let mut writer = Client::connect(url, NoTls)?;
        let (handed, rows) = (Arc::clone(&handed), rows.to_vec());
        std::thread::spawn(move || commit_in_database(&mut writer, &rows, (&handed, session)));
    }
    Ok(())
}

fn fill_database(base: &mut Client, rows: &[Rows]) -> Result<()> {
    base.batch_execute("CREATE TABLE looked_up (id TEXT PRIMARY KEY, body TEXT NOT NULL)")?;
    base.batch_execute(&format!(
        "INSERT INTO looked_up SELECT 'sha256:' || n, repeat('x', 600) FROM generate_series(0, {}) AS c(n)",
        ROWS - 1
    ))?;
    for at in 0..rows.len() {
        base.batch_execute(&format!(
            "CREATE TABLE written_{at} (id TEXT PRIMARY KEY, body TEXT NOT NULL)"
        ))?;
    }
    Ok(())
}

/// The next request, for any session.
fn next<T>(handed: &Mutex<Receiver<T>>) -> Option<T> {
    handed.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn look_up_in_database(base: &mut Client, asked: &Mutex<Receiver<Lookup>>) {
    let Ok(question) = base.prepare("SELECT body FROM looked_up WHERE id = $1") else {
        return;
    };
    while let Some(answer) = next(asked) {
        let found = base.query_opt(&question, &[&KEY]);
        // Nobody listens any more when the request was given up.
        let _ = answer.send(found.ok().flatten().map(|row| row.get(0)));
    }
}

fn commit_in_database(base: &mut Client, rows: &[Rows], (handed, session): (&Mutex<Receiver<Commit>>, usize)) {
    let mut number = 0_u64;
    while let Some(answer) = next(handed) {
        let done = commit_one_act(base, rows, (session, &mut number));
        if let Err(error) = &done {
            eprintln!("bench: the floor could not commit: {error:#}");
        }
        let _ = answer.send(done.is_ok());
    }
}

fn commit_one_act(base: &mut Client, rows: &[Rows], (session, number): (usize, &mut u64)) -> Result<()> {
    let mut transaction = base.transaction()?;
    for (at, row) in rows.iter().enumerate() {
        let body = "x".repeat(row.bytes.saturating_sub(32));
        let statement = transaction.prepare(&format!("INSERT INTO written_{at} VALUES ($1, $2)"))?;
        for _ in 0..row.count {
            *number += 1;
            transaction.execute(&statement, &[&format!("{session:04}{number:028}"), &body])?;
        }
    }
    Ok(transaction.commit()?)
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

/// Describes the rows that a floor commits for each act.
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
