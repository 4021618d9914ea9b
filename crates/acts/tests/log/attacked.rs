//! Whole rows that somebody inserts, exchanges or removes in the database past the server, in every table of the schema. Replay
//! finds each, or the list below gives the reason why that is not needed. A table that no list names fails the test.

use std::collections::{BTreeMap, BTreeSet};

use acts::audit::replay_log;
use acts::directory::set_person;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};
use store::change::unsettled;
use store::code_rows;
use store::identity::second_factor::{self, SecondFactor};
use store::identity::workload;

use crate::mutating;
use crate::world::{TENANT, World};

/// Tables that hold nothing recorded or derived, each with the reason why rows in it open nothing, or with what finds them.
const APART: &[(&str, &str)] = &[
    (
        "act_order",
        "the order in which events are placed; placing refuses what contradicts the versions",
    ),
    (
        "call",
        "calls that wait to be sent; they carry no right, and their receivers check a signature",
    ),
    (
        "ceremony",
        "challenges of passkeys, used once within minutes; an answer is a signature over them",
    ),
    (
        "cosignature",
        "signatures of witnesses, which readers verify under the witness's key",
    ),
    (
        "counter",
        "the numbers behind keys; replay finds one that is behind its records, one ahead leaves a gap",
    ),
    (
        "delivery_refusal",
        "counts of refused deliveries, for people to look at",
    ),
    (
        "estate_write",
        "which records of the directory are to be loaded again; they are checked when they are read",
    ),
    ("form_draft", "what somebody typed into a form and has not sent"),
    ("gate_use", "when each gateway asked last, for people to look at"),
    (
        "idempotency",
        "kept answers of repeated requests; a permit is never answered from it",
    ),
    (
        "inbox",
        "deliveries, each with a code of the server that took it; one without is set aside",
    ),
    ("job", "letters that wait to be sent; they carry no right"),
    (
        "password",
        "each has a code, and replay compares its hash with the event that set it",
    ),
    (
        "archive_garbage",
        "files to be removed; a file that a segment names is kept when its turn comes",
    ),
    ("archive_state", "how much the archive holds, for people to look at"),
    ("person_seen", "when each person was seen last, for people to look at"),
    (
        "projection",
        "how far figures have read the log; replay computes their rows again",
    ),
    (
        "time_stamp",
        "time stamps of authorities, which readers verify under certificates that they trust",
    ),
    (
        "watched_checkpoint",
        "how far logs of others were seen; one that is set back lets a fork be cosigned, which the log's other witnesses find",
    ),
    ("saved_view", "filters of lists"),
    (
        "second_factor",
        "each has a code, and replay compares it with the event that added it",
    ),
    (
        "secret",
        "secrets under the master key; `doctor` and replay open those that are in use",
    ),
    (
        "session",
        "each has a code of the server that began it; one without opens nothing",
    ),
    (
        "settled",
        "which unsettled changes were judged, each with a code; one that is gone is judged once more",
    ),
    (
        "sink_state",
        "how far each sink was fed; a sink that is fed again gets events twice",
    ),
    (
        "timer",
        "each has a code over its time; one that is gone is set again by a running server, or replay misses it",
    ),
    (
        "token_scope_use",
        "for which scopes a token was used, for people to look at",
    ),
    ("token_use", "when a token was used last, for people to look at"),
    (
        "unsettled",
        "that changes have to be judged again, with a code; once it is gone, replay compares the gate's rows with their changes",
    ),
    (
        "webhook_delivery",
        "what waits to be told to webhooks; it carries no right",
    ),
    ("webhook_state", "how far each webhook was told"),
    (
        "workload_token",
        "what jobs were let in with, each with a code; replay compares it with its event",
    ),
    (
        "workload_used",
        "identities that were used up; one that is removed can be used once more, for as long as it lives",
    ),
];

/// Attacks that replay does not name, each with the reason.
const SILENT: &[(&str, &str, &str)] = &[
    (
        "archived_change",
        "insert",
        "it is read for a change whose row holds no body of its own; of any other it names nothing",
    ),
    (
        "person_identity",
        "insert",
        "a row that the person's own record does not have is refused when it is read",
    ),
    ("revoked", "insert", "it takes a permit away and opens nothing"),
    (
        "search_term",
        "insert",
        "it finds a record for another word; the list reads the record with the rights of its reader",
    ),
    ("event_payload", "insert", "what no event names is never read"),
    (
        "evidence_blob",
        "insert",
        "a file that no evidence names is never handed out",
    ),
    (
        "evidence_chunk",
        "insert",
        "a piece behind the end of a file, or of no file, is never handed out",
    ),
    (
        "log_bundle",
        "insert",
        "a bundle behind the end of the log is never read",
    ),
    (
        "log_tile",
        "insert",
        "a tile that the size of the log does not have is never read",
    ),
    (
        "text_salt",
        "insert",
        "a salt to which no record has a commitment opens nothing",
    ),
];

/// The kinds of attack.
const ATTACKS: [&str; 3] = ["insert", "exchange", "remove"];
/// The fewest attacks that have to come off, so that the test cannot pass by finding nothing to do.
const FEWEST: usize = 120;

type Row = Vec<Cell>;

/// A table beside the server.
struct Table<'c> {
    base: &'c Connection,
    name: &'c str,
    columns: Vec<String>,
    /// The places of the key's columns, without the tenant.
    key: Vec<usize>,
}

impl<'c> Table<'c> {
    fn of(base: &'c Connection, name: &'c str) -> Self {
        let sql = format!("SELECT name, pk FROM pragma_table_info('{name}') ORDER BY cid");
        let mut statement = base.prepare(&sql).unwrap();
        let found = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        let found: Vec<(String, i64)> = found.unwrap().map(Result::unwrap).collect();
        let is_key = |(_, (column, pk)): &(usize, &(String, i64))| *pk > 0 && column != "tenant";
        let key = found
            .iter()
            .enumerate()
            .filter(is_key)
            .map(|(place, _)| place)
            .collect();
        let columns = found.into_iter().map(|(column, _)| column).collect();
        Self {
            base,
            name,
            columns,
            key,
        }
    }

    fn rows(&self) -> Vec<Row> {
        let sql = format!(
            "SELECT * FROM \"{}\" WHERE tenant = '{TENANT}' ORDER BY rowid",
            self.name
        );
        let mut statement = self.base.prepare(&sql).unwrap();
        let count = self.columns.len();
        let rows = statement.query_map([], |row| (0..count).map(|at| row.get(at)).collect::<Result<Row, _>>());
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn insert(&self, row: &Row) -> bool {
        let places: Vec<String> = (1..=row.len()).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT INTO \"{}\" VALUES ({})", self.name, places.join(", "));
        self.base.execute(&sql, params_from_iter(row.iter().cloned())).is_ok()
    }

    /// Removes a row by all that it holds.
    fn remove(&self, row: &Row) {
        let tests: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| format!("\"{column}\" IS ?{}", at + 1))
            .collect();
        let sql = format!("DELETE FROM \"{}\" WHERE {}", self.name, tests.join(" AND "));
        let gone = self.base.execute(&sql, params_from_iter(row.iter().cloned())).unwrap();
        assert_eq!(gone, 1, "{}: one row is removed", self.name);
    }

    /// Does an attack; returns the rows that it wrote and those that it took away. `None` where the table has nothing for it,
    /// or does not take it.
    fn attack(&self, kind: &str) -> Option<(Vec<Row>, Vec<Row>)> {
        let rows = self.rows();
        let first = rows.first()?.clone();
        match kind {
            "insert" => {
                let mut copy = first;
                let at = *self.key.last()?;
                copy[at] = beside(&copy[at]);
                self.insert(&copy).then(|| (vec![copy], Vec::new()))
            }
            "remove" => {
                self.remove(&first);
                Some((Vec::new(), vec![first]))
            }
            _ => {
                let is_key = |at: &usize| self.key.contains(at);
                let content = |row: &Row| -> Row {
                    let places = (0..row.len()).filter(|at| !is_key(at));
                    places.map(|at| row[at].clone()).collect()
                };
                let other = rows.iter().find(|row| content(row) != content(&first))?.clone();
                let (mut one, mut two) = (first.clone(), other.clone());
                for at in (0..first.len()).filter(|at| !is_key(at)) {
                    std::mem::swap(&mut one[at], &mut two[at]);
                }
                self.remove(&first);
                self.remove(&other);
                if self.insert(&one) && self.insert(&two) {
                    return Some((vec![one, two], vec![first, other]));
                }
                // Rows that it left are removed again, and the taken rows come back.
                let there = self.rows();
                [one, two]
                    .iter()
                    .filter(|row| there.contains(row))
                    .for_each(|row| self.remove(row));
                assert!(self.insert(&first) && self.insert(&other));
                None
            }
        }
    }

    fn undo(&self, (written, taken): (Vec<Row>, Vec<Row>)) {
        written.iter().for_each(|row| self.remove(row));
        for row in &taken {
            assert!(self.insert(row), "{}: a row goes back", self.name);
        }
    }
}

/// Another key of the same kind.
fn beside(cell: &Cell) -> Cell {
    match cell {
        Cell::Integer(number) => Cell::Integer(number + 1_000_000),
        Cell::Text(text) => Cell::Text(format!("{text}x")),
        Cell::Blob(bytes) => Cell::Blob([bytes.as_slice(), b"x"].concat()),
        other => other.clone(),
    }
}

fn is_found(world: &World) -> bool {
    let progress: replay_log::Progress = std::sync::Arc::new(|_, _| true);
    let replayed = replay_log::replay_log(&world.executor, TENANT, &progress);
    replayed.map_or(true, |report| !report.findings.is_empty())
}

fn all_tables(base: &Connection) -> BTreeSet<String> {
    let sql = "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND c.name = 'tenant' AND m.name NOT LIKE 'sqlite_%'";
    let mut statement = base.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

fn open(world: &World) -> Connection {
    let base = Connection::open(world.folder.path().join("assent.db")).unwrap();
    base.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    base
}

/// Attacks every other table; returns the number of successful attacks, and those that replay did not report.
fn attack_tables(is_its_turn: impl Fn(usize) -> bool) -> (usize, Vec<String>) {
    let world = mutating::world();
    assert_eq!(world.replay().findings, []);
    let base = open(&world);
    let compared = mutating::columns();
    let (mut done, mut missed) = (0, Vec::new());
    for (_, name) in compared.keys().enumerate().filter(|(at, _)| is_its_turn(*at)) {
        let table = Table::of(&base, name);
        for kind in ATTACKS {
            let is_silent = SILENT.iter().any(|(of, attack, _)| of == name && *attack == kind);
            let Some(undo) = table.attack(kind) else {
                continue;
            };
            done += 1;
            if !is_silent && !is_found(&world) {
                missed.push(format!("{name}: {kind}"));
            }
            table.undo(undo);
        }
    }
    assert_eq!(world.replay().findings, [], "everything went back");
    (done, missed)
}

#[test]
fn rows_that_are_inserted_exchanged_or_removed_are_found_in_every_table_that_is_compared() {
    let (one, other) = std::thread::scope(|scope| {
        let even = scope.spawn(|| attack_tables(|at| at % 2 == 0));
        (attack_tables(|at| at % 2 == 1), even.join().unwrap())
    });
    let missed = [one.1, other.1].concat();
    assert!(
        missed.is_empty(),
        "{} attacks were not found:\n{}",
        missed.len(),
        missed.join("\n")
    );
    assert!(one.0 + other.0 >= FEWEST, "only {} attacks came off", one.0 + other.0);
}

#[test]
fn every_table_is_compared_or_stands_in_the_list_with_its_reason() {
    let world = World::new();
    let all = all_tables(&open(&world));
    let compared: BTreeSet<String> = mutating::columns().into_keys().collect();
    let apart: BTreeMap<&str, &str> = APART.iter().copied().collect();
    let unclassified: Vec<&String> = all
        .iter()
        .filter(|table| !compared.contains(*table) && !apart.contains_key(table.as_str()))
        .collect();
    assert!(unclassified.is_empty(), "classify these tables: {unclassified:?}");
    let gone: Vec<&&str> = apart.keys().filter(|table| !all.contains(**table)).collect();
    assert!(gone.is_empty(), "no such table: {gone:?}");
    let twice: Vec<&&str> = apart.keys().filter(|table| compared.contains(**table)).collect();
    assert!(twice.is_empty(), "these are compared: {twice:?}");
    assert!(
        apart
            .values()
            .chain(SILENT.iter().map(|(_, _, why)| why))
            .all(|why| why.len() > 10)
    );
    for (table, attack, _) in SILENT {
        assert!(
            compared.contains(*table) && ATTACKS.contains(attack),
            "{table}: {attack}"
        );
    }
}

/// A row in every table that has codes and is no table of records.
fn coded() -> World {
    let world = World::new();
    world.scheduled("Move booking to 4.2");
    world.system(|cx| {
        set_person::set_password(cx, "rita", "phc")?;
        // One that was begun and not confirmed, and a credential that has ended: neither has to be told.
        let factor = SecondFactor {
            id: "f-1".to_owned(),
            person: "p-1".to_owned(),
            kind: "totp".to_owned(),
            name: "Telephone".to_owned(),
            secret: vec![1],
            is_confirmed: false,
            last_step: 0,
            created_at: cx.now,
            last_used_at: None,
            counts_from: None,
        };
        second_factor::insert(cx.tx, &factor)?;
        workload::insert(cx.tx, "sha256:00", "jobs", cx.now)?;
        let generation = cx.generation()?;
        unsettled::raise(cx.tx, generation, cx.now)?;
        Ok(unsettled::note_judged(cx.tx, "c-1", generation)?)
    });
    world.sequence();
    world.assert_replays();
    world
}

#[test]
fn a_wrong_code_is_named_in_every_table_that_has_codes() {
    let world = coded();
    let base = open(&world);
    for (table, _) in code_rows::APART {
        let sql = format!("SELECT rowid, code FROM \"{table}\" WHERE tenant = '{TENANT}' LIMIT 1");
        let found = base.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
        let (row, code) = found.unwrap_or_else(|why| panic!("{table}: {why}"));
        let write = |code: Cell| {
            let sql = format!("UPDATE \"{table}\" SET code = ?1 WHERE rowid = ?2");
            base.execute(&sql, params_from_iter([code, Cell::Integer(row)]))
                .unwrap()
        };
        for wrong in [Cell::Null, Cell::Blob(vec![0; code.len()])] {
            assert_eq!(write(wrong), 1);
            let findings = world.replay().findings;
            let is_it = |it: &replay_log::Finding| it.table == *table && it.field.as_deref() == Some("code");
            assert!(findings.iter().any(is_it), "{table}: {findings:#?}");
        }
        write(Cell::Blob(code));
    }
    world.assert_replays();
}

#[test]
fn every_table_with_codes_is_one_of_records_or_is_looked_through() {
    let world = World::new();
    let base = open(&world);
    let sql = "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND c.name = 'code' AND c.type = 'BYTEA'";
    let mut statement = base.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let coded: BTreeSet<String> = names.map(Result::unwrap).collect();
    let apart = code_rows::APART.iter().map(|(table, _)| *table);
    let known: BTreeSet<&str> = store::nouns::TABLES.iter().copied().chain(apart).collect();
    let unknown: Vec<&String> = coded.iter().filter(|table| !known.contains(table.as_str())).collect();
    assert!(unknown.is_empty(), "replay does not verify the codes of {unknown:?}");
}

#[test]
fn timers_and_checkpoints_of_a_version_without_codes_get_theirs() {
    let world = coded();
    let findings = world.tampered("UPDATE timer SET code = NULL; UPDATE checkpoint SET code = NULL");
    let told: BTreeSet<&str> = findings.iter().map(|it| it.table.as_str()).collect();
    assert_eq!(told, BTreeSet::from(["checkpoint", "timer"]));
    world.system(|cx| Ok(code_rows::code_timers(cx.tx)?));
    world.assert_replays();
}
