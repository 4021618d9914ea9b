//! A parameter of the policies: proposed within its bounds by one person, in force by another, and judged by from then on.

use serde_json::{Value, json};
use tests::journey::{artifact, request};
use tests::session::Session;
use tests::{Place, Server};

use crate::approval::attacks::ask;
use crate::platform::crash::must_verify;
use crate::policy::mapping::assent;

const CANARY: &str = "base.require.canary";

/// Whether a canary is required for a change, by its path.
fn asks(server: &Server, path: &str) -> bool {
    let found = server.must("GET", &format!("{path}/requirements"), &server.token("auditor"), None);
    let mut rows = found["obligations"].as_array().unwrap().iter();
    rows.any(|row| row["obligation"]["id"] == CANARY)
}

fn value(server: &Server, name: &str) -> Value {
    let found = server.must("GET", "/api/v1/policies", &server.token("auditor"), None);
    let mut rows = found["parameters"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap()["value"].clone()
}

fn propose(server: &Server, role: &str, values: &Value) -> (u16, Value) {
    let body = json!({"values": values, "reason": "Half of them failed"});
    ask(server, &server.token(role), "POST", "/policy-parameters", &body)
}

#[test]
fn a_value_within_its_bounds_comes_into_force_by_two_people_and_no_other_way() {
    let place = Place::demo("policy-parameters");
    let server = Server::start(&place, true);
    let wanted = request("Print larger labels", &artifact(62_001), server.server_time());
    let made = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&wanted));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    assert!(!asks(&server, &path));
    assert_eq!(value(&server, "canary_from_impact"), "never");

    assert_eq!(
        propose(&server, "requester", &json!({"canary_from_impact": "low"})).0,
        403
    );
    for (values, told) in [
        (json!({"peer_review_from_probability": "30%"}), "above its ceiling"),
        (json!({"peer_review_from_probability": "0.1%"}), "below its floor"),
        (json!({"canary_from_impact": "enormous"}), "none, low, medium, high"),
        (json!({"canary_from": "low"}), "no parameter `canary_from`"),
        (
            json!({"canary_from_impact": "low\"\nthorough_evidence_from = \"none"}),
            "Write the value as",
        ),
        (json!({}), "one parameter with its value"),
    ] {
        let (status, refused) = propose(&server, "admin", &values);
        assert_eq!(status, 422, "{values}: {refused:#}");
        assert!(refused.to_string().contains(told), "{values}: {refused:#}");
    }

    let words = [
        "policy",
        "value",
        "canary_from_impact",
        "low",
        "--reason",
        "Half of them failed",
    ];
    let (code, proposal) = assent(&server, "admin", &words);
    assert_eq!(code, 0, "{proposal:#}");
    let activation = format!("/configurations/{}/activation", proposal["id"].as_str().unwrap());
    let alone = ask(&server, &server.token("admin"), "POST", &activation, &json!({}));
    assert_eq!(
        (alone.0, &alone.1["code"]),
        (409, &json!("second_person_needed")),
        "{:#}",
        alone.1
    );
    assert!(!asks(&server, &path), "a proposal moves nothing");
    let (status, active) = ask(
        &server,
        &server.token("change_manager"),
        "POST",
        &activation,
        &json!({}),
    );
    assert_eq!(status, 201, "{active:#}");
    assert_eq!(value(&server, "canary_from_impact"), "low");
    assert_eq!(value(&server, "thorough_evidence_from"), "never", "other values stay");
    assert!(asks(&server, &path), "an impact of low is asked for a canary now");

    is_told_and_proposed_on_the_page(&server);
    must_verify(&server);
}

fn is_told_and_proposed_on_the_page(server: &Server) {
    let page = Session::begin(server, "admin").get("/t/halden/policies");
    for words in [
        "Parameters of the policies",
        "canary_from_impact",
        "0.5% to 20%",
        "Propose another value",
    ] {
        assert!(page.body.contains(words), "{words}");
    }
    let form = [
        ("parameter", "canary_from_impact"),
        ("value", "high"),
        ("reason", "Less"),
    ];
    let sent = Session::begin(server, "change_manager").form("/t/halden/policy-parameters", &form);
    assert_eq!(sent.status, 303, "{}", sent.body);
    assert_eq!(value(server, "canary_from_impact"), "low", "a proposal again");
    let page = Session::begin(server, "requester").get("/t/halden/policies");
    assert!(
        !page.body.contains("Propose another value"),
        "a requester proposes nothing"
    );
}
