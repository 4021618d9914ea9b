//! Where a rule requires a second factor, a stolen password is none: not shown again, not by break-glass, and not by an
//! authenticator that its thief sets up.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::authenticator::Authenticator;
use tests::journey::{approve, artifact, gate_path, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

use crate::approval::attacks::{below, log_has, no_permit, yes};
use crate::platform::crash::must_verify;

/// The pack of dual control as it is shipped, put in force by two people.
pub(crate) fn with_dual_control(server: &Server) {
    let proposal = json!({
        "packs": ["dual-control"], "parameters": "thorough_evidence_from = \"never\"\n", "reason": "Keys need two of security",
    });
    let made = server.must("POST", "/api/v1/policies", &server.token("admin"), Some(&proposal));
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &path, &server.token("change_manager"), Some(&json!({})));
}

/// A change of keys that waits for its approvals, with a window of three days.
pub(crate) fn keys_change(server: &Server, digest: &str) -> String {
    let now = server.server_time();
    let mut body = request("Rotate the signing key", digest, now);
    body["touches"] = json!(["crypto_keys"]);
    body["planned_end"] = json!((now + SignedDuration::from_hours(72)).to_string());
    waiting_for_approval(server, &body, digest)
}

/// An act in this session is refused for want of a second factor, with this text.
pub(crate) fn lacks_one(session: &Session<'_>, path: &str, body: &Value, words: &str) {
    let (status, answer) = session.api("POST", path, body);
    assert_eq!((status, &answer["code"]), (403, &json!("step_up_required")), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains(words), "{answer}");
}

/// Presents a factor in a session; returns whether it counts as a second factor.
fn shows(session: &Session<'_>, what: &Value) -> bool {
    let (status, answer) = session.api("POST", "/session/step-up", what);
    assert_eq!(status, 201, "{answer}");
    answer["is_second_factor"].as_bool().unwrap()
}

/// The text of a page of the reader.
fn page(session: &Session<'_>, path: &str) -> String {
    let seen = session.get(path);
    assert_eq!(seen.status, 200, "{}", seen.body);
    seen.body
}

/// The attempts on keys of a thief who knows the password alone: the password again, and an authenticator of their own, of
/// which the person reads; returns that authenticator.
fn tries_with_the_password(server: &Server, role: &str, (approvals, seen): (&str, &Value), key: &str) -> Authenticator {
    const NONE: &str = "your authenticator app or a passkey";
    const NEW: &str = "with only your password less than a day ago";
    let thief = Session::begin(server, role);
    lacks_one(&thief, approvals, seen, NONE);
    let word = json!({"password": server.person(role)["password"]});
    assert!(!shows(&thief, &word), "a password entered again is no second factor");
    lacks_one(&thief, approvals, seen, NONE);
    let told = page(&thief, &format!("/t/halden/changes/{key}"));
    assert!(
        told.contains("your second factor first") && told.contains("wants=second_factor"),
        "{told}"
    );
    let asking = "/t/halden/step-up?wants=second_factor&next=/t/halden/";
    let told = page(&thief, asking);
    assert!(
        told.contains("you have none") && told.contains("/t/halden/account#factors"),
        "{told}"
    );
    assert!(
        !told.contains("type=\"password\""),
        "a password would lead nowhere: {told}"
    );
    let device = Authenticator::enrol(server, &thief);
    assert!(!shows(&thief, &json!({"code": device.code(server, 0)})), "{role}");
    lacks_one(&thief, approvals, seen, NEW);
    assert!(
        !shows(&thief, &json!({"recovery_code": device.recovery_codes[0]})),
        "{role}"
    );
    lacks_one(&thief, approvals, seen, NEW);
    let told = page(&thief, "/t/halden/messages");
    assert!(told.contains("A second factor was set up for you"), "{told}");
    let told = page(&thief, asking);
    assert!(
        told.contains("was set up by your password alone and is accepted from"),
        "{told}"
    );
    device
}

#[test]
fn a_stolen_password_alone_gives_no_word_on_keys_and_the_same_person_with_an_authenticator_does() {
    let place = Place::demo("attack_password");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time());
    with_dual_control(&server);
    let digest = artifact(7_030);
    let path = keys_change(&server, &digest);
    let (approvals, key) = (format!("{}/approvals", below(&path)), path.rsplit('/').next().unwrap());
    let seen = yes(&server, &path);
    let asked = server.must("GET", &format!("{path}/requirements"), &server.token("auditor"), None);
    assert!(asked.to_string().contains("This requires a second factor."), "{asked}");
    let devices =
        ["security", "commander"].map(|role| (role, tries_with_the_password(&server, role, (&approvals, &seen), key)));
    let until = (server.server_time() + SignedDuration::from_hours(1)).to_string();
    let glass = json!({"reason": "The key leaked.", "until": until});
    let manager = Session::begin(&server, "change_manager");
    let way = format!("{}/break-glass", below(&path));
    lacks_one(&manager, &way, &glass, "A password or a token alone is not enough");
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    no_permit(&server, &path, &digest, &["step_up_required"]);
    // A day later it is known to be theirs: the same people, by the same way.
    server.advance(24 * 60 * 60);
    for (role, device) in &devices {
        let session = Session::begin(&server, role);
        lacks_one(&session, &approvals, &seen, "A password or a token alone is not enough");
        assert!(shows(&session, &json!({"code": device.code(&server, 0)})), "{role}");
        let (status, answer) = session.api("POST", &approvals, &seen);
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["factor"], json!({"kind": "totp", "is_second": true}), "{answer}");
    }
    let told = page(&Session::begin(&server, "auditor"), &format!("/t/halden/changes/{key}"));
    assert!(told.contains("Confirmed with an authenticator."), "{told}");
    assert_eq!(server.get(&gate_path(&digest), Some(&server.token("pipeline"))).0, 200);
    assert!(log_has(&server, "person.factor_added", "counts_from"));
    must_verify(&server);
}

#[test]
fn a_factor_that_another_one_vouches_for_counts_at_once() {
    let place = Place::demo("second_factor_vouched");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time());
    let session = Session::begin(&server, "security");
    let first = Authenticator::enrol(&server, &session);
    server.advance(24 * 60 * 60);
    let session = Session::begin(&server, "security");
    assert!(shows(&session, &json!({"recovery_code": first.recovery_codes[0]})));
    let (status, made) = session.api("POST", "/second-factors/recovery-codes", &json!({}));
    assert_eq!(status, 201, "{made}");
    assert!(
        shows(&session, &json!({"recovery_code": made["recovery_codes"][0]})),
        "made by whoever had shown one"
    );
    let second = Authenticator::enrol(&server, &session);
    let later = Session::begin(&server, "security");
    assert!(
        shows(&later, &json!({"code": second.code(&server, 0)})),
        "the new telephone counts at once"
    );
    let listed: Value = serde_json::from_str(&page(&later, "/api/v1/second-factors")).unwrap();
    let counts = |at: usize| {
        let from: Timestamp = listed["items"][at]["counts_from"].as_str().unwrap().parse().unwrap();
        from <= server.held_time()
    };
    assert!(counts(0) && counts(1), "{listed}");
    must_verify(&server);
}
