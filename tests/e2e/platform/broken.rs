//! `assent doctor` on installations that are broken: it ends with 1, and names the fault and the remedy.

use std::process::Command;

use serde_json::json;
use tests::{Place, Server, binary, on_postgres};

use crate::audit::tamper::run_sql;
use crate::platform::crash::place_arguments;

/// The output of doctor on a place, on the host.
pub(crate) fn on_the_host(place: &Place) -> (Option<i32>, String) {
    let mut doctor = Command::new(binary());
    place_arguments(place, doctor.arg("doctor"));
    told(&mut doctor)
}

fn told(doctor: &mut Command) -> (Option<i32>, String) {
    let done = doctor.output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// The lines about one thing, with the remedy below them.
fn about<'a>(said: &'a str, name: &str) -> Vec<&'a str> {
    let lines: Vec<&str> = said.lines().collect();
    let is_it = |line: &str| line.starts_with(&format!("bad   {name}: "));
    let found = lines.iter().enumerate().filter(|(_, line)| is_it(line));
    found
        .flat_map(|(at, line)| [*line, lines.get(at + 1).copied().unwrap_or_default()])
        .collect()
}

/// Changes one letter in a page of an index, as a disk does that forgets a bit.
fn flip_in_index(place: &Place, index: &str) {
    let script = "import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
root = base.execute('SELECT rootpage FROM sqlite_master WHERE name = ?', (sys.argv[2],)).fetchone()[0]
size = base.execute('PRAGMA page_size').fetchone()[0]
base.execute('PRAGMA wal_checkpoint(TRUNCATE)')
base.close()
with open(sys.argv[1], 'r+b') as file:
    file.seek((root - 1) * size)
    # All of them, as the first may lie where nothing is kept any more.
    page = file.read(size).replace(b'halden', b'hilden')
    file.seek((root - 1) * size)
    file.write(page)";
    let file = place.folder.path().join("assent.db");
    let done = Command::new("python3")
        .args(["-c", script])
        .arg(file)
        .arg(index)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// PostgreSQL looks after its own pages.
#[test]
fn a_bit_that_an_index_lost_is_named_by_doctor_and_replay() {
    if on_postgres() {
        println!("left out: a bit that an index lost: PostgreSQL looks after its own pages");
        return;
    }
    let place = Place::demo("broken_index");
    Server::start(&place, true).stop();
    flip_in_index(&place, "message_by_change_id_id");
    let (code, said) = on_the_host(&place);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        about(&said, "storage").join("\n").contains("message_by_change_id_id"),
        "{said}"
    );
    let (code, said) = crate::audit::tamper::replay(&place);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("message_by_change_id_id"), "{said}");
}

#[test]
fn a_migration_that_nothing_tells_of_is_named_and_not_run_by_a_replay() {
    let place = Place::demo("broken_migration");
    Server::start(&place, true).stop();
    run_sql(&place, "DELETE FROM schema_migration WHERE number = 17");
    for _ in 0..2 {
        let (code, said) = crate::audit::tamper::replay(&place);
        assert_eq!(code, Some(1), "{said}");
        let told = "Nothing else was compared: The migration 0017_report was not run on this database, or nothing tells of it.";
        assert!(said.contains("schema saved_view") && said.contains(told), "{said}");
    }
    let (code, said) = on_the_host(&place);
    assert_eq!(code, Some(1), "{said}");
    assert!(about(&said, "storage").join("\n").contains("saved_view"), "{said}");
}

#[test]
fn a_table_that_is_gone_is_named_and_hides_nothing_else() {
    let place = Place::demo("broken_table");
    Server::start(&place, true).stop();
    run_sql(
        &place,
        "DROP TABLE person_seen; UPDATE \"change\" SET title = 'x' WHERE tenant = 'halden' AND key = 'CHG-1004'",
    );
    let (code, said) = crate::audit::tamper::replay(&place);
    assert_eq!(code, Some(1), "{said}");
    for told in [
        "schema person_seen: The table `person_seen` is gone.",
        "title: The column `title` is not what the body says.",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[test]
fn another_master_key_is_named_before_anything_is_read() {
    let place = Place::demo("broken_key");
    Server::start(&place, true).stop();
    let (code, said) = on_the_host(&place);
    assert_eq!(code, Some(0), "{said}");
    let other = "b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgISE=";
    let mut doctor = Command::new(binary());
    place_arguments(&place, doctor.arg("doctor"));
    match &place.database {
        Some(_) => {
            doctor.env("ASSENT_MASTER_KEY", other);
        }
        None => {
            let key = place.folder.path().join("master.key");
            let length = std::fs::read(&key).unwrap().len();
            // It is as long as the one that it replaces, and readable by its owner alone as before.
            std::fs::write(
                &key,
                if length == 32 {
                    vec![7; 32]
                } else {
                    other.as_bytes().to_vec()
                },
            )
            .unwrap();
        }
    }
    let (code, said) = told(&mut doctor);
    assert_eq!(code, Some(1), "{said}");
    let lines = about(&said, "database").join("\n");
    assert!(
        lines.contains("the master key is not the one under which the stored keys were sealed"),
        "{said}"
    );
    assert!(
        lines.contains("The server would refuse to start for the same reason."),
        "{said}"
    );
}

#[test]
fn keys_that_nobody_can_use_are_named_and_hide_nothing_else() {
    let place = Place::demo("broken_signing_keys");
    let server = Server::start(&place, true);
    let wanted = json!({"kind": "github", "name": "builds", "map": []});
    server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&wanted));
    server.stop();
    let zeros = if on_postgres() {
        "decode(repeat('00', length(wrapped)), 'hex')"
    } else {
        "zeroblob(length(wrapped))"
    };
    run_sql(
        &place,
        &format!("UPDATE signing_key SET wrapped = {zeros} WHERE tenant = 'halden' AND purpose = 'permit'"),
    );
    run_sql(
        &place,
        "UPDATE signing_key SET public = public || 'x' WHERE tenant = 'halden' AND purpose = 'cosigner'",
    );
    run_sql(
        &place,
        "DELETE FROM signing_key WHERE tenant = 'cartwell' AND purpose = 'log'",
    );
    run_sql(&place, "DELETE FROM secret WHERE tenant = 'halden'");
    let (code, said) = on_the_host(&place);
    assert_eq!(code, Some(1), "{said}");
    let lines = about(&said, "keys").join("\n");
    for told in [
        "halden: permit key ",
        "wrapped: The master key cannot decrypt its private key.",
        "halden: cosigner key ",
        "public: It is no verifier key",
        "cartwell: No key of the purpose log is active.",
    ] {
        assert!(lines.contains(told), "{told}: {said}");
    }
    assert!(
        about(&said, "secrets")
            .join("\n")
            .contains("The secret of the connection "),
        "{said}"
    );
    assert!(said.contains("good  policies: halden"), "the rest is looked at: {said}");
    let (code, said) = crate::audit::tamper::replay(&place);
    assert_eq!(code, Some(1), "{said}");
    for told in [
        "The master key cannot decrypt its private key.",
        "It is no verifier key",
        "There are 0 active keys for log",
        "The secret of the connection builds is gone.",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[test]
fn policies_that_were_tampered_with_are_named_with_the_way_back() {
    let place = Place::demo("broken_policies");
    let server = Server::start(&place, true);
    let wanted = json!({"packs": ["dual-control"], "reason": "Two look at what they do."});
    let proposed = server.must("POST", "/api/v1/policies", &server.token("admin"), Some(&wanted));
    let activation = format!("/api/v1/configurations/{}/activation", proposed["id"].as_str().unwrap());
    server.must("POST", &activation, &server.token("change_manager"), Some(&json!({})));
    server.stop();
    assert_eq!(on_the_host(&place).0, Some(0));
    run_sql(
        &place,
        "UPDATE configuration SET body = replace(body, 'permit (', 'permid (') WHERE body LIKE '%permit (%'",
    );
    let (code, said) = on_the_host(&place);
    assert_eq!(code, Some(1), "{said}");
    let lines = about(&said, "policies").join("\n");
    assert!(
        lines.contains("halden") && lines.contains("`assent policy apply --recover`"),
        "{said}"
    );
}

#[test]
fn a_wrong_token_is_told_from_outside() {
    let place = Place::demo("broken_token");
    let server = Server::start(&place, true);
    let mut doctor = Command::new(binary());
    doctor
        .args(["doctor", "--tenant", "halden"])
        .env("ASSENT_SERVER", &server.url);
    let (code, said) = told(doctor.env("ASSENT_TOKEN", "assent_0000000000000000000000000000000000000000000"));
    assert_eq!(code, Some(1), "{said}");
    let lines = about(&said, "credential").join("\n");
    assert!(
        lines.contains("401") && lines.contains("`assent token create` makes a new one."),
        "{said}"
    );
    assert!(said.contains("good  server: "), "what is well is told as well: {said}");
    let nobody = format!("http://127.0.0.1:{}", tests::free_port());
    let (code, said) = told(Command::new(binary()).args(["doctor"]).env("ASSENT_SERVER", nobody));
    assert_eq!(code, Some(1), "{said}");
    let lines = about(&said, "server").join("\n");
    assert!(
        lines.contains("Is it running, and can it be reached from here?"),
        "{said}"
    );
}
