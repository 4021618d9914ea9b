//! Two people of one group do not count as two groups, and one person of both counts once.

use std::collections::BTreeSet;

use serde_json::json;
use tests::journey::{approve, artifact, gate_path, request, waiting_for_approval};
use tests::session::Session;
use tests::{Place, Server};

use crate::approval::attacks::{ask, below, no_permit, yes};
use crate::platform::crash::must_verify;

/// A tenant's rule on keys: one of security and one of the platform.
const TWO_GROUPS: &str = "@id(\"house.require.two_groups\")\n@reason(\"One of security and one of the platform.\")\n\
    @require(\"approval\")\n@from(\"group:security,group:platform\")\n@count(\"2\")\n@distinct_groups\n@covers(\"what\")\n\
    @distinct_from(\"author,requester,implementer\")\n@step_up\n@dual_control\n\
    permit (principal, action == Action::\"require\", resource) when { resource.touches.contains(Touch::\"crypto_keys\") };";
const TWO_GROUPS_CASE: &str = "given a change of the keys\n  people       sami roles security\n  \
    service      pay, criticality medium, regimes none\n  environment  prod, production yes\n  \
    change       kind normal, risk low, touches crypto_keys\ncase one of each\n  requires\n    house.require.two_groups\n    \
    base.require.validation\n    base.require.review\n    base.require.owner\n    base.require.security\n    \
    base.require.change_manager\n    base.require.evidence\n";

/// Puts the rule of two groups in force, with priya in both and tomasz in the platform alone.
fn with_two_groups(server: &Server) {
    let admin = server.token("admin");
    let groups = [
        ("security", json!(["priya", "yusuf", "solveig"])),
        ("platform", json!(["priya", "tomasz"])),
    ];
    for (key, members) in groups {
        let group = json!({"name": key, "members": members});
        let (status, answer) = ask(server, &admin, "PUT", &format!("/groups/{key}"), &group);
        assert!((200..300).contains(&status), "{key}: {answer}");
    }
    // Other approvers for security in the base's own rule, so that only the groups are left to wait for.
    let roles = json!({"roles": ["executive", "security"]});
    assert_eq!(ask(server, &admin, "PATCH", "/people/solveig", &roles).0, 200);
    let proposal = json!({
        "reason": "Keys need two groups", "parameters": "thorough_evidence_from = \"never\"\n", "files": [{"path": "house/house.cedar", "content": TWO_GROUPS}],
        "cases": [{"path": "house/cases/house.cases", "content": TWO_GROUPS_CASE}],
    });
    let made = server.must("POST", "/api/v1/policies", &admin, Some(&proposal));
    let path = format!("/api/v1/configurations/{}/activation", made["id"].as_str().unwrap());
    server.must("POST", &path, &server.token("change_manager"), Some(&json!({})));
}

/// A change of keys that waits for its approvals.
fn keys_change(server: &Server, title: &str, digest: &str) -> String {
    let mut body = request(title, digest, server.server_time());
    body["touches"] = json!(["crypto_keys"]);
    waiting_for_approval(server, &body, digest)
}

/// All that still keeps the change from starting: the people that each row waits for, and the act that satisfies it.
fn rows_ahead(server: &Server, path: &str) -> Vec<(String, BTreeSet<String>)> {
    let found = server.must("GET", &format!("{path}/requirements"), &server.token("auditor"), None);
    let rows = found["items"].as_array().unwrap().iter();
    let mut ahead = Vec::new();
    for row in rows.filter(|row| row["code"] == "approval_missing") {
        let logins = row["waiting_on"].as_array().unwrap().iter();
        let logins = logins.map(|login| login.as_str().unwrap().to_owned()).collect();
        ahead.push((row["satisfy"].as_str().unwrap().to_owned(), logins));
    }
    ahead
}

#[test]
fn two_of_one_group_do_not_stand_for_two_groups() {
    let place = Place::demo("attack_groups");
    let server = Server::start(&place, true);
    with_two_groups(&server);
    let says_yes = |role: &str, path: &str| {
        let session = Session::begin(&server, role);
        let (status, answer) = session.api("POST", &format!("{}/approvals", below(path)), &yes(&server, path));
        assert_eq!(status, 201, "{role}: {answer}");
    };
    let names = |logins: &[&str]| logins.iter().map(|login| (*login).to_owned()).collect::<BTreeSet<_>>();
    let go = |digest: &str| server.get(&gate_path(digest), Some(&server.token("pipeline"))).0;
    // Two people who are of security alone: all other rules are met, and the platform has not decided.
    let digest = artifact(7_010);
    let path = keys_change(&server, "Rotate the signing key", &digest);
    for role in ["commander", "executive"] {
        says_yes(role, &path);
    }
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    let platform = "the group platform must approve (rule `house.require.two_groups`).".to_owned();
    assert_eq!(rows_ahead(&server, &path), [(platform, names(&["priya", "tomasz"]))]);
    no_permit(&server, &path, &digest, &[]);
    says_yes("implementer", &path);
    assert_eq!(go(&digest), 200, "somebody of each has spoken");
    // One person of both groups counts once, for the group that the next one leaves free.
    let digest = artifact(7_011);
    let path = keys_change(&server, "Rotate the other key", &digest);
    says_yes("security", &path);
    for role in ["owner", "change_manager"] {
        approve(&server, &path, role);
    }
    let either = "one of the groups security, platform must approve (rule `house.require.two_groups`).".to_owned();
    let others = names(&["solveig", "tomasz", "yusuf"]);
    assert_eq!(rows_ahead(&server, &path), [(either, others)]);
    no_permit(&server, &path, &digest, &[]);
    says_yes("commander", &path);
    assert_eq!(
        go(&digest),
        200,
        "the second stands for security, and the first for the platform"
    );
    must_verify(&server);
}
