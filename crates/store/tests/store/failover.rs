//! Which node a store takes for the primary.

use store::failover::FailoverSetup;
use store::{Config, Error, Lane, Mode, Store, counter};

use crate::world::{ACME, Database, Folder, postgres_url, run_sql, small};

/// Sets a database to refuse writes, as a standby does, and ends its sessions.
fn refuse_writes(database: &Database, refuses: bool) {
    let (server, name) = (postgres_url().unwrap(), &database.name);
    let word = if refuses { "on" } else { "off" };
    run_sql(
        &server,
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = {word}"),
    );
    run_sql(
        &server,
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    );
}

fn next(store: &Store) -> Result<i64, Error> {
    store.wait(Lane::Acts, ACME, Mode::Write, |tx| counter::next(tx, "n"))
}

fn read(store: &Store) -> Result<i64, Error> {
    store.wait(Lane::Gate, ACME, Mode::Read, |tx| counter::get(tx, "n"))
}

/// A standby would serve a gate with the state of a moment ago.
#[test]
fn a_node_that_takes_no_writes_is_not_read_from_either() {
    let Some(database) = Database::new() else {
        return;
    };
    let store = Store::open(small(Config::postgres(&database.url))).unwrap();
    assert_eq!((next(&store), read(&store)), (Ok(1), Ok(1)));
    refuse_writes(&database, true);
    for answer in [read(&store), next(&store)] {
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    }
    refuse_writes(&database, false);
    assert_eq!((next(&store), read(&store)), (Ok(2), Ok(2)));
    store.close();
}

#[test]
fn of_several_hosts_the_one_that_answers_is_taken() {
    let Some(database) = Database::new() else {
        return;
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    let url = match database.url.split_once('@') {
        Some((before, host)) => format!("{before}@{gone},{host}"),
        None => database.url.replacen("://", &format!("://{gone},"), 1),
    };
    let store = Store::open(small(Config::postgres(&url))).unwrap();
    assert_eq!((next(&store), read(&store)), (Ok(1), Ok(1)));
    store.close();
    let standing = Store::failover_standing(&Config::postgres(&url)).unwrap().unwrap();
    assert_eq!(standing.hosts, 2);
}

#[test]
fn what_a_single_node_lacks_for_a_failover_is_seen() {
    let folder = Folder::new();
    let embedded = Config::sqlite(folder.path().join("assent.db"));
    assert_eq!(Store::failover_standing(&embedded), Ok(None));
    let Some(database) = Database::new() else {
        return;
    };
    let standing = Store::failover_standing(&Config::postgres(&database.url))
        .unwrap()
        .unwrap();
    let wanted = FailoverSetup {
        hosts: 1,
        is_loopback: true,
        is_encrypted: false,
        is_local: true,
        synchronous_commit: "on".to_owned(),
        synchronous_standby_names: String::new(),
        standbys: 0,
        timeline: Some(1),
    };
    assert_eq!(standing, wanted);
}
