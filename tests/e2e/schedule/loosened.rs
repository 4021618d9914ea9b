//! A freeze is ended or shortened by a reason and a second confirmation, and its history records that.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, gate_path, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

fn gate(server: &Server, artifact: &str) -> String {
    let answer = server.ask("GET", &gate_path(artifact), Some(&server.token("pipeline")), None);
    let answer: Value = serde_json::from_slice(&answer.1).unwrap();
    answer["decision"].as_str().unwrap().to_owned()
}

fn refused(server: &Server, who: &str, method: &str, path: &str, body: &Value, wanted: (u16, &str)) {
    let (code, answer) = server.ask(method, path, Some(&server.token(who)), Some(body));
    let told = String::from_utf8_lossy(&answer).into_owned();
    assert!(
        code == wanted.0 && told.contains(wanted.1),
        "{who} {method} {path}: {code} {told}"
    );
}

/// A scheduled change under a freeze: its artifact, its path, and the freeze as it was set.
fn frozen(server: &mut Server) -> (String, String, Value) {
    let new = artifact(311);
    let now = server.held_time();
    let path = waiting_for_approval(server, &request("Colder labels", &new, now), &new);
    for role in ["owner", "security", "change_manager"] {
        approve(server, &path, role);
    }
    assert_eq!(gate(server, &new), "go");
    let wanted = json!({
        "title": "Quarter end", "starts_at": (now + jiff::SignedDuration::from_secs(1)).to_string(),
        "ends_at": (now + jiff::SignedDuration::from_hours(8)).to_string(),
        "services": [SERVICE], "environments": [ENVIRONMENT],
    });
    let freeze = server.must(
        "POST",
        "/api/v1/freezes",
        &server.token("change_manager"),
        Some(&wanted),
    );
    server.advance(5);
    eventually("the freeze is on", || gate(server, &new) == "stop");
    (new, path, freeze)
}

/// The token of a second change manager.
fn second_manager(server: &Server) -> String {
    let admin = server.token("admin");
    let mads = json!({"login": "mads", "name": "Mads", "roles": ["change_manager"]});
    server.must("POST", "/api/v1/people", &admin, Some(&mads));
    let made = json!({"name": "mads", "person": "mads", "scopes": ["read", "write"]});
    let made = server.must("POST", "/api/v1/tokens", &admin, Some(&made));
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_freeze_stands_until_its_end_is_confirmed_and_people_with_changes_in_it_are_told() {
    let place = Place::demo("loosened");
    let mut server = Server::start(&place, true);
    server.hold_clock(server.server_time() + jiff::SignedDuration::from_mins(1));
    let manager = server.token("change_manager");
    let (new, path, freeze) = frozen(&mut server);
    // Within an hour its setter takes it back as a slip.
    server.advance(3_700);
    let own = format!("/api/v1/freezes/{}", freeze["id"].as_str().unwrap());
    let confirmation = format!("{own}/confirmation");
    let alone = |method: &str, path: &str, body: Value, wanted: (u16, &str)| {
        refused(&server, "change_manager", method, path, &body, wanted);
    };
    alone("DELETE", &own, json!({}), (422, "reason"));
    alone("POST", &confirmation, json!({}), (409, "nothing_proposed"));
    refused(
        &server,
        "owner",
        "DELETE",
        &own,
        &json!({"reason": "Mine waits."}),
        (403, "not_allowed"),
    );
    let proposed = server.must(
        "DELETE",
        &own,
        &manager,
        Some(&json!({"reason": "The books are closed."})),
    );
    assert_eq!(proposed["loosening"]["reason"], "The books are closed.");
    assert_eq!(
        gate(&server, &new),
        "stop",
        "nothing is let through before it is confirmed"
    );
    // With a second change manager the proposer alone does not confirm, on any route.
    let second = second_manager(&server);
    alone("POST", &confirmation, json!({}), (403, "own_request"));
    let page = Session::begin(&server, "change_manager").form(&confirmation.replace("/api/v1", "/t/halden"), &[]);
    assert_ne!(page.status, 303, "the page refuses it as well");
    assert_eq!(gate(&server, &new), "stop");
    let ended = server.must("POST", &confirmation, &second, Some(&json!({})));
    assert_eq!(ended["ended"], true);
    assert_eq!(gate(&server, &new), "go");
    let kept = server.must("GET", &own, &manager, None);
    let marta = server.person("change_manager")["login"].clone();
    let step = &kept["loosened"][0];
    assert_eq!(
        (&step["by"], &step["confirmed_by"]),
        (&marta, &json!("mads")),
        "{kept:#}"
    );
    assert_eq!(step["before"]["ends_at"], freeze["ends_at"]);
    let draft = server.must("GET", &format!("{path}/review-draft"), &server.token("owner"), None);
    let requester = server.person("requester")["login"].clone();
    let mut told = draft["facts"]["told"].as_array().unwrap().iter();
    assert!(told.any(|it| it["topic"] == "freeze_loosened" && it["person"] == requester));
}
