//! One stolen administrator and an accomplice who wants to approve: every way to that right goes live by two people, each
//! attempt is in the log, and acts that lock a person out work alone at night.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::journey::{approve, artifact, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

use crate::approval::attacks::{ask, below, log_has, no_permit, refused, take_over, yes};
use crate::platform::crash::must_verify;

/// The accomplice without an approval right: he does the work, and owns a sandbox.
const ACCOMPLICE: &str = "tomasz";

/// The demo's administrator names a second one and a sandbox of the accomplice's, and from then on two people are needed.
fn where_two_are_needed(place: &Place) -> Server {
    let server = Server::start(place, true);
    let admin = server.token("admin");
    let must = |path: &str, body: Value| server.must("POST", &format!("/api/v1{path}"), &admin, Some(&body));
    must(
        "/services",
        json!({"key": "sandbox", "name": "Sandbox", "criticality": "low"}),
    );
    must(
        "/ownerships",
        json!({"service": "sandbox", "role": "owner", "person": ACCOMPLICE}),
    );
    must("/people", json!({"login": "siri", "name": "Siri", "roles": ["admin"]}));
    let asked = must(
        "/ownership-proposals",
        json!({"by_two": true, "reason": "Nobody moves decisions alone."}),
    );
    activate(&server, "change_manager", &asked);
    server
}

fn activation(proposal: &Value) -> String {
    format!("/configurations/{}/activation", proposal["id"].as_str().unwrap())
}

fn activate(server: &Server, role: &str, proposal: &Value) {
    let path = format!("/api/v1{}", activation(proposal));
    server.must("POST", &path, &server.token(role), Some(&json!({})));
}

/// Everything that would give the accomplice an approval right, but for proposals: the route, the request, and the status.
fn ways(server: &Server) -> Vec<(&'static str, &'static str, Value, u16)> {
    let now = server.server_time();
    let (from, to) = (now.to_string(), (now + SignedDuration::from_hours(8)).to_string());
    let span = |mut body: Value| {
        body["starts_at"] = json!(from);
        body["ends_at"] = json!(to);
        body
    };
    let issuer = json!({"issuer": "https://login.example.org", "client_id": "assent", "groups_claim": "groups",
        "roles": {"everybody": "security"}});
    let people = format!("login,roles\n{ACCOMPLICE},owner\n");
    vec![
        (
            "PATCH",
            "/people/tomasz",
            json!({"roles": ["implementer", "owner"]}),
            409,
        ),
        ("PATCH", "/people/tomasz", json!({"functions": ["dba"]}), 409),
        (
            "POST",
            "/people",
            json!({"login": "tom2", "name": "Tom", "roles": ["security"]}),
            409,
        ),
        ("PUT", "/groups/ecab", json!({"members": [ACCOMPLICE]}), 409),
        (
            "PUT",
            "/groups/security",
            json!({"members": ["priya", ACCOMPLICE]}),
            409,
        ),
        (
            "POST",
            "/ownerships",
            json!({"service": "booking-api", "role": "owner", "person": ACCOMPLICE}),
            409,
        ),
        (
            "POST",
            "/dependencies",
            json!({"from": "booking-api", "to": "sandbox", "kind": "part_of"}),
            409,
        ),
        (
            "POST",
            "/delegations",
            span(json!({"delegator": "hanne", "delegate": ACCOMPLICE})),
            409,
        ),
        (
            "POST",
            "/trainings",
            span(json!({"person": ACCOMPLICE, "training": "pci_dss"})),
            409,
        ),
        ("PUT", "/identity-providers/corp", issuer, 409),
        (
            "POST",
            "/calendars",
            json!({"key": "default", "zone": "Pacific/Kiritimati"}),
            409,
        ),
        ("POST", "/imports", json!({"kind": "people", "text": people}), 422),
    ]
}

/// A connection of theirs is made and waits: its messages count for nothing.
fn a_connection_waits(server: &Server, admin: &str) {
    let theirs = json!({"kind": "plain", "name": "Theirs", "map": []});
    let (status, hub) = ask(server, admin, "POST", "/connections", &theirs);
    let waits = (&hub["active"], &hub["waits"]);
    assert_eq!((status, waits), (201, (&json!(false), &json!(true))), "{hub}");
    let hook = format!("/hooks/{}", hub["id"].as_str().unwrap());
    let (status, _) = server.ask("POST", &hook, None, Some(&json!({})));
    assert_eq!(status, 404, "nothing that it delivers is taken");
}

/// A proposal waits for another person, and an account that the thief opens does not count as one.
fn a_proposal_waits(server: &Server, admin: &str) -> Value {
    let wanted = json!({"people": [{"login": ACCOMPLICE, "roles": ["owner"]}], "reason": "He is good."});
    let proposal = server.must("POST", "/api/v1/ownership-proposals", admin, Some(&wanted));
    let made = json!({"name": "helper", "person": "siri", "scopes": ["read", "write", "admin"]});
    let borrowed = server.must("POST", "/api/v1/tokens", admin, Some(&made));
    for token in [admin, borrowed["token"].as_str().unwrap()] {
        let second = (409, "second_person_needed");
        refused(server, token, ("POST", &activation(&proposal)), &json!({}), second);
    }
    proposal
}

/// To be rid of the second administrator makes nobody alone, and still it locks her out at once.
fn nobody_gets_alone(server: &Server, admin: &str) {
    let two = (409, "two_people_needed");
    let less = json!({"roles": ["requester"]});
    refused(server, admin, ("PATCH", "/people/siri"), &less, two);
    let night = json!({"reason": "Night."});
    server.must("POST", "/api/v1/people/siri/deactivation", admin, Some(&night));
    let rights = json!({"roles": ["implementer", "owner"]});
    refused(server, admin, ("PATCH", "/people/tomasz"), &rights, two);
}

fn roles(server: &Server) -> Value {
    let path = format!("/api/v1/people/{ACCOMPLICE}");
    server.must("GET", &path, &server.token("admin"), None)["roles"].clone()
}

#[test]
fn one_stolen_administrator_gives_an_accomplice_no_voice() {
    let place = Place::demo("accomplice");
    let server = where_two_are_needed(&place);
    let admin = server.token("admin");
    for (method, path, body, status) in ways(&server) {
        refused(&server, &admin, (method, path), &body, (status, "two_people_needed"));
    }
    a_connection_waits(&server, &admin);
    let proposal = a_proposal_waits(&server, &admin);
    nobody_gets_alone(&server, &admin);
    assert_eq!(roles(&server), json!(["implementer"]));
    for (method, path, _, _) in ways(&server) {
        let (stem, last) = path.rsplit_once('/').unwrap();
        let door = if stem.is_empty() {
            format!("{method} /{last}")
        } else {
            format!("{method} {stem}")
        };
        assert!(log_has(&server, "attempt.refused", &door), "{door}");
    }
    for code in ["two_people_needed", "second_person_needed"] {
        assert!(log_has(&server, "attempt.refused", code), "{code}");
    }
    activate(&server, "change_manager", &proposal);
    assert_eq!(roles(&server), json!(["owner"]), "two people gave it");
    must_verify(&server);
}

/// The page of a template that waits for its approvals.
const TEMPLATE: &str = "/t/halden/templates/quiet";

fn propose_template(server: &Server) {
    let wanted = json!({"key": "quiet", "title": "Quietly", "services": ["label-print"], "environments": ["production"],
        "free": ["planned_start", "planned_end"], "locked": {"category": "application", "complexity": "low", "description": "d",
        "justification": "j", "plan": [{"title": "One"}], "rollback_plan": [{"title": "Back", "minutes": 2}]}});
    server.must("POST", "/api/v1/templates", &server.token("requester"), Some(&wanted));
}

/// An accomplice requests, and the thief approves in place of every approver: by tokens made for them and by passwords set for
/// them.
#[test]
fn one_stolen_administrator_lends_no_approvers_voice() {
    let place = Place::demo("lender");
    let mut server = where_two_are_needed(&place);
    // The accounts of the demo were made today, and a new account's first password is its own.
    let now = server.server_time() + SignedDuration::from_hours(48);
    server.hold_clock(now);
    let admin = server.token("admin");
    let digest = artifact(7_101);
    let path = waiting_for_approval(&server, &request("Ship it quietly", &digest, now), &digest);
    let approvals = format!("{}/approvals", below(&path));
    let seen = yes(&server, &path);
    propose_template(&server);
    assert!(
        Session::begin(&server, "owner")
            .get(TEMPLATE)
            .body
            .contains("Approve it")
    );
    for role in ["owner", "security", "change_manager"] {
        let login = server.person(role)["login"].as_str().unwrap().to_owned();
        let made = json!({"name": "helper", "person": login, "scopes": ["read", "write", "admin"]});
        let made = server.must("POST", "/api/v1/tokens", &admin, Some(&made));
        let token = made["token"].as_str().unwrap();
        refused(&server, token, ("POST", &approvals), &seen, (403, "lent_voice"));
        take_over(&server, &admin, &[&login]);
        let session = Session::of(&server, "halden", &login, &format!("taken over {login} 1"));
        let (status, answer) = session.api("POST", &approvals, &seen);
        assert_eq!((status, &answer["code"]), (403, &json!("lent_voice")), "{answer}");
        let page = session.get(&format!("/t/halden{}", below(&path))).body;
        assert!(page.contains("This sign-in does not let you decide"), "{page}");
        assert!(!page.contains("name=\"decision\""), "{page}");
        let page = session.get(TEMPLATE).body;
        let judges = role != "security";
        assert_eq!(page.contains("This sign-in does not let you decide"), judges, "{page}");
        assert!(!page.contains("Approve it"), "{page}");
        // A password that is chosen in such a session belongs to the same person.
        let way = format!("/people/{login}/password");
        assert_eq!(
            session
                .api("PUT", &way, &json!({"password": "chosen by the thief 1"}))
                .0,
            200
        );
        let again = Session::of(&server, "halden", &login, "chosen by the thief 1");
        assert_eq!(again.api("POST", &approvals, &seen).0, 403);
    }
    no_permit(&server, &path, &digest, &["lent_voice"]);
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    must_verify(&server);
}

/// The command line as a person: its exit code, and its output.
fn command_line(server: &Server, role: &str, words: &[&str]) -> (i32, String) {
    let done = std::process::Command::new(tests::binary())
        .args(words)
        .env("ASSENT_SERVER", &server.url)
        .env("ASSENT_TOKEN", server.token(role))
        .output()
        .unwrap();
    let printed = [done.stdout, done.stderr].concat();
    (
        done.status.code().unwrap(),
        String::from_utf8_lossy(&printed).into_owned(),
    )
}

/// A person who puts a proposal in force at the command line reads all of it first, and the page shows the joining and leaving
/// members.
#[test]
fn the_second_person_reads_what_they_put_in_force() {
    let place = Place::demo("reads");
    let server = where_two_are_needed(&place);
    let file = server.data.join("seats.json");
    std::fs::write(
        &file,
        r#"{"groups": [{"key": "security", "members": ["tomasz"]}], "reason": "In a hurry."}"#,
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let propose = ["ownership", "propose", file, "--reason", "He is good."];
    let (status, told) = command_line(&server, "admin", &propose);
    assert!(
        status != 0 && told.contains("`reason`, which a flag says as well"),
        "{told}"
    );
    let provider = json!({"key": "corp", "issuer": "https://login.example.org", "client_id": "assent", "groups_claim": "groups",
        "roles": {"title": "requester", "everybody": "security"}});
    let wanted = json!({"groups": [{"key": "security", "members": ["tomasz"]}], "identity_providers": [provider]});
    std::fs::write(file, wanted.to_string()).unwrap();
    let (status, told) = command_line(&server, "admin", &propose);
    assert_eq!(status, 0, "{told}");
    let all = server.must(
        "GET",
        "/api/v1/configurations?kind=ownership",
        &server.token("admin"),
        None,
    );
    let waiting = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["state"] == "proposed");
    let id = waiting.unwrap()["id"].as_str().unwrap().to_owned();
    let page = Session::begin(&server, "change_manager").get("/t/halden/policies").body;
    let name = server.must("GET", "/api/v1/people/tomasz", &server.token("admin"), None)["name"].clone();
    let joins = format!("{} joins the group security", name.as_str().unwrap());
    assert!(page.contains(&joins), "{joins}: {page}");
    assert!(page.contains("leaves the group security"), "{page}");
    assert!(
        page.contains("everybody security") && page.contains("title requester"),
        "{page}"
    );
    let (status, told) = command_line(&server, "change_manager", &["ownership", "propose", "--activate", &id]);
    assert_eq!(status, 0, "{told}");
    let (content, in_force) = told.split_once("in force").unwrap();
    assert!(content.contains("security") && content.contains("tomasz"), "{told}");
    assert!(in_force.contains("sha256:"), "{told}");
    let (status, told) = command_line(&server, "change_manager", &["ownership", "propose", "--activate", &id]);
    assert!(status != 0, "{told}");
}
