//! Other people's programs judge our formats: PyJWT, pymerkle and cryptography under Python, jose
//! under Node, and openssl. Run by `cargo xtask test foreign`, which installs them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{ORIGIN, keys, packed, story};
use proof::crypto::{self, SigningKey};
use proof::jwks::{Jwk, Jwks};
use proof::note::{KeyKind, Note, NoteSigner};
use proof::permit::{self, Claims, Expected, Purpose};
use proof::revocation::RevocationList;
use proof::tile::{MemoryTiles, TileReader};
use proof::{canonical, tile};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("foreign-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn variable(name: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_else(|| {
        panic!("{name} is not set: run these tests with `cargo xtask test foreign`, which installs what they need")
    })
}

fn run(mut command: Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?} says no:\n{out}{err}");
    out.into_owned()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(name)
}

fn python(name: &str, folder: &Folder) -> String {
    let mut command = Command::new(variable("ASSENT_TEST_PYTHON"));
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script(name))
        .arg(&folder.0);
    run(command)
}

fn node(name: &str, folder: &Folder) -> String {
    let mut command = Command::new("node");
    command.env("ASSENT_TEST_NODE_MODULES", variable("ASSENT_TEST_NODE_MODULES"));
    command.arg(script(name)).arg(&folder.0);
    run(command)
}

const NOW: i64 = 1_800_000_000;

fn key() -> SigningKey {
    SigningKey::from_seed([1; 32]).unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: "https://assent.example".into(),
        sub: "CHG-1042".into(),
        aud: "acme/payments/production".into(),
        jti: "p-1".into(),
        iat: NOW,
        nbf: NOW,
        // The judges read their own clocks, so these permits live long.
        exp: NOW + 3_000_000_000,
        tenant: "acme".into(),
        service: "payments".into(),
        environment: "production".into(),
        artifact: Some(crypto::digest_text(b"artifact")),
        commit: None,
        member: None,
        purpose: Purpose::Deploy,
        content_digest: crypto::digest_text(b"content"),
        policy_digest: crypto::digest_text(b"policy"),
        epoch: 7,
        max_list_age_seconds: 900,
        break_glass: false,
    }
}

/// Writes a permit (already valid, and one changed), a list, and their key set.
fn permit_folder(name: &str) -> (Folder, Jwks) {
    let folder = Folder::new(name);
    let keys = Jwks {
        tenant: "acme".into(),
        keys: vec![Jwk::new([9; 32]), Jwk::new(*key().public())],
    };
    let mut claims = claims();
    (claims.iat, claims.nbf) = (1_700_000_000, 1_700_000_000);
    let token = permit::sign(&claims, &key()).unwrap();
    let list = RevocationList {
        tenant: Some("acme".into()),
        epoch: 7,
        issued_at: NOW,
        next_update: NOW + 60,
        revoked: vec!["p-9".into()],
        not_before: Vec::new(),
    };
    let at = token.find('.').unwrap() + 20;
    let mut changed = token.clone();
    changed.replace_range(at..=at, if &token[at..=at] == "A" { "B" } else { "A" });
    folder.write("permit.jwt", &token);
    folder.write("changed.jwt", changed);
    folder.write("list.jwt", list.sign(&key()).unwrap());
    folder.write("jwks.json", keys.to_json().to_string());
    folder.write("claims.json", serde_json::to_vec(&claims).unwrap());
    (folder, keys)
}

/// Verifies a permit that a judge signed with our test key.
fn accept(token: &str, keys: &Jwks) -> Claims {
    let list = RevocationList {
        tenant: None,
        epoch: 7,
        issued_at: NOW,
        next_update: NOW + 60,
        revoked: Vec::new(),
        not_before: Vec::new(),
    };
    let artifact = crypto::digest_text(b"artifact");
    let expected = Expected {
        service: "payments",
        environment: "production",
        artifact: Some(&artifact),
        commit: None,
        content_digest: None,
        now: NOW,
        purpose: None,
        max_list_age_seconds: None,
    };
    permit::verify(token, keys, Some(&list), &expected).unwrap()
}

#[test]
fn pyjwt_verifies_our_permits_and_we_verify_its() {
    let (folder, keys) = permit_folder("pyjwt");
    folder.write("seed.hex", hex::encode([1; 32]));
    assert_eq!(python("permit.py", &folder).trim(), "good");
    assert_eq!(accept(folder.read("theirs.jwt").trim(), &keys).sub, "CHG-1042");
}

#[test]
fn jose_verifies_our_permits_and_we_verify_its() {
    let (folder, keys) = permit_folder("jose");
    let private = json!({
        "kty": "OKP", "crv": "Ed25519", "d": crypto::base64url(&[1; 32]), "x": crypto::base64url(key().public()),
    });
    folder.write("private.json", private.to_string());
    assert_eq!(node("permit.mjs", &folder).trim(), "good");
    assert_eq!(accept(folder.read("theirs.jwt").trim(), &keys).sub, "CHG-1042");
}

#[test]
fn openssl_verifies_our_signatures() {
    let (folder, _) = permit_folder("openssl");
    // SubjectPublicKeyInfo of an Ed25519 key is this fixed prefix and the key (RFC 8410).
    let prefix = hex::decode("302a300506032b6570032100").unwrap();
    folder.write("key.der", [prefix.as_slice(), key().public()].concat());
    let token = folder.read("permit.jwt");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    folder.write("signed", signed);
    folder.write("signature", crypto::from_base64url(signature).unwrap());
    let verify = || {
        let mut command = Command::new("openssl");
        command
            .current_dir(&folder.0)
            .args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der"]);
        command.args(["-rawin", "-in", "signed", "-sigfile", "signature"]);
        command
    };
    assert!(run(verify()).contains("Verified Successfully"));
    folder.write("signed", format!("{signed}x"));
    assert!(!verify().output().unwrap().status.success(), "openssl accepts anything");
}

/// Writes a log with proofs into a folder: leaves in hex, roots by size, proofs.
fn log_folder(name: &str, size: u64) -> Folder {
    let folder = Folder::new(name);
    let leaves: Vec<Vec<u8>> = (0..size).map(|index| format!("entry {index}").into_bytes()).collect();
    let mut store = MemoryTiles::default();
    let mut root = proof::merkle::empty_root();
    for (index, leaf) in (0..).zip(&leaves) {
        let done = tile::append(&store, index, &root, &[leaf]).unwrap();
        store.write(&done.tiles);
        root = done.root;
    }
    let hex = |hashes: Vec<crypto::Hash>| -> Vec<String> { hashes.iter().map(hex::encode).collect() };
    let (mut inclusion, mut consistency, mut roots) = (Vec::new(), Vec::new(), Vec::new());
    for size in 1..=size {
        let reader = TileReader::new(&store, size);
        roots.push(hex::encode(reader.root().unwrap()));
        for index in (0..size).step_by(7).chain([size - 1]) {
            let hashes = hex(reader.inclusion_proof(index).unwrap());
            inclusion.push(json!({"index": index, "size": size, "hashes": hashes}));
        }
        for old in (1..size).step_by(5) {
            let hashes = hex(reader.consistency_proof(old).unwrap());
            consistency.push(json!({"old": old, "new": size, "hashes": hashes}));
        }
    }
    let leaves: Vec<String> = leaves.iter().map(hex::encode).collect();
    let all = json!({"leaves": leaves, "roots": roots, "inclusion": inclusion, "consistency": consistency});
    folder.write("log.json", all.to_string());
    folder
}

#[test]
fn pymerkle_gives_the_same_roots_and_proofs() {
    let folder = log_folder("pymerkle", 70);
    assert_eq!(python("merkle.py", &folder).trim(), "good");
}

#[test]
fn cryptography_verifies_our_notes_and_we_verify_its() {
    let folder = Folder::new("note");
    let (tenant, ..) = story(2);
    let witness = NoteSigner::new("witness.example/w", SigningKey::from_seed([3; 32]).unwrap()).unwrap();
    let mut note = Note::parse(std::str::from_utf8(&tenant.log(1).0["checkpoint"]).unwrap()).unwrap();
    note.signatures.push(witness.cosign(&note.text, 1_800_000_000));
    folder.write("checkpoint", note.to_text());
    folder.write(
        "key",
        keys(1).to_text() + &witness.verifier(KeyKind::Cosigner).to_text() + "\n",
    );
    folder.write("seed.hex", hex::encode([4; 32]));
    assert_eq!(python("note.py", &folder).trim(), "good");
    let theirs = folder.read("theirs");
    let key = proof::note::VerifierKeys::parse(&folder.read("theirs.key")).unwrap();
    let open = proof::note::open_checkpoint(&theirs, &key, Some("python.example/log")).unwrap();
    assert_eq!((open.checkpoint.size, open.cosigned.len()), (5, 1));
}

#[test]
fn a_bundle_is_checked_by_hand_in_python_as_its_readme_says() {
    let (tenant, indexes, evidence) = story(3);
    let bytes = packed(&tenant.parts(&indexes, &evidence), &evidence);
    let folder = Folder::new("bundle");
    folder.write("bundle.zip", &bytes);
    assert!(python("bundle.py", &folder).contains("good: 4 events, 3 records"));
    let mut lying = tenant.parts(&indexes, &[]);
    lying.records[0].body["text"] = json!("Never agreed");
    folder.write("bundle.zip", packed(&lying, &[]));
    let mut command = Command::new(variable("ASSENT_TEST_PYTHON"));
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script("bundle.py"))
        .arg(&folder.0);
    assert!(
        !command.output().unwrap().status.success(),
        "the script accepts anything"
    );
}

#[test]
fn a_log_in_a_folder_is_verified_in_python_from_its_tiles() {
    let (tenant, ..) = story(150);
    let folder = Folder::new("tiles");
    for (path, bytes) in &tenant.log(1).0 {
        folder.write(path, bytes);
    }
    folder.write("key", keys(1).to_text());
    let said = python("log.py", &folder);
    assert!(
        said.contains(&format!("good: {} entries of {ORIGIN}", tenant.leaves.len())),
        "{said}"
    );
}

#[test]
fn two_other_languages_write_the_same_canonical_json() {
    let values: Vec<Value> = vec![
        json!({"\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7}),
        json!({"a": "\u{0}\u{1f}\u{7f}\u{2028}\"\\/\n\t\u{8}\u{c}\r", "b": [true, false, [], {}]}),
        json!([9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64, 0, -1]),
    ];
    let folder = Folder::new("canonical");
    let texts: Vec<String> = values.iter().map(|value| canonical::to_text(value).unwrap()).collect();
    folder.write("values.json", serde_json::to_vec(&values).unwrap());
    folder.write("texts.json", serde_json::to_vec(&texts).unwrap());
    assert_eq!(python("canonical.py", &folder).trim(), "good");
    assert_eq!(node("canonical.mjs", &folder).trim(), "good");
}
