//! Every act on a page is allowed: a form that could only be refused is not shown.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::journey::{self, ENVIRONMENT, SERVICE, approve, artifact};
use tests::session::Session;
use tests::{Place, Server};

/// The page of a change as a role sees it.
fn page(server: &Server, role: &str, key: &str) -> String {
    let seen = Session::begin(server, role).get(&format!("/t/halden/changes/{key}"));
    assert_eq!(seen.status, 200, "{role}");
    seen.body
}

/// An emergency that owner and change manager approved and that the implementer carried out; its path and key.
fn emergency(server: &Server) -> (String, String) {
    let requester = server.token("requester");
    let mut wanted = journey::request("The printer is down", &artifact(51_001), server.server_time());
    wanted["kind"] = json!("emergency");
    let outage = json!({"title": "The printer is down", "severity": 1, "services": [SERVICE]});
    let incident = server.must("POST", "/api/v1/incidents", &server.token("commander"), Some(&outage));
    wanted["incident"] = incident["key"].clone();
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&wanted));
    let key = made["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/changes/{key}");
    let nothing = json!({});
    server.must("POST", &format!("{path}/submission"), &requester, Some(&nothing));
    server.must("POST", &format!("{path}/assessment"), &requester, Some(&nothing));
    approve(server, &path, "owner");
    approve(server, &path, "change_manager");
    let implementer = server.token("implementer");
    server.must("POST", &format!("{path}/implementation"), &implementer, Some(&nothing));
    let outcome = json!({"outcome": "succeeded"});
    let done = server.must("POST", &format!("{path}/completion"), &implementer, Some(&outcome));
    assert_eq!(done["state"], "reviewing");
    (path, key)
}

#[test]
fn who_approved_an_emergency_is_not_offered_to_validate_it() {
    let place = Place::demo("offered-validation");
    let server = Server::start(&place, true);
    let (path, key) = emergency(&server);
    let form = format!("action=\"/t/halden/changes/{key}/validation\"");
    assert!(!page(&server, "owner", &key).contains(&form), "the owner approved it");
    assert!(
        page(&server, "requester", &key).contains(&form),
        "the requester did neither"
    );
    let word = json!({"result": "works", "text": "Labels come out."});
    let validation = format!("{path}/validation");
    let (status, told) = server.ask("POST", &validation, Some(&server.token("owner")), Some(&word));
    let told: Value = serde_json::from_slice(&told).unwrap();
    assert_eq!((status, &told["code"]), (403, &json!("not_independent")), "{told}");
    server.must("POST", &validation, &server.token("requester"), Some(&word));
}

#[test]
fn a_condition_that_holds_the_start_stands_at_home_with_its_checker() {
    let place = Place::demo("offered-condition");
    let server = Server::start(&place, true);
    let build = artifact(51_002);
    let request = journey::request("Print in the north", &build, server.server_time());
    let path = journey::waiting_for_approval(&server, &request, &build);
    let owner = server.token("owner");
    let digest = server.must("GET", &path, &owner, None)["content_digest"].clone();
    let word = json!({
        "decision": "approve_with_conditions", "content_digest": digest,
        "conditions": [{"text": "Back the queue up", "due": "start", "checker": server.person("security")["login"]}],
    });
    server.must("POST", &format!("{path}/approvals"), &owner, Some(&word));
    approve(&server, &path, "security");
    approve(&server, &path, "change_manager");
    let home = |role: &str| Session::begin(&server, role).get("/t/halden/").body;
    let told = home("security");
    assert!(told.contains("Confirm that it is met") && told.contains("Back the queue up"));
    assert!(
        !home("owner").contains("Confirm that it is met"),
        "the check is another's"
    );
}

#[test]
fn only_the_named_approver_is_asked_whether_they_agreed_to_work_told_afterwards() {
    let place = Place::demo("offered-confirmation");
    let server = Server::start(&place, true);
    let session = Session::begin(&server, "requester");
    let named = server.person("change_manager")["login"].as_str().unwrap().to_owned();
    let hours_ago = |hours: i64| {
        let at = server.server_time() - SignedDuration::from_hours(hours);
        at.strftime("%Y-%m-%dT%H:%M").to_string()
    };
    let (from, to) = (hours_ago(30), hours_ago(29));
    let fields = [
        ("targets.0.service", SERVICE),
        ("targets.0.environment", ENVIRONMENT),
        ("title", "Done last night"),
        ("description", "A cable was changed."),
        ("justification", "It was torn."),
        ("complexity", "low"),
        ("plan.0.title", "Change it"),
        ("retrospective.actual_start", &from),
        ("retrospective.actual_end", &to),
        ("retrospective.reason", "The phone was quicker."),
        ("retrospective.verbal_approver", &named),
        ("act", "submit"),
    ];
    let sent = session.form("/t/halden/changes", &fields);
    assert_eq!(sent.status, 303, "{}", sent.body);
    let told = session.get(&sent.location).body;
    assert!(
        told.contains("Recorded as work already done.") && !told.contains("Submitted for assessment"),
        "what was done is not to be assessed"
    );
    let key = sent
        .location
        .split(['/', '?'])
        .find(|part| part.starts_with("CHG-"))
        .unwrap();
    let form = format!("/changes/{key}/retrospective/confirmation\"");
    assert!(page(&server, "change_manager", key).contains(&form));
    for other in ["owner", "security", "requester"] {
        assert!(!page(&server, other, key).contains(&form), "{other}");
    }
}

#[test]
fn a_form_that_cannot_be_sent_is_refused_before_anybody_fills_it_in() {
    let place = Place::demo("offered-edit");
    let server = Server::start(&place, true);
    let request = journey::request("Print it twice", &artifact(51_003), server.server_time());
    let requester = server.token("requester");
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&request));
    let key = made["key"].as_str().unwrap();
    let edit = format!("/t/halden/changes/{key}/edit");
    assert_eq!(Session::begin(&server, "requester").get(&edit).status, 200);
    for other in ["vendor", "auditor", "executive"] {
        let seen = Session::begin(&server, other).get(&edit);
        assert!(
            seen.status == 403 && seen.body.contains("base.act.write"),
            "{other}: {} {}",
            seen.status,
            seen.body
        );
    }
    let reason = json!({"reason": "Not needed"});
    server.must(
        "POST",
        &format!("/api/v1/changes/{key}/cancellation"),
        &requester,
        Some(&reason),
    );
    assert_eq!(Session::begin(&server, "requester").get(&edit).status, 409);
}

#[test]
fn a_vendors_home_and_list_say_the_same_of_what_is_theirs() {
    let place = Place::demo("offered-vendor");
    let server = Server::start(&place, true);
    let mut request = journey::request("Swap the disks", &artifact(51_004), server.server_time());
    request["planned_start"] = json!((server.server_time() + SignedDuration::from_hours(2)).to_string());
    request["planned_end"] = json!((server.server_time() + SignedDuration::from_hours(3)).to_string());
    request["implementers"] = json!([server.person("vendor")["login"]]);
    let made: Value = server.must("POST", "/api/v1/changes", &server.token("requester"), Some(&request));
    let vendor = Session::begin(&server, "vendor");
    let home = vendor.get("/t/halden/").body;
    assert!(home.contains(made["key"].as_str().unwrap()), "it is theirs to do");
    assert!(
        home.contains("href=\"/t/halden/changes\">all changes</a>"),
        "their role reads the others too"
    );
    let list = vendor.get("/t/halden/changes").body;
    assert!(
        !list.contains("requester=cartwell-hosting"),
        "a vendor writes no change: an empty view says nothing"
    );
    let other = Session::begin(&server, "requester").get("/t/halden/changes").body;
    assert!(other.contains("requester=ingrid"), "who writes changes has their own");
}
