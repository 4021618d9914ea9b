//! Signing keys that rotate while permits are given (T25): no good one is refused, and the signatures of a stolen key are
//! invalid at once.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proof::jwks::Jwks;
use proof::permit::{Expected, verify};
use proof::revocation::RevocationList;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact, question, scheduled};
use tests::session::Session;
use tests::{Place, Server, binary, on_postgres};

use crate::platform::crash::{must_replay, must_run, must_verify};

/// How often the key turns under load.
const TURNS: usize = 8;
/// How many permits are given at least between one turn and the next.
const BETWEEN: usize = 4;

/// One server, and on PostgreSQL a second one over the same database, which gets no notice of key rotations.
fn servers() -> (Vec<Place>, Vec<Server>) {
    let place = Place::demo("turning");
    let first = Server::start(&place, true);
    first.wait_for_log();
    if !on_postgres() {
        return (vec![place], vec![first]);
    }
    let other = Place {
        folder: tempfile::tempdir().unwrap(),
        database: place.database.clone(),
    };
    let people = "demo-credentials.json";
    std::fs::copy(first.data.join(people), other.folder.path().join(people)).unwrap();
    let second = Server::start(&other, false);
    (vec![place, other], vec![first, second])
}

/// The administrator, who has just shown their password.
fn administrator(server: &Server) -> Session<'_> {
    let session = Session::begin(server, "admin");
    let factor = json!({"password": server.person("admin")["password"]});
    assert_eq!(session.api("POST", "/session/step-up", &factor).0, 201);
    session
}

fn turned(session: &Session<'_>, path: &str) -> Value {
    let (status, turn) = session.api("POST", path, &json!({"reason": "Once a year"}));
    assert_eq!(status, 201, "{path}: {turn}");
    turn
}

fn minted(server: &Server, artifact: &str) -> String {
    let check = server.must(
        "POST",
        "/api/v1/gate-checks",
        &server.token("pipeline"),
        Some(&question(artifact)),
    );
    check["permit"].as_str().unwrap_or_else(|| panic!("{check}")).to_owned()
}

fn part(token: &str, at: usize) -> Value {
    let bytes = proof::crypto::from_base64url(token.split('.').nth(at).unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn published(server: &Server, file: &str) -> Vec<u8> {
    let (status, bytes) = server.get(&format!("/t/halden/.well-known/{file}"), None);
    assert_eq!(status, 200, "{file}");
    bytes
}

/// Verifies as a gateway does, with the data that is published now: the list is fetched first.
fn verdict(server: &Server, token: &str, artifact: &str) -> Result<(), &'static str> {
    let list = String::from_utf8(published(server, "assent-revocations")).unwrap();
    let keys = Jwks::parse(&published(server, "jwks.json")).unwrap();
    let list = RevocationList::open(list.trim(), &keys).unwrap();
    let expected = Expected {
        service: SERVICE,
        environment: ENVIRONMENT,
        artifact: Some(artifact),
        commit: None,
        content_digest: None,
        now: server.server_time().as_second(),
        purpose: None,
        max_list_age_seconds: None,
    };
    verify(token, &keys, Some(&list), &expected)
        .map(|_| ())
        .map_err(|refused| refused.code)
}

/// The exit code of the command line over the same files.
fn offline(server: &Server, folder: &Path, token: &str, artifact: &str) -> Option<i32> {
    let at = |file: &str| folder.join(file);
    std::fs::write(at("permit"), token).unwrap();
    for file in ["assent-revocations", "jwks.json"] {
        std::fs::write(at(file), published(server, file)).unwrap();
    }
    let mut command = Command::new(binary());
    command.args(["permit", "verify"]).arg(at("permit"));
    command.args([
        "--service",
        SERVICE,
        "--environment",
        ENVIRONMENT,
        "--artifact",
        artifact,
    ]);
    command.arg("--keys").arg(at("jwks.json"));
    command.arg("--revocations").arg(at("assent-revocations"));
    command.output().unwrap().status.code()
}

/// A bundle of some closed change.
fn bundle(server: &Server) -> Vec<u8> {
    let auditor = server.token("auditor");
    let closed = server.must("GET", "/api/v1/changes?state=closed&limit=1", &auditor, None);
    let path = format!("/api/v1/changes/{}/bundle", closed["items"][0]["key"].as_str().unwrap());
    let (status, bytes) = server.get(&path, Some(&auditor));
    assert_eq!(status, 200);
    bytes
}

/// The content of the system's log, as any tenant's auditor reads it.
fn system_log(server: &Server) -> String {
    let auditor = server.token("auditor");
    let part = |path: &str| server.get(&format!("/t/system/log/{path}"), Some(&auditor)).1;
    let checkpoint = String::from_utf8(part("checkpoint")).unwrap();
    let size: usize = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let mut bytes = Vec::new();
    for tile in 0..size.div_ceil(256) {
        let width = (size - tile * 256).min(256);
        let suffix = if width < 256 {
            format!(".p/{width}")
        } else {
            String::new()
        };
        bytes.extend(part(&format!("tile/entries/{tile:03}{suffix}")));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn keys_turn_under_load_and_a_stolen_one_is_out_at_once() {
    let (places, servers) = servers();
    let (here, there) = (&servers[0], servers.last().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let old_bundle = folder.path().join("before.zip");
    std::fs::write(&old_bundle, bundle(here)).unwrap();
    let artifact = artifact(9_801);
    scheduled(here, "Keys turn", &artifact);
    let old = minted(there, &artifact);
    let first = part(&old, 0)["kid"].as_str().unwrap().to_owned();

    let (status, refusal) = here.ask(
        "POST",
        "/api/v1/keys/permit/rotation",
        Some(&here.token("admin")),
        Some(&json!({"reason": "By a token"})),
    );
    let refusal: Value = serde_json::from_slice(&refusal).unwrap();
    assert_eq!((status, &refusal["code"]), (403, &json!("step_up_required")));

    let admin = administrator(here);
    let given = turned_under_load(&admin, (here, there), &artifact);
    for token in given.iter().chain([&old]) {
        assert_eq!(verdict(there, token, &artifact), Ok(()), "after {TURNS} turns");
    }
    assert_eq!(offline(there, folder.path(), &old, &artifact), Some(0));

    // The first key turns out to be stolen: its signatures are invalid, at both servers and offline; the others stay.
    turned(&admin, &format!("/keys/{first}/revocation"));
    let jti = part(&old, 1)["jti"].as_str().unwrap().to_owned();
    for server in &servers {
        let path = format!("/api/v1/gate?service={SERVICE}&environment={ENVIRONMENT}&artifact={artifact}&permit={jti}");
        let (status, said) = server.get(&path, Some(&server.token("pipeline")));
        let said: Value = serde_json::from_slice(&said).unwrap();
        assert_eq!((status, &said["reasons"][0]["code"]), (403, &json!("permit_revoked")));
        assert_eq!(verdict(server, &old, &artifact), Err("unknown_key"));
        tests::faults::eventually("the worker puts what it signed on the list", || {
            let list = String::from_utf8(published(server, "assent-revocations")).unwrap();
            let revoked = &part(&list, 1)["revoked"];
            revoked.as_array().unwrap().contains(&json!(jti))
        });
    }
    assert_eq!(offline(there, folder.path(), &old, &artifact), Some(1));
    let others = given.iter().filter(|token| part(token, 0)["kid"] != first.as_str());
    for token in others {
        assert_eq!(verdict(there, token, &artifact), Ok(()), "a key that was not stolen");
    }
    the_log_goes_on(here, &admin, &old_bundle);
    drop(admin);
    servers.into_iter().for_each(|server| assert!(server.stop().success()));
    must_replay(&places[0]);
}

/// The key rotates again and again at one server; the other one, which gets no notice, mints all the while, and each permit
/// passes at once with the keys that it publishes. Answers the permits.
fn turned_under_load(admin: &Session<'_>, (here, there): (&Server, &Server), artifact: &str) -> Vec<String> {
    let (is_over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let given = std::thread::scope(|scope| {
        let minting = scope.spawn(|| {
            let mut given = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let token = minted(there, artifact);
                assert_eq!(verdict(there, &token, artifact), Ok(()));
                given.push(token);
                count.fetch_add(1, Ordering::Relaxed);
            }
            given
        });
        for _ in 0..TURNS {
            let before = count.load(Ordering::Relaxed);
            turned(admin, "/keys/permit/rotation");
            eventually("permits were given after a turn", || {
                minting.is_finished() || count.load(Ordering::Relaxed) >= before + BETWEEN
            });
        }
        is_over.store(true, Ordering::Relaxed);
        minting.join().unwrap()
    });
    println!("{} permits were given while the key turned {TURNS} times", given.len());
    assert!(given.len() >= TURNS * BETWEEN);
    let keys = here.must("GET", "/api/v1/keys", &here.token("admin"), None);
    let of_permits = |state: &str| {
        let keys = keys["items"].as_array().unwrap().iter();
        keys.filter(|key| key["purpose"] == "permit" && key["state"] == state)
            .count()
    };
    assert_eq!((of_permits("active"), of_permits("retired")), (1, TURNS));
    given
}

/// The log and its cosigner get new keys as well, one by the command line: older signatures verify with the file that is served
/// now, and the system's log records it.
fn the_log_goes_on(server: &Server, admin: &Session<'_>, old_bundle: &Path) {
    let (status, refusal) = admin.api("POST", "/keys/cosigner/rotation", &json!({}));
    assert_eq!(status, 422, "{refusal}");
    turned(admin, "/keys/cosigner/rotation");
    let person = server.person("admin");
    let password = server.data.join("password");
    std::fs::write(&password, person["password"].as_str().unwrap()).unwrap();
    let login = format!("halden/{}", person["login"].as_str().unwrap());
    let mut rotate = Command::new(binary());
    rotate.env("ASSENT_SERVER", &server.url).env_remove("ASSENT_TOKEN");
    rotate.args(["--as", &login, "--as-password"]).arg(&password);
    let said = must_run(rotate.args(["key", "rotate", "log", "--reason", "Once a year"]));
    assert!(said.contains("signs now"), "{said}");
    let keys = server.get("/t/halden/log/key", None).1;
    assert_eq!(String::from_utf8_lossy(&keys).lines().count(), 4);
    let file = server.data.join("served.key");
    std::fs::write(&file, keys).unwrap();
    let mut verify = Command::new(binary());
    must_run(verify.args(["audit", "verify"]).arg(old_bundle).arg("--key").arg(&file));
    must_verify(server);
    eventually("the system's log tells of the turns", || {
        let told = system_log(server);
        told.matches("\"kind\":\"key.rotated\"").count() == TURNS + 2 && told.contains("\"kind\":\"key.revoked\"")
    });
    assert!(
        !system_log(server).contains("Once a year"),
        "words stay with their tenant"
    );
}
