//! Damage in the storage itself is reported, with table, key and column where they can be named.

use std::os::unix::fs::FileExt as _;

use store::damage::{self, Damage};
use store::{Config, Store, counter};

use crate::world::{Folder, check};

fn damaged(folder: &Folder) -> Vec<Damage> {
    Store::find_damage(&Config::sqlite(folder.path().join("assent.db"))).unwrap()
}

/// A closed store with a few hundred rows in a table.
fn filled() -> Folder {
    let folder = Folder::new();
    let store = Store::open(Config::sqlite(folder.path().join("assent.db"))).unwrap();
    for number in 0..300 {
        let name = format!("counter-{number}");
        let done = store.wait(store::Lane::Acts, "acme", store::Mode::Write, move |tx| {
            counter::next(tx, &name)
        });
        assert_eq!(done, Ok::<_, store::Error>(1));
    }
    store.close();
    let file = rusqlite::Connection::open(folder.path().join("assent.db")).unwrap();
    file.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    folder
}

#[test]
fn a_flipped_bit_in_a_row_that_an_index_has_otherwise_is_found() {
    let folder = filled();
    assert_eq!(damaged(&folder), []);
    let path = folder.path().join("assent.db");
    let bytes = std::fs::read(&path).unwrap();
    let name = b"counter-123";
    let places = (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name));
    let mut named = 0;
    for place in places {
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        let at = u64::try_from(place).unwrap();
        file.write_all_at(&[bytes[place] ^ 1], at).unwrap();
        named += usize::from(damaged(&folder).iter().any(|it| it.what.contains("counter")));
        file.write_all_at(&[bytes[place]], at).unwrap();
        assert_eq!(damaged(&folder), []);
    }
    // In the table and in the index of its key; bytes of a page beside its rows do not matter.
    assert_eq!(named, 2);
}

#[test]
fn a_schema_that_no_migration_made_is_named() {
    let folder = filled();
    let file = rusqlite::Connection::open(folder.path().join("assent.db")).unwrap();
    for (made, name, undone) in [
        (
            "CREATE TRIGGER zz AFTER UPDATE ON token BEGIN UPDATE token SET revoked = 0 WHERE id = NEW.id; END",
            "The trigger `zz` is none of ours",
            "DROP TRIGGER zz",
        ),
        (
            "CREATE VIEW seen AS SELECT * FROM token",
            "The view `seen` is none of ours",
            "DROP VIEW seen",
        ),
        (
            "CREATE TABLE more (id TEXT)",
            "The table `more` is none of ours",
            "DROP TABLE more",
        ),
        (
            "CREATE INDEX slow ON token (tenant)",
            "The index `slow` is none of ours",
            "DROP INDEX slow",
        ),
    ] {
        file.execute_batch(made).unwrap();
        let found = damaged(&folder);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].table == "schema" && found[0].what.contains(name), "{found:?}");
        file.execute_batch(undone).unwrap();
        assert_eq!(damaged(&folder), []);
    }
    file.execute_batch("DROP INDEX signing_key_by_purpose_state; ALTER TABLE counter ADD COLUMN more TEXT")
        .unwrap();
    let told: Vec<String> = damaged(&folder).into_iter().map(|it| it.what).collect();
    assert!(
        told.iter().any(|it| it.contains("`counter` is not as it was made")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|it| it == "The index `signing_key_by_purpose_state` is gone."),
        "{told:?}"
    );
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn cells_of_another_type_are_named_by_table_key_and_column() {
    let folder = filled();
    let file = rusqlite::Connection::open(folder.path().join("assent.db")).unwrap();
    file.execute_batch("UPDATE counter SET value = x'ff' WHERE name = 'counter-7'")
        .unwrap();
    let found = damaged(&folder);
    let told: Vec<_> = found
        .iter()
        .map(|it| (it.table.as_str(), it.id.as_str(), it.column.as_deref()))
        .collect();
    assert_eq!(told, [("counter", "acme/counter-7", Some("value"))], "{found:?}");
}

#[test]
fn what_is_no_database_any_more_is_damage_and_no_mere_fault() {
    let folder = filled();
    let path = folder.path().join("assent.db");
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(b"nothing at all", 0).unwrap();
    assert_eq!(damaged(&folder)[0].table, "database");
}

#[test]
fn rows_of_no_tenant_are_named_on_both_engines() {
    check(|world| {
        let before = world.across(damage::strays);
        world.try_act("stranger", |tx| counter::next(tx, "n")).unwrap();
        let after = world.across(damage::strays);
        let fresh: Vec<&Damage> = after.iter().filter(|it| !before.contains(it)).collect();
        assert_eq!(fresh.len(), 1, "{}: {after:?}", world.engine);
        assert_eq!(
            (fresh[0].table.as_str(), fresh[0].id.as_str()),
            ("counter", "stranger/n")
        );
    });
}

/// The edits of a PostgreSQL database's schema, the finding for each, and its undoing.
const STRANGE: [(&str, &str, &str); 9] = [
    (
        "CREATE FUNCTION zz() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.body = NULL; RETURN NEW; END'",
        "The function `zz` is none of ours",
        "DROP FUNCTION zz",
    ),
    (
        "CREATE TRIGGER tt BEFORE UPDATE ON token FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "The trigger `token.tt` is none of ours",
        "DROP TRIGGER tt ON token",
    ),
    (
        "CREATE RULE rr AS ON DELETE TO token DO INSTEAD NOTHING",
        "The rule `token.rr` is none of ours",
        "DROP RULE rr ON token",
    ),
    (
        "CREATE POLICY more ON token USING (true)",
        "The policy `token.more` is none of ours",
        "DROP POLICY more ON token",
    ),
    (
        "ALTER POLICY of_tenant ON token USING (true)",
        "The policy `token.of_tenant` is not as it was made",
        "ALTER POLICY of_tenant ON token USING
            (tenant = current_setting('assent.tenant', true) OR current_setting('assent.across', true) = 'on')",
    ),
    (
        "ALTER TABLE token NO FORCE ROW LEVEL SECURITY",
        "The table `token` is not as it was made",
        "ALTER TABLE token FORCE ROW LEVEL SECURITY",
    ),
    (
        "ALTER TABLE token ALTER COLUMN body DROP NOT NULL",
        "The column `token.body` is not as it was made",
        "ALTER TABLE token ALTER COLUMN body SET NOT NULL",
    ),
    (
        "CREATE INDEX slow ON token (tenant)",
        "The index `slow` is none of ours",
        "DROP INDEX slow",
    ),
    (
        "DROP INDEX signing_key_by_purpose_state",
        "The index `signing_key_by_purpose_state` is gone.",
        "CREATE INDEX signing_key_by_purpose_state ON signing_key (tenant, purpose, state)",
    ),
];

#[test]
fn a_schema_that_no_migration_made_is_named_on_postgresql_as_well() {
    let Some(database) = crate::world::Database::new() else {
        return;
    };
    let damaged = || Store::find_damage(&Config::postgres(&database.url)).unwrap();
    assert_eq!(damaged(), [], "an empty database has no schema yet");
    Store::open(Config::postgres(&database.url)).unwrap().close();
    assert_eq!(damaged(), []);
    let run = |sql: &str| crate::world::run_sql(&database.url, sql);
    for (made, told, undone) in STRANGE {
        run(made);
        let found = damaged();
        assert_eq!(found.len(), 1, "{made}: {found:?}");
        assert!(found[0].table == "schema" && found[0].what.contains(told), "{found:?}");
        run(undone);
        assert_eq!(damaged(), [], "{undone}");
    }
    run("DROP TABLE counter; DELETE FROM schema_migration WHERE number = 17");
    let told: Vec<String> = damaged().into_iter().map(|it| it.what).collect();
    for wanted in ["The table `counter` is gone.", "The table `saved_view` is none of ours"] {
        assert!(told.iter().any(|it| it.contains(wanted)), "{wanted}: {told:?}");
    }
    let left = "SELECT count(*) FROM pg_namespace WHERE nspname = 'assent_as_migrated'";
    let left: i64 = database.client().query_one(left, &[]).unwrap().get(0);
    assert_eq!(left, 0, "the comparison left a schema behind");
}
