//! Upgrading: a schema that an earlier version left ends as the one of a new database.

use std::collections::BTreeSet;

use ::postgres::Client;
use rusqlite::Connection;
use store::{Config, Error, Lane, Mode, Store};

use crate::migrations::files;
use crate::world::{ACME, Database, Folder, small};

/// How many files the first schema has, one per area. All of them are part of the fixtures; later ones are not.
pub(crate) const FIRST: usize = 17;
pub(crate) const SQLITE: &str = include_str!("../fixtures/schema_before_0_1.sqlite.sql");
pub(crate) const POSTGRES: &str = include_str!("../fixtures/schema_before_0_1.postgres.sql");

/// The rows that mark the files of the first schema as run: number, name and text.
pub(crate) fn first_files() -> Vec<(i64, String, String)> {
    let numbered = (1_i64..).zip(files());
    let rows = numbered.map(|(number, (name, text))| (number, name, text));
    rows.take(FIRST).collect()
}

pub(crate) const MARK: &str = "INSERT INTO schema_migration (number, name, text) VALUES ($1, $2, $3)";

/// All rules on the values that a SQLite file's tables accept, a line each. The text of a table is not compared: a column that
/// was added later is behind the key in it.
pub(crate) fn sqlite_schema(file: &Connection) -> BTreeSet<String> {
    let parts = [
        "SELECT type || ' ' || name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'",
        "SELECT 'column ' || t.name || ' ' || c.cid || ' ' || c.name || ' ' || c.type || ' not null ' || c.\"notnull\"
            || ' default ' || coalesce(c.dflt_value, 'none') || ' key ' || c.pk || ' hidden ' || c.hidden
         FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'",
        "SELECT 'index ' || t.name || ' ' || i.name || ' unique ' || i.\"unique\" || ' ' || i.origin || ' partial ' || i.partial
         FROM sqlite_master t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'",
        "SELECT 'part ' || i.name || ' ' || c.seqno || ' ' || coalesce(c.name, 'rowid') || ' ' || c.desc || ' ' || c.coll
         FROM sqlite_master t JOIN pragma_index_list(t.name) i JOIN pragma_index_xinfo(i.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'",
        "SELECT 'text ' || name || ' ' || sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL",
        "SELECT 'reference ' || t.name || ' ' || k.\"from\" || ' ' || k.\"table\"
         FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) k WHERE t.type = 'table'",
    ];
    let mut found = BTreeSet::new();
    for sql in parts {
        let mut statement = file.prepare(sql).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        found.extend(lines.map(Result::unwrap));
    }
    found
}

/// The same of a PostgreSQL database, with row-level security.
pub(crate) fn postgres_schema(client: &mut Client) -> BTreeSet<String> {
    let parts = "
        SELECT 'table ' || relname || ' ' || relkind::text || ' secured ' || relrowsecurity || ' ' || relforcerowsecurity
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'column ' || c.relname || ' ' || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) || ' ' || a.attname
            || ' ' || format_type(a.atttypid, a.atttypmod) || ' not null ' || a.attnotnull
            || ' default ' || coalesce(pg_get_expr(d.adbin, d.adrelid), 'none')
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        UNION ALL
        SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT 'constraint ' || c.relname || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'policy ' || tablename || ' ' || policyname || ' ' || permissive || ' ' || roles::text || ' ' || cmd
            || ' using ' || coalesce(qual, '') || ' check ' || coalesce(with_check, '')
        FROM pg_policies WHERE schemaname = 'public'
        UNION ALL
        SELECT 'trigger ' || pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
        UNION ALL
        SELECT 'rule ' || definition FROM pg_rules WHERE schemaname = 'public'
        UNION ALL
        SELECT 'function ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'right ' || table_name || ' ' || privilege_type || ' ' || is_grantable
        FROM information_schema.role_table_grants
        WHERE table_schema = 'public' AND grantee = 'assent_serve_' || current_database()";
    let rows = client.query(parts, &[]).unwrap();
    rows.iter().map(|row| row.get::<_, String>(0)).collect()
}

fn assert_equal(upgraded: &BTreeSet<String>, fresh: &BTreeSet<String>) {
    assert!(fresh.len() > 1_000, "only {} parts were seen", fresh.len());
    let gone: Vec<_> = fresh.difference(upgraded).collect();
    let more: Vec<_> = upgraded.difference(fresh).collect();
    assert!(
        gone.is_empty() && more.is_empty(),
        "missing: {gone:#?}\nunknown: {more:#?}"
    );
}

/// Opens the upgrade of a fixture: the first schema counts as run, and only later files run.
fn open_upgraded(config: &Config) {
    let later: Vec<String> = files().into_iter().skip(FIRST).map(|(name, _)| name).collect();
    assert_eq!(Store::waiting_migrations(config).unwrap(), later);
    Store::open(config.clone()).unwrap().close();
    assert!(Store::waiting_migrations(config).unwrap().is_empty());
}

#[test]
fn the_schema_before_0_1_ends_as_a_new_one_on_sqlite() {
    let folder = Folder::new();
    let (old, new) = (folder.path().join("old.db"), folder.path().join("new.db"));
    let file = Connection::open(&old).unwrap();
    file.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    file.execute_batch(SQLITE).unwrap();
    for row in first_files() {
        file.execute(MARK, row).unwrap();
    }
    open_upgraded(&Config::sqlite(&old));
    Store::open(Config::sqlite(&new)).unwrap().close();
    let fresh = sqlite_schema(&Connection::open(&new).unwrap());
    assert_equal(&sqlite_schema(&file), &fresh);
}

#[test]
fn the_schema_before_0_1_ends_as_a_new_one_on_postgresql() {
    let (Some(old), Some(new)) = (Database::new(), Database::new()) else {
        return;
    };
    let mut client = old.client();
    client.batch_execute(POSTGRES).unwrap();
    for (number, name, text) in first_files() {
        client.execute(MARK, &[&number, &name, &text]).unwrap();
    }
    let config = small(Config::postgres(&old.url));
    open_upgraded(&config);
    assert_eq!(Store::find_damage(&config).unwrap(), []);
    Store::open(small(Config::postgres(&new.url))).unwrap().close();
    assert_equal(&postgres_schema(&mut client), &postgres_schema(&mut new.client()));
}

/// Takes the last file back, with a row of another table in place, and opens again.
fn runs_the_last_file_again(config: &Config, run: impl Fn(&str)) {
    let (last, text) = files().pop().unwrap();
    let store = Store::open(config.clone()).unwrap();
    let next = store.wait(Lane::Acts, ACME, Mode::Write, |tx| store::counter::next(tx, "n"));
    assert_eq!(next, Ok::<_, Error>(1));
    store.close();
    let tables = text.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
    for table in tables.map(|rest| rest.trim_end_matches(" (")) {
        run(&format!("DROP TABLE {table}"));
    }
    // SQLite takes no column away that an index reads.
    let indexes = text.lines().filter_map(|line| line.strip_prefix("CREATE INDEX "));
    for index in indexes.filter_map(|rest| rest.split(' ').next()) {
        run(&format!("DROP INDEX IF EXISTS {index}"));
    }
    let columns = text.lines().filter_map(|line| line.strip_prefix("ALTER TABLE "));
    for (table, column) in columns.filter_map(|rest| rest.split_once(" ADD COLUMN ")) {
        let column = column.split(' ').next().unwrap();
        run(&format!("ALTER TABLE {table} DROP COLUMN {column}"));
    }
    run(&format!("DELETE FROM schema_migration WHERE name = '{last}'"));
    assert_eq!(Store::waiting_migrations(config).unwrap(), [last]);
    let store = Store::open(config.clone()).unwrap();
    let next = store.wait(Lane::Acts, ACME, Mode::Write, |tx| store::counter::next(tx, "n"));
    assert_eq!(next, Ok::<_, Error>(2), "what was there stays");
    store.close();
    assert!(Store::waiting_migrations(config).unwrap().is_empty());
    assert_eq!(Store::find_damage(config).unwrap(), []);
}

#[test]
fn a_file_that_was_not_run_yet_is_run_on_what_is_there() {
    let folder = Folder::new();
    let path = folder.path().join("assent.db");
    runs_the_last_file_again(&Config::sqlite(&path), |sql| {
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    });
    let Some(database) = Database::new() else {
        return;
    };
    runs_the_last_file_again(&small(Config::postgres(&database.url)), |sql| {
        database.client().batch_execute(sql).unwrap();
    });
}
