//! Secrets stay where they belong: none of them stands in any answer, log, database, backup or report.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::faults::size;
use tests::{Place, Server, binary};

/// Whether a stopped server's data holds some bytes anywhere.
pub fn holds(place: &Place, canary: &[u8]) -> bool {
    let in_database = place.database.as_ref().is_some_and(|url| {
        let dump = Command::new("pg_dump").args(["--inserts", url]).output().unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        // Bytes stand in a dump as hexadecimal digits.
        let digits: String = canary.iter().map(|byte| format!("{byte:02x}")).collect();
        contains(&dump.stdout, canary) || contains(&dump.stdout, digits.as_bytes())
    });
    in_database || folder_holds(place.folder.path(), canary)
}

fn folder_holds(folder: &Path, canary: &[u8]) -> bool {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return folder_holds(&path, canary);
        }
        path.is_file() && contains(&std::fs::read(&path).unwrap(), canary)
    })
}

/// Whether bytes stand in others.
pub fn contains(whole: &[u8], part: &[u8]) -> bool {
    let first = part[0];
    let starts = whole.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts.map(|(at, _)| at).any(|at| whole[at..].starts_with(part))
}

/// What an answer to everybody and to an administrator shows; the secrets must stand in none of it.
fn everything_shown(server: &Server, place: &Place) -> Vec<(String, Vec<u8>)> {
    let document: Value = serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap();
    let mut shown = vec![("the log".to_owned(), server.log().into_bytes())];
    for role in ["admin", "auditor"] {
        let token = server.token(role);
        for (path, methods) in document["paths"].as_object().unwrap() {
            let is_endless = path.ends_with("/stream");
            if methods.get("get").is_some() && !path.contains('{') && !is_endless {
                shown.push((format!("{role} {path}"), server.get(path, Some(&token)).1));
            }
        }
    }
    for arguments in [&["doctor", "--json"][..], &["config", "explain"]] {
        let mut command = Command::new(binary());
        command.args(arguments);
        if arguments[0] == "doctor" {
            crate::crash::place_arguments(place, &mut command);
        }
        let done = command.env("ASSENT_SMTP_PASSWORD", SMTP_PASSWORD).output().unwrap();
        shown.push((arguments.join(" "), [done.stdout, done.stderr].concat()));
    }
    shown
}

/// A secret that only settings hold.
const SMTP_PASSWORD: &str = "canary-of-the-mail-server";

/// Makes secrets of every kind, each for a person's use, and answers them with their kind.
fn make_secrets(server: &Server, each: usize) -> Vec<(&'static str, String)> {
    let admin = server.token("admin");
    let mut secrets = vec![("smtp password", SMTP_PASSWORD.to_owned())];
    for n in 0..each {
        let login = format!("canary{n}");
        let person = json!({"login": login, "name": "A person for a test", "roles": []});
        server.must("POST", "/api/v1/people", &admin, Some(&person));
        let password = format!("canary-password-{n}-of-a-person");
        let path = format!("/api/v1/people/{login}/password");
        let (status, answer) = server.ask_with(
            "PUT",
            &path,
            Some(&admin),
            Some(&json!({"password": password})),
            &[("If-Match", "*")],
        );
        assert!(
            (200..300).contains(&status),
            "{status} {}",
            String::from_utf8_lossy(&answer)
        );
        secrets.push(("password", password.clone()));
        let wrong = format!("canary-guess-{n}-of-a-password");
        let guess = json!({"tenant": "halden", "login": login, "password": wrong});
        server.ask("POST", "/api/v1/session", None, Some(&guess));
        secrets.push(("wrong password", wrong));
        let made = server.must(
            "POST",
            "/api/v1/tokens",
            &admin,
            Some(&json!({"name": login, "scopes": ["read"]})),
        );
        secrets.push(("token", made["token"].as_str().unwrap().to_owned()));
        let connection = json!({"kind": "github", "name": login, "map": []});
        let made = server.must("POST", "/api/v1/connections", &admin, Some(&connection));
        secrets.push(("connection's secret", made["secret"].as_str().unwrap().to_owned()));
        let bogus = format!("ast_canary{n}notatoken");
        server.ask("GET", "/api/v1/me", Some(&bogus), None);
        secrets.push(("wrong token", bogus));
    }
    secrets
}

#[test]
fn no_secret_stands_in_an_answer_a_log_the_database_or_a_report() {
    let place = Place::demo("canaries");
    let server = Server::start(&place, true);
    let secrets = make_secrets(&server, 10);
    assert!(secrets.len() > 50);
    let mut found = Vec::new();
    for (what, bytes) in everything_shown(&server, &place) {
        let kinds = secrets.iter().filter(|(_, secret)| contains(&bytes, secret.as_bytes()));
        found.extend(kinds.map(|(kind, _)| format!("a {kind} in {what}")));
    }
    server.stop();
    // The demo's own file is the one place that is meant to hold its people's secrets.
    std::fs::remove_file(place.folder.path().join("demo-credentials.json")).unwrap();
    found.extend(
        secrets
            .iter()
            .filter(|(_, it)| holds(&place, it.as_bytes()))
            .map(|(kind, _)| format!("a {kind} in the data")),
    );
    assert!(found.is_empty(), "{found:#?}");
}

/// The digests of tokens as whoever reads the database finds them.
fn stored_digests(place: &Place) -> Vec<String> {
    let sql = "SELECT digest FROM \"token\"";
    let said = match &place.database {
        Some(url) => {
            let mut command = Command::new("psql");
            crate::crash::must_run(command.args([url, "-At", "-c", sql]))
        }
        None => {
            let base = rusqlite::Connection::open(place.folder.path().join("assent.db")).unwrap();
            let mut statement = base.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
            rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
        }
    };
    said.lines().map(str::to_owned).collect()
}

#[test]
fn no_digest_of_a_token_opens_a_door() {
    let place = Place::demo("digests");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    for n in 0..size("ASSENT_TEST_DIGESTS", 40) {
        server.must(
            "POST",
            "/api/v1/tokens",
            &admin,
            Some(&json!({"name": format!("t{n}"), "scopes": ["read"]})),
        );
    }
    let digests = stored_digests(&place);
    assert!(digests.len() > 40, "{} tokens", digests.len());
    for digest in &digests {
        let bare = digest.trim_start_matches("sha256:");
        for tried in [
            digest.clone(),
            bare.to_owned(),
            format!("ast_{bare}"),
            format!("ast_{digest}"),
        ] {
            assert_eq!(
                server.get("/api/v1/me", Some(&tried)).0,
                401,
                "a stored digest was taken for a token"
            );
        }
    }
}
