//! Data that came back without its codes: nothing opens by it, `doctor` reports it, and two people give it new codes after a
//! full replay. Where a row differs from the log, nobody can.

use std::path::PathBuf;
use std::process::Command;

use tests::session::Session;
use tests::{Place, Server, binary, on_postgres};

use crate::audit::tamper::{replay, replay_of, run_sql};
use crate::platform::beside::beside;
use crate::platform::crash::place_arguments;

/// Takes the codes of all rows away, as a tool would that does not know them.
fn lose_codes(place: &Place) {
    let list = if on_postgres() {
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'code' AND data_type = 'bytea' ORDER BY 1"
    } else {
        "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE c.name = 'code' AND c.type = 'BYTEA' ORDER BY 1"
    };
    let tables = beside(place, list);
    assert!(tables.lines().count() > 40, "{tables}");
    let is_filled = |table: &&str| {
        let found = beside(place, &format!("SELECT 1 FROM \"{table}\" LIMIT 1"));
        !found.trim().is_empty()
    };
    let filled = tables.lines().map(str::trim).filter(is_filled);
    let statements: Vec<String> = filled
        .map(|table| format!("UPDATE \"{table}\" SET code = NULL"))
        .collect();
    run_sql(place, &statements.join(";"));
}

struct Host<'p> {
    place: &'p Place,
    data: PathBuf,
    /// Login and password by role.
    people: Vec<(&'static str, String, String)>,
}

impl Host<'_> {
    fn run(&self, words: &[&str]) -> (bool, String) {
        let mut command = Command::new(binary());
        command.args(words);
        place_arguments(self.place, &mut command);
        if on_postgres() {
            command.arg("--data").arg(self.place.folder.path());
        }
        let done = command.output().unwrap();
        let told = [done.stdout, done.stderr].map(|it| String::from_utf8_lossy(&it).into_owned());
        (done.status.success(), told.concat())
    }

    fn renew(&self, by: &str, and: &str, wrong: bool) -> (bool, String) {
        let find = |role: &str| self.people.iter().find(|it| it.0 == role).unwrap();
        let file = |role: &str| {
            let path = self.data.join(format!("{role}.password"));
            let word = if wrong {
                "not the password"
            } else {
                find(role).2.as_str()
            };
            std::fs::write(&path, word).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (one, other) = (file(by), file(and));
        self.run(&[
            "audit",
            "renew-codes",
            "--tenant",
            "halden",
            "--by",
            &find(by).1,
            "--by-password-file",
            &one,
            "--and",
            &find(and).1,
            "--and-password-file",
            &other,
        ])
    }
}

#[test]
fn lost_codes_are_written_anew_by_two_people_after_a_replay_without_a_difference() {
    let place = Place::demo("renewed_codes");
    let server = Server::start(&place, true);
    let of = |role: &'static str| {
        let person = server.person(role);
        let word = |name: &str| person[name].as_str().unwrap().to_owned();
        (role, word("login"), word("password"))
    };
    let people = ["admin", "auditor", "requester"].map(of).to_vec();
    let data = server.data.clone();
    server.wait_for_log();
    server.stop();
    let host = Host {
        place: &place,
        data,
        people,
    };
    lose_codes(&place);
    assert_eq!(replay(&place).0, Some(1), "rows without codes are named");
    let (is_good, told) = host.run(&["doctor"]);
    assert!(!is_good && told.contains("renew-codes"), "{told}");

    for (by, and, wrong, why) in [
        ("admin", "admin", false, "takes two different people"),
        ("admin", "requester", false, "not an active administrator"),
        ("admin", "auditor", true, "password"),
    ] {
        let (is_good, told) = host.renew(by, and, wrong);
        assert!(!is_good && told.contains(why), "{by} {and}: {told}");
    }
    // A row without an entry in the log gets no code, whoever requests it.
    let step = |by: &str| {
        run_sql(
            &place,
            &format!("UPDATE service SET version = version {by} WHERE tenant = 'halden' AND key = 'label-print'"),
        );
    };
    step("+ 1");
    let (is_good, told) = host.renew("admin", "auditor", false);
    assert!(!is_good && told.contains("differ from its log"), "{told}");
    step("- 1");

    let (is_good, told) = host.renew("admin", "auditor", false);
    assert!(is_good && told.contains("log.codes_renewed"), "{told}");
    let (code, told) = replay_of(&place, &["--tenant", "halden"]);
    assert_eq!(
        code,
        Some(0),
        "every row has its code and is as the log tells: {told:?}"
    );
    let server = Server::start(&place, false);
    let admin = Session::begin(&server, "admin");
    assert_eq!(
        admin.get("/t/halden/services").status,
        200,
        "people sign in, and records open"
    );
    server.wait_for_log();
    let kind = "SELECT CAST(count(*) AS TEXT) FROM event WHERE tenant = 'halden' AND kind = 'log.codes_renewed'";
    assert_eq!(beside(&place, kind).trim(), "1", "the log tells it once");
    server.stop();
}
