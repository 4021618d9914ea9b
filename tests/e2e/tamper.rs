//! What a person with full rights over the database does to the history is found, and named.

use std::process::Command;

use tests::{Place, Server, binary, on_postgres};

use crate::crash::place_arguments;

/// A manipulation: its name, the statements, and a word that the finding must say.
type Case = (&'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "an edited text",
        "UPDATE \"change\" SET body = replace(body, 'Rate', 'Fate'), title = 'x' WHERE key = 'CHG-1004' AND tenant = 'halden'",
        "change",
    ),
    (
        "an edited state",
        "UPDATE \"change\" SET state = 'cancelled' WHERE key = 'CHG-1046' AND tenant = 'halden'",
        "state",
    ),
    (
        "a deleted approval",
        "DELETE FROM approval WHERE tenant = 'halden' AND id = (SELECT min(id) FROM approval WHERE tenant = 'halden')",
        "approval",
    ),
    (
        "a deleted event",
        "DELETE FROM event WHERE tenant = 'halden' AND seq = 77",
        "77",
    ),
    (
        "a cut tail",
        "DELETE FROM event WHERE tenant = 'halden' AND seq >= (SELECT max(seq) - 3 FROM event WHERE tenant = 'halden')",
        "",
    ),
    (
        "swapped rows",
        "UPDATE event SET seq = CASE seq WHEN 50 THEN -1 ELSE seq END WHERE tenant = 'halden' AND seq = 50; UPDATE event SET seq = 50 WHERE tenant = 'halden' AND seq = 51; UPDATE event SET seq = 51 WHERE tenant = 'halden' AND seq = -1",
        "5",
    ),
];

/// A flipped byte in a tile, as each engine writes it.
fn flipped_tile() -> Case {
    let sql = if on_postgres() {
        "UPDATE log_tile SET bytes = set_byte(bytes, 5, (get_byte(bytes, 5) + 1) % 256) WHERE tenant = 'halden' AND path = 'tile/0/000'"
    } else {
        "UPDATE log_tile SET bytes = X'00' || substr(bytes, 2) WHERE tenant = 'halden' AND path = 'tile/0/000'"
    };
    ("a flipped byte", sql, "")
}

fn run_sql(place: &Place, sql: &str) {
    let done = match &place.database {
        Some(url) => Command::new("psql")
            .args([url, "-v", "ON_ERROR_STOP=1", "-c", sql])
            .output()
            .unwrap(),
        None => {
            let script = "import sqlite3, sys\nbase = sqlite3.connect(sys.argv[1])\nfor part in sys.argv[2].split(';'):\n    print(base.execute(part).rowcount)\nbase.commit()";
            let file = place.folder.path().join("assent.db");
            Command::new("python3")
                .args(["-c", script])
                .arg(file)
                .arg(sql)
                .output()
                .unwrap()
        }
    };
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{sql}: {out}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    let nothing = out
        .lines()
        .any(|line| line.trim() == "0" || line.trim() == "UPDATE 0" || line.trim() == "DELETE 0");
    assert!(!nothing, "{sql} touched nothing");
}

/// A copy of a stopped server's place.
fn copy(of: &Place, n: usize) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(of.folder.path().join("."))
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(copied.success());
    let database = of.database.as_ref().map(|url| {
        let (head, name) = url.rsplit_once('/').unwrap();
        let twin = format!("{name}_{n}");
        let admin = std::env::var("ASSENT_TEST_POSTGRES").unwrap();
        let made = Command::new("psql")
            .args([&admin, "-c", &format!("CREATE DATABASE {twin} TEMPLATE {name}")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        format!("{head}/{twin}")
    });
    Place { folder, database }
}

fn replay(place: &Place) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.args(["audit", "replay"]);
    place_arguments(place, &mut command);
    let done = command.output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    (done.status.code(), text)
}

#[test]
fn tampering_with_full_database_rights_is_found_and_named() {
    let place = Place::demo("tamper");
    let server = Server::start(&place, true);
    server.wait_for_log();
    server.stop();
    let (code, text) = replay(&place);
    assert_eq!(code, Some(0), "an untouched history must replay:\n{text}");
    let mut missed = Vec::new();
    for (n, (name, sql, word)) in CASES.iter().copied().chain([flipped_tile()]).enumerate() {
        let twin = copy(&place, n);
        run_sql(&twin, sql);
        let (code, text) = replay(&twin);
        if code != Some(1) || !text.contains(word) {
            missed.push(format!("{name}: exit {code:?}, expected 1 and `{word}`\n{text}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n=====\n"));
}

#[test]
fn a_tenant_whose_log_was_tampered_with_holds_up_no_other() {
    let place = Place::demo("tampered_neighbour");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time());
    let other = server.person("other_admin");
    let (tenant, token) = (other["tenant"].as_str().unwrap(), other["token"].as_str().unwrap());
    let checkpoint = |server: &Server| server.get(&format!("/t/{tenant}/log/checkpoint"), Some(token));
    tests::faults::eventually("the other's log is there", || checkpoint(&server).0 == 200);
    server.wait_for_log();
    run_sql(
        &place,
        "UPDATE log_state SET checkpoint = replace(checkpoint, 'halden', 'haldem') WHERE tenant = 'halden'",
    );
    let digest = tests::journey::artifact(9_301);
    let wanted = tests::journey::request("What waits for a place", &digest, server.server_time());
    server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    tests::faults::eventually("the server says which log it cannot go on with", || {
        let log = server.log();
        log.lines()
            .any(|line| line.contains("placing events") && line.contains("halden"))
    });
    let before = checkpoint(&server).1;
    server.advance(60);
    tests::faults::eventually("the other's log is cosigned anew", || {
        let (status, now) = checkpoint(&server);
        status == 200 && now != before
    });
}

#[test]
fn webhooks_that_were_tampered_with_hold_up_no_other() {
    let place = Place::demo("tampered_hooks");
    let server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    let receiver = tests::outside::Outside::start(|_| (204, serde_json::Value::Null));
    let admin = server.token("admin");
    let hook = |name: &str| {
        let url = format!("{}/{name}", receiver.url);
        let body = serde_json::json!({"name": name, "url": url, "kinds": ["change.*"]});
        server.must("POST", "/api/v1/webhooks", &admin, Some(&body));
    };
    // More than one thread takes at once: they were due first.
    (0..6).for_each(|number| hook(&format!("broken-{number}")));
    run_sql(
        &place,
        "DELETE FROM webhook WHERE tenant = 'halden' AND name LIKE 'broken-%'",
    );
    hook("whole");
    let digest = tests::journey::artifact(9_302);
    let wanted = tests::journey::request("Told outside", &digest, server.server_time());
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    receiver.wait_for("the change", |sent| {
        sent.path == "/whole" && sent.json()["subject"] == made["key"]
    });
}
