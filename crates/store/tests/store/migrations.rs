//! The schema's text, and starting with it.

use std::collections::BTreeSet;

use store::{Config, Error, Lane, Mode, Store};

use crate::world::{ACME, Database, Folder, check, small};

/// The name and the text of every migration, in order.
pub fn files() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "sql"));
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn table_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("CREATE TABLE ")?;
    Some(rest.trim_end_matches(" (").trim_matches('"'))
}

#[test]
fn every_column_says_what_it_is() {
    let tags = ["recorded", "derived", "operational"];
    let mut columns = 0;
    for (_, file) in &files() {
        let mut inside = None;
        for line in file.lines() {
            if let Some(name) = table_name(line) {
                inside = Some(name.to_owned());
            } else if line == ");" {
                inside = None;
            } else if let Some(table) = &inside
                && !line.trim().starts_with("PRIMARY KEY")
            {
                let tag = line.rsplit_once("-- ").map(|(_, tag)| tag);
                assert!(tag.is_some_and(|it| tags.contains(&it)), "{table}: {line}");
                columns += 1;
            }
        }
    }
    assert!(columns > 250, "only {columns} columns were seen");
}

/// A key or index that does not begin with the tenant is marked `-- across`; a table without a tenant is named here.
#[test]
fn every_key_begins_with_the_tenant() {
    let files = files();
    let mut tables = BTreeSet::new();
    let mut without_tenant = BTreeSet::from(["server"]);
    for (_, file) in &files {
        let mut table = "";
        for line in file.lines() {
            if let Some(name) = table_name(line) {
                table = name;
                assert!(tables.insert(name), "{name} is made twice");
            }
            // Under another key a table is made anew, beside its old rows.
            if let Some((name, _)) = line
                .strip_prefix("ALTER TABLE ")
                .and_then(|rest| rest.split_once(" RENAME TO "))
            {
                assert!(tables.remove(name.trim_matches('"')), "{line}");
            }
            if let Some(key) = line.trim().strip_prefix("PRIMARY KEY (")
                && !key.starts_with("tenant")
            {
                assert!(without_tenant.remove(table), "{table}: {line}");
            }
            if line.contains("INDEX ") && !line.starts_with("DROP ") && !line.ends_with("-- across") {
                assert!(line.contains("(tenant"), "{line}");
            }
        }
    }
    assert!(without_tenant.is_empty());
}

#[test]
fn a_store_opens_again_with_its_data() {
    let folder = Folder::new();
    for wanted in [1, 2] {
        let store = Store::open(Config::sqlite(folder.path().join("assent.db"))).unwrap();
        let next = store.wait(Lane::Acts, ACME, Mode::Write, |tx| store::counter::next(tx, "n"));
        assert_eq!(next, Ok::<_, Error>(wanted));
        store.close();
    }
}

fn opens_at_once(configs: Vec<Config>) {
    let threads: Vec<_> = configs
        .into_iter()
        .map(|config| std::thread::spawn(move || Store::open(config)))
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap().close();
    }
}

#[test]
fn servers_that_start_at_once_migrate_once() {
    let folder = Folder::new();
    let path = folder.path().join("assent.db");
    opens_at_once((0..4).map(|_| Config::sqlite(&path)).collect());
    let Some(database) = Database::new() else {
        return;
    };
    opens_at_once((0..4).map(|_| small(Config::postgres(&database.url))).collect());
}

fn refuses_older_and_changed(config: &Config, run: impl Fn(&str)) {
    Store::open(config.clone()).unwrap().close();
    run("UPDATE schema_info SET value = '9.1.0' WHERE name = 'oldest_binary'");
    let refused = Store::open(config.clone()).err().unwrap();
    assert!(
        matches!(&refused, Error::Refused(text) if text.contains("9.1.0")),
        "{refused}"
    );
    let newer = Config {
        version: "9.2.0-rc.1".to_owned(),
        ..config.clone()
    };
    Store::open(newer).unwrap().close();
    run("UPDATE schema_info SET value = '0.1.0' WHERE name = 'oldest_binary'");
    run("UPDATE schema_migration SET text = text || ' ' WHERE number = 2");
    let damaged = Store::open(config.clone()).err().unwrap();
    assert!(matches!(damaged, Error::Corrupt(_)), "{damaged}");
}

fn tells_what_it_would_run_and_runs_nothing(config: &Config, run: impl Fn(&str)) {
    let all = Store::waiting_migrations(config).unwrap();
    assert_eq!(all.len(), files().len(), "an empty database");
    Store::open(config.clone()).unwrap().close();
    assert!(Store::waiting_migrations(config).unwrap().is_empty());
    run("DELETE FROM schema_migration WHERE number > 12");
    for _ in 0..2 {
        assert_eq!(
            Store::waiting_migrations(config).unwrap(),
            all[12..],
            "nothing was run by asking"
        );
    }
}

#[test]
fn what_an_opening_would_run_is_told_and_not_run() {
    let folder = Folder::new();
    let path = folder.path().join("assent.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA journal_mode = WAL")
        .unwrap();
    tells_what_it_would_run_and_runs_nothing(&Config::sqlite(&path), |sql| {
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    });
    let Some(database) = Database::new() else {
        return;
    };
    tells_what_it_would_run_and_runs_nothing(&small(Config::postgres(&database.url)), |sql| {
        database.client().batch_execute(sql).unwrap();
    });
}

#[test]
fn an_older_binary_and_a_changed_migration_are_refused() {
    let folder = Folder::new();
    let path = folder.path().join("assent.db");
    refuses_older_and_changed(&Config::sqlite(&path), |sql| {
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    });
    let Some(database) = Database::new() else {
        return;
    };
    refuses_older_and_changed(&small(Config::postgres(&database.url)), |sql| {
        database.client().batch_execute(sql).unwrap();
    });
}

#[test]
fn both_engines_have_the_tables_of_the_text() {
    check(|world| {
        let files = files();
        let lines = files.iter().flat_map(|(_, file)| file.lines());
        for told in lines.filter_map(table_name) {
            let table = told.to_owned();
            let rows = world.across(move |tx| tx.query(&format!("SELECT * FROM \"{table}\""), &[]));
            assert!(rows.is_empty(), "{told}");
        }
    });
}
