//! Features of PostgreSQL alone: row security, roles, connections that break.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use store::{Config, Engine, Error, Lane, Mode, Store, counter};

use crate::world::{ACME, Database, OTHER, World, postgres_url, run_sql, small};

/// The world's own connections are the only others in its database.
fn cut_connections(database: &Database) {
    let mut client = database.client();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    client.batch_execute(sql).unwrap();
}

fn open() -> Option<(Database, Store)> {
    let database = Database::new()?;
    let store = Store::open(small(Config::postgres(&database.url))).unwrap();
    Some((database, store))
}

#[test]
fn row_security_hides_foreign_rows_from_hand_written_sql() {
    let Some(world) = World::postgres() else {
        return;
    };
    world.act(|tx| counter::next(tx, "n"));
    let foreign = world.try_act(OTHER, |tx| {
        let seen = tx.query("SELECT * FROM counter WHERE $tenant <> ''", &[])?.len();
        let touched = tx.execute("UPDATE counter SET value = 99 WHERE $tenant <> ''", &[])?;
        let deleted = tx.execute("DELETE FROM counter WHERE $tenant <> ''", &[])?;
        Ok((seen, touched, deleted))
    });
    assert_eq!(foreign, Ok((0, 0, 0)));
    let smuggled = world.try_act(OTHER, |tx| {
        tx.execute(
            "INSERT INTO counter (tenant, name, value) SELECT 'acme', 'm', 1 WHERE $tenant <> ''",
            &[],
        )
    });
    assert!(matches!(smuggled, Err(Error::Other(_))), "{smuggled:?}");
    assert_eq!(world.read(|tx| counter::get(tx, "n")), 1);
}

/// The tables that are read to list the tenants in which a person is known.
#[test]
fn row_security_hides_where_others_are_known_from_all_but_the_door_across() {
    let Some(world) = World::postgres() else {
        return;
    };
    let insert = |tenant: &str| {
        world.try_act(tenant, |tx| {
            tx.execute(
                "INSERT INTO person_identity (tenant, kind, value, person) VALUES ($tenant, 'subject', 'https://id.example 7', 'p1')",
                &[],
            )
        })
    };
    assert_eq!((insert(ACME), insert(OTHER)), (Ok(1), Ok(1)));
    let sql = "SELECT tenant FROM person_identity WHERE kind = 'subject' AND value = 'https://id.example 7'";
    for tenant in [ACME, OTHER, "third"] {
        let sql = format!("{sql} AND $tenant <> ''");
        let seen = world.try_act(tenant, move |tx| tx.query(&sql, &[]));
        let seen: Vec<String> = seen.unwrap().iter().map(|row| row.text("tenant").unwrap()).collect();
        let own: &[&str] = if tenant == "third" { &[] } else { &[tenant] };
        assert_eq!(seen, own);
    }
    assert_eq!(world.across(move |tx| tx.query(sql, &[])).len(), 2);
}

#[test]
fn every_table_with_a_tenant_has_forced_row_security() {
    let Some((database, store)) = open() else {
        return;
    };
    let sql = "SELECT count(*) FILTER (WHERE c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
            SELECT 1 FROM pg_policies p WHERE p.tablename = c.relname AND p.with_check IS NOT NULL)), count(*)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace";
    let row = database.client().query_one(sql, &[]).unwrap();
    let (safe, all): (i64, i64) = (row.get(0), row.get(1));
    assert!(all > 40);
    assert_eq!(safe, all);
    store.close();
}

#[test]
fn a_session_that_names_no_tenant_sees_nothing() {
    let Some((database, store)) = open() else {
        return;
    };
    store
        .wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next(tx, "n"))
        .map_err(|it: Error| it)
        .unwrap();
    let mut client = database.client();
    let role = format!("SET ROLE assent_serve_{}", database.name);
    client.batch_execute(&role).unwrap();
    assert!(client.query("SELECT * FROM counter", &[]).unwrap().is_empty());
    assert!(client.batch_execute("DELETE FROM schema_migration").is_err());
    assert!(client.batch_execute("TRUNCATE counter").is_err());
    assert!(
        client
            .batch_execute("ALTER TABLE counter NO FORCE ROW LEVEL SECURITY")
            .is_err()
    );
    store.close();
}

#[test]
fn the_tenant_does_not_stay_on_a_connection() {
    let Some((_database, store)) = open() else {
        return;
    };
    for tenant in [ACME, OTHER] {
        let next = store.wait(Lane::Gate, tenant, Mode::Write, |tx| counter::next(tx, "n"));
        assert_eq!(next, Ok::<_, Error>(1), "{tenant}");
    }
    let all = store.wait_across(Lane::Gate, "a test", Mode::Read, |tx| {
        tx.query("SELECT * FROM counter", &[])
    });
    assert_eq!(all.map(|it: Vec<store::Row>| it.len()), Ok::<_, Error>(2));
    let after = store.wait(Lane::Gate, "third", Mode::Read, |tx| {
        tx.query("SELECT * FROM counter WHERE $tenant <> ''", &[])
    });
    assert_eq!(after.map(|it: Vec<store::Row>| it.len()), Ok::<_, Error>(0));
    store.close();
}

fn with_user(url: &str, user: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{user}:secret@{host}")
}

fn serving_as(database: &Database, user: &str) -> Result<Store, Error> {
    let mut config = small(Config::postgres(&database.url));
    config.engine = Engine::Postgres {
        url: database.url.clone(),
        serve_url: Some(with_user(&database.url, user)),
        root_certificates: None,
    };
    Store::open(config)
}

#[test]
fn a_role_that_bypasses_row_security_or_owns_tables_may_not_serve() {
    let Some(database) = Database::new() else {
        return;
    };
    let server = postgres_url().unwrap();
    let user = format!("{}_u", database.name);
    run_sql(
        &server,
        &format!("CREATE ROLE {user} LOGIN BYPASSRLS PASSWORD 'secret'"),
    );
    let bypassing = serving_as(&database, &user).err();
    run_sql(&server, &format!("ALTER ROLE {user} NOBYPASSRLS"));
    let harmless = serving_as(&database, &user).map(|store| {
        let next = store.wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next(tx, "n"));
        store.close();
        next
    });
    run_sql(&database.url, &format!("ALTER TABLE counter OWNER TO {user}"));
    let owning = serving_as(&database, &user).err();
    run_sql(
        &database.url,
        &format!("REASSIGN OWNED BY {user} TO CURRENT_USER; DROP OWNED BY {user}"),
    );
    run_sql(&server, &format!("DROP ROLE {user}"));
    assert!(matches!(bypassing, Some(Error::Refused(_))), "{bypassing:?}");
    assert_eq!(harmless, Ok(Ok::<_, Error>(1)));
    assert!(matches!(owning, Some(Error::Refused(_))), "{owning:?}");
}

#[test]
fn a_connection_lost_between_acts_is_made_anew() {
    let Some((database, store)) = open() else {
        return;
    };
    for wanted in 1..=3 {
        let next = store.wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next(tx, "n"));
        assert_eq!(next, Ok::<_, Error>(wanted));
        cut_connections(&database);
    }
    store.close();
}

#[test]
fn a_connection_lost_inside_an_act_runs_it_again() {
    let Some((database, store)) = open() else {
        return;
    };
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let database = Mutex::new(database);
    let next = store.wait(Lane::Acts, ACME, Mode::Write, move |tx| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            counter::next(tx, "n")?;
            cut_connections(&database.lock().unwrap());
        }
        counter::next(tx, "n")
    });
    assert_eq!(next, Ok::<_, Error>(1), "the first run left nothing");
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    store.close();
}

#[test]
fn acts_that_number_records_at_the_same_time_lose_no_race() {
    let Some((database, store)) = open() else {
        return;
    };
    let second = Store::open(small(Config::postgres(&database.url))).unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let first = store.wait(Lane::Acts, ACME, Mode::Write, move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        let mine = counter::next_number(tx, "n")?;
        let theirs = second.wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next_number(tx, "n"))?;
        Ok((mine, theirs))
    });
    assert_eq!(first, Ok::<_, Error>((1, 2)));
    assert_eq!(runs.load(Ordering::SeqCst), 1, "the first act ran once");
    assert_eq!(
        store.wait(Lane::Gate, ACME, Mode::Read, |tx| counter::get(tx, "n")),
        Ok::<_, Error>(2)
    );
    store.close();
}

#[test]
fn the_number_of_an_act_that_failed_is_the_next_ones() {
    let Some(database) = Database::new() else {
        return;
    };
    let mut config = Config::postgres(&database.url);
    for lane in &mut config.lanes {
        lane.threads = 1;
    }
    let store = Store::open(config).unwrap();
    let take = |fails: bool| {
        store.wait(Lane::Acts, ACME, Mode::Write, move |tx| {
            let number = counter::next_number(tx, "n")?;
            match fails {
                true => Err(Error::Refused(number.to_string())),
                false => Ok(number),
            }
        })
    };
    assert_eq!(take(false), Ok(1));
    assert_eq!(take(true), Err(Error::Refused("2".to_owned())));
    assert_eq!(take(true), Err(Error::Refused("2".to_owned())), "it went back");
    assert_eq!(take(false), Ok(2));
    assert_eq!(take(false), Ok(3));
    cut_connections(&database);
    assert_eq!(take(false), Ok(4), "numbers go on when their session broke");
    store.close();
}

#[test]
fn a_connection_lost_before_the_commit_leaves_the_result_unknown() {
    let Some((database, store)) = open() else {
        return;
    };
    let url = database.url.clone();
    let database = Mutex::new(database);
    let next = store.wait(Lane::Acts, ACME, Mode::Write, move |tx| {
        let next = counter::next(tx, "n")?;
        cut_connections(&database.lock().unwrap());
        Ok(next)
    });
    assert_eq!(next, Err(Error::Unknown));
    assert!(url.contains("assent_t_"));
    store.close();
}

#[test]
fn a_server_that_is_away_is_told_at_once_and_comes_back() {
    let Some((database, store)) = open() else {
        return;
    };
    let server = postgres_url().unwrap();
    let moved = format!("{}_away", database.name);
    let rename = |from: &str, to: &str| {
        run_sql(
            &server,
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}';
                 ALTER DATABASE {from} RENAME TO {to}"
            ),
        );
    };
    rename(&database.name, &moved);
    let away = store.wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next(tx, "n"));
    rename(&moved, &database.name);
    let back = store.wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next(tx, "n"));
    assert!(
        matches!(away, Err(Error::Refused(_) | Error::Unavailable(_))),
        "{away:?}"
    );
    assert_eq!(back, Ok::<_, Error>(1));
    store.close();
}

#[test]
fn nobody_listening_is_unavailable() {
    if postgres_url().is_none() {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = Store::open(Config::postgres(format!("postgres://nobody@127.0.0.1:{port}/none")));
    assert!(matches!(refused.err(), Some(Error::Unavailable(_))));
    let unread = Store::open(Config::postgres("postgres://[broken"));
    assert!(matches!(unread.err(), Some(Error::Refused(_))));
}

#[test]
fn a_store_may_be_dropped_on_its_own_thread() {
    let Some((_database, store)) = open() else {
        return;
    };
    let (send, receive) = channel();
    let last = store.clone();
    store.run(
        Lane::Acts,
        ACME,
        Mode::Write,
        |tx| counter::next(tx, "n"),
        move |answer: Result<i64, Error>| {
            drop(last);
            send.send(answer).unwrap();
        },
    );
    drop(store);
    assert_eq!(receive.recv().unwrap(), Ok(1));
}

/// The planner's figures of a table: its rows, and whether its values were looked at.
fn planned_rows(database: &Database, table: &str) -> (f32, bool) {
    let sql = "SELECT c.reltuples, s.last_analyze IS NOT NULL
        FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.relname = $1";
    let row = database.client().query_one(sql, &[&table]).unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn a_table_that_grows_fast_is_analysed_at_once_and_again() {
    let Some(database) = Database::new() else {
        return;
    };
    let mut config = small(Config::postgres(&database.url));
    config.statistics_every = Duration::from_millis(50);
    let store = Store::open(config).unwrap();
    let fill = |from: u32, to: u32| {
        let insert = format!(
            "INSERT INTO counter (tenant, name, value) SELECT $tenant, 'n' || n, n FROM generate_series({from}, {to}) AS n"
        );
        let done = store.wait(Lane::Acts, ACME, Mode::Write, move |tx| tx.execute(&insert, &[]));
        assert_eq!(done, Ok::<_, Error>(u64::from(to - from + 1)));
    };
    let wait_for = |rows: f32| {
        for _ in 0..1_200 {
            if planned_rows(&database, "counter") == (rows, true) {
                return;
            }
            // A session that does nothing tells what it wrote only ten seconds later.
            let read = store.wait(Lane::Acts, ACME, Mode::Read, |tx| counter::get(tx, "n1"));
            assert_eq!(read, Ok::<_, Error>(1));
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("{:?}", planned_rows(&database, "counter"));
    };
    fill(1, 600);
    wait_for(600.0);
    fill(601, 3_000);
    wait_for(3_000.0);
    assert!(
        !planned_rows(&database, "schema_migration").1,
        "a small table is left alone"
    );
    store.close();
}
