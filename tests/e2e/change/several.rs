//! One act on several changes, and views of the list: over the API and from the command line.

use serde_json::{Value, json};
use tests::journey::{artifact, request, waiting_for_approval};
use tests::{Place, Server};

use crate::policy::mapping::assent;

fn waiting(server: &Server, number: u64) -> String {
    let artifact = artifact(number);
    let body = request(&format!("One of several, {number}"), &artifact, server.server_time());
    let path = waiting_for_approval(server, &body, &artifact);
    path.rsplit('/').next().unwrap().to_owned()
}

fn results(told: &Value) -> Vec<&str> {
    let items = told["items"].as_array().unwrap();
    items.iter().map(|row| row["result"].as_str().unwrap()).collect()
}

fn from_the_command_line(server: &Server, one: &str, two: &str) {
    let (code, told) = assent(server, "owner", &["change", "bulk", "approve", two, "--dry-run"]);
    assert_eq!((code, results(&told)), (0, vec!["able"]), "{told:#}");
    let (code, told) = assent(server, "owner", &["change", "bulk", "approve", two, "CHG-999999"]);
    assert_eq!((code, results(&told)), (1, vec!["done", "refused"]), "{told:#}");
    let reason = ["change", "bulk", "hold", one, two, "--reason", "The vendor called."];
    let (code, told) = assent(server, "change_manager", &reason);
    assert_eq!((code, &told["done"]), (0, &json!(2)), "{told:#}");
    for key in [one, two] {
        let path = format!("/api/v1/changes/{key}");
        assert_eq!(
            server.must("GET", &path, &server.token("requester"), None)["on_hold"],
            true
        );
    }
}

/// An approver who wrote the change is refused here as well, and the attempt is in the log.
fn own_work_is_refused_and_noted(server: &Server, one: &str) {
    let requester = server.token("requester");
    let resumed = json!({});
    server.must(
        "POST",
        &format!("/api/v1/changes/{one}/resume"),
        &server.token("change_manager"),
        Some(&resumed),
    );
    let path = format!("/api/v1/changes/{one}");
    let digest = server.must("GET", &path, &requester, None)["content_digest"].clone();
    let own = json!({"act": "approve", "changes": [{"key": one, "content_digest": digest}]});
    assert_eq!(
        results(&server.must("POST", "/api/v1/changes/bulk", &requester, Some(&own))),
        ["refused"]
    );
    let events = server.must(
        "GET",
        &format!("/api/v1/changes/{one}/events?limit=200"),
        &requester,
        None,
    );
    let noted = |row: &Value| row["kind"] == "attempt.refused" && row.to_string().contains("bulk approve");
    assert!(events["items"].as_array().unwrap().iter().any(noted), "{events:#}");
}

#[test]
fn an_act_on_several_changes_is_told_beforehand_done_one_by_one_and_never_twice_with_one_key() {
    let place = Place::demo("several");
    let server = Server::start(&place, true);
    let (one, two) = (waiting(&server, 501), waiting(&server, 502));
    let (owner, requester) = (server.token("owner"), server.token("requester"));
    let approvals = |key: &str| {
        let path = format!("/api/v1/changes/{key}/approvals");
        let list = server.must("GET", &path, &requester, None);
        list["items"].as_array().unwrap().len()
    };

    let rows = json!([{"key": one}, {"key": "CHG-999999"}, {"key": two}]);
    let ask = |body: &Value, token: &str| server.must("POST", "/api/v1/changes/bulk", token, Some(body));
    let tried = ask(&json!({"act": "approve", "changes": rows, "dry_run": true}), &owner);
    assert_eq!(results(&tried), ["able", "refused", "able"], "{tried:#}");
    assert_eq!(tried["items"][1]["problem"]["code"], "not_found");
    assert_eq!((approvals(&one), approvals(&two)), (0, 0), "a trial leaves nothing");
    // The decision covers the seen text: the second is edited in between.
    let seen: Vec<Value> = [0, 2]
        .iter()
        .map(|at| json!({"key": tried["items"][*at]["key"], "content_digest": tried["items"][*at]["content_digest"]}))
        .collect();
    let path = format!("/api/v1/changes/{two}");
    let edited = json!({"description": "Another text."});
    let headers = [("If-Match", "*")];
    assert_eq!(
        server
            .ask_with("PATCH", &path, Some(&requester), Some(&edited), &headers)
            .0,
        200
    );
    let body = json!({"act": "approve", "changes": seen, "comment": "Both read."});
    let keyed = [("Idempotency-Key", "both")];
    let send = |body: &Value| server.ask_with("POST", "/api/v1/changes/bulk", Some(&owner), Some(body), &keyed);
    let (status, answer) = send(&body);
    let told: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, results(&told)), (200, vec!["done", "refused"]), "{told:#}");
    assert_eq!(told["items"][1]["problem"]["code"], "digest_not_current", "{told:#}");
    assert_eq!(approvals(&one), 1);
    // The same again does nothing more; another body under the same key is a mistake.
    let (status, answer) = send(&body);
    let again: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((status, results(&again)), (200, vec!["done", "refused"]), "{again:#}");
    assert_eq!(approvals(&one), 1);
    assert_eq!(send(&json!({"act": "watch", "changes": [{"key": two}]})).0, 422);

    from_the_command_line(&server, &one, &two);
    for (wrong, field) in [
        (json!({"act": "close", "changes": [{"key": one}]}), "act"),
        (json!({"act": "watch", "changes": []}), "changes"),
        (
            json!({"act": "watch", "changes": [{"key": one}, {"key": one}]}),
            "changes",
        ),
    ] {
        let (status, answer) = server.ask("POST", "/api/v1/changes/bulk", Some(&owner), Some(&wrong));
        let told: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!((status, &told["errors"][0]["field"]), (422, &json!(field)), "{told:#}");
    }
    own_work_is_refused_and_noted(&server, &one);
    server.wait_for_log();
    crate::platform::crash::must_verify(&server);
}

#[test]
fn views_are_kept_renamed_shared_and_removed() {
    let place = Place::demo("views");
    let server = Server::start(&place, true);
    let view = |role: &str, words: &[&str]| assent(&server, role, &[&["view"], words].concat());
    let seen = |role: &str| -> Vec<String> {
        let list = view(role, &["list"]).1;
        let rows = list["items"].as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let (code, made) = view(
        "requester",
        &["save", "Tonight", "--query", "state=scheduled&environment=production"],
    );
    assert_eq!((code, &made["is_shared"]), (0, &json!(false)), "{made:#}");
    assert_eq!(made["page"], "/t/halden/changes?state=scheduled&environment=production");
    assert!(seen("requester") == ["Tonight"] && seen("owner").is_empty());
    let (_, renamed) = view(
        "requester",
        &[
            "edit",
            "Tonight",
            "--rename",
            "This night",
            "--query",
            "state=scheduled",
        ],
    );
    assert_eq!(
        (&renamed["name"], &renamed["version"]),
        (&json!("This night"), &json!(2))
    );
    view("requester", &["share", "This night"]);
    assert_eq!(seen("owner"), ["This night"]);
    let page = tests::session::Session::begin(&server, "owner")
        .get("/t/halden/changes")
        .body;
    assert!(page.contains("This night ("), "the page shows it with its owner's name");
    // Others' views are shown and not theirs to change; the other tenant sees none.
    let path = "/api/v1/views/This%20night";
    let owner = server.token("owner");
    let headers = [("If-Match", "*")];
    let patch = json!({"name": "Mine"});
    assert_eq!(
        server.ask_with("PATCH", path, Some(&owner), Some(&patch), &headers).0,
        404
    );
    assert_eq!(server.ask("DELETE", path, Some(&owner), None).0, 404);
    assert!(seen("other_requester").is_empty());
    // Nobody's edit is lost.
    let requester = server.token("requester");
    let stale = [("If-Match", "\"1\"")];
    assert_eq!(
        server.ask_with("PATCH", path, Some(&requester), Some(&patch), &stale).0,
        412
    );
    assert_eq!(
        server.ask_with("PATCH", path, Some(&requester), Some(&patch), &[]).0,
        428
    );
    view("requester", &["share", "This night", "--stop"]);
    assert!(seen("owner").is_empty());
    view("requester", &["remove", "This night"]);
    assert!(seen("requester").is_empty());
}
