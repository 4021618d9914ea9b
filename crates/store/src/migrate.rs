//! Brings the schema forwards, one immutable file after the other, and prepares PostgreSQL's roles.

use std::collections::BTreeMap;

use crate::driver::{Address, Connection, PostgresConnection, Reach, SqliteConnection, quoted};
use crate::error::{Error, Result};
use crate::value::Value;

/// One file. Its first line is `-- oldest binary: <version>`: the oldest binary that may serve this schema.
struct Migration {
    number: i64,
    name: &'static str,
    text: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),+ $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            text: include_str!(concat!("../migrations/", $name, ".sql")),
        }),+]
    };
}

/// The first schema has one file per area. Migrations after the first release are files of their own, at the end.
const MIGRATIONS: &[Migration] = migrations![
    1 "0001_core",
    2 "0002_change",
    3 "0003_approval",
    4 "0004_cab",
    5 "0005_risk",
    6 "0006_schedule",
    7 "0007_gate",
    8 "0008_emergency",
    9 "0009_incident",
    10 "0010_directory",
    11 "0011_identity",
    12 "0012_policy",
    13 "0013_integration",
    14 "0014_audit",
    15 "0015_compliance",
    16 "0016_notify",
    17 "0017_report",
    18 "0018_workload_used",
    19 "0019_row_codes",
    20 "0020_outcome",
    21 "0021_announcement",
    22 "0022_projections",
    23 "0023_failure",
    24 "0024_sinks",
    25 "0025_bundles",
    26 "0026_action_item",
    27 "0027_incident_entries",
    28 "0028_incident_learning",
    29 "0029_drift",
    30 "0030_conflicts",
    31 "0031_archive",
    32 "0032_probe",
    33 "0033_audit_samples",
    34 "0034_communications",
    35 "0035_lessons",
    36 "0036_risk_adjustment",
    37 "0037_vendor",
    38 "0038_boards",
    39 "0039_waves",
    40 "0040_retention",
    41 "0041_outside_time",
    42 "0042_dashboard",
    43 "0043_monitoring",
    44 "0044_unsettled",
    45 "0045_emergency_cards",
    46 "0046_dialect",
    47 "0047_agent",
    48 "0048_form_draft",
    49 "0049_foreign",
    50 "0050_imported_change",
    51 "0051_duty_rota",
    52 "0052_archive_bucket",
    53 "0053_outside_run",
    54 "0054_review_cause",
    55 "0055_causes",
    56 "0056_wait_budget",
    57 "0057_service_lead",
    58 "0058_whole_outcome",
    59 "0059_trace",
    60 "0060_audiences_and_sessions",
    61 "0061_inbox_subject",
    62 "0062_planned_undo",
    63 "0063_timer_codes",
    64 "0064_mirror_natural_key",
    65 "0065_figures",
    66 "0066_undeliverable",
    67 "0067_history_indexes",
    68 "0068_rejected",
    69 "0069_target_indexes",
];

/// Several servers may start at once; the holder of this lock migrates.
const LOCK: i64 = 0x6173_7365_6e74;

const OWN_TABLES: &str = "
CREATE TABLE IF NOT EXISTS schema_migration (
    number BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS schema_info (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);";

/// Migrates a SQLite file.
pub(crate) fn prepare_sqlite(mut writer: SqliteConnection, version: &str) -> Result<Connection> {
    let known = writer.has_table("schema_info")?;
    let mut connection = Connection::Sqlite(writer);
    if known {
        check_version(&mut connection, version)?;
    }
    run_all(&mut connection, "BEGIN EXCLUSIVE", MIGRATIONS, version, |_| Ok(()))?;
    if let Connection::Sqlite(writer) = &mut connection {
        writer.tell_statistics()?;
    }
    Ok(connection)
}

/// Migrates a PostgreSQL database and returns the role that serving sessions take on, if they must.
pub(crate) fn prepare_postgres(owner: &Address, serving: Option<&Address>, version: &str) -> Result<Option<String>> {
    let mut connection = Connection::Postgres(PostgresConnection::open(owner, None)?);
    if has_own_tables(&mut connection)? {
        check_version(&mut connection, version)?;
    }
    // A long index build or a wait for another server's migration is no fault.
    connection.batch("SET statement_timeout = 0; SET lock_timeout = 0")?;
    let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK}); SET LOCAL assent.across = 'on'");
    run_all(&mut connection, &begin, MIGRATIONS, version, secure_tables)?;
    let role = match serving {
        Some(address) => session_user(address)?,
        None => own_role_name(&mut connection)?,
    };
    in_transaction(&mut connection, &begin, |connection| {
        if serving.is_none() {
            make_role(connection, &role)?;
        }
        grant(connection, &role)
    })?;
    let taken_on = serving.is_none().then_some(role);
    let mut served = Connection::Postgres(PostgresConnection::open(serving.unwrap_or(owner), taken_on.as_deref())?);
    check_role(&mut served)?;
    Ok(taken_on)
}

/// The names of the files that opening would run, in order; nothing is run.
pub(crate) fn waiting(connection: &mut Connection) -> Result<Vec<&'static str>> {
    let is_known = match connection {
        Connection::Sqlite(file) => file.has_table("schema_migration")?,
        Connection::Postgres(_) => has_own_tables(connection)?,
    };
    let mut run = Vec::new();
    if is_known {
        for row in connection.query("SELECT number FROM schema_migration", &[], Reach::Across)? {
            run.push(row.int("number")?);
        }
    }
    let waits = MIGRATIONS.iter().filter(|migration| !run.contains(&migration.number));
    Ok(waits.map(|migration| migration.name).collect())
}

fn in_transaction<T>(
    connection: &mut Connection,
    begin: &str,
    body: impl FnOnce(&mut Connection) -> Result<T>,
) -> Result<T> {
    connection.batch(begin)?;
    let done = body(connection);
    let ended = match &done {
        Ok(_) => connection.commit(),
        Err(_) => connection.batch("ROLLBACK"),
    };
    let value = done?;
    ended?;
    Ok(value)
}

fn run_all(
    connection: &mut Connection,
    begin: &str,
    migrations: &[Migration],
    version: &str,
    secure: fn(&mut Connection) -> Result<()>,
) -> Result<()> {
    in_transaction(connection, begin, |connection| connection.batch(OWN_TABLES))?;
    for migration in migrations {
        in_transaction(connection, begin, |connection| {
            // Another process may have gone further while this one waited for the lock.
            check_version(connection, version)?;
            if is_applied(connection, migration)? {
                return Ok(());
            }
            tracing::info!(name = migration.name, "migrating");
            for statement in statements(migration.text) {
                connection.batch(&statement)?;
            }
            record(connection, migration)?;
            secure(connection)
        })?;
    }
    Ok(())
}

/// Whether a migration was run. A migration whose text has changed since counts as damage.
fn is_applied(connection: &mut Connection, migration: &Migration) -> Result<bool> {
    let rows = connection.query(
        "SELECT text FROM schema_migration WHERE number = $number",
        &[("number", Value::Int(migration.number))],
        Reach::Across,
    )?;
    let Some(row) = rows.first() else {
        return Ok(false);
    };
    if row.text("text")? != migration.text {
        return Err(Error::Corrupt(format!(
            "the migration {} is not the one that was run",
            migration.name
        )));
    }
    Ok(true)
}

fn record(connection: &mut Connection, migration: &Migration) -> Result<()> {
    connection.execute(
        "INSERT INTO schema_migration (number, name, text) VALUES ($number, $name, $text)",
        &[
            ("number", Value::Int(migration.number)),
            ("name", migration.name.into()),
            ("text", migration.text.into()),
        ],
        Reach::Across,
    )?;
    connection.execute(
        "INSERT INTO schema_info (name, value) VALUES ('oldest_binary', $value)
         ON CONFLICT (name) DO UPDATE SET value = $value",
        &[("value", oldest_binary(migration.text)?.into())],
        Reach::Across,
    )?;
    Ok(())
}

fn oldest_binary(text: &str) -> Result<&str> {
    text.lines()
        .next()
        .and_then(|line| line.strip_prefix("-- oldest binary: "))
        .map(str::trim)
        .ok_or_else(|| Error::other("a migration does not name its oldest binary"))
}

/// An older binary must not touch a schema that requires a newer one.
fn check_version(connection: &mut Connection, version: &str) -> Result<()> {
    let rows = connection.query(
        "SELECT value FROM schema_info WHERE name = 'oldest_binary'",
        &[],
        Reach::Across,
    )?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let oldest = row.text("value")?;
    if parts(version)? < parts(&oldest)? {
        return Err(Error::Refused(format!(
            "the data needs version {oldest} or newer, and this is {version}"
        )));
    }
    Ok(())
}

fn parts(version: &str) -> Result<[u32; 3]> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<u32> = core.split('.').filter_map(|it| it.parse().ok()).collect();
    numbers
        .try_into()
        .map_err(|_| Error::Other(format!("`{version}` is no version")))
}

/// Splits a file into statements, each of which ends with `;` at the end of a line.
fn statements(text: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let code = line.split(" -- ").next().unwrap_or_default().trim_end();
        if code.starts_with("--") || code.is_empty() {
            continue;
        }
        open.push_str(code);
        open.push('\n');
        if code.ends_with(';') {
            done.push(std::mem::take(&mut open));
        }
    }
    if !open.trim().is_empty() {
        done.push(open);
    }
    done
}

/// The statements of these migrations in order, after those of the tables that record the migrations.
pub(crate) fn statements_of(numbers: &[i64]) -> Vec<String> {
    let run = MIGRATIONS
        .iter()
        .filter(|migration| numbers.contains(&migration.number));
    let made = run.flat_map(|migration| statements(migration.text));
    std::iter::once(OWN_TABLES.to_owned()).chain(made).collect()
}

/// The columns of the key of every table that has a tenant, by table, as the files leave them.
pub(crate) fn keys_of_tables() -> BTreeMap<String, Vec<String>> {
    keys_made_by(MIGRATIONS.iter().flat_map(|migration| statements(migration.text)))
}

fn keys_made_by(statements: impl Iterator<Item = String>) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for statement in statements {
        if let Some(gone) = statement.strip_prefix("DROP TABLE ") {
            found.remove(gone.trim_matches(['"', ';', '\n']));
        }
        let named = statement
            .strip_prefix("CREATE TABLE ")
            .and_then(|rest| rest.split_once(' '));
        let key = statement
            .split_once("PRIMARY KEY (")
            .and_then(|(_, rest)| rest.split_once(')'));
        let (Some((table, _)), Some((key, _))) = (named, key) else {
            continue;
        };
        let key: Vec<String> = key.split(',').map(|it| it.trim().replace('"', "")).collect();
        if key.first().is_some_and(|first| first == "tenant") {
            // A table that was made again under another key is named twice; the last one counts.
            found.insert(table.trim_matches('"').to_owned(), key);
        }
    }
    found
}

fn has_own_tables(connection: &mut Connection) -> Result<bool> {
    let rows = connection.query(
        "SELECT 1 AS one FROM pg_catalog.pg_tables
         WHERE schemaname = current_schema() AND tablename = 'schema_info'",
        &[],
        Reach::Across,
    )?;
    Ok(!rows.is_empty())
}

/// Forces row security on every table with a tenant that has none yet. A tenant's transaction sees its own rows, and one across
/// tenants (only `run_across` sets `assent.across`) sees all. A session without a setting sees none.
pub(crate) fn secure_tables(connection: &mut Connection) -> Result<()> {
    let rows = connection.query(
        "SELECT c.relname AS name FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
         WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND NOT c.relforcerowsecurity",
        &[],
        Reach::Across,
    )?;
    for row in rows {
        let table = quoted(&row.text("name")?);
        connection.batch(&format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             CREATE POLICY of_tenant ON {table}
             USING (tenant = current_setting('assent.tenant', true) OR current_setting('assent.across', true) = 'on')
             WITH CHECK (tenant = current_setting('assent.tenant', true) OR current_setting('assent.across', true) = 'on')"
        ))?;
    }
    Ok(())
}

fn session_user(address: &Address) -> Result<String> {
    let mut connection = Connection::Postgres(PostgresConnection::open(address, None)?);
    one_text(&mut connection, "SELECT current_user AS it")
}

/// PostgreSQL cuts names after 63 bytes, so ours is cut before.
fn own_role_name(connection: &mut Connection) -> Result<String> {
    let database = one_text(connection, "SELECT current_database() AS it")?;
    let mut name = format!("assent_serve_{database}");
    while name.len() > 63 {
        name.pop();
    }
    Ok(name)
}

fn one_text(connection: &mut Connection, sql: &str) -> Result<String> {
    let rows = connection.query(sql, &[], Reach::Across)?;
    rows.first()
        .ok_or_else(|| Error::other("the statement answered nothing"))?
        .text("it")
}

fn make_role(connection: &mut Connection, role: &str) -> Result<()> {
    let known = connection.query(
        "SELECT 1 AS one FROM pg_catalog.pg_roles WHERE rolname = $role",
        &[("role", role.into())],
        Reach::Across,
    )?;
    let name = quoted(role);
    if known.is_empty() {
        connection
            .batch(&format!("CREATE ROLE {name} NOLOGIN"))
            .map_err(|fault| {
                Error::Refused(format!(
                    "the role {name} cannot be made ({fault}); make it by hand and grant it to the owner, \
                     or give a URL of another role for serving"
                ))
            })?;
    }
    let member = connection.query(
        "SELECT pg_catalog.pg_has_role(current_user, $role, 'MEMBER') AS it",
        &[("role", role.into())],
        Reach::Across,
    )?;
    if !member.iter().any(|row| row.bool("it") == Ok(true)) {
        connection.batch(&format!("GRANT {name} TO CURRENT_USER"))?;
    }
    Ok(())
}

fn grant(connection: &mut Connection, role: &str) -> Result<()> {
    let role = quoted(role);
    let schema = quoted(&one_text(connection, "SELECT current_schema()::text AS it")?);
    connection.batch(&format!(
        "GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
         REVOKE INSERT, UPDATE, DELETE ON schema_migration, schema_info FROM {role}"
    ))
}

/// A role that bypasses row security, or owns a table and could switch it off, must not serve.
fn check_role(connection: &mut Connection) -> Result<()> {
    let rows = connection.query(
        "SELECT rolname AS name, (rolsuper OR rolbypassrls) AS bypasses,
            EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relkind = 'r'
                AND c.relnamespace = current_schema()::regnamespace
                AND pg_catalog.pg_has_role(current_user, c.relowner, 'USAGE')) AS owns
         FROM pg_catalog.pg_roles WHERE rolname = current_user",
        &[],
        Reach::Across,
    )?;
    let row = rows
        .first()
        .ok_or_else(|| Error::other("the session's role is unknown"))?;
    let name = row.text("name")?;
    if row.bool("bypasses")? {
        return Err(Error::Refused(format!("the role `{name}` bypasses row security")));
    }
    if row.bool("owns")? {
        return Err(Error::Refused(format!(
            "the role `{name}` owns tables and could switch row security off"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::{MIGRATIONS, Migration, keys_made_by, keys_of_tables, run_all, statements};
    use crate::driver::{Connection, Reach, SqliteConnection};
    use crate::error::{Error, Result};

    /// Changes of a later version: a new column, and a table under another key with its rows.
    const LATER: &str = "-- oldest binary: 0.2.0
ALTER TABLE \"counter\" ADD COLUMN step BIGINT NOT NULL DEFAULT 1; -- operational
ALTER TABLE \"cosignature\" RENAME TO cosignature_before;
CREATE TABLE \"cosignature\" (
    tenant TEXT NOT NULL, -- operational
    witness TEXT NOT NULL, -- operational
    size BIGINT NOT NULL, -- operational
    line TEXT NOT NULL, -- operational
    PRIMARY KEY (tenant, witness, size)
);
INSERT INTO \"cosignature\" (tenant, witness, size, line)
SELECT tenant, witness, size, line FROM cosignature_before;
DROP TABLE cosignature_before;
DROP TABLE \"saved_view\";
";

    fn with_later(text: &'static str) -> Vec<Migration> {
        let first = MIGRATIONS.iter().map(|it| Migration { ..*it });
        let number = i64::try_from(MIGRATIONS.len()).unwrap() + 1;
        let name = "later";
        first.chain([Migration { number, name, text }]).collect()
    }

    fn run(connection: &mut Connection, migrations: &[Migration], version: &str) -> Result<()> {
        run_all(connection, "BEGIN EXCLUSIVE", migrations, version, |_| Ok(()))
    }

    fn text(connection: &mut Connection, sql: &str) -> String {
        let rows = connection.query(sql, &[], Reach::Across).unwrap();
        rows[0].text("it").unwrap()
    }

    #[test]
    fn every_table_with_a_tenant_is_known_by_its_key() {
        let keys = keys_of_tables();
        let made = MIGRATIONS
            .iter()
            .map(|it| it.text.matches("\nCREATE TABLE ").count())
            .sum::<usize>();
        // Servers belong to no tenant.
        assert_eq!(keys.len(), made - 1);
        assert_eq!(keys["text_salt"], ["tenant", "event_id", "commitment"]);
        assert_eq!(keys["running"][0], "tenant");
        let later = with_later(LATER);
        let keys = keys_made_by(later.iter().flat_map(|it| statements(it.text)));
        assert_eq!(keys["cosignature"], ["tenant", "witness", "size"]);
        assert!(!keys.contains_key("saved_view"));
        assert_eq!(keys.len(), made - 2);
    }

    /// A file in a folder of one test, with the first schema.
    fn first_schema(test: &str, check: impl FnOnce(&mut Connection)) {
        let folder = std::env::temp_dir().join(format!("assent_{test}_{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut file = Connection::Sqlite(SqliteConnection::writer(&folder.join("assent.db")).unwrap());
        run(&mut file, MIGRATIONS, "0.1.0").unwrap();
        check(&mut file);
        drop(file);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_later_migration_is_run_once_on_what_is_there() {
        first_schema("later", |file| {
            file.batch(
                "INSERT INTO counter (tenant, name, value) VALUES ('acme', 'n', 7);
                 INSERT INTO cosignature (tenant, witness, size, time, line) VALUES ('acme', 'w', 3, 1, 'signed')",
            )
            .unwrap();
            let later = with_later(LATER);
            for _ in 0..2 {
                run(file, &later, "0.2.0").unwrap();
                let counted = "SELECT value || ' by ' || step AS it FROM counter";
                assert_eq!(text(file, counted), "7 by 1");
                assert_eq!(text(file, "SELECT size || line AS it FROM cosignature"), "3signed");
            }
            let older = run(file, MIGRATIONS, "0.1.0");
            assert!(
                matches!(&older, Err(Error::Refused(text)) if text.contains("0.2.0")),
                "{older:?}"
            );
            let changed = run(file, &with_later("-- oldest binary: 0.2.0\n"), "0.2.0");
            assert!(
                matches!(&changed, Err(Error::Corrupt(text)) if text.contains("later")),
                "{changed:?}"
            );
        });
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let half = "-- oldest binary: 0.2.0\nDROP TABLE \"saved_view\";\nDROP TABLE \"no_such_table\";\n";
        first_schema("half", |file| {
            assert!(run(file, &with_later(half), "0.2.0").is_err());
            let there = file.tables().unwrap();
            assert!(there.contains(&"saved_view".to_owned()), "{there:?}");
            run(file, MIGRATIONS, "0.1.0").unwrap();
        });
    }

    /// A file outside the list would be reviewed, stored for ever, and never run.
    #[test]
    fn every_file_is_listed_and_the_numbers_have_no_gap() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        let mut files: Vec<String> = folder
            .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".sql")?.to_owned()))
            .collect();
        files.sort();
        let listed: Vec<&str> = MIGRATIONS.iter().map(|it| it.name).collect();
        assert_eq!(listed, files);
        let numbers: Vec<i64> = MIGRATIONS.iter().map(|it| it.number).collect();
        assert!(
            numbers.iter().copied().eq(1..=i64::try_from(listed.len()).unwrap()),
            "{numbers:?}"
        );
    }
}
