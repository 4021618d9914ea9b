//! Features of SQLite alone: the file, its fullness, its copy.

use store::audit::event;
use store::{Config, Error, Lane, Mode, Store, counter};

use crate::world::{ACME, Folder, World, at};

fn fill(store: &Store, number: usize) -> Result<(), Error> {
    let id = format!("e{number:05}");
    store.wait(Lane::Acts, ACME, Mode::Write, move |tx| {
        event::append(
            tx,
            &event::NewEvent {
                id: &id,
                act: "a",
                kind: "filled",
                subject_table: "change",
                subject_id: "c",
                occurred_at: at(0),
                recorded_at: at(0),
                bytes: &[7; 20_000],
                records: &[],
                mac: b"a code",
            },
        )
    })
}

fn pages(store: &Store) -> i64 {
    store
        .wait_across(Lane::Acts, "the file's pages", Mode::Read, |tx| {
            tx.query("PRAGMA page_count", &[])?[0].int("page_count")
        })
        .unwrap()
}

fn pragma(store: &Store, sql: String) {
    let done = store.wait_across(Lane::Acts, "the file's allowance", Mode::Write, move |tx| {
        tx.query(&sql, &[]).map(|_| ())
    });
    assert_eq!(done, Ok::<_, Error>(()));
}

#[test]
fn a_full_file_refuses_and_heals() {
    let world = World::sqlite();
    let room = pages(&world.store) + 200;
    pragma(&world.store, format!("PRAGMA max_page_count = {room}"));
    let full = (0..200).map(|it| fill(&world.store, it)).find(Result::is_err);
    assert_eq!(full, Some(Err(Error::Full)));
    assert!(Error::Full.is_passing());
    let kept = world.read(event::count_unsequenced);
    assert!(kept > 0);
    assert_eq!(world.read(|tx| counter::get(tx, "n")), 0, "reading goes on");
    pragma(&world.store, "PRAGMA max_page_count = 100000".to_owned());
    assert_eq!(fill(&world.store, 999), Ok(()));
    assert_eq!(
        world.read(event::count_unsequenced),
        kept + 1,
        "what was answered is kept, no more, no less"
    );
}

#[test]
fn a_batch_that_loses_its_transaction_runs_each_act_alone() {
    let world = World::sqlite();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (began, begun) = std::sync::mpsc::channel();
    let wait = std::sync::Mutex::new(wait);
    world.store.run(
        Lane::Acts,
        ACME,
        Mode::Write,
        move |_| {
            let _ = began.send(());
            let _ = wait.lock().unwrap().recv();
            Ok(())
        },
        |_: Result<(), Error>| {},
    );
    begun.recv().unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    for name in ["a", "lost", "b"] {
        let send = send.clone();
        world.store.run(
            Lane::Acts,
            ACME,
            Mode::Write,
            move |tx| {
                let value = counter::next(tx, name)?;
                if name == "lost" {
                    // As a full disk may, this ends the whole transaction, savepoints and all.
                    tx.execute(
                        "INSERT OR ROLLBACK INTO counter (tenant, name, value) VALUES ($tenant, $name, 9)",
                        &[("name", name.into())],
                    )?;
                }
                Ok(value)
            },
            move |answer: Result<i64, Error>| send.send((name, answer)).unwrap(),
        );
    }
    drop(go);
    let mut answers: Vec<_> = (0..3).map(|_| receive.recv().unwrap()).collect();
    answers.sort_by_key(|it| it.0);
    assert_eq!(answers[0], ("a", Ok(1)));
    assert_eq!(answers[1], ("b", Ok(1)));
    assert!(matches!(answers[2], ("lost", Err(_))));
    for (name, value) in [("a", 1), ("b", 1), ("lost", 0)] {
        assert_eq!(world.read(move |tx| counter::get(tx, name)), value, "{name}");
    }
}

#[test]
fn a_backup_is_whole_and_opens() {
    let world = World::sqlite();
    for number in 0..20 {
        fill(&world.store, number).unwrap();
    }
    let folder = Folder::new();
    let copy = folder.path().join("copy.db");
    world.store.backup(&copy).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "a copy of everything is its owner's alone");
    }
    fill(&world.store, 99).unwrap();
    let restored = Store::open(Config::sqlite(&copy)).unwrap();
    let count = restored.wait(Lane::Pages, ACME, Mode::Read, event::count_unsequenced);
    assert_eq!(count, Ok::<_, Error>(20));
    restored.close();
    assert!(world.store.backup(&copy).is_err(), "a backup overwrites nothing");
}

#[test]
fn a_file_that_is_no_database_is_called_damaged() {
    let folder = Folder::new();
    let path = folder.path().join("assent.db");
    std::fs::write(&path, vec![b'x'; 8_192]).unwrap();
    let refused = Store::open(Config::sqlite(&path)).err().unwrap();
    assert!(matches!(refused, Error::Corrupt(_)), "{refused}");
}

#[test]
fn the_write_ahead_log_is_moved_into_the_file() {
    let folder = Folder::new();
    let path = folder.path().join("assent.db");
    let store = Store::open(Config::sqlite(&path)).unwrap();
    for number in 0..1_200 {
        fill(&store, number).unwrap();
    }
    let log = std::fs::metadata(folder.path().join("assent.db-wal")).unwrap().len();
    assert!(log < 12_000_000, "the write-ahead log has grown to {log} bytes");
    store.close();
}
