//! Rows planted with full rights over the database and without the master key: each opens nothing, moves nothing, is never
//! signed, and is named.

use serde_json::json;
use tests::faults::eventually;
use tests::session::Session;
use tests::{Place, Server, on_postgres};

use crate::audit::tamper::{copy, replay, run_sql};
use crate::platform::beside::beside;

/// Bytes as each engine reads them in a statement.
fn literal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut hex = String::new();
    for byte in bytes {
        write!(hex, "{byte:02x}").unwrap();
    }
    if on_postgres() {
        format!("'\\x{hex}'::bytea")
    } else {
        format!("x'{hex}'")
    }
}

/// The findings of `audit replay` on the place, which is bad.
fn found(place: &Place, words: &str) {
    let (code, said) = replay(place);
    assert!(code == Some(1) && said.contains(words), "{words}: {code:?} {said}");
}

/// The exit code and the output of `doctor` on the place.
pub(crate) fn doctor(place: &Place) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(tests::binary());
    command.arg("doctor").arg("--data").arg(place.folder.path());
    if let Some(url) = &place.database {
        command
            .args(["--database", url])
            .env("ASSENT_MASTER_KEY", tests::MASTER_KEY);
    }
    let done = command.output().unwrap();
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
}

#[test]
fn a_session_that_was_planted_opens_nothing() {
    let place = Place::demo("planted_session");
    let server = Server::start(&place, true);
    let own = Session::begin(&server, "requester");
    let me = |cookie: &str| {
        server
            .ask_with("GET", "/api/v1/me", None, None, &[("Cookie", cookie)])
            .0
    };
    assert_eq!(me(&own.cookie), 200);
    let (name, _) = own.cookie.split_once('=').unwrap();
    let digest = proof::crypto::digest_text(b"a secret of one's own");
    let columns = "tenant, created_at, last_seen_at, expires_at, stepped_up_at, method, factor, source, agent, is_second_factor, mac";
    run_sql(
        &place,
        &format!(
            "INSERT INTO session ({columns}, token_digest, id, person) SELECT {columns}, '{digest}', 'planted', \
             (SELECT id FROM person WHERE tenant = 'halden' AND login = 'marta') FROM session WHERE tenant = 'halden'"
        ),
    );
    assert_eq!(me(&format!("{name}=a secret of one's own")), 401);
    // One that a server began, and that was made into another person's, is nobody's.
    run_sql(
        &place,
        "UPDATE session SET is_second_factor = true, factor = 'totp' WHERE tenant = 'halden' AND id <> 'planted'",
    );
    assert_eq!(me(&own.cookie), 401);
    server.stop();
    found(
        &place,
        "session planted mac: No server that holds the master key began this session of ",
    );
}

#[test]
fn a_delivery_that_was_planted_is_set_aside_until_somebody_answers_for_it() {
    let place = Place::demo("planted_delivery");
    let server = Server::start(&place, true);
    let hook = crate::integration::deliveries::connect(&server);
    assert_eq!(
        hook.good("ping", "first", &json!({"zen": "Keep it logically awesome."})),
        202
    );
    let state = |id: &str| {
        beside(
            &place,
            &format!("SELECT state, coalesce(reason, '') FROM inbox WHERE tenant = 'halden' AND delivery_id = '{id}'"),
        )
    };
    eventually("the one that came is read", || !state("first").starts_with("waiting"));
    let body = serde_json::to_vec(&json!({"zen": "Speak like a human."})).unwrap();
    let columns = "tenant, connection, event, received_at, run_at, lease_until, holder, tries, mac";
    run_sql(
        &place,
        &format!(
            "INSERT INTO inbox ({columns}, id, delivery_id, body_digest, body, state) SELECT {columns}, 'planted', 'planted', \
             '{}', {}, 'waiting' FROM inbox WHERE tenant = 'halden' AND delivery_id = 'first'",
            proof::crypto::digest_text(&body),
            literal(&body)
        ),
    );
    eventually("the planted one is set aside", || {
        state("planted").starts_with("parked|no server took")
    });
    assert!(!state("first").starts_with("parked"), "{}", state("first"));
    let again = "/api/v1/deliveries/planted/replays";
    server.must("POST", again, &server.token("admin"), Some(&json!({})));
    assert!(state("planted").starts_with("done"), "{}", state("planted"));
}

#[test]
fn an_event_that_was_planted_is_never_signed_and_named() {
    let place = Place::demo("planted_event");
    let server = Server::start(&place, true);
    server.wait_for_log();
    server.stop();
    let columns = "tenant, act, kind, subject_table, subject_id, occurred_at, recorded_at, bytes";
    run_sql(
        &place,
        &format!(
            "INSERT INTO event ({columns}, id) SELECT {columns}, 'planted' FROM event WHERE tenant = 'halden' AND seq = 77"
        ),
    );
    let (code, said) = doctor(&place);
    assert!(
        code == Some(1) && said.contains("halden: the event planted (`"),
        "{code:?} {said}"
    );
    found(
        &place,
        "event planted mac: The event waits for its place in the log, and no server that holds the master key wrote it",
    );
    let size = || {
        beside(
            &place,
            "SELECT CAST(size AS TEXT) FROM log_state WHERE tenant = 'halden'",
        )
    };
    let before = size();
    let server = Server::start(&place, true);
    eventually("the server says what it does not sign", || {
        let log = server.log();
        log.lines()
            .any(|line| line.contains("placing events") && line.contains("planted") && line.contains("halden"))
    });
    assert_eq!(size(), before);
    let standing = || {
        let figures = String::from_utf8(server.get("/metrics", None).1).unwrap();
        let line = figures
            .lines()
            .find(|line| line.starts_with("assent_log_standing_seconds "));
        line.unwrap().rsplit(' ').next().unwrap().to_owned()
    };
    eventually("the figures say for how long", || standing() != "0");
    run_sql(&place, "DELETE FROM event WHERE tenant = 'halden' AND id = 'planted'");
    server.wait_for_log();
    eventually("it goes on", || standing() == "0");
    server.stop();
    assert_eq!(replay(&place).0, Some(0));
}

/// The gate's response to a plain query.
fn gate(server: &Server, artifact: &str) -> u16 {
    let pipeline = server.token("pipeline");
    server.get(&tests::journey::gate_path(artifact), Some(&pipeline)).0
}

/// A database that was set back is whole in itself, also its own system's log; the data folder remembers more.
#[test]
fn a_database_that_was_set_back_is_not_signed_on_where_the_folder_remembers_more() {
    let place = Place::demo("set_back_folder");
    let server = Server::start(&place, true);
    let open = tests::journey::artifact(9_303);
    tests::journey::scheduled(&server, "What may go", &open);
    assert_eq!(gate(&server, &open), 200);
    server.wait_for_log();
    server.stop();
    let earlier = copy(&place, 97);
    let server = Server::start(&place, true);
    let digest = tests::journey::artifact(9_304);
    let wanted = tests::journey::request("What shall be forgotten", &digest, server.server_time());
    server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    server.wait_for_log();
    server.stop();
    assert_eq!(replay(&place).0, Some(0), "the one that was not set back");
    assert_eq!(replay(&earlier).0, Some(0), "the earlier one in its own folder");
    let seen = "seen-logs.json";
    std::fs::copy(place.folder.path().join(seen), earlier.folder.path().join(seen)).unwrap();
    found(&earlier, "The log had ");
    let (code, said) = doctor(&earlier);
    let told = "halden: the log of the tenant halden had ";
    assert!(code == Some(1) && said.contains(told), "{code:?} {said}");
    let server = Server::spawn(&earlier, true, &[]);
    eventually("the server says why it is not ready", || {
        let (status, said) = server.get("/readyz", None);
        status == 503 && String::from_utf8_lossy(&said).contains("log_set_back")
    });
    assert_eq!(
        gate(&server, &open),
        403,
        "the gate is open over a log that was set back"
    );
    let pipeline = server.token("pipeline");
    let (_, check) = server.ask(
        "POST",
        "/api/v1/gate-checks",
        Some(&pipeline),
        Some(&tests::journey::question(&open)),
    );
    let check: serde_json::Value = serde_json::from_slice(&check).unwrap();
    assert_eq!(
        (&check["decision"], &check["permit"]),
        (&"stop".into(), &serde_json::Value::Null),
        "{check}"
    );
    assert_eq!(check["reasons"][0]["code"], "log_set_back", "{check}");
    let wanted = tests::journey::request(
        "What shall not be signed",
        &tests::journey::artifact(9_305),
        server.server_time(),
    );
    server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    eventually("the server says that the log is shorter than it was", || {
        let log = server.log();
        log.lines()
            .any(|line| line.contains("placing events") && line.contains("when this server saw it last"))
    });
    server.stop();
    // An operator who restores on purpose removes the file of seen logs.
    std::fs::remove_file(earlier.folder.path().join(seen)).unwrap();
    let server = Server::start(&earlier, true);
    server.wait_for_log();
    server.stop();
    assert_eq!(replay(&earlier).0, Some(0));
}
