//! A log that others sign too, and that everybody may read: a witness that shares no code with the product cosigns it, and
//! `assent audit verify` finds its line.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::session::Session;
use tests::{Place, Server, binary};

use crate::platform::crash::{must_replay, must_run, must_verify};

const NAME: &str = "witness.example/w1";

/// A witness written from C2SP's signed-note and tlog-cosignature alone.
struct Signer(Ed25519KeyPair);

impl Signer {
    fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    /// The type of cosignatures and the public key.
    fn typed_key(&self) -> Vec<u8> {
        [&[4_u8], self.0.public_key().as_ref()].concat()
    }

    fn id(&self) -> Vec<u8> {
        let named = [NAME.as_bytes(), b"\n", &self.typed_key()].concat();
        digest(&SHA256, &named).as_ref()[..4].to_vec()
    }

    fn verifier_key(&self) -> String {
        let id: String = self.id().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{NAME}+{id}+{}", STANDARD.encode(self.typed_key()))
    }

    /// A served note with this witness's line, made at `time`.
    fn cosigned(&self, note: &str, time: i64) -> String {
        let body = &note[..=note.rfind("\n\n").unwrap()];
        let signature = self.0.sign(format!("cosignature/v1\ntime {time}\n{body}").as_bytes());
        let time = u64::try_from(time).unwrap().to_be_bytes();
        let line = [&self.id()[..], &time, signature.as_ref()].concat();
        format!("{note}\u{2014} {NAME} {}\n", STANDARD.encode(line))
    }
}

fn checkpoint(server: &Server, token: Option<&str>) -> String {
    let (status, note) = server.get("/t/halden/log/checkpoint", token);
    assert_eq!(status, 200);
    String::from_utf8(note).unwrap()
}

fn hand_in(server: &Server, note: &str) -> (u16, Value) {
    let body = json!({"checkpoint": note});
    let auditor = server.token("auditor");
    let (status, answer) = server.ask("POST", "/api/v1/log/cosignatures", Some(&auditor), Some(&body));
    (status, serde_json::from_slice(&answer).unwrap())
}

#[test]
fn a_witness_cosigns_and_everybody_verifies() {
    let place = Place::demo("witnessed");
    let server = Server::start(&place, true);
    server.wait_for_log();
    let (admin, auditor) = (server.token("admin"), server.token("auditor"));
    let (witness, stranger) = (Signer::new(7), Signer::new(8));
    let key = json!({"key": witness.verifier_key()});
    let added = server.must("POST", "/api/v1/witnesses", &admin, Some(&key));
    assert_eq!(added["name"], NAME);
    server.wait_for_log();
    let now = || server.server_time().as_second();

    // A stranger's signature under the same name, one of another tree, one ahead of time and a missing one are refused.
    let note = checkpoint(&server, Some(&auditor));
    let other_tree = note.replacen(note.lines().nth(2).unwrap(), &STANDARD.encode([9; 32]), 1);
    let broken = witness
        .cosigned(&note, now())
        .replace("\u{2014} witness.example/w1 ", "\u{2014} witness.example/w1 A");
    let tries = [
        (stranger.cosigned(&note, now()), 422, "no_known_witness"),
        (note.clone(), 422, "no_known_witness"),
        (broken, 422, ""),
        (witness.cosigned(&note, now() + 3_600), 422, "in_the_future"),
        (witness.cosigned(&other_tree, now()), 409, "not_our_checkpoint"),
        ("no note".to_owned(), 422, "malformed"),
    ];
    for (note, status, code) in tries {
        let (found, answer) = hand_in(&server, &note);
        assert_eq!(found, status, "{answer}");
        let said = if status == 422 {
            &answer["errors"][0]["code"]
        } else {
            &answer["code"]
        };
        assert!(code.is_empty() || *said == code, "{answer}");
    }
    // A line of the right key over another text: it is known, and it does not verify.
    let elsewhere = witness.cosigned(&other_tree, now());
    let line = elsewhere.lines().last().unwrap();
    let (status, answer) = hand_in(&server, &format!("{note}{line}\n"));
    assert_eq!((status, &answer["errors"][0]["code"]), (422, &json!("wrong_signature")));
    assert!(!checkpoint(&server, Some(&auditor)).contains(NAME));

    let time = now();
    let (status, taken) = hand_in(&server, &witness.cosigned(&note, time));
    assert_eq!((status, &taken["witnesses"]), (201, &json!([NAME])), "{taken}");
    let listed = server.must("GET", "/api/v1/witnesses", &auditor, None);
    let last = &listed["items"][0]["cosigned"];
    assert_eq!(last["size"], taken["size"]);
    assert!(last["checkpoint"].as_str().unwrap().contains(NAME), "{last}");
    is_served_and_verified(&server, &witness);
    is_public_by_choice(&server);
    server.must(
        "DELETE",
        &format!("/api/v1/witnesses/{}", added["id"].as_str().unwrap()),
        &admin,
        None,
    );
    assert!(!checkpoint(&server, Some(&auditor)).contains(NAME));
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

/// A witness that signs the served checkpoint now finds its line in the next one, and a verifier that trusts the witness has
/// the line verified.
fn is_served_and_verified(server: &Server, witness: &Signer) {
    let auditor = server.token("auditor");
    let signed = || {
        let note = checkpoint(server, Some(&auditor));
        let (status, answer) = hand_in(server, &witness.cosigned(&note, server.server_time().as_second()));
        assert_eq!(status, 201, "{answer}");
        checkpoint(server, Some(&auditor)).contains(NAME)
    };
    eventually("the served checkpoint bears the witness's line", signed);
    let mut keys = String::from_utf8(server.get("/t/halden/log/key", None).1).unwrap();
    keys.push_str(&format!("{}\n", witness.verifier_key()));
    let file = server.data.join("keys");
    std::fs::write(&file, keys).unwrap();
    let mut verify = Command::new(binary());
    let log = format!("{}/t/halden/log", server.url);
    verify.args(["--json", "audit", "verify", "--log", &log, "--key"]);
    verify
        .arg(&file)
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", &auditor);
    // A checkpoint that is signed in between has no line of the witness yet.
    eventually("what is served is verified for the witness too", || {
        signed() && must_run(&mut verify).contains(NAME)
    });
}

/// Nobody reads the log without a credential, until an administrator with a fresh factor opens it, and until they close it.
fn is_public_by_choice(server: &Server) {
    let is_open = || server.get("/t/halden/log/checkpoint", None).0;
    assert_eq!(is_open(), 401);
    let reason = json!({"reason": "Customers verify it."});
    let (status, _) = server.ask(
        "POST",
        "/api/v1/log/publication",
        Some(&server.token("admin")),
        Some(&reason),
    );
    assert_eq!(status, 403, "a token shows no fresh factor");
    let admin = Session::begin(server, "admin");
    let factor = json!({"password": server.person("admin")["password"]});
    assert_eq!(admin.api("POST", "/session/step-up", &factor).0, 201);
    let (status, tenant) = admin.api("POST", "/log/publication", &reason);
    assert_eq!((status, &tenant["log_is_public"]), (201, &json!(true)), "{tenant}");
    let size: u64 = checkpoint(server, None).lines().nth(1).unwrap().parse().unwrap();
    assert!(size > 0);
    assert_eq!(server.get("/t/halden/log/tile/entries/000", None).0, 200);
    assert_eq!(
        server.get("/t/cartwell/log/checkpoint", None).0,
        401,
        "another tenant chose nothing"
    );
    assert_eq!(
        admin.api("POST", "/log/publication", &reason).1["code"],
        "already_public"
    );
    let (status, tenant) = admin.api("POST", "/log/publication/end", &reason);
    assert_eq!((status, &tenant["log_is_public"]), (201, &json!(false)), "{tenant}");
    assert_eq!(is_open(), 401);
    assert_eq!(
        admin.api("POST", "/log/publication/end", &reason).1["code"],
        "not_public"
    );
}
