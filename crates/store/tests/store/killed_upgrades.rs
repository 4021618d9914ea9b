//! Upgrades that are killed, and servers that meet while one runs.

use ::postgres::{Client, NoTls};
use rusqlite::Connection;
use store::{Config, Error, Lane, Mode, Store, counter};

use crate::migrations::files;
use crate::upgrades::{FIRST, MARK, POSTGRES, SQLITE, first_files, postgres_schema, sqlite_schema};
use crate::world::{ACME, Database, Folder, postgres_url, run_sql, small};

/// How many statements are killed at; `soak` takes all of them.
const STATEMENTS: &str = "ASSENT_TEST_STATEMENTS";
const USUAL: usize = 12;
/// Marks the test as the one to be killed: the file, the migration's place and the number of statements.
const VICTIM: &str = "ASSENT_TEST_VICTIM";

/// The statements of a migration, each with `;` at the end of its last line, as the store splits them.
fn statements(text: &str) -> Vec<String> {
    let code = |line: &str| line.split(" -- ").next().unwrap().trim_end().to_owned();
    let lines = text
        .lines()
        .map(code)
        .filter(|line| !line.is_empty() && !line.starts_with("--"));
    let (mut done, mut open) = (Vec::new(), String::new());
    for line in lines {
        open.push_str(&line);
        open.push('\n');
        if line.ends_with(';') {
            done.push(std::mem::take(&mut open));
        }
    }
    assert!(open.is_empty(), "a statement without an end: {open}");
    done
}

/// Every place to kill at, as migration and number of its statements that were run, evenly thinned out to the wanted number.
fn places() -> Vec<(usize, usize)> {
    let of_file =
        |(place, (_, text)): (usize, (String, String))| (1..=statements(&text).len()).map(move |n| (place, n));
    let all: Vec<(usize, usize)> = files().into_iter().enumerate().skip(FIRST).flat_map(of_file).collect();
    let wanted = std::env::var(STATEMENTS).map_or(USUAL, |text| text.parse().unwrap());
    let step = all.len().div_ceil(wanted).max(1);
    all.into_iter().step_by(step).collect()
}

/// A file with the schema before 0.1 and the later migrations up to one.
fn sqlite_before(path: &std::path::Path, place: usize) -> Connection {
    let file = Connection::open(path).unwrap();
    file.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    file.execute_batch(SQLITE).unwrap();
    for row in first_files() {
        file.execute(MARK, row).unwrap();
    }
    for (number, (name, text)) in files().into_iter().enumerate().take(place).skip(FIRST) {
        file.execute_batch(&text).unwrap();
        file.execute(MARK, (i64::try_from(number).unwrap() + 1, name, text))
            .unwrap();
    }
    file
}

/// The steps of the store's `run_all` up to a statement, then the end of the process. It is a test by form alone: it is run as
/// a program by the test below, and does nothing without its variable.
#[test]
fn a_process_that_is_killed_in_an_upgrade() {
    let Ok(said) = std::env::var(VICTIM) else {
        return;
    };
    let mut words = said.splitn(3, ' ');
    let mut number = || words.next().unwrap().parse::<usize>().unwrap();
    let (place, run) = (number(), number());
    let file = Connection::open(words.next().unwrap()).unwrap();
    file.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for statement in statements(&files()[place].1).iter().take(run) {
        file.execute_batch(statement).unwrap();
    }
    // No destructor rolls back: the disk is as after a kill.
    std::process::abort();
}

#[test]
fn a_kill_at_any_statement_of_an_upgrade_leaves_the_old_or_the_new_schema_on_sqlite() {
    let folder = Folder::new();
    let new = folder.path().join("new.db");
    Store::open(Config::sqlite(&new)).unwrap().close();
    let fresh = sqlite_schema(&Connection::open(&new).unwrap());
    for (place, run) in places() {
        let path = folder.path().join(format!("killed-{place}-{run}.db"));
        let before = sqlite_before(&path, place);
        let old = sqlite_schema(&before);
        drop(before);
        let killed = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed_upgrades::a_process_that_is_killed_in_an_upgrade"])
            .env(VICTIM, format!("{place} {run} {}", path.display()))
            .output()
            .unwrap();
        assert!(!killed.status.success(), "it was to be killed");
        let file = Connection::open(&path).unwrap();
        assert_eq!(sqlite_schema(&file), old, "half a migration: {place}, {run}");
        Store::open(Config::sqlite(&path)).unwrap().close();
        assert_eq!(sqlite_schema(&file), fresh, "after the kill at {place}, {run}");
        drop(file);
        std::fs::remove_file(&path).unwrap();
    }
}

/// Runs a migration up to a statement and has PostgreSQL end the session there, as the kill of its process does.
fn kill_in_migration(database: &Database, place: usize, run: usize) {
    let mut client = Client::connect(&database.url, NoTls).unwrap();
    client.batch_execute("BEGIN").unwrap();
    for statement in statements(&files()[place].1).iter().take(run) {
        client.batch_execute(statement).unwrap();
    }
    let ended = client.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())");
    assert!(ended.is_err(), "the session was to end");
}

#[test]
fn a_kill_at_any_statement_of_an_upgrade_leaves_the_old_or_the_new_schema_on_postgresql() {
    let (Some(killed), Some(new)) = (Database::new(), Database::new()) else {
        return;
    };
    Store::open(small(Config::postgres(&new.url))).unwrap().close();
    let fresh = postgres_schema(&mut new.client());
    let mut client = killed.client();
    client.batch_execute(POSTGRES).unwrap();
    for (number, name, text) in first_files() {
        client.execute(MARK, &[&number, &name, &text]).unwrap();
    }
    let (mut at, places) = (FIRST, places());
    for (place, run) in places {
        // The files before this one are run in between, so that each is killed over what the ones before it made.
        for (number, (name, text)) in files().into_iter().enumerate().take(place).skip(at) {
            client.batch_execute(&text).unwrap();
            client
                .execute(MARK, &[&(i64::try_from(number).unwrap() + 1), &name, &text])
                .unwrap();
        }
        at = at.max(place);
        let old = postgres_schema(&mut client);
        kill_in_migration(&killed, place, run);
        assert_eq!(postgres_schema(&mut client), old, "half a migration: {place}, {run}");
    }
    drop(client);
    Store::open(small(Config::postgres(&killed.url))).unwrap().close();
    let ended: Vec<String> = postgres_schema(&mut killed.client()).into_iter().collect();
    assert_eq!(ended, fresh.into_iter().collect::<Vec<_>>());
}

/// A server of this version serves while another one of it starts over the same database, which looks for migrations under the lock
/// that they are run under; and servers that start while a migration is under way wait for it and find it done.
#[test]
fn a_server_that_serves_goes_on_while_others_start_beside_it() {
    let Some(database) = Database::new() else {
        return;
    };
    let config = small(Config::postgres(&database.url));
    let serving = Store::open(config.clone()).unwrap();
    let (last, _) = files().pop().unwrap();
    let starting: Vec<_> = (0..2)
        .map(|_| {
            let config = config.clone();
            std::thread::spawn(move || Store::open(config).map(|store| store.close()))
        })
        .collect();
    for wanted in 1..=50 {
        let next = serving.wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next(tx, "n"));
        assert_eq!(next, Ok::<_, Error>(wanted));
    }
    for thread in starting {
        thread.join().unwrap().unwrap();
    }
    let row = "SELECT count(*) FROM schema_migration WHERE name = $1";
    let times: i64 = database.client().query_one(row, &[&last]).unwrap().get(0);
    assert_eq!(times, 1);
    serving.close();
}

/// The lock of migrations, held by a process that is killed: the next one to start runs the rest, once.
#[test]
fn who_waits_for_a_migration_whose_server_is_killed_runs_it() {
    let Some(database) = Database::new() else {
        return;
    };
    let mut holder = database.client();
    // The number of `LOCK` in the store's `migrate.rs`.
    holder
        .batch_execute("BEGIN; SELECT pg_advisory_xact_lock(107148485160564)")
        .unwrap();
    let config = small(Config::postgres(&database.url));
    let waiting = std::thread::spawn(move || Store::open(config).map(|store| store.close()));
    let server = postgres_url().unwrap();
    let waits = "DO $$ BEGIN
        FOR i IN 1..600 LOOP
            PERFORM pg_stat_clear_snapshot();
            EXIT WHEN EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = 'NAME');
            PERFORM pg_sleep(0.05);
        END LOOP; END $$";
    run_sql(&server, &waits.replace("NAME", &database.name));
    assert!(!waiting.is_finished(), "it did not wait for the lock");
    assert!(
        holder
            .batch_execute("SELECT pg_terminate_backend(pg_backend_pid())")
            .is_err()
    );
    waiting.join().unwrap().unwrap();
    assert_eq!(
        Store::waiting_migrations(&small(Config::postgres(&database.url))),
        Ok(Vec::new())
    );
}
