//! How the product fares as it fills: changes walked to their end up to one size after another, lists, searches and the gate
//! measured at each, alone and while half of the changes move into the archive; then rows of lists alone up to many millions, and
//! the curve's forecast for ten million changes.
//!
//! Everything lies in a folder that stays, with a note of how far it came. Numbers are noted before they are used: after a kill none
//! is used twice.

mod archiving;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, anyhow, bail, ensure};
use model::change::record::Change;
use proof::crypto::MasterKey;
use serde_json::{Value, json};

use super::client::request;
use super::load::{Amount, run};
use super::product::{Caller, ENVIRONMENT, Product, SERVICE, artifact, binary};
use super::report::Line;
use super::risk;
use super::skew::Shares;
use super::storage::close;

/// How many changes are walked at once, and between two notes.
const WALKERS: u64 = 4;
const BATCH: u64 = 200;
/// Artifacts of the walked changes are numbered from here.
const FIRST: u64 = 1 << 46;
/// The most that the data may take, in bytes.
const MOST_BYTES: u64 = 30_000_000_000;
/// The size of the forecast.
const TARGET: f64 = 10_000_000.0;
/// Rows that one statement adds.
const ROWS: u64 = 100_000;
/// The most that lists, searches and the gate may take, in milliseconds.
const LISTS_MS: f64 = 100.0;
const SEARCH_MS: f64 = 200.0;
const GATE_MS: f64 = 10.0;
/// The note in the folder.
const NOTE: &str = "scale.json";

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// In the folder.
    Sqlite,
    /// In a database of this URL.
    Postgres(String),
}

/// The parameters of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The folder that stays.
    pub folder: PathBuf,
    /// The sizes, growing.
    pub sizes: Vec<u64>,
    /// Rows of lists in the end.
    pub rows: u64,
    /// The engine.
    pub engine: Engine,
    /// Requests of each measure.
    pub asked: u64,
    /// The program; by default the release binary.
    pub program: Option<PathBuf>,
}

impl Wish {
    /// Reads the arguments behind `--scale`.
    pub fn read(words: &[String]) -> Result<Self> {
        let [folder, words @ ..] = words else {
            bail!("--scale needs a folder that stays");
        };
        let mut wish = Self {
            folder: PathBuf::from(folder),
            sizes: vec![10_000, 50_000, 200_000],
            rows: 10_000_000,
            engine: Engine::Sqlite,
            asked: 1_000,
            program: None,
        };
        for pair in words.chunks(2) {
            let [word, value] = pair else {
                bail!("{} needs a value", pair[0]);
            };
            match word.as_str() {
                "--sizes" => {
                    let sizes = value.split(',').map(str::parse).collect::<Result<Vec<u64>, _>>();
                    wish.sizes = sizes.with_context(|| format!("--sizes {value}"))?;
                }
                "--rows" => wish.rows = value.parse().with_context(|| format!("--rows {value}"))?,
                "--engine" => wish.engine = engine(value)?,
                _ => bail!("there is no `{word}` behind --scale; there are --sizes, --rows and --engine"),
            }
        }
        ensure!(
            !wish.sizes.is_empty() && wish.sizes.is_sorted() && wish.sizes[0] > 0,
            "sizes grow, such as 10000,50000"
        );
        Ok(wish)
    }
}

fn engine(name: &str) -> Result<Engine> {
    match name {
        "sqlite" => Ok(Engine::Sqlite),
        "postgres" => {
            let url = std::env::var("ASSENT_BENCH_DATABASE");
            Ok(Engine::Postgres(
                url.context("ASSENT_BENCH_DATABASE names the database to fill")?,
            ))
        }
        _ => bail!("there is no engine `{name}`; there are sqlite and postgres"),
    }
}

/// How far a folder has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    /// Changes that were walked to their end.
    closed: u64,
    /// The next number; those below may be used.
    next: u64,
    /// Rows that were added.
    rows: u64,
}

impl Progress {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NOTE);
        if !path.exists() {
            return Ok(Self::default());
        }
        let said: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
        let field = |name: &str| {
            said[name]
                .as_u64()
                .with_context(|| format!("{} has no {name}", path.display()))
        };
        Ok(Self {
            closed: field("closed")?,
            next: field("next")?,
            rows: field("rows")?,
        })
    }

    fn write(self, folder: &Path) -> Result<()> {
        let told = json!({"closed": self.closed, "next": self.next, "rows": self.rows});
        let new = folder.join("scale.json.new");
        std::fs::write(&new, told.to_string())?;
        Ok(std::fs::rename(new, folder.join(NOTE))?)
    }
}

/// The result at one size.
#[derive(Debug, Clone, Copy)]
struct Point {
    changes: f64,
    bytes: f64,
    lists: f64,
    search: f64,
    gate: f64,
}

/// Fills and measures.
pub fn measure(wish: &Wish, lines: &mut Vec<Line>) -> Result<()> {
    std::fs::create_dir_all(&wish.folder)?;
    let program = wish.program.clone().map_or_else(binary, Ok)?;
    let database = match &wish.engine {
        Engine::Sqlite => None,
        Engine::Postgres(url) => Some(url.as_str()),
    };
    let start = || Product::start_in(&program, &wish.folder, database);
    let mut points = Vec::new();
    let done = fill(&start, wish, (&mut points, lines));
    // The results before a failure took days, and are reported.
    lines.extend(curve(&points));
    done?;
    if wish.rows > 0 {
        add_rows(wish)?;
        let point = look(&start()?, wish, wish.rows)?;
        lines.extend(lines_of(&format!("{} rows of lists", wish.rows), &point));
    }
    Ok(())
}

/// Walks changes to their end up to each size, and measures there: alone, and while others are archived.
fn fill(
    start: &dyn Fn() -> Result<Product>,
    wish: &Wish,
    (points, lines): (&mut Vec<Point>, &mut Vec<Line>),
) -> Result<()> {
    for size in &wish.sizes {
        let product = start()?;
        walk(&product, wish, *size)?;
        let point = look(&product, wish, *size)?;
        drop(product);
        lines.extend(lines_of(&format!("{size} walked changes"), &point));
        points.push(point);
        lines.extend(archiving::measure(start, wish, *size)?);
    }
    Ok(())
}

/// Walks changes to their end until there are so many.
fn walk(product: &Product, wish: &Wish, size: u64) -> Result<()> {
    let mut progress = Progress::read(&wish.folder)?;
    while progress.closed < size {
        ensure!(
            bytes_of(wish)? < MOST_BYTES,
            "{} changes fill {MOST_BYTES} bytes; the rest is left out",
            progress.closed
        );
        let count = BATCH.min(size - progress.closed);
        let first = FIRST + progress.next;
        progress.next += count;
        progress.write(&wish.folder)?;
        let next = AtomicU64::new(first);
        let work = || -> Result<()> {
            let mut caller = Caller::new(product)?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return Ok(());
                }
                close(&mut caller, number)?;
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..WALKERS).map(|_| scope.spawn(work)).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Result<()>>| {
                thread.join().unwrap_or_else(|_| Err(anyhow!("a walker panicked")))
            };
            threads.into_iter().map(join).collect::<Result<Vec<()>>>()
        })?;
        progress.closed += count;
        progress.write(&wish.folder)?;
        eprintln!("bench: {} of {size} changes are closed", progress.closed);
    }
    Ok(())
}

/// Measures lists, searches and the gate at a size.
fn look(product: &Product, wish: &Wish, changes: u64) -> Result<Point> {
    let amount = Amount {
        connections: 4,
        seconds: 60.0,
        count: wish.asked,
    };
    let auditor = product.token("requester");
    let get = |path: &str| request("GET", &format!("/api/v1/changes?limit=50{path}"), Some(auditor), None);
    let lists = |number: u64| match number % 4 {
        0 => get(""),
        1 => get("&state=closed"),
        2 => get(&format!("&service={SERVICE}&environment={ENVIRONMENT}")),
        _ => get("&state=closed&risk=low&kind=normal"),
    };
    let search = |number: u64| match number % 2 {
        0 => get("&q=labels"),
        _ => get("&q=return+languages"),
    };
    let token = product.token("pipeline");
    let gate = |number: u64| {
        let digest = artifact(FIRST + number % changes.max(1));
        let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={digest}");
        request("GET", &path, Some(token), None)
    };
    // The measured change was brought out and closed: the gate returns stop, which it has to look up all the same.
    let stop = status_of(product, &gate(0))?;
    Ok(Point {
        changes: changes as f64,
        bytes: bytes_of(wish)? as f64,
        lists: run(product.address, amount, 0, 200, &lists)?.share(0.95),
        search: run(product.address, amount, 0, 200, &search)?.share(0.95),
        gate: run(product.address, amount, 0, stop, &gate)?.share(0.99),
    })
}

fn status_of(product: &Product, ask: &[u8]) -> Result<u16> {
    Ok(super::client::Connection::open(product.address)?.ask(ask)?.status)
}

fn lines_of(what: &str, point: &Point) -> Vec<Line> {
    vec![
        Line::under(format!("Lists over {what}, p95"), point.lists, "–", LISTS_MS),
        Line::under(format!("Searches over {what}, p95"), point.search, "–", SEARCH_MS),
        Line::under(format!("GET /gate over {what}, p99"), point.gate, "–", GATE_MS),
        Line::told(
            format!("Bytes of {what}"),
            format!(
                "{:.2} GB, {:.1} kB each",
                point.bytes / 1e9,
                point.bytes / point.changes / 1e3
            ),
            "–",
        ),
    ]
}

/// The forecast of the measured sizes for ten million; nothing where there is one size alone.
fn curve(points: &[Point]) -> Vec<Line> {
    let at = |of: fn(&Point) -> f64| {
        let pairs: Vec<(f64, f64)> = points.iter().map(|point| (point.changes, of(point))).collect();
        power(&pairs).map(|(factor, exponent)| (factor * TARGET.powf(exponent), exponent))
    };
    let told = |what: &str, found: Option<(f64, f64)>, unit: &str, by: f64| {
        let (value, exponent) = found?;
        let figure = format!("{:.1} {unit} (grows with the {exponent:.2}th power)", value / by);
        Some(Line::told(
            format!("{what}, extrapolated to 10 million changes"),
            figure,
            "–",
        ))
    };
    [
        told("Bytes", at(|point| point.bytes), "GB", 1e9),
        told("Lists, p95", at(|point| point.lists), "ms", 1.0),
        told("Searches, p95", at(|point| point.search), "ms", 1.0),
        told("GET /gate, p99", at(|point| point.gate), "ms", 1.0),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The power law nearest to some points, by least squares over logarithms: factor and exponent.
fn power(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    if logs.len() < 2 || logs.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
        return None;
    }
    let count = logs.len() as f64;
    let (x, y) = logs.iter().fold((0.0, 0.0), |(x, y), one| (x + one.0, y + one.1));
    let (x, y) = (x / count, y / count);
    let over: f64 = logs.iter().map(|one| (one.0 - x) * (one.1 - y)).sum();
    let under: f64 = logs.iter().map(|one| (one.0 - x).powi(2)).sum();
    let exponent = over / under;
    exponent.is_finite().then(|| ((y - exponent * x).exp(), exponent))
}

/// The bytes of the database.
fn bytes_of(wish: &Wish) -> Result<u64> {
    match &wish.engine {
        Engine::Sqlite => {
            // The write-ahead log has room for writes to come, and most of its pages are in the file as well.
            let base = rusqlite::Connection::open(wish.folder.join("assent.db"))?;
            let number = |name: &str| base.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            Ok(u64::try_from(number("page_count")? * number("page_size")?)?)
        }
        Engine::Postgres(url) => {
            let mut client = postgres::Client::connect(url, postgres::NoTls)?;
            let row = client.query_one("SELECT pg_database_size(current_database())", &[])?;
            Ok(u64::try_from(row.get::<_, i64>(0))?)
        }
    }
}

/// Columns of `change` that differ from row to row. The body and its code follow in [`Bodies`].
const OWN: [(&str, &str); 5] = [
    ("id", "'row-' || n"),
    ("key", "'ROW-' || n"),
    ("number", "1000000000 + n"),
    ("body", "'-'"),
    ("sealed", "''"),
];

/// The statement that adds a table's rows of the numbers in `numbers`, after the pattern of a walked change; their services
/// have the shares of a public history.
fn statement(table: &str, columns: &[String], numbers: &str, shares: &Shares) -> String {
    let service = shares.service();
    let own = |name: &str| match (table, name) {
        ("change_target", "service") => Some(service.as_str()),
        ("change", name) => OWN.iter().find(|(of, _)| *of == name).map(|(_, sql)| *sql),
        ("change_target", "change_id") | ("search_term", "record_id") => Some("'row-' || n"),
        ("change_target", "number") => Some("1000000000 + n"),
        _ => None,
    };
    let names: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|name| own(name).map_or_else(|| format!("t.\"{name}\""), str::to_owned))
        .collect();
    let key = match table {
        "change" => "t.id",
        "change_target" => "t.change_id",
        _ => "t.record_table = 'change' AND t.record_id",
    };
    format!(
        "INSERT INTO \"{table}\" ({}) SELECT {} FROM {numbers}, \"{table}\" t
         WHERE t.tenant = 'halden' AND {key} = (SELECT id FROM \"change\" WHERE tenant = 'halden' AND state = 'closed'
            AND title = 'Print return labels in two languages' AND number % 2 = 1 ORDER BY \"change\".number LIMIT 1)",
        names.join(", "),
        values.join(", "),
    )
}

const TABLES: [&str; 3] = ["change", "change_target", "search_term"];

/// Adds rows of lists and searches until there are so many, past the product, which does not run meanwhile.
fn add_rows(wish: &Wish) -> Result<()> {
    let mut progress = Progress::read(&wish.folder)?;
    let shares = Shares::read(Path::new(risk::FOLDER))?;
    while progress.closed + progress.rows < wish.rows {
        ensure!(bytes_of(wish)? < MOST_BYTES, "the rows fill {MOST_BYTES} bytes");
        let count = ROWS.min(wish.rows - progress.closed - progress.rows);
        let (from, to) = (progress.rows, progress.rows + count - 1);
        match &wish.engine {
            Engine::Sqlite => {
                let master = std::fs::read_to_string(wish.folder.join("master.key"))?;
                let base = rusqlite::Connection::open(wish.folder.join("assent.db"))?;
                add_to_file(&base, master.trim(), (from, to), &shares)?;
            }
            Engine::Postgres(url) => add_to_database(
                &mut postgres::Client::connect(url, postgres::NoTls)?,
                (from, to),
                &shares,
            )?,
        }
        progress.rows += count;
        progress.write(&wish.folder)?;
        eprintln!("bench: {} rows were added", progress.rows);
    }
    Ok(())
}

/// In one transaction. Rows of a run that was killed before it noted them are there already.
fn add_to_file(base: &rusqlite::Connection, master: &str, (from, to): (u64, u64), shares: &Shares) -> Result<()> {
    let numbers = format!(
        "(WITH RECURSIVE c(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM c WHERE n < {to}) SELECT n FROM c)"
    );
    base.execute_batch("BEGIN IMMEDIATE")?;
    let look = "SELECT count(*) FROM \"change\" WHERE tenant = 'halden' AND id = ?1";
    let found: i64 = base.query_row(look, [format!("row-{from}")], |row| row.get(0))?;
    let is_there = found > 0;
    for table in TABLES.iter().filter(|_| !is_there) {
        let mut columns = Vec::new();
        let mut found = base.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
        for name in found.query_map([], |row| row.get::<_, String>(0))? {
            columns.push(name?);
        }
        base.execute_batch(&statement(table, &columns, &numbers, shares))?;
    }
    if !is_there {
        let pattern: (String, i64) = base.query_row(PATTERN, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let bodies = Bodies::new(&pattern, master)?;
        let mut update =
            base.prepare("UPDATE \"change\" SET body = ?1, code = ?2 WHERE tenant = 'halden' AND id = ?3")?;
        for number in from..=to {
            let (id, body, code) = bodies.row(number)?;
            update.execute((body, code, id))?;
        }
    }
    Ok(base.execute_batch("COMMIT")?)
}

/// The walked change after whose pattern rows are made. Those with an even number move into the archive.
const PATTERN: &str = "SELECT body, version FROM \"change\" WHERE tenant = 'halden' AND state = 'closed'
    AND title = 'Print return labels in two languages' AND number % 2 = 1 ORDER BY number LIMIT 1";

/// The bodies of added rows: the least of a walked change that still reads as one, with the code that a server would give it.
struct Bodies {
    least: Value,
    version: i64,
    master: MasterKey,
}

impl Bodies {
    fn new((body, version): &(String, i64), master: &str) -> Result<Self> {
        let mut least: Value = serde_json::from_str(body)?;
        let names: Vec<String> = least
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            let mut without = least.clone();
            without.as_object_mut().and_then(|fields| fields.remove(&name));
            if serde_json::from_value::<Change>(without.clone()).is_ok() {
                least = without;
            }
        }
        Ok(Self {
            least,
            version: *version,
            master: MasterKey::from_base64(master)?,
        })
    }

    /// Id, body and code of a row; the code is made as `store::row_code` does.
    fn row(&self, number: u64) -> Result<(String, String, Vec<u8>)> {
        let mut body = self.least.clone();
        let id = format!("row-{number}");
        body["id"] = json!(id);
        body["key"] = json!(format!("ROW-{number}"));
        body["number"] = json!(1_000_000_000 + number);
        body["version"] = json!(self.version);
        let body = serde_json::to_string(&serde_json::from_value::<Change>(body)?)?;
        let version = self.version.to_be_bytes();
        let parts = [
            b"halden".as_slice(),
            b"change",
            id.as_bytes(),
            &version,
            body.as_bytes(),
        ];
        let code = [&[1], self.master.mac("row", &parts).as_slice()].concat();
        Ok((id, body, code))
    }
}

fn add_to_database(base: &mut postgres::Client, (from, to): (u64, u64), shares: &Shares) -> Result<()> {
    let numbers = format!("generate_series({from}, {to}) AS c(n)");
    let mut transaction = base.transaction()?;
    let found = transaction.query(
        "SELECT 1 FROM \"change\" WHERE tenant = 'halden' AND id = $1",
        &[&format!("row-{from}")],
    )?;
    for table in TABLES.iter().filter(|_| found.is_empty()) {
        let rows = transaction.query(
            "SELECT column_name::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
            &[table],
        )?;
        let columns: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        transaction.batch_execute(&statement(table, &columns, &numbers, shares))?;
    }
    if found.is_empty() {
        let pattern = transaction.query_one(PATTERN, &[])?;
        let bodies = Bodies::new(&(pattern.get(0), pattern.get(1)), ::tests::MASTER_KEY)?;
        let update =
            transaction.prepare("UPDATE \"change\" SET body = $1, code = $2 WHERE tenant = 'halden' AND id = $3")?;
        for number in from..=to {
            let (id, body, code) = bodies.row(number)?;
            transaction.execute(&update, &[&body, &code, &id])?;
        }
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn wish(text: &str) -> Result<Wish> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Wish::read(&words)
    }

    #[test]
    fn a_wish_is_read_and_another_refused() {
        let read = wish("here --sizes 20,40 --rows 7").unwrap();
        assert_eq!((read.sizes, read.rows, read.engine), (vec![20, 40], 7, Engine::Sqlite));
        assert_eq!(wish("here").unwrap().sizes, [10_000, 50_000, 200_000]);
        for wrong in [
            "",
            "here --sizes",
            "here --sizes 40,20",
            "here --sizes x",
            "here --all 1",
            "here --engine db",
        ] {
            assert!(wish(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_power_law_is_found_again() {
        let points: Vec<(f64, f64)> = [1e4, 5e4, 2e5].map(|x: f64| (x, 3.0 * x.powf(0.5))).to_vec();
        let (factor, exponent) = power(&points).unwrap();
        assert!((factor - 3.0).abs() < 1e-9 && (exponent - 0.5).abs() < 1e-9);
        assert_eq!(power(&points[..1]), None);
        assert_eq!(power(&[(1.0, f64::NAN), (2.0, 1.0)]), None);
    }

    #[test]
    fn a_filling_goes_on_where_it_was_broken_off_and_measures_each_size() {
        let folder = tempfile::tempdir().unwrap();
        let wish = Wish {
            folder: folder.path().to_owned(),
            sizes: vec![2, 4],
            rows: 60,
            engine: Engine::Sqlite,
            asked: 8,
            program: Some(::tests::binary()),
        };
        // Broken off behind the first size, with numbers that may be used.
        let first = Wish {
            sizes: vec![2],
            rows: 0,
            ..wish.clone()
        };
        measure(&first, &mut Vec::new()).unwrap();
        let mut progress = Progress::read(folder.path()).unwrap();
        progress.next += 3;
        progress.write(folder.path()).unwrap();
        let mut lines = Vec::new();
        measure(&wish, &mut lines).unwrap();
        let told: Vec<&str> = lines.iter().map(|line| line.what.as_str()).collect();
        for wanted in [
            "Lists over 4 walked changes, p95",
            "GET /gate over 4 walked changes while the archive, erasures and a purge run, p99",
            "An archived change in its segment",
            "Bytes, extrapolated to 10 million changes",
            "GET /gate over 60 rows of lists, p99",
        ] {
            assert!(told.contains(&wanted), "{told:?}");
        }
        let after = Progress::read(folder.path()).unwrap();
        assert_eq!((after.closed, after.next, after.rows), (4, 7, 56));
        let base = rusqlite::Connection::open(folder.path().join("assent.db")).unwrap();
        let rows = base.query_row("SELECT count(*) FROM \"change\" WHERE id LIKE 'row-%'", [], |row| {
            row.get::<_, i64>(0)
        });
        assert_eq!(rows.unwrap(), 56);
    }
}
