//! Every tampering with the history by a person with full rights over the database is found, and named.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tests::{Place, Server, binary, on_postgres};

use crate::platform::beside::beside;
use crate::platform::crash::place_arguments;

/// A manipulation.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// The number of the copy that it is done to, with others that touch other rows.
    copy: usize,
    /// The statements.
    sql: &'static str,
    /// Read before the tampering: the rows to touch, with a bar between their columns.
    touched: &'static str,
    /// The findings of `audit replay` for each such row; `{0}` and `{1}` are its columns.
    replay: &'static [&'static str],
    /// The findings of `audit verify` for it; where it is silent, the log itself is whole.
    verify: &'static [&'static str],
}

/// Where a record was edited, `replay` names it and the column or field.
const COLUMN: &[&str] = &["change {0} {1}: The column `{1}` is not what the body says."];
/// Where events are gone, it names each with its place in the log.
const GONE: &[&str] = &[
    "event {0} seq: The log has the event `",
    "` at index {1}, but its row is gone or lost its place.",
];

/// Of events whose bundle was not full, the rows alone held the bytes: the log knows their places and no more.
const LOST: &[&str] =
    &["event {1} seq: The log has the event `unknown` at index {1}, but its row is gone or lost its place."];

const CASES: &[Case] = &[
    Case {
        name: "an edited text",
        copy: 0,
        sql: "UPDATE \"change\" SET title = 'x' WHERE key = 'CHG-1004' AND tenant = 'halden'",
        touched: "SELECT id, 'title' FROM \"change\" WHERE key = 'CHG-1004' AND tenant = 'halden'",
        replay: COLUMN,
        verify: &[],
    },
    Case {
        name: "an edited state",
        copy: 0,
        sql: "UPDATE \"change\" SET state = 'cancelled' WHERE key = 'CHG-1046' AND tenant = 'halden'",
        touched: "SELECT id, state FROM \"change\" WHERE key = 'CHG-1046' AND tenant = 'halden'",
        replay: &["change {0} state: The column `state` is not what the body says: `cancelled`, not `{1}`."],
        verify: &[],
    },
    Case {
        name: "a word turned round",
        copy: 0,
        sql: "UPDATE approval SET body = replace(body, '\"decision\":\"approve\"', '\"decision\":\"reject\"'), \
              sealed = replace(sealed, '\"decision\":\"approve\"', '\"decision\":\"reject\"') \
              WHERE tenant = 'halden' AND id = (SELECT min(id) FROM approval WHERE tenant = 'halden')",
        touched: "SELECT min(id), 'decision' FROM approval WHERE tenant = 'halden'",
        replay: &[
            "approval {0} /decision: The sealed form has another `decision` than the events tell: `\"reject\"`, not `\"approve\"`.",
        ],
        verify: &[],
    },
    Case {
        name: "a deleted approval",
        copy: 1,
        sql: "DELETE FROM approval WHERE tenant = 'halden' AND id = (SELECT min(id) FROM approval WHERE tenant = 'halden')",
        touched: "SELECT min(id), '' FROM approval WHERE tenant = 'halden'",
        replay: &[
            "approval {0}: The log tells of this record up to version ",
            ", but its row is gone.",
        ],
        verify: &[],
    },
    Case {
        name: "a deleted event",
        copy: 2,
        sql: "DELETE FROM event WHERE tenant = 'halden' AND seq = 77",
        touched: "SELECT id, CAST(seq AS TEXT) FROM event WHERE tenant = 'halden' AND seq = 77",
        replay: GONE,
        verify: &[],
    },
    Case {
        name: "a cut tail",
        copy: 3,
        sql: "DELETE FROM event WHERE tenant = 'halden' AND seq >= (SELECT max(seq) - 3 FROM event WHERE tenant = 'halden')",
        touched: "SELECT id, CAST(seq AS TEXT) FROM event WHERE tenant = 'halden' AND seq >= (SELECT max(seq) - 3 FROM event WHERE tenant = 'halden') ORDER BY seq",
        replay: LOST,
        verify: &["Entries from "],
    },
    Case {
        name: "a row put out of its tenant",
        copy: 1,
        sql: "UPDATE running SET tenant = 'hblden' WHERE tenant = 'halden' AND id = (SELECT min(id) FROM running WHERE tenant = 'halden')",
        touched: "SELECT min(id), '' FROM running WHERE tenant = 'halden'",
        replay: &["running hblden/{0} tenant: The row belongs to no tenant of this installation."],
        verify: &[],
    },
    Case {
        name: "a removed checkpoint",
        copy: 0,
        sql: "DELETE FROM checkpoint WHERE tenant = 'halden' AND size = (SELECT min(size) FROM checkpoint WHERE tenant = 'halden')",
        touched: "SELECT CAST(min(size) AS TEXT), '' FROM checkpoint WHERE tenant = 'halden' AND size > (SELECT min(size) FROM checkpoint WHERE tenant = 'halden')",
        replay: &["checkpoint {0} code: A server kept another checkpoint of this size, or the one before it is gone."],
        verify: &[],
    },
    Case {
        name: "a timer put off",
        copy: 1,
        sql: "UPDATE timer SET run_at = run_at + 86400000000 WHERE tenant = 'halden' AND id = (SELECT min(id) FROM timer WHERE tenant = 'halden')",
        touched: "SELECT subject_table || '/' || subject_id, '' FROM timer WHERE tenant = 'halden' AND id = (SELECT min(id) FROM timer WHERE tenant = 'halden')",
        replay: &["timer {0} code: No server that has the master key set this timer for this time"],
        verify: &[],
    },
    Case {
        name: "swapped rows",
        copy: 2,
        sql: "UPDATE event SET seq = -1 WHERE tenant = 'halden' AND seq = 50; UPDATE event SET seq = 50 WHERE tenant = 'halden' AND seq = 51; UPDATE event SET seq = 51 WHERE tenant = 'halden' AND seq = -1",
        touched: "SELECT id, CASE seq WHEN 50 THEN '51' ELSE '50' END FROM event WHERE tenant = 'halden' AND seq IN (50, 51) ORDER BY seq",
        replay: &["event {0} seq: The row stands at index {1}, where the log has event "],
        verify: &[],
    },
];

/// A flipped byte in a tile, in the hash of entry 7, as each engine writes it.
fn flipped_tile() -> Case {
    let sql = if on_postgres() {
        "UPDATE log_tile SET bytes = set_byte(bytes, 227, (get_byte(bytes, 227) + 1) % 256) WHERE tenant = 'halden' AND path = 'tile/0/000'"
    } else {
        "UPDATE log_tile SET bytes = CAST(substr(bytes, 1, 227) || CASE substr(bytes, 228, 1) WHEN X'00' THEN X'01' ELSE X'00' END || substr(bytes, 229) AS BLOB) WHERE tenant = 'halden' AND path = 'tile/0/000'"
    };
    Case {
        name: "a flipped byte",
        copy: 4,
        sql,
        touched: "SELECT '7', ''",
        replay: &["log {0}: Entry {0} has not the hash that its tile has."],
        verify: &["Entry {0} has not the hash that its tile has. (tile_wrong at {0})"],
    }
}

/// Writes into a database past the server; each statement must touch something.
pub(crate) fn run_sql(place: &Place, sql: &str) {
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
pub(crate) fn copy(of: &Place, n: usize) -> Place {
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

/// The exit code and the output of `audit replay`.
pub(crate) fn replay(place: &Place) -> (Option<i32>, String) {
    replay_of(place, &[])
}

/// The same of one tenant.
pub(crate) fn replay_of(place: &Place, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.args(["audit", "replay"]).args(more);
    place_arguments(place, &mut command);
    if place.database.is_some() {
        // Beside a database the folder remembers how far each log was.
        command.arg("--data").arg(place.folder.path());
    }
    let done = command.output().unwrap();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    (done.status.code(), text)
}

/// The log as a server over this place serves it, held against its key and a checkpoint that were kept elsewhere.
fn verify(place: &Place, kept: &Path) -> (Option<i32>, String) {
    let server = Server::start(place, true);
    let done = Command::new(binary())
        .args(["audit", "verify", "--log", &format!("{}/t/halden/log", server.url)])
        .arg("--key")
        .arg(kept.join("key"))
        .arg("--older")
        .arg(kept.join("checkpoint"))
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token("auditor"))
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// The copy of an outside party: the log's key and a checkpoint.
fn keep(server: &Server) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let auditor = server.token("auditor");
    for name in ["key", "checkpoint"] {
        let (status, bytes) = server.get(&format!("/t/halden/log/{name}"), Some(&auditor));
        assert_eq!(status, 200, "{name}");
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// The findings that a command must report for the touched rows.
fn expected(rows: &str, words: &[&str]) -> Vec<String> {
    let columns = rows.lines().map(|row| row.split_once('|').unwrap());
    let said = columns.flat_map(|(first, second)| {
        let fill = move |words: &&str| words.replace("{0}", first).replace("{1}", second);
        words.iter().map(fill)
    });
    said.collect()
}

/// Does all of it to a copy; returns the findings that a command missed.
fn missed(cases: &[Case], twin: &Place, kept: &Path) -> Vec<String> {
    let names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    let touched = cases.iter().map(|case| {
        let rows = beside(twin, case.touched);
        assert!(!rows.trim().is_empty(), "{} touches nothing", case.name);
        rows
    });
    let touched: Vec<String> = touched.collect();
    cases.iter().for_each(|case| run_sql(twin, case.sql));
    let wanted = |words: fn(&Case) -> &'static [&'static str]| -> Vec<String> {
        let each = cases.iter().zip(&touched);
        each.flat_map(|(case, rows)| expected(rows, words(case))).collect()
    };
    let mut missed = Vec::new();
    for (command, (code, text), wanted) in [
        ("replay", replay(twin), wanted(|case| case.replay)),
        ("verify", verify(twin, kept), wanted(|case| case.verify)),
    ] {
        let is_found = wanted.iter().all(|words| text.contains(words));
        if code != Some(i32::from(!wanted.is_empty())) || !is_found {
            missed.push(format!(
                "{names:?}: {command} ends with {code:?} without {wanted:#?}:\n{text}"
            ));
        }
    }
    missed
}

#[test]
fn tampering_with_full_database_rights_is_found_and_named() {
    let place = Place::demo("tamper");
    let server = Server::start(&place, true);
    server.wait_for_log();
    let kept = keep(&server);
    server.stop();
    let untouched = copy(&place, 99);
    assert_eq!(replay(&untouched).0, Some(0), "an untouched history must replay");
    assert_eq!(
        verify(&untouched, kept.path()).0,
        Some(0),
        "an untouched log must verify"
    );
    let cases: Vec<Case> = CASES.iter().copied().chain([flipped_tile()]).collect();
    let copies: BTreeSet<usize> = cases.iter().map(|case| case.copy).collect();
    let of_copy = |n: usize| -> Vec<Case> { cases.iter().copied().filter(|case| case.copy == n).collect() };
    let missed: Vec<String> = copies
        .into_iter()
        .flat_map(|n| missed(&of_copy(n), &copy(&place, n), kept.path()))
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n=====\n"));
}

/// A whole database that was set back to an earlier day is whole in itself; the holder of a later checkpoint detects it.
#[test]
fn a_log_that_was_set_back_is_found_by_whoever_kept_a_checkpoint() {
    let place = Place::demo("set_back");
    let earlier = copy(&place, 98);
    let server = Server::start(&place, true);
    let digest = tests::journey::artifact(9_303);
    let wanted = tests::journey::request("What shall be forgotten", &digest, server.server_time());
    server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    server.wait_for_log();
    let kept = keep(&server);
    server.stop();
    let text = std::fs::read_to_string(kept.path().join("checkpoint")).unwrap();
    let size: u64 = text.lines().nth(1).unwrap().parse().unwrap();
    assert_eq!(replay(&earlier).0, Some(0), "it is whole in itself");
    let (code, said) = verify(&earlier, kept.path());
    assert!(
        code == Some(1) && said.contains(&size.to_string()),
        "{code:?} {size}: {said}"
    );
    assert_eq!(verify(&place, kept.path()).0, Some(0), "the one that was not set back");
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
