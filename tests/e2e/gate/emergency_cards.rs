//! No server can be reached: a printed card lets through its allowed uses and no more, and everything is reported afterwards.

use std::path::Path;
use std::process::Command;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::session::Session;
use tests::{Place, Server, binary};

use crate::platform::crash::{must_replay, must_verify};
use crate::policy::mapping::assent;

/// A host without a server.
struct Host<'a> {
    folder: &'a Path,
    record: String,
}

impl Host<'_> {
    /// Checks by the card in a file for a service; the exit code and the output.
    fn ask(&self, card: &str, service: &str) -> (Option<i32>, Value) {
        let file = |name: &str| self.folder.join(name).to_str().unwrap().to_owned();
        let done = Command::new(binary())
            .args([
                "gate",
                "check",
                "--json",
                "--service",
                service,
                "--environment",
                "production",
            ])
            .args([
                "--artifact",
                &tests::journey::artifact(9_480),
                "--by",
                "ivo",
                "--reason",
                "The docks are dark.",
            ])
            .args([
                "--emergency-card",
                &file(card),
                "--keys",
                &file("keys"),
                "--revocations",
                &file("list"),
            ])
            .args(["--emergency-record", &file(&self.record)])
            // A request to this address hangs: the check must send none.
            .env("ASSENT_SERVER", "http://127.0.0.1:9")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        (done.status.code(), serde_json::from_str(&said).unwrap_or(Value::Null))
    }
}

/// A command of somebody who signs in with a fresh factor.
fn assent_as(server: &Server, role: &str, words: &[&str]) -> std::process::Output {
    let person = server.person(role);
    let word = |name: &str| person[name].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, word("password")).unwrap();
    Command::new(binary())
        .args(["--as", &format!("{}/{}", word("tenant"), word("login"))])
        .args(["--as-password", password.to_str().unwrap()])
        .args(words)
        .env("ASSENT_SERVER", &server.url)
        .output()
        .unwrap()
}

/// A card that two people signed, printed into a folder with the files that a host keeps beforehand.
fn print_card(server: &Server, folder: &Path) {
    let file = |name: &str| folder.join(name);
    let ends_at = (server.server_time() + SignedDuration::from_hours(24)).to_string();
    let input = json!({"services": ["label-print"], "environment": "production", "uses": 2, "ends_at": ends_at,
        "reason": "In the safe of the control room."});
    let [owner, manager] = ["owner", "change_manager"].map(|role| {
        let session = Session::begin(server, role);
        let shown = json!({"password": server.person(role)["password"]});
        assert_eq!(session.api("POST", "/session/step-up", &shown).0, 201);
        session
    });
    let (status, card) = owner.api("POST", "/emergency-cards", &input);
    assert_eq!(status, 201, "{card}");
    let id = card["id"].as_str().unwrap();
    let path = format!("/api/v1/emergency-cards/{id}");
    let signing = json!({"approved": true});
    let token = server.token("change_manager");
    let (status, _) = server.ask_with("PATCH", &path, Some(&token), Some(&signing), &[("If-Match", "*")]);
    assert_eq!(status, 403, "a token signs");
    let sign = |role: &str| assent_as(server, role, &["emergency-card", "sign", id, "--approved"]);
    assert!(!sign("owner").status.success(), "the proposer signs alone");
    let done = sign("change_manager");
    assert!(done.status.success(), "{done:?}");
    let (status, _) = server.ask("POST", &format!("{path}/print"), Some(&token), Some(&json!({})));
    assert_eq!(status, 403, "a token prints");
    let (status, printed) = manager.api("POST", &format!("/emergency-cards/{id}/print"), &json!({}));
    assert_eq!(status, 200, "{printed}");
    let (text, svg) = (file("card"), file("card.svg"));
    let words = [
        "gate",
        "card",
        id,
        "--output",
        text.to_str().unwrap(),
        "--svg",
        svg.to_str().unwrap(),
    ];
    let done = assent_as(server, "change_manager", &words);
    assert!(done.status.success(), "{done:?}");
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg "));
    std::fs::write(file("keys"), server.get("/t/halden/.well-known/jwks.json", None).1).unwrap();
    std::fs::write(
        file("list"),
        server.get("/t/halden/.well-known/assent-revocations", None).1,
    )
    .unwrap();
}

/// Reports both records, and looks at the result.
fn report_both(server: &Server, folder: &Path) {
    let file = |name: &str| folder.join(name);
    let report = |name: &str| assent(server, "implementer", &["reconcile", file(name).to_str().unwrap()]);
    let (code, said) = report("one.jsonl");
    assert_eq!((code, &said["added"]), (1, &json!(4)), "{said}");
    let (code, said) = report("other.jsonl");
    assert_eq!((code, &said["added"]), (1, &json!(2)), "{said}");
    let differs = |name: &str| said["differences"].as_array().unwrap().contains(&json!(name));
    assert!(
        differs("card_forged") && differs("beyond_uses") && differs("unknown_artifact"),
        "{said}"
    );
    let (code, said) = report("one.jsonl");
    assert_eq!((code, &said["added"]), (0, &json!(0)), "{said}");
    let token = server.token("auditor");
    let uses = server.must("GET", "/api/v1/emergency-uses", &token, None);
    assert_eq!(uses["items"].as_array().map(Vec::len), Some(6), "{uses}");
    let items = server.must("GET", "/api/v1/action-items?about=label-print&open=true", &token, None);
    let items = items["items"].as_array().unwrap();
    let is_ours = |item: &&Value| item["title"].as_str().unwrap().contains("without the server");
    assert_eq!(items.iter().filter(is_ours).count(), 5, "{items:?}");
}

#[test]
fn work_goes_on_by_a_printed_card_and_is_reported_afterwards() {
    let place = Place::demo("emergency_card");
    let server = Server::start(&place, true);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    print_card(&server, folder.path());
    let text = file("card");
    server.stop();

    let one = Host {
        folder: folder.path(),
        record: "one.jsonl".to_owned(),
    };
    let (code, said) = one.ask("card", "label-print");
    assert_eq!((code, &said["decision"]), (Some(0), &json!("go")), "{said}");
    let (code, said) = one.ask("card", "booking-api");
    assert_eq!((code, &said["code"]), (Some(1), &json!("outside_scope")), "{said}");
    assert_eq!(one.ask("card", "label-print").0, Some(0));
    let (code, said) = one.ask("card", "label-print");
    assert_eq!((code, &said["code"]), (Some(1), &json!("used_up")), "{said}");
    let mut edited = std::fs::read_to_string(&text).unwrap();
    edited.replace_range(80..81, if &edited[80..81] == "A" { "B" } else { "A" });
    std::fs::write(file("edited"), edited).unwrap();
    let other = Host {
        folder: folder.path(),
        record: "other.jsonl".to_owned(),
    };
    assert_eq!(other.ask("edited", "label-print").0, Some(1), "an edited card is none");
    // The card was copied: another host cannot know that it is used up.
    assert_eq!(other.ask("card", "label-print").0, Some(0));
    // A record whose line was edited is not continued, and the server judges its content.
    let kept = std::fs::read_to_string(file("other.jsonl")).unwrap();
    std::fs::write(
        file("other.jsonl"),
        kept.replacen("\"by\":\"ivo\"", "\"by\":\"eve\"", 1),
    )
    .unwrap();
    assert_eq!(other.ask("card", "label-print").0, Some(2));
    std::fs::write(file("other.jsonl"), kept).unwrap();

    let server = Server::start(&place, true);
    report_both(&server, folder.path());
    must_verify(&server);
    server.stop();
    must_replay(&place);
}
