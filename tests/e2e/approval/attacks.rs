//! Attempts to get a change through that two must decide, by way of one person: none obtains a permit, and each is in the log.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::faults::{eventually, size};
use tests::journey::{approve, artifact, evidence, gate_path, question, request, waiting_for_approval};
use tests::letters::Letters;
use tests::session::{Session, links};
use tests::{Place, Server};

use crate::platform::crash::must_verify;

/// Sends a request as the bearer of a token; status and response.
pub(crate) fn ask(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let headers = [("If-Match", "*")];
    let (status, bytes) = server.ask_with(method, &format!("/api/v1{path}"), Some(token), Some(body), &headers);
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

/// The same, which must be refused with a status and a code.
#[track_caller]
pub(crate) fn refused(
    server: &Server,
    token: &str,
    (method, path): (&str, &str),
    body: &Value,
    (status, code): (u16, &str),
) {
    let (found, answer) = ask(server, token, method, path, body);
    assert_eq!(found, status, "{method} {path}: {answer}");
    let codes = [&answer["code"], &answer["errors"][0]["code"]];
    assert!(codes.iter().any(|it| *it == code), "{method} {path}: {answer}");
}

/// The path of a change below the API, from its path.
pub(crate) fn below(path: &str) -> &str {
    path.strip_prefix("/api/v1").unwrap()
}

/// An approval of exactly the current text.
pub(crate) fn yes(server: &Server, path: &str) -> Value {
    let digest = server.must("GET", path, &server.token("auditor"), None)["content_digest"].clone();
    json!({"decision": "approve", "content_digest": digest})
}

/// No permit exists or can be had, the gate is shut, and the codes are those of the attempts in the change's timeline.
#[track_caller]
pub(crate) fn no_permit(server: &Server, path: &str, artifact: &str, attempts: &[&str]) {
    let pipeline = server.token("pipeline");
    let (status, _) = server.get(&gate_path(artifact), Some(&pipeline));
    assert_eq!(status, 403, "the gate of {path} stands open");
    let (_, check) = ask(server, &pipeline, "POST", "/gate-checks", &question(artifact));
    assert_eq!(
        (&check["decision"], &check["permit"]),
        (&json!("stop"), &Value::Null),
        "{check}"
    );
    let place = format!("{}/permits", below(path));
    let (status, ahead) = ask(server, &pipeline, "POST", &place, &question(artifact));
    assert!(status >= 400, "{ahead}");
    let permits = server.must("GET", &format!("{path}/permits"), &server.token("auditor"), None);
    assert_eq!(permits["items"], json!([]), "{permits}");
    let noted = noted(server, path);
    for code in attempts {
        assert!(noted.contains(*code), "the log of {path} lacks {code}: {noted:?}");
    }
}

/// The codes of the refused attempts in a change's timeline.
fn noted(server: &Server, path: &str) -> BTreeSet<String> {
    let events = server.must(
        "GET",
        &format!("{path}/events?limit=200"),
        &server.token("auditor"),
        None,
    );
    let items = events["items"].as_array().unwrap().iter();
    items
        .filter(|event| event["kind"] == "attempt.refused")
        .map(|event| event["data"]["code"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether the tenant's log has an event of a kind whose bytes contain a text.
pub(crate) fn log_has(server: &Server, kind: &str, word: &str) -> bool {
    server.wait_for_log();
    // A partial tile goes as soon as the log has grown beyond it, and the demo's clocks let it grow.
    tests::held::awaited(|| log_shows(server, kind, word).then_some(())).is_some()
}

fn log_shows(server: &Server, kind: &str, word: &str) -> bool {
    let auditor = server.token("auditor");
    let bytes = server.get("/t/halden/log/checkpoint", Some(&auditor)).1;
    let text = String::from_utf8(bytes).unwrap();
    let size: u64 = text.lines().nth(1).unwrap().parse().unwrap();
    let kind = format!("\"kind\":\"{kind}\"");
    (0..size.div_ceil(256)).any(|tile| {
        let width = (size - tile * 256).min(256);
        let partial = if width < 256 {
            format!(".p/{width}")
        } else {
            String::new()
        };
        let path = format!("/t/halden/log/tile/entries/{}{partial}", numbered(tile));
        let entries = String::from_utf8_lossy(&server.get(&path, Some(&auditor)).1).into_owned();
        entries
            .split("{\"act\":")
            .any(|entry| entry.contains(&kind) && entry.contains(word))
    })
}

/// A tile's number as C2SP tlog-tiles writes it.
fn numbered(tile: u64) -> String {
    if tile < 1_000 {
        return format!("{tile:03}");
    }
    format!("x{}/{:03}", numbered(tile / 1_000), tile % 1_000)
}

/// A change of the owner, who may create as well, that waits for its approvals.
fn own_change(server: &Server, title: &str, digest: &str, with: &[(&str, Value)]) -> String {
    let owner = server.token("owner");
    let mut body = request(title, digest, server.server_time());
    for (name, value) in with {
        body[*name] = value.clone();
    }
    let made = server.must("POST", "/api/v1/changes", &owner, Some(&body));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    server.must("POST", &format!("{path}/submission"), &owner, Some(&json!({})));
    let assessment = json!({"dependencies_reviewed": true});
    server.must("POST", &format!("{path}/assessment"), &owner, Some(&assessment));
    server.must("POST", &format!("{path}/evidence"), &owner, Some(&evidence(digest)));
    path
}

/// Somebody with a role, and a token of theirs.
fn hire(server: &Server, login: &str, roles: &[&str]) -> String {
    let admin = server.token("admin");
    let person = json!({"login": login, "name": login, "roles": roles});
    server.must("POST", "/api/v1/people", &admin, Some(&person));
    let token = json!({"name": "attack", "person": login});
    let made = server.must("POST", "/api/v1/tokens", &admin, Some(&token));
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_second_account_of_the_same_person_is_not_had() {
    let place = Place::demo("attack_twin");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    let mail = json!({"email": "hanne@halden.example"});
    assert_eq!(ask(&server, &admin, "PATCH", "/people/hanne", &mail).0, 200);
    let digest = artifact(7_001);
    let path = own_change(&server, "By the owner", &digest, &[]);
    // The same address in other letters, by each route that makes people.
    let twin = json!({"login": "hanne2", "name": "Hanne", "email": "Hanne@HALDEN.example", "roles": ["security"]});
    refused(&server, &admin, ("POST", "/people"), &twin, (422, "not_unique"));
    let other = json!({"login": "hanne3", "name": "Hanne", "email": "other@halden.example", "roles": ["security"]});
    assert_eq!(ask(&server, &admin, "POST", "/people", &other).0, 201);
    refused(&server, &admin, ("PATCH", "/people/hanne3"), &mail, (422, "not_unique"));
    let scim = json!({"name": "scim", "scopes": ["scim"]});
    let scim = server.must("POST", "/api/v1/tokens", &admin, Some(&scim));
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "hanne4",
        "emails": [{"value": "HANNE@halden.example", "primary": true}],
    });
    let users = "/t/halden/scim/v2/Users";
    let (status, answer) = server.ask("POST", users, scim["token"].as_str(), Some(&user));
    assert_eq!(status, 409, "{}", String::from_utf8_lossy(&answer));
    // The person herself, in her session and with her token.
    refused(
        &server,
        &server.token("owner"),
        ("POST", &format!("{}/approvals", below(&path))),
        &yes(&server, &path),
        (403, "not_asked"),
    );
    for role in ["security", "change_manager"] {
        approve(&server, &path, role);
    }
    no_permit(&server, &path, &digest, &["not_asked"]);
    assert!(log_has(&server, "attempt.refused", "POST /people"));
    assert!(log_has(&server, "attempt.refused", "provisioning"));
    must_verify(&server);
}

#[test]
fn a_delegate_does_not_speak_for_the_author() {
    let place = Place::demo("attack_delegate");
    let server = Server::start(&place, true);
    let owner = server.token("owner");
    let luc = {
        let token = json!({"name": "attack", "person": "luc"});
        let made = server.must("POST", "/api/v1/tokens", &server.token("admin"), Some(&token));
        made["token"].as_str().unwrap().to_owned()
    };
    let digest = artifact(7_002);
    let path = own_change(&server, "By the owner", &digest, &[]);
    let now = server.server_time();
    let delegation = json!({
        "delegate": "luc", "parts": ["owner"], "starts_at": now.to_string(),
        "ends_at": (now + SignedDuration::from_hours(8)).to_string(),
    });
    let (status, answer) = ask(&server, &owner, "POST", "/delegations", &delegation);
    assert_eq!(status, 201, "{answer}");
    let approvals = format!("{}/approvals", below(&path));
    refused(
        &server,
        &luc,
        ("POST", &approvals),
        &yes(&server, &path),
        (403, "not_asked"),
    );
    for role in ["security", "change_manager"] {
        approve(&server, &path, role);
    }
    no_permit(&server, &path, &digest, &["not_asked"]);
    must_verify(&server);
}

#[test]
fn who_was_removed_a_minute_before_decides_nothing() {
    let place = Place::demo("attack_removed");
    let mut server = Server::start(&place, true);
    let now = server.server_time();
    server.hold_clock(now);
    let admin = server.token("admin");
    let (frida, greta) = (
        hire(&server, "frida", &["requester"]),
        hire(&server, "greta", &["requester"]),
    );
    let mut rows = Vec::new();
    for login in ["frida", "greta"] {
        let row = json!({"role": "security", "person": login});
        rows.push(server.must("POST", "/api/v1/ownerships", &admin, Some(&row)));
    }
    let digest = artifact(7_003);
    let path = waiting_for_approval(&server, &request("Decided late", &digest, now), &digest);
    let seen = yes(&server, &path);
    let row = format!("/api/v1/ownerships/{}", rows[0]["id"].as_str().unwrap());
    server.must("DELETE", &row, &admin, None);
    let gone = json!({"reason": "Left."});
    server.must("POST", "/api/v1/people/greta/deactivation", &admin, Some(&gone));
    server.advance(60);
    let approvals = format!("{}/approvals", below(&path));
    refused(&server, &frida, ("POST", &approvals), &seen, (403, "not_asked"));
    refused(&server, &greta, ("POST", &approvals), &seen, (401, "unauthenticated"));
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    no_permit(&server, &path, &digest, &["not_asked"]);
    assert!(log_has(&server, "token.refused", "revoked"));
    must_verify(&server);
}

#[test]
fn an_administrator_gives_themselves_nothing() {
    let place = Place::demo("attack_admin");
    let server = Server::start(&place, true);
    let admin = server.token("admin");
    let digest = artifact(7_004);
    let path = waiting_for_approval(
        &server,
        &request("Wanted by nils", &digest, server.server_time()),
        &digest,
    );
    let own = (403, "own_request");
    let roles = json!({"roles": ["admin", "owner", "security", "change_manager"]});
    refused(&server, &admin, ("PATCH", "/people/nils"), &roles, own);
    for role in ["owner", "technical_lead", "security", "data"] {
        let row = json!({"role": role, "person": "nils"});
        refused(&server, &admin, ("POST", "/ownerships"), &row, own);
    }
    let seats = json!({"name": "Security", "members": ["priya", "yusuf", "luc", "nils"]});
    refused(&server, &admin, ("PUT", "/groups/security"), &seats, own);
    let lent = json!({"delegator": "hanne", "delegate": "nils", "parts": ["owner"],
        "starts_at": server.server_time().to_string(),
        "ends_at": (server.server_time() + SignedDuration::from_hours(8)).to_string()});
    let (status, answer) = ask(&server, &admin, "POST", "/delegations", &lent);
    assert!((400..500).contains(&status), "{answer}");
    let approvals = format!("{}/approvals", below(&path));
    refused(
        &server,
        &admin,
        ("POST", &approvals),
        &yes(&server, &path),
        (403, "not_asked"),
    );
    let session = Session::begin(&server, "admin");
    let glass = json!({"reason": "Now.", "until": (server.server_time() + SignedDuration::from_hours(1)).to_string()});
    let (status, answer) = session.api("POST", &format!("{}/break-glass", below(&path)), &glass);
    assert_eq!((status, &answer["code"]), (403, &json!("not_allowed")), "{answer}");
    no_permit(&server, &path, &digest, &["not_asked", "not_allowed"]);
    for what in ["PATCH /people/{login}", "POST /ownerships", "PUT /groups/{key}"] {
        assert!(log_has(&server, "attempt.refused", what), "{what}");
    }
    must_verify(&server);
}

#[test]
fn whoever_writes_a_change_breaks_no_glass_by_naming_themselves_its_owner_or_implementer() {
    let place = Place::demo("attack_own_glass");
    let server = Server::start(&place, true);
    let login = server.person("requester")["login"].as_str().unwrap().to_owned();
    let until = (server.server_time() + SignedDuration::from_hours(1)).to_string();
    let glass = json!({"reason": "It cannot wait.", "until": until});
    for (number, named) in ["owner", "implementers"].into_iter().enumerate() {
        let digest = artifact(7_020 + number as u64);
        let mut body = request("Wanted by one person", &digest, server.server_time());
        body[named] = if named == "owner" { json!(login) } else { json!([login]) };
        let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&body));
        let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
        let session = Session::begin(&server, "requester");
        let (status, answer) = session.api("POST", &format!("{}/break-glass", below(&path)), &glass);
        assert_eq!(
            (status, &answer["code"]),
            (403, &json!("not_allowed")),
            "{named}: {answer}"
        );
        no_permit(&server, &path, &digest, &["not_allowed"]);
        // An implementer by right implements there at once.
        let (status, answer) =
            Session::begin(&server, "implementer").api("POST", &format!("{}/break-glass", below(&path)), &glass);
        assert_eq!(status, 201, "{answer}");
    }
    must_verify(&server);
}

/// Puts the pack of dual control in force, by two people. These stories do not depend on the factor, so a password is enough
/// here; `second_factors` covers the pack as it is shipped.
fn with_dual_control(server: &Server) {
    let proposal = json!({
        "packs": ["dual-control"], "parameters": "dual_control_factor = \"any\"\n", "reason": "Keys need two of security",
    });
    let made = server.must("POST", "/api/v1/policies", &server.token("admin"), Some(&proposal));
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &path, &server.token("change_manager"), Some(&json!({})));
}

#[test]
fn break_glass_on_keys_waits_for_a_second_person_of_security() {
    let place = Place::demo("attack_glass");
    let server = Server::start(&place, true);
    with_dual_control(&server);
    let digest = artifact(7_005);
    let keys = ("touches", json!(["crypto_keys"]));
    let path = own_change(&server, "Rotate the signing key", &digest, &[keys]);
    let glass = format!("{}/break-glass", below(&path));
    let until = (server.server_time() + SignedDuration::from_hours(1)).to_string();
    let body = json!({"reason": "The key leaked.", "until": until});
    refused(
        &server,
        &server.token("owner"),
        ("POST", &glass),
        &body,
        (403, "step_up_required"),
    );
    let admin = Session::begin(&server, "admin");
    assert_eq!(
        admin.api("POST", &glass, &body).0,
        403,
        "the administrator role alone breaks no glass"
    );
    let commander = Session::begin(&server, "commander");
    let (status, answer) = commander.api("POST", &glass, &body);
    assert_eq!(status, 201, "{answer}");
    // Open, but not begun: the person who opened it, the author of the change, a person who is no member and an administrator
    // sign nothing.
    let signature = format!("{glass}/co-signature");
    for (role, code) in [
        ("commander", "own_request"),
        ("owner", "not_asked"),
        ("requester", "not_asked"),
        ("admin", "not_asked"),
    ] {
        let session = Session::begin(&server, role);
        let (status, answer) = session.api("POST", &signature, &json!({}));
        assert_eq!((status, &answer["code"]), (403, &json!(code)), "{role}: {answer}");
    }
    signs_nothing_else_than_what_was_read(&server, &path);
    let state = server.must("GET", &path, &server.token("auditor"), None)["state"].clone();
    assert_eq!(state, "authorizing");
    let codes = ["step_up_required", "not_allowed", "own_request", "not_asked"];
    no_permit(&server, &path, &digest, &codes);
    must_verify(&server);
}

/// A possible signer does so by a token, which shows no fresh factor, or names a text that this change never had: nothing is
/// signed.
fn signs_nothing_else_than_what_was_read(server: &Server, path: &str) {
    let unread = artifact(7_006);
    let key = path.rsplit('/').next().unwrap();
    let done = std::process::Command::new(tests::binary())
        .args(["change", "cosign", key, "--digest", &unread])
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token("security"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(
        done.status.code() == Some(1) && told.contains("fresh factor"),
        "{:?} {told}",
        done.status
    );
    let session = Session::begin(server, "security");
    let signature = format!("/changes/{key}/break-glass/co-signature");
    let (status, answer) = session.api("POST", &signature, &json!({"content_digest": unread}));
    let told = answer.to_string();
    assert!(
        status >= 400 && told.contains(&unread) && told.contains("ever had that digest"),
        "{status} {told}"
    );
}

#[test]
fn a_form_sent_again_decides_nothing_new() {
    let place = Place::demo("attack_replay");
    let server = Server::start(&place, true);
    let digest = artifact(7_006);
    let path = waiting_for_approval(&server, &request("Sent twice", &digest, server.server_time()), &digest);
    let key = path.rsplit('/').next().unwrap().to_owned();
    let seen = yes(&server, &path)["content_digest"].as_str().unwrap().to_owned();
    let form = format!("/t/halden/changes/{key}/approvals");
    let fields = [("decision", "approve"), ("content_digest", seen.as_str())];
    let owner = Session::begin(&server, "owner");
    let given = owner.form(&form, &fields);
    assert_eq!(given.status, 303, "{}", given.body);
    // Somebody recorded the form. First the text that it was about is edited.
    let requester = server.token("requester");
    let edit = json!({"description": "Something else altogether."});
    assert_eq!(ask(&server, &requester, "PATCH", below(&path), &edit).0, 200);
    let again = owner.form(&form, &fields);
    assert_eq!(again.status, 409, "{}", again.body);
    let elsewhere = owner.from_site("https://evil.example").form(&form, &fields);
    assert_eq!(elsewhere.status, 403, "{}", elsewhere.body);
    let thief = owner.from_site("https://evil.example");
    let (status, answer) = thief.api("POST", &format!("{}/approvals", below(&path)), &yes(&server, &path));
    assert_eq!((status, &answer["code"]), (403, &json!("cross_site")), "{answer}");
    let by_requester = Session::begin(&server, "requester").form(&form, &fields);
    assert_eq!(by_requester.status, 403, "{}", by_requester.body);
    for role in ["security", "change_manager"] {
        approve(&server, &path, role);
    }
    no_permit(&server, &path, &digest, &["digest_not_current", "not_asked"]);
    assert!(
        log_has(&server, "attempt.refused", "cross_site"),
        "the other site's form stands in the log"
    );
    must_verify(&server);
}

/// At how many other times of a change a scanner looks.
const TIMES: usize = 20;

/// The acts of a mail scanner, even one that has the approver's own session: it follows every link of every page, the addresses
/// of forms included, and the pages behind them.
#[test]
fn following_every_link_decides_nothing() {
    let place = Place::demo("attack_scanner");
    let server = Server::start(&place, true);
    let digest = artifact(7_007);
    let path = waiting_for_approval(
        &server,
        &request("Mailed about", &digest, server.server_time()),
        &digest,
    );
    let key = path.rsplit('/').next().unwrap().to_owned();
    let auditor = server.token("auditor");
    let before = server.must("GET", &path, &auditor, None);
    for role in ["owner", "security", "change_manager"] {
        let session = Session::begin(&server, role);
        let mut open = vec![
            format!("/t/halden/changes/{key}"),
            "/t/halden/".to_owned(),
            "/t/halden/messages".to_owned(),
        ];
        let mut followed = BTreeSet::new();
        let mut times = 0;
        while let Some(link) = open.pop() {
            let link = link.strip_prefix(&server.url).unwrap_or(&link).to_owned();
            let link = link.split('#').next().unwrap_or_default().to_owned();
            // A live stream never ends; it is the only address that is left out.
            if !link.starts_with('/') || link.contains("/live?") || !followed.insert(link.clone()) {
                continue;
            }
            // Each time that is tried leads to others, for a year.
            times += usize::from(link.contains("/calendar/propose"));
            if times > TIMES && link.contains("/calendar/propose") {
                continue;
            }
            let page = session.get(&link);
            assert!(page.status < 500, "{link}: {}", page.status);
            if link.contains(&key) || followed.len() < 10 {
                open.extend(links(&page.body));
                open.push(page.location);
            }
        }
        assert!(followed.len() > 20, "{role} followed only {followed:?}");
        assert!(followed.iter().any(|link| link.ends_with("/approvals")), "{followed:?}");
    }
    let after = server.must("GET", &path, &auditor, None);
    assert_eq!(
        (&after["state"], &after["version"]),
        (&before["state"], &before["version"])
    );
    let approvals = server.must("GET", &format!("{path}/approvals"), &auditor, None);
    assert_eq!(approvals["items"], json!([]));
    no_permit(&server, &path, &digest, &[]);
    must_verify(&server);
}

/// A mail scanner fetches the links of every letter by GET and by HEAD, as a stranger and in the browser of the recipient.
/// `ASSENT_TEST_MAILS` sets the least number of letters.
#[test]
fn a_scanner_that_fetches_every_link_of_every_letter_decides_nothing() {
    let place = Place::demo("attack_letters");
    let letters = Letters::start();
    let server = crate::notify::told::start(&place, &letters);
    let wanted = size("ASSENT_TEST_MAILS", 12);
    let sessions: Vec<Session<'_>> = ["owner", "security", "change_manager"]
        .iter()
        .map(|role| Session::begin(&server, role))
        .collect();
    let mut paths: Vec<String> = Vec::new();
    while paths.len() * 3 < wanted {
        let digest = artifact(80_000 + paths.len() as u64);
        let title = format!("Mailed about {}", paths.len());
        let path = waiting_for_approval(&server, &request(&title, &digest, server.server_time()), &digest);
        let subject = format!("{} needs your decision", path.rsplit('/').next().unwrap());
        eventually("whoever is asked has a letter", || letters.to("", &subject).len() >= 3);
        paths.push(path);
    }
    let auditor = server.token("auditor");
    let standing = |path: &String| {
        let change = server.must("GET", path, &auditor, None);
        let words = server.must("GET", &format!("{path}/approvals"), &auditor, None);
        (
            change["state"].clone(),
            change["version"].clone(),
            change["requests"].clone(),
            words["items"].clone(),
        )
    };
    let before: Vec<_> = paths.iter().map(standing).collect();
    let mut fetched = 0;
    for letter in letters.to("", "needs your decision") {
        let links = letter.links(&server.url);
        assert!(!links.is_empty(), "a letter without a link: {letter:?}");
        for link in links {
            let cookies = sessions.iter().map(|session| Some(session.cookie.as_str()));
            for cookie in std::iter::once(None).chain(cookies) {
                let heads: Vec<(&str, &str)> = cookie.map(|cookie| ("Cookie", cookie)).into_iter().collect();
                for method in ["GET", "HEAD"] {
                    let (status, _) = server.ask_with(method, &link, None, None, &heads);
                    assert!(status < 500, "{method} {link}: {status}");
                    fetched += 1;
                }
            }
        }
    }
    assert!(
        fetched >= wanted * 8,
        "only {fetched} links of {wanted} letters were fetched"
    );
    assert_eq!(paths.iter().map(standing).collect::<Vec<_>>(), before);
    no_permit(&server, &paths[0], &artifact(80_000), &[]);
    must_verify(&server);
}

#[test]
fn a_stolen_session_without_a_fresh_factor_decides_nothing_grave() {
    let place = Place::demo("attack_stolen");
    let mut server = Server::start(&place, true);
    let now: Timestamp = server.server_time();
    server.hold_clock(now);
    with_dual_control(&server);
    let digest = artifact(7_008);
    let mut body = request("Rotate the signing key", &digest, now);
    body["touches"] = json!(["crypto_keys"]);
    let path = waiting_for_approval(&server, &body, &digest);
    let cookies: Vec<String> = ["security", "commander"]
        .iter()
        .map(|role| Session::begin(&server, role).cookie)
        .collect();
    server.advance(6 * 60);
    let approvals = format!("{}/approvals", below(&path));
    let seen = yes(&server, &path);
    for (cookie, role) in cookies.iter().zip(["security", "commander"]) {
        let thief = Session::with(&server, cookie);
        let (status, answer) = thief.api("POST", &approvals, &seen);
        assert_eq!((status, &answer["code"]), (403, &json!("step_up_required")), "{answer}");
        let guess = json!({"password": "a good guess, but wrong"});
        assert_eq!(thief.api("POST", "/session/step-up", &guess).0, 401);
        assert_eq!(thief.api("POST", "/session/step-up", &json!({"code": "123456"})).0, 401);
        // A second factor of the thief's own is not enrolled without the first one.
        let (status, answer) = thief.api("POST", "/second-factors/totp", &json!({"name": "Mine"}));
        assert_eq!((status, &answer["code"]), (403, &json!("step_up_required")), "{answer}");
        // Nor a password of the thief's own, which would be that factor; not by the API and not by the page.
        let own = json!({"password": "chosen by the thief 1"});
        let way = format!("/people/{}/password", server.person(role)["login"].as_str().unwrap());
        let (status, answer) = thief.api("PUT", &way, &own);
        assert_eq!((status, &answer["code"]), (403, &json!("step_up_required")), "{answer}");
        let form = [("present", "a good guess"), ("password", "chosen by the thief 1")];
        assert_eq!(thief.form("/t/halden/account/password", &form).status, 422);
        assert_eq!(thief.api("POST", &approvals, &seen).0, 403);
    }
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    no_permit(&server, &path, &digest, &["step_up_required"]);
    assert!(log_has(&server, "sign_in.refused", "wrong"));
    must_verify(&server);
}

/// Sets passwords of others and takes their second factors away, as an administrator may.
pub(crate) fn take_over(server: &Server, admin: &str, logins: &[&str]) {
    for login in logins {
        let word = json!({"password": format!("taken over {login} 1")});
        let (status, answer) = ask(server, admin, "PUT", &format!("/people/{login}/password"), &word);
        assert_eq!(status, 200, "{answer}");
        let (status, answer) = ask(
            server,
            admin,
            "DELETE",
            &format!("/people/{login}/second-factors"),
            &json!({}),
        );
        assert_eq!(status, 200, "{answer}");
    }
}

/// A person who used break-glass in the commander's name cannot co-sign it in another's, by token or session.
fn refuses_the_glass_twice(server: &Server, path: &str, luc: &str, session: &Session) {
    let glass = format!("{}/break-glass", below(path));
    let commander = server.person("commander")["login"].as_str().unwrap().to_owned();
    let word = json!({"password": "taken over the commander"});
    ask(
        server,
        &server.token("admin"),
        "PUT",
        &format!("/people/{commander}/password"),
        &word,
    );
    let until = (server.server_time() + SignedDuration::from_hours(1)).to_string();
    let opener = Session::of(server, "halden", &commander, "taken over the commander");
    let (status, answer) = opener.api("POST", &glass, &json!({"reason": "Now.", "until": until}));
    assert_eq!(status, 201, "{answer}");
    let signature = format!("{glass}/co-signature");
    refused(server, luc, ("POST", &signature), &json!({}), (403, "one_hand"));
    let (status, answer) = session.api("POST", &signature, &json!({}));
    assert_eq!((status, &answer["code"]), (403, &json!("one_hand")), "{answer}");
}

/// The credentials that a stolen account of an administrator can make for itself: passwords of others, their second factors,
/// tokens in their name. Under dual control all of these count as one person, also once the passwords were changed again after
/// sign-in.
#[test]
fn one_stolen_administrator_who_hands_out_ways_in_is_one_hand_under_dual_control() {
    let place = Place::demo("attack_hands");
    let mut server = Server::start(&place, true);
    let now = server.server_time();
    server.hold_clock(now);
    with_dual_control(&server);
    let admin = server.token("admin");
    let digest = artifact(7_009);
    let mut body = request("Rotate the signing key", &digest, now);
    body["touches"] = json!(["crypto_keys"]);
    body["planned_end"] = json!((now + SignedDuration::from_hours(72)).to_string());
    let path = waiting_for_approval(&server, &body, &digest);
    let approvals = format!("{}/approvals", below(&path));
    take_over(&server, &admin, &["priya", "yusuf", "luc"]);
    let taken =
        |login: &str, number: u8| Session::of(&server, "halden", login, &format!("taken over {login} {number}"));
    // The first approval counts, and is the administrator's; the second belongs to the same person once more.
    let (status, answer) = taken("priya", 1).api("POST", &approvals, &yes(&server, &path));
    assert_eq!(status, 201, "{answer}");
    let yusuf = taken("yusuf", 1);
    let (status, answer) = yusuf.api("POST", &approvals, &yes(&server, &path));
    assert_eq!((status, &answer["code"]), (403, &json!("one_hand")), "{answer}");
    // A password that is chosen in such a session is as little somebody's own.
    let own = json!({"password": "taken over yusuf 2"});
    assert_eq!(yusuf.api("PUT", "/people/yusuf/password", &own).0, 200);
    let (status, answer) = taken("yusuf", 2).api("POST", &approvals, &yes(&server, &path));
    assert_eq!((status, &answer["code"]), (403, &json!("one_hand")), "{answer}");
    let token = |login: &str| {
        let made = json!({"name": "attack", "person": login, "scopes": ["read", "write", "admin"]});
        let made = server.must("POST", "/api/v1/tokens", &admin, Some(&made));
        made["token"].as_str().unwrap().to_owned()
    };
    let luc = token("luc");
    refused(
        &server,
        &luc,
        ("POST", &approvals),
        &yes(&server, &path),
        (403, "step_up_required"),
    );
    // Neither can that person, with a token made there, put the rules of dual control out of force.
    let base = server.must(
        "POST",
        "/api/v1/policies",
        &admin,
        Some(&json!({"reason": "Back to the base set"})),
    );
    let activation = format!("/configurations/{}/activation", base["id"].as_str().unwrap());
    let manager = server.person("change_manager")["login"].as_str().unwrap().to_owned();
    refused(
        &server,
        &token(&manager),
        ("POST", &activation),
        &json!({}),
        (409, "second_person_needed"),
    );
    refuses_the_glass_twice(&server, &path, &luc, &taken("luc", 1));
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    no_permit(&server, &path, &digest, &["one_hand", "step_up_required"]);
    // The account's owner reads of it at once, and a day later the sign-in is their own.
    let messages = taken("luc", 1).get("/t/halden/messages").body;
    assert!(messages.contains("Your sign-in was changed"), "{messages}");
    server.advance(25 * 60 * 60);
    let (status, answer) =
        Session::of(&server, "halden", "luc", "taken over luc 1").api("POST", &approvals, &yes(&server, &path));
    assert_eq!(status, 201, "{answer}");
    must_verify(&server);
}
