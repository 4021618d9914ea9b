//! The periodic work of servers: report that they are up, remove what is over, retry what failed.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::path::Path;

use store::queue::timer::{self, NewTimer};
use store::{Config, Error, Lane, Mode, Store};

use crate::world::World;

/// A store, before any server serves it, in which no response may be removed although one is years old.
fn make_sweep_fail(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let store = Store::open(Config::sqlite(folder.join("assent.db"))).unwrap();
    let made = store.wait_across(Lane::Acts, "a broken table", Mode::Write, |tx| {
        tx.execute(
            "CREATE TRIGGER stays BEFORE DELETE ON idempotency BEGIN SELECT RAISE(ABORT, 'it stays'); END",
            &[],
        )?;
        tx.execute(
            "INSERT INTO idempotency (tenant, credential, method, path, key, body_digest, status, answer, created_at)
             VALUES ('old', 'c', 'POST', '/', 'k', 'd', 201, '{}', 1)",
            &[],
        )?;
        // This one may go.
        tx.execute(
            "INSERT INTO ceremony (tenant, id, person, kind, state, expires_at) VALUES ('old', 'i', 'p', 'k', '{}', 1)",
            &[],
        )?;
        Ok::<_, Error>(())
    });
    made.unwrap();
    store.close();
}

#[test]
fn a_sweep_that_fails_neither_stops_the_beat_nor_the_other_sweeps() {
    if std::env::var("ASSENT_TEST_ENGINE").as_deref() == Ok("postgres") {
        return;
    }
    let world = World::with(|settings| make_sweep_fail(&settings.data_dir));
    let count = |sql: &'static str| {
        let executor = world.server.state().executor();
        let look = move |tx: &mut store::CrossTx<'_>| {
            let row = tx.query_one(sql, &[])?;
            row.map_or(Ok(0), |row| Ok(row.int("it")?))
        };
        executor.wait_across(Lane::Pages, "a test", Mode::Read, look).unwrap()
    };
    while count("SELECT count(*) AS it FROM server") == 0 {}
    while count("SELECT count(*) AS it FROM ceremony WHERE tenant = 'old'") > 0 {}
    assert_eq!(count("SELECT count(*) AS it FROM idempotency WHERE tenant = 'old'"), 1);
}

#[test]
fn a_timer_that_failed_often_is_tried_on_and_says_why() {
    let world = World::new();
    let key = world.draft();
    let id = world.act(move |cx| Ok(cx.change(&key)?.id.0));
    let subject = id.clone();
    world.act(move |cx| {
        let timer = NewTimer {
            id: "t-broken",
            subject_table: "change",
            subject_id: &subject,
            kind: "due",
            run_at: jiff::Timestamp::UNIX_EPOCH,
        };
        timer::set(cx.tx, &timer)?;
        cx.tx.execute(
            "UPDATE timer SET tries = 5 WHERE tenant = $tenant AND id = 't-broken'",
            &[],
        )?;
        let params = [("id", subject.as_str().into())];
        cx.tx.execute(
            "UPDATE \"change\" SET body = 'broken' WHERE tenant = $tenant AND id = $id",
            &params,
        )?;
        Ok(())
    });
    let look = || {
        world.act(|cx| {
            let row = cx.tx.query_one(
                "SELECT state, tries, run_at, last_error FROM timer WHERE tenant = $tenant AND id = 't-broken'",
                &[],
            )?;
            let row = row.unwrap();
            Ok((
                row.text("state")?,
                row.int("tries")?,
                row.time("run_at")?,
                row.opt_text("last_error")?,
            ))
        })
    };
    let (state, tries, run_at, why) = loop {
        let found = look();
        if found.3.is_some() {
            break found;
        }
    };
    assert_eq!((state.as_str(), tries), ("waiting", 6));
    assert!(run_at > jiff::Timestamp::UNIX_EPOCH, "it waits for another try");
    assert!(why.is_some_and(|why| why.contains("has no valid code")));
}
