//! Secrets stay where they belong: none of them is in any response, log, database, backup or report.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::faults::size;
use tests::journey::{ENVIRONMENT, SERVICE, artifact, question, scheduled};
use tests::session::Session;
use tests::{MASTER_KEY, Place, Server, binary};

use crate::api::every_route::code;
use crate::platform::beside::beside;

/// Which of some secrets a stopped server's data holds anywhere.
pub fn held<'a>(place: &Place, secrets: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kept = Vec::new();
    read_folder(place.folder.path(), &mut kept);
    if let Some(url) = &place.database {
        let dump = Command::new("pg_dump").args(["--inserts", url]).output().unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        kept.push(dump.stdout);
    }
    // Bytes are in a dump as hexadecimal digits.
    let digits = |secret: &str| secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let stands = |secret: &str| {
        let digits = digits(secret);
        let either = |bytes: &Vec<u8>| contains(bytes, secret.as_bytes()) || contains(bytes, digits.as_bytes());
        kept.iter().any(either)
    };
    secrets.into_iter().filter(|secret| stands(secret)).collect()
}

fn read_folder(folder: &Path, kept: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_folder(&path, kept);
        } else if path.is_file() {
            kept.push(std::fs::read(&path).unwrap());
        }
    }
}

/// Whether bytes occur in others.
pub fn contains(whole: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(whole, part).is_some()
}

/// The content of a response to everybody and to an administrator; it must have none of the secrets. `made` are addresses of
/// the records of the secrets, beside those of the lists.
fn everything_shown(
    server: &Server,
    place: &Place,
    (made, readers): (&[String], &[(&str, Session<'_>)]),
) -> Vec<(String, Vec<u8>)> {
    let document: Value = serde_json::from_slice(&server.get("/api/openapi.json", None).1).unwrap();
    let lists = document["paths"].as_object().unwrap().iter();
    let lists = lists
        .filter(|(path, methods)| methods.get("get").is_some() && !path.contains('{') && !path.ends_with("/stream"))
        .map(|(path, _)| path.clone());
    let paths: Vec<String> = lists.chain(made.iter().cloned()).collect();
    let mut shown = Vec::new();
    for (role, session) in readers {
        let token = server.token(role);
        for path in &paths {
            shown.push((format!("{role} {path}"), server.get(path, Some(&token)).1));
        }
        for page in [
            "people",
            "tokens",
            "account",
            "audit",
            "deliveries",
            "messages",
            "gateways",
        ] {
            let path = format!("/t/halden/{page}");
            let seen = session.get(&path);
            assert!(*role != "admin" || seen.status == 200, "{path}: {}", seen.status);
            shown.push((format!("{role} {path}"), seen.body.into_bytes()));
        }
    }
    shown.push(("the log".to_owned(), server.log().into_bytes()));
    for arguments in [&["doctor", "--json"][..], &["config", "explain"]] {
        let mut command = Command::new(binary());
        command.args(arguments);
        if arguments[0] == "doctor" {
            crate::platform::crash::place_arguments(place, &mut command);
        }
        let done = command.env("ASSENT_SMTP_PASSWORD", SMTP_PASSWORD).output().unwrap();
        shown.push((arguments.join(" "), [done.stdout, done.stderr].concat()));
    }
    shown
}

/// A secret that only settings hold.
const SMTP_PASSWORD: &str = "canary-of-the-mail-server";

/// Secrets by their kind, and the pages of their records.
#[derive(Default)]
struct Made {
    secrets: Vec<(&'static str, String)>,
    paths: Vec<String>,
    /// Responses to requests that presented a secret in a wrong place, and the requests.
    answers: Vec<(String, Vec<u8>)>,
}

impl Made {
    fn keep(&mut self, kind: &'static str, secret: &Value) {
        let secret = secret.as_str().unwrap_or_else(|| panic!("no {kind}"));
        assert!(secret.len() > 7, "{kind}: {secret:?} may stand anywhere");
        self.secrets.push((kind, secret.to_owned()));
    }

    fn show(&mut self, path: String) {
        self.paths.push(format!("/api/v1{path}"));
    }
}

/// Makes secrets of the kinds that people and pipelines have, each for a use.
fn make_of_people(server: &Server, made: &mut Made, n: usize) {
    let admin = server.token("admin");
    let login = format!("canary{n}");
    let person = json!({"login": login, "name": "A person for a test", "roles": []});
    server.must("POST", "/api/v1/people", &admin, Some(&person));
    let password = format!("canary-password-{n}-of-a-person");
    let set = json!({"password": password});
    let path = format!("/api/v1/people/{login}/password");
    let (status, answer) = server.ask_with("PUT", &path, Some(&admin), Some(&set), &[("If-Match", "*")]);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!((200..300).contains(&status), "{status} {answer}");
    made.keep("password", &json!(password));
    made.show(format!("/people/{login}"));
    let wrong = format!("canary-guess-{n}-of-a-password");
    let guess = json!({"tenant": "halden", "login": login, "password": wrong});
    server.ask("POST", "/api/v1/session", None, Some(&guess));
    made.keep("wrong password", &json!(wrong));
    let wanted = json!({"name": login, "scopes": ["read"]});
    let token = server.must("POST", "/api/v1/tokens", &admin, Some(&wanted));
    server.must("GET", "/api/v1/me", token["token"].as_str().unwrap(), None);
    made.keep("token", &token["token"]);
    let bogus = format!("ast_canary{n}notatoken");
    server.ask("GET", "/api/v1/me", Some(&bogus), None);
    made.keep("wrong token", &json!(bogus));
}

/// The same of outside systems: repositories, receivers, providers.
fn make_of_systems(server: &Server, made: &mut Made, n: usize) {
    let admin = server.token("admin");
    let name = format!("canary{n}");
    let connection = json!({"kind": "github", "name": name, "map": []});
    let connection = server.must("POST", "/api/v1/connections", &admin, Some(&connection));
    made.keep("connection's secret", &connection["secret"]);
    made.show(format!("/connections/{}", connection["id"].as_str().unwrap()));
    let webhook = json!({"name": name, "url": "https://hooks.example/in"});
    let webhook = server.must("POST", "/api/v1/webhooks", &admin, Some(&webhook));
    made.keep("webhook's secret", &webhook["secret"]);
    made.show(format!("/webhooks/{}", webhook["id"].as_str().unwrap()));
    let secret = format!("canary-secret-{n}-of-a-client");
    let provider = json!({"name": name, "issuer": "https://id.example", "client_id": name, "client_secret": secret});
    let path = format!("/api/v1/identity-providers/{name}");
    server.must("PUT", &path, &admin, Some(&provider));
    made.keep("secret of a provider's client", &json!(secret));
    made.show(format!("/identity-providers/{name}"));
}

/// A session with an authenticator and its codes.
fn make_of_a_session(server: &Server, made: &mut Made) {
    let session = Session::begin(server, "executive");
    let cookie = session.cookie.split_once('=').unwrap().1;
    made.keep("session", &json!(cookie));
    let (_, factor) = session.api("POST", "/second-factors/totp", &json!({"name": "Phone"}));
    made.keep("authenticator's secret", &factor["secret"]);
    let code = code(factor["secret"].as_str().unwrap(), server.server_time());
    let way = format!("/second-factors/{}/confirmation", factor["id"].as_str().unwrap());
    let (_, confirmed) = session.api("POST", &way, &json!({"code": code}));
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    codes.iter().for_each(|code| made.keep("recovery code", code));
    // One is used up, one is wrong.
    let step_up = |code: &Value| {
        session
            .api("POST", "/session/step-up", &json!({"recovery_code": code}))
            .0
    };
    assert_eq!((step_up(&codes[0]), step_up(&json!("canary-of-a-code"))), (201, 401));
    made.keep("wrong code", &json!("canary-of-a-code"));
}

/// Collects permits: a permit lets its bearer through, so only the requester gets it, and it is nowhere else. The data keeps
/// its content but not its signed form, also where the request may come a second time: then it is signed anew.
fn make_permits(server: &Server, made: &mut Made, each: usize) {
    let pipeline = server.token("pipeline");
    for n in 0..each {
        let named = artifact(7_000 + n as u64);
        let path = scheduled(server, "A canary", &named);
        let key = format!("canary-{n}");
        let ask = || {
            let headers = [("Idempotency-Key", key.as_str())];
            let (status, answer) = server.ask_with(
                "POST",
                "/api/v1/gate-checks",
                Some(&pipeline),
                Some(&question(&named)),
                &headers,
            );
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
            serde_json::from_slice::<Value>(&answer).unwrap()
        };
        let check = ask();
        assert_eq!(check, ask(), "a repeated request gets the permit as well");
        made.keep("permit", &check["permit"]);
        made.paths.push(path.clone());
        made.paths
            .extend(["permits", "events"].map(|part| format!("{path}/{part}")));
        made.show(format!("/gate-checks/{}", check["id"].as_str().unwrap()));
        let permit = check["permit"].as_str().unwrap();
        show_in_wrong_places(server, made, (permit, &named));
    }
}

/// Shows a permit where it does not belong: for another artifact, twice, torn, as a credential, in fields and in addresses.
fn show_in_wrong_places(server: &Server, made: &mut Made, (permit, named): (&str, &str)) {
    let pipeline = server.token("pipeline");
    let other = artifact(6_999);
    let gateway = format!("/gateway/http/{SERVICE}/{ENVIRONMENT}");
    let torn = format!("{permit} {permit}");
    for (named, shown) in [(other.as_str(), permit), (named, torn.as_str())] {
        let headers = [("Assent-Artifact", named), ("Assent-Permit", shown)];
        let answer = server.ask_with("GET", &gateway, Some(&pipeline), None, &headers);
        made.answers.push((format!("GET {gateway} {}", answer.0), answer.1));
    }
    let mut inside = question(named);
    inside["permit"] = json!(permit);
    let target = format!("service={SERVICE}&environment={ENVIRONMENT}&artifact={named}");
    let asked = [
        ("GET", format!("/api/v1/gate?{target}&permit={permit}"), None),
        ("GET", format!("/api/v1/permits/{permit}"), None),
        ("POST", format!("/api/v1/permits/{permit}/revocation"), Some(json!({}))),
        ("POST", "/api/v1/gate-checks".to_owned(), Some(inside)),
        (
            "POST",
            format!("/api/v1/permits/{permit}/consumption"),
            Some(question(named)),
        ),
    ];
    for (method, path, body) in asked {
        let (status, answer) = server.ask(method, &path, Some(&pipeline), body.as_ref());
        made.answers
            .push((format!("{method} {} {status}", path.replace(permit, "…")), answer));
    }
    let (status, answer) = server.ask("GET", "/api/v1/me", Some(permit), None);
    assert_eq!(status, 401, "a permit opens gates and no other door");
    made.answers.push(("a permit as a credential".to_owned(), answer));
}

/// Makes secrets of every kind.
fn make_secrets(server: &Server, place: &Place, each: usize) -> Made {
    let mut made = Made::default();
    made.keep("smtp password", &json!(SMTP_PASSWORD));
    // Before anybody guesses: a client with many wrong guesses waits before the next try.
    make_of_a_session(server, &mut made);
    for n in 0..each {
        make_of_people(server, &mut made, n);
        make_of_systems(server, &mut made, n);
    }
    make_permits(server, &mut made, each.min(3));
    let master = match place.database {
        Some(_) => MASTER_KEY.to_owned(),
        None => std::fs::read_to_string(place.folder.path().join("master.key")).unwrap(),
    };
    made.keep("master key", &json!(master.trim()));
    made
}

#[test]
fn no_secret_stands_in_an_answer_a_log_the_database_or_a_report() {
    let place = Place::demo("canaries");
    let server = Server::start_saying(&place, "debug");
    let readers = ["admin", "auditor"].map(|role| (role, Session::begin(&server, role)));
    let made = make_secrets(&server, &place, 10);
    let kinds: BTreeSet<&str> = made.secrets.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds.len(), 14, "{kinds:?}");
    let mut found = Vec::new();
    let shown = everything_shown(&server, &place, (&made.paths, &readers));
    for (what, bytes) in shown.into_iter().chain(made.answers.clone()) {
        let kinds = made
            .secrets
            .iter()
            .filter(|(_, secret)| contains(&bytes, secret.as_bytes()));
        found.extend(kinds.map(|(kind, _)| format!("a {kind} in {what}")));
    }
    let log = server.log();
    assert!(log.contains("DEBUG"), "the log says more than usual");
    server.stop();
    // The demo's own file and the key's are the two places that are meant to hold them.
    std::fs::remove_file(place.folder.path().join("demo-credentials.json")).unwrap();
    let _ = std::fs::remove_file(place.folder.path().join("master.key"));
    assert_eq!(held(&place, ["halden"]), ["halden"], "what is no secret is found");
    let in_data = held(&place, made.secrets.iter().map(|(_, secret)| secret.as_str()));
    let kinds = made
        .secrets
        .iter()
        .filter(|(_, secret)| in_data.contains(&secret.as_str()));
    found.extend(kinds.map(|(kind, _)| format!("a {kind} in the data")));
    assert!(found.is_empty(), "{found:#?}");
}

/// The digests of tokens as a reader of the database finds them.
fn stored_digests(place: &Place) -> Vec<String> {
    let said = beside(place, "SELECT digest FROM \"token\"");
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
