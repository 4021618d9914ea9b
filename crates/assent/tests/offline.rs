//! The exit codes of the commands that verify offline, through the real program, over files made by `proof`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use proof::crypto::SigningKey;
use proof::jwks::{Jwk, Jwks};
use proof::note::{Checkpoint, KeyKind, NoteSigner, VerifierKeys};
use proof::permit::{self, Claims, Purpose};
use proof::revocation::RevocationList;
use proof::tile::{self, MemoryTiles};
use serde_json::{Value, json};

const ISSUED: i64 = 1_795_000_000;
const ARTIFACT: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const ORIGIN: &str = "assent.example/t/acme/log";

/// A folder of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("offline-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn assent(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assent"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ASSENT_")) {
        command.env_remove(name);
    }
    command.args(words).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn told(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed([3; 32]).unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: "https://assent.example".into(),
        sub: "CHG-7".into(),
        aud: "acme/pay/production".into(),
        jti: "p-1".into(),
        iat: ISSUED,
        nbf: ISSUED,
        exp: ISSUED + 900,
        tenant: "acme".into(),
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(ARTIFACT.into()),
        commit: None,
        member: None,
        purpose: Purpose::Deploy,
        content_digest: "sha256:c".into(),
        policy_digest: "sha256:p".into(),
        epoch: 4,
        max_list_age_seconds: 900,
        break_glass: false,
    }
}

struct PermitFiles {
    folder: Folder,
    permit: String,
    keys: String,
    list: String,
}

fn permit_files(name: &str, revoked: &[&str]) -> PermitFiles {
    let folder = Folder::new(name);
    let permit = folder.write("permit.jwt", format!("{}\n", permit::sign(&claims(), &key()).unwrap()));
    let set = Jwks {
        tenant: "acme".into(),
        keys: vec![Jwk::new(*key().public())],
    };
    let keys = folder.write("jwks.json", set.to_json().to_string());
    let list = RevocationList {
        tenant: Some("acme".into()),
        epoch: 4,
        issued_at: ISSUED,
        next_update: ISSUED + 60,
        revoked: revoked.iter().map(|jti| (*jti).to_owned()).collect(),
        not_before: Vec::new(),
    };
    let list = folder.write("revocations.jwt", list.sign(&key()).unwrap());
    PermitFiles {
        folder,
        permit,
        keys,
        list,
    }
}

impl PermitFiles {
    fn verify(&self, more: &[&str]) -> Output {
        let at = "2026-11-18T11:06:50Z";
        let mut words = vec!["permit", "verify", &self.permit, "--keys", &self.keys, "--json"];
        words.extend(["--service", "pay", "--at", at]);
        words.extend(more);
        assent(&words)
    }
}

#[test]
fn a_permit_is_good_bad_or_cannot_be_told() {
    let files = permit_files("permit", &[]);
    let here = ["--environment", "production", "--artifact", ARTIFACT];
    let listed = ["--revocations", files.list.as_str()];
    let judge = |words: &[&[&str]]| {
        let output = files.verify(&words.concat());
        (
            code(&output),
            told(&output)["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    assert_eq!(judge(&[&here, &listed]), (0, "good".into()));
    assert_eq!(
        judge(&[&here, &listed, &["--content-digest", "sha256:c"]]),
        (0, "good".into())
    );
    assert_eq!(
        judge(&[&here, &listed, &["--content-digest", "sha256:d"]]),
        (1, "wrong_content".into())
    );
    assert_eq!(
        judge(&[&["--environment", "staging", "--artifact", ARTIFACT], &listed]),
        (1, "wrong_audience".into())
    );
    assert_eq!(
        judge(&[&["--environment", "production", "--commit", "abc"], &listed]),
        (1, "wrong_commit".into())
    );
    assert_eq!(judge(&[&here]), (2, "no_list".into()));
    let broken = files.folder.write("broken.jwt", "a.b.c");
    assert_eq!(judge(&[&here, &["--revocations", &broken]]), (2, "list_invalid".into()));
}

#[test]
fn a_revoked_or_expired_permit_is_bad() {
    let files = permit_files("revoked", &["p-1"]);
    let words = [
        "--environment",
        "production",
        "--artifact",
        ARTIFACT,
        "--revocations",
        files.list.as_str(),
    ];
    assert_eq!(code(&files.verify(&words)), 1);
    let late = assent(
        &[
            &[
                "permit",
                "verify",
                &files.permit,
                "--keys",
                &files.keys,
                "--service",
                "pay",
                "--at",
                "2026-12-01T00:00:00Z",
            ],
            words.as_slice(),
        ]
        .concat(),
    );
    assert_eq!(code(&late), 1);
    assert!(
        String::from_utf8_lossy(&late.stdout).starts_with("bad: "),
        "the outcome is the first word"
    );
}

#[test]
fn what_cannot_be_read_or_was_called_wrongly_is_no_verdict() {
    let files = permit_files("unread", &[]);
    let gone = assent(&[
        "permit",
        "verify",
        "/gone",
        "--keys",
        &files.keys,
        "--service",
        "a",
        "--environment",
        "b",
        "--commit",
        "c",
    ]);
    assert_eq!(code(&gone), 2);
    assert!(gone.stdout.is_empty());
    assert_eq!(code(&assent(&["permit", "verify"])), 2);
    let no_keys = files.folder.write("none.json", "{}");
    let output = assent(&[
        "permit",
        "verify",
        &files.permit,
        "--keys",
        &no_keys,
        "--service",
        "pay",
        "--environment",
        "production",
        "--commit",
        "c",
    ]);
    assert_eq!(code(&output), 2);
    let wrong = assent(&["chnge"]);
    assert_eq!(code(&wrong), 2);
    assert!(
        String::from_utf8_lossy(&wrong.stderr).contains("'change'"),
        "the nearest command is named"
    );
}

fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new(ORIGIN, SigningKey::from_seed([seed; 32]).unwrap()).unwrap()
}

fn event(index: u64) -> Vec<u8> {
    let event = json!({
        "act": format!("a-{index}"), "actor": "p-1", "data": {}, "id": format!("e-{index}"), "kind": "person.signed_in",
        "occurred_at": "2026-11-20T07:12:52Z", "recorded_at": "2026-11-20T07:12:52Z", "records": [],
        "subject": {"id": "p-1", "table": "person"}, "tenant": "acme", "v": 1,
    });
    proof::canonical::to_bytes(&event).unwrap()
}

/// A log of so many events in a folder, with its key.
fn log_in(folder: &Folder, events: u64) -> MemoryTiles {
    let leaves: Vec<Vec<u8>> = (0..events).map(event).collect();
    let mut tiles = MemoryTiles::default();
    let done = tile::append(&tiles, 0, &proof::merkle::empty_root(), &leaves).unwrap();
    tiles.write(&done.tiles);
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: done.size,
        root: done.root,
    };
    tiles
        .0
        .insert("checkpoint".into(), checkpoint.sign(&signer(1)).to_text().into_bytes());
    tiles.0.insert(
        "key".into(),
        VerifierKeys(vec![signer(1).verifier(KeyKind::Ed25519)])
            .to_text()
            .into_bytes(),
    );
    for (name, bytes) in &tiles.0 {
        folder.write(&format!("log/{name}"), bytes);
    }
    tiles
}

#[test]
fn a_log_in_a_folder_is_good_bad_or_cannot_be_told() {
    let folder = Folder::new("log");
    let tiles = log_in(&folder, 300);
    let place = folder.0.join("log").to_str().unwrap().to_owned();
    let key = folder.write("acme.key", &tiles.0["key"]);
    let saved = folder.0.join("checkpoint").to_str().unwrap().to_owned();

    let good = assent(&[
        "audit", "verify", "--log", &place, "--key", &key, "--save", &saved, "--json",
    ]);
    assert_eq!(code(&good), 0, "{}", String::from_utf8_lossy(&good.stdout));
    assert_eq!(told(&good)["checked"], 300);
    assert!(!String::from_utf8_lossy(&good.stderr).contains("warning"));
    let again = assent(&["audit", "verify", "--log", &place, "--key", &key, "--older", &saved]);
    assert_eq!(code(&again), 0);

    let own = assent(&["audit", "verify", "--log", &place]);
    assert_eq!(code(&own), 0);
    assert!(String::from_utf8_lossy(&own.stderr).contains("own key was trusted"));

    let other = VerifierKeys(vec![signer(2).verifier(KeyKind::Ed25519)]).to_text();
    let other = folder.write("other.key", other);
    assert_eq!(code(&assent(&["audit", "verify", "--log", &place, "--key", &other])), 1);
    assert_eq!(code(&assent(&["audit", "verify", "--log", "/gone", "--key", &key])), 2);

    let entries = tile::entries_path(0, 256);
    let mut bytes = tiles.0[&entries].clone();
    bytes[100] ^= 1;
    folder.write(&format!("log/{entries}"), bytes);
    let bad = assent(&["audit", "verify", "--log", &place, "--key", &key, "--json"]);
    assert_eq!((code(&bad), told(&bad)["outcome"].as_str()), (1, Some("bad")));
}

#[test]
fn an_event_is_proven_by_index_or_id() {
    let folder = Folder::new("prove");
    let tiles = log_in(&folder, 300);
    let place = folder.0.join("log").to_str().unwrap().to_owned();
    let key = folder.write("acme.key", &tiles.0["key"]);
    for event in ["270", "e-270"] {
        let output = assent(&["audit", "prove", event, "--log", &place, "--key", &key, "--json"]);
        assert_eq!(code(&output), 0, "{event}");
        assert_eq!(told(&output)["event"]["id"], "e-270");
        assert_eq!(told(&output)["index"], 270);
    }
    for absent in ["300", "e-300"] {
        assert_eq!(
            code(&assent(&["audit", "prove", absent, "--log", &place, "--key", &key])),
            1,
            "{absent}"
        );
    }
    // A checkpoint that is no text any more is there, and bad.
    let mut checkpoint = tiles.0["checkpoint"].clone();
    checkpoint[0] = 0xff;
    folder.write("log/checkpoint", checkpoint);
    let output = assent(&["audit", "prove", "270", "--log", &place, "--key", &key, "--json"]);
    assert_eq!((code(&output), told(&output)["is_proven"].as_bool()), (1, Some(false)));
}

#[test]
fn what_is_no_bundle_is_bad_and_what_is_not_there_cannot_be_told() {
    let folder = Folder::new("bundle");
    let file = folder.write("bundle.zip", "no archive");
    assert_eq!(code(&assent(&["audit", "verify", &file])), 1);
    assert_eq!(code(&assent(&["audit", "verify", "/gone.zip"])), 2);
    let key = folder.write("no.key", "no key");
    assert_eq!(code(&assent(&["audit", "verify", &file, "--key", &key])), 2);
}

#[test]
fn what_belongs_to_a_log_is_refused_beside_a_bundle() {
    for flag in ["--older", "--save"] {
        let output = assent(&["audit", "verify", "bundle.zip", flag, "checkpoint"]);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), 2);
        assert!(talk.contains("cannot be used with"), "{talk}");
    }
}

#[test]
fn an_address_that_nothing_can_be_put_behind_is_refused() {
    let folder = Folder::new("odd-address");
    let data = folder.0.join("data");
    for odd in [
        "https://x.example/?a",
        "https://x.example#b",
        "https://a b",
        "https://u@x",
    ] {
        let output = assent(&["serve", "--public-url", odd, "--data", data.to_str().unwrap()]);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), 2, "{talk}");
        assert!(talk.contains("`public_url`"), "{talk}");
        assert!(!data.exists());
    }
}

#[test]
fn a_folder_without_data_is_told_and_left_as_it_is() {
    let folder = Folder::new("no-data");
    let place = folder.0.to_str().unwrap();
    for words in [
        &["audit", "replay", "--data", place][..],
        &["policy", "apply", "--recover", "--tenant", "acme", "--data", place],
    ] {
        let output = assent(words);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), 2, "{talk}");
        assert!(talk.contains("holds no database of Assent"), "{talk}");
    }
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}

#[test]
fn nobody_is_made_in_the_systems_own_tenant_or_under_a_path() {
    let folder = Folder::new("reserved");
    let place = folder.0.join("data");
    let create = |words: &[&str]| {
        let begin = ["person", "create", "--admin", "--data", place.to_str().unwrap()];
        let output = assent(&[&begin, words].concat());
        (code(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (tenant, part) in [
        ("system", "reserved for the log of Assent itself"),
        ("System", "reserved for the log of Assent itself"),
        ("..", "more than dots"),
        (".", "more than dots"),
        ("a/b", "A-Z a-z 0-9"),
    ] {
        let (code, talk) = create(&["--tenant", tenant, "--login", "ada"]);
        assert_ne!(code, 0, "{tenant}");
        assert!(talk.contains(part), "{tenant}: {talk}");
    }
    for url in [
        "assent.example",
        "ftp://assent.example",
        "",
        "https://",
        "https://u:p@assent.example",
    ] {
        let (code, talk) = create(&["--tenant", "acme", "--login", "ada", "--public-url", url]);
        assert_eq!(code, 2, "{url}: {talk}");
        assert!(talk.contains("`--public-url` cannot be used"), "{url}: {talk}");
    }
    assert!(!place.exists(), "nothing was made for it");
    let (code, talk) = create(&["--tenant", "acme", "--login", "system"]);
    assert_eq!(code, 1, "{talk}");
    assert!(talk.contains("is reserved for Assent itself"), "{talk}");
    let at = |tenant: &str, url: &str| create(&["--tenant", tenant, "--login", "ada", "--public-url", url]);
    assert_eq!(at("acme", "https://one.example").0, 0);
    assert_eq!(at("other", "https://two.example/").0, 0);
}

#[test]
fn what_serve_would_refuse_is_told_by_a_check_of_the_settings() {
    let folder = Folder::new("check");
    let data = folder.0.join("data");
    let nothing = folder.0.join("nofile");
    let (data, nothing) = (data.to_str().unwrap(), nothing.to_str().unwrap());
    let file = |lines: &str| folder.write("assent.toml", lines);
    let empty = file("");
    for (words, part) in [
        (
            &["--tls-cert", nothing, "--tls-key", nothing][..],
            "nofile cannot be used",
        ),
        (
            &["--trusted-proxy", "10.0.0.0/99"],
            "`10.0.0.0/99` is no address or network",
        ),
        (&["--outgoing-allow", "nonsense"], "`outgoing_allow`"),
        (&["--log", "=="], "`log` (flag --log) cannot be used"),
    ] {
        let output = assent(&[&["config", "check", "--config", &empty, "--data", data], words].concat());
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), 2, "{words:?}: {talk}");
        assert!(talk.contains(part), "{words:?}: {talk}");
    }
    for (lines, part) in [
        (format!("outgoing_ca = \"{nothing}\""), "nofile cannot be used"),
        ("master_key = \"abc\"".to_owned(), "ASSENT_MASTER_KEY"),
    ] {
        let file = file(&lines);
        let output = assent(&["config", "check", "--config", &file, "--data", data]);
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(code(&output), 2, "{lines}: {talk}");
        assert!(talk.contains(part), "{lines}: {talk}");
    }
    let fine = file("");
    let output = assent(&["config", "check", "--config", &fine, "--data", data]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!Path::new(data).exists(), "a check writes nothing");
}

#[test]
fn policies_are_checked_and_tested_offline() {
    assert_eq!(code(&assent(&["policy", "test", "--pack", "sox"])), 0);
    let good = assent(&["policy", "check", "--json"]);
    assert_eq!(code(&good), 0, "{}", String::from_utf8_lossy(&good.stdout));
    assert!(told(&good)["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(code(&assent(&["policy", "test"])), 0);
    assert_eq!(code(&assent(&["policy", "check", "--pack", "soks"])), 2);
    let twice = assent(&["policy", "check", "--pack", "sox", "--pack", "sox"]);
    assert_eq!(code(&twice), 0, "{}", String::from_utf8_lossy(&twice.stdout));

    let folder = Folder::new("policy");
    folder.write(
        "own/own.cedar",
        "@id(\"own.oops\")\npermit (principal, action == Action::\"no_such_act\", resource);\n",
    );
    let bad = assent(&["policy", "check", folder.0.to_str().unwrap(), "--json"]);
    assert_eq!(code(&bad), 1);
    assert_eq!(told(&bad)["findings"][0]["file"], "own/own.cedar");
    folder.write("sox/parameters.toml", "");
    let clash = assent(&["policy", "check", folder.0.to_str().unwrap(), "--pack", "sox"]);
    assert_eq!(code(&clash), 2);
    let why = String::from_utf8_lossy(&clash.stderr).into_owned();
    assert!(why.contains("The folder holds a pack `sox` of its own."), "{why}");
    // The server explains by the set in force: a result for another named set would be misread.
    for beside in [&["policies/"][..], &["--pack", "sox"]] {
        let words: Vec<&str> = ["policy", "explain", "--change", "CHG-1"]
            .into_iter()
            .chain(beside.iter().copied())
            .collect();
        let refused = assent(&words);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(code(&refused), 2, "{told}");
        assert!(told.contains("cannot be used with"), "{told}");
    }
}

#[test]
fn the_commands_for_postgresql_are_no_backup() {
    let url = "postgres://assent@db/assent";
    let output = assent(&["backup", "--database", url]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("pg_dump --format=custom"));
    let output = assent(&["backup", "--database", url, "-o", "saved"]);
    assert_eq!(code(&output), 2);
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.stdout.is_empty() && why.contains("pg_dump") && why.contains("`saved` was not written"),
        "{why}"
    );
    assert!(!Path::new("saved").exists());
    assert_eq!(code(&assent(&["backup", "--data", "somewhere"])), 2, "a file is needed");
}

/// A data folder with a database and evidence that takes long to save.
fn long_data(folder: &Folder) -> PathBuf {
    let data = folder.0.join("data");
    let person = ["--tenant", "acme", "--login", "ada", "--name", "Ada", "--admin"];
    let words = [&["person", "create", "--data", data.to_str().unwrap()][..], &person].concat();
    let made = assent(&words);
    assert_eq!(code(&made), 0, "{}", String::from_utf8_lossy(&made.stderr));
    std::fs::create_dir_all(data.join("evidence")).unwrap();
    // A hole takes no room, and half a minute at the least to read and digest.
    let long = std::fs::File::create(data.join("evidence/long")).unwrap();
    long.set_len(1 << 36).unwrap();
    data
}

#[test]
fn a_backup_that_is_told_to_stop_leaves_nothing_behind() {
    let folder = Folder::new("stopped");
    let data = long_data(&folder);
    let to = folder.0.join("backup");
    let mut saving = Command::new(env!("CARGO_BIN_EXE_assent"))
        .args(["backup", "--data", data.to_str().unwrap(), "-o", to.to_str().unwrap()])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !to.exists() {
        assert!(saving.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let told = Command::new("kill").arg(saving.id().to_string()).status().unwrap();
    assert!(told.success());
    let output = saving.wait_with_output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("told to stop"));
    let left: Vec<PathBuf> = std::fs::read_dir(&folder.0)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    assert_eq!(left, [data]);
}

#[test]
fn settings_are_explained_with_their_origin_and_unknown_ones_refused() {
    let folder = Folder::new("settings");
    let file = folder.write("assent.toml", "listen = \"127.0.0.1:9\"\n");
    let output = assent(&["config", "explain", "--config", &file, "--data", "/elsewhere", "--json"]);
    assert_eq!(code(&output), 0);
    let items = told(&output);
    let origin = |name: &str| {
        let item = items["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["name"] == name)
            .unwrap()
            .clone();
        item["origin"].as_str().unwrap().to_owned()
    };
    assert!(origin("listen").ends_with("assent.toml:1"));
    assert_eq!(origin("data"), "flag --data");
    let wrong = folder.write("wrong.toml", "listn = \"127.0.0.1:9\"\n");
    let output = assent(&["config", "check", "--config", &wrong]);
    assert_eq!(code(&output), 2);
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `listen`?"));
}

#[test]
fn the_document_of_the_api_names_the_server() {
    let output = assent(&["openapi", "--server", "https://assent.example/"]);
    assert_eq!(code(&output), 0);
    assert_eq!(told(&output)["servers"][0]["url"], "https://assent.example");
}
