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
