//! Canary verdicts of Flagger, Argo Rollouts and other senders on a change that is watched: kept once, shown where they are no
//! pass, and in the draft of the review.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{artifact, scheduled};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

fn connect(server: &Server, kind: &str) -> (String, String) {
    let request = json!({"kind": kind, "name": kind,
        "map": [{"repository": "printer", "service": "label-print", "environments": {"prod": "production"}}]});
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("hook_path"), text("secret"))
}

fn deliver(server: &Server, (path, secret): &(String, String), body: &Value) {
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{}{path}", server.url))
        .header("Content-Type", "application/json")
        .header("Authorization", format!("Bearer {secret}"))
        .body(body.to_string())
        .unwrap();
    assert_eq!(tests::caller::agent().run(request).unwrap().status().as_u16(), 202);
}

fn verdicts(server: &Server, key: &str) -> Vec<Value> {
    let found = server.must("GET", "/api/v1/watch-verdicts?limit=200", &server.token("owner"), None);
    let mut rows = found["items"].as_array().unwrap().clone();
    rows.retain(|row| row["change"] == key);
    rows
}

/// Each verdict is one row of evidence: the same again adds none, the doubt is no pass, and people bring none.
fn each_is_a_row_of_evidence(server: &Server, path: &str) {
    let owner = server.token("owner");
    let rows = server.must("GET", &format!("{path}/evidence"), &owner, None);
    let mut rows = rows["items"].as_array().unwrap().clone();
    rows.retain(|row| row["kind"] == "verdict");
    let found: Vec<&str> = rows.iter().map(|row| row["result"].as_str().unwrap()).collect();
    assert_eq!(found, ["passed", "unknown", "passed", "passed"], "{rows:#?}");
    let is_told = |row: &Value| row["place"] == "label-print/production" && row["measured_at"].is_string();
    assert!(rows.iter().all(is_told), "{rows:#?}");
    let own = json!({"kind": "verdict", "aspect": "other", "text": "All is well."});
    let (status, refused) = server.ask("POST", &format!("{path}/evidence"), Some(&owner), Some(&own));
    assert_eq!(status, 422, "{}", String::from_utf8_lossy(&refused));
}

#[test]
fn a_canary_that_did_not_pass_is_told_and_keeps_the_draft_from_proposing_success() {
    let place = Place::demo("canary");
    let server = Server::start(&place, true);
    let (flagger, rollouts) = (connect(&server, "flagger"), connect(&server, "argo_rollouts"));
    let path = scheduled(&server, "Sharper labels", &artifact(93_001));
    let key = path.rsplit('/').next().unwrap().to_owned();
    let (implementer, owner) = (server.token("implementer"), server.token("owner"));
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &implementer,
        Some(&json!({})),
    );
    let event = |phase: &str| {
        let millis = server.server_time().as_millisecond().to_string();
        json!({"name": "printer", "namespace": "prod", "phase": phase, "checksum": "85d557f47b",
            "metadata": {"eventMessage": "Canary analysis", "eventType": "Normal", "timestamp": millis}})
    };
    deliver(&server, &flagger, &event("Progressing"));
    deliver(&server, &flagger, &event("Succeeded"));
    eventually("the pass is kept", || verdicts(&server, &key).len() == 1);
    let run = json!({"name": "printer-1", "status": "Inconclusive", "message": "Too few requests."});
    let rollout = json!({"rollout": {"metadata": {"name": "printer", "namespace": "prod"},
        "status": {"canary": {"currentStepAnalysisRunStatus": run}}}});
    deliver(&server, &rollouts, &rollout);
    eventually("the doubt is kept", || verdicts(&server, &key).len() == 2);
    let mut again = rollout.clone();
    again["rollout"]["status"]["phase"] = json!("Paused");
    deliver(&server, &rollouts, &again);
    // The same verdict, as a CloudEvent and again, is one of its connection.
    let (plain, events) = (connect(&server, "plain"), connect(&server, "cloudevents"));
    let compared = json!({"id": "compare-1", "service": "printer", "environment": "prod", "verdict": "passed", "text": "As fast."});
    deliver(&server, &plain, &compared);
    for id in ["e-1", "e-2"] {
        let event =
            json!({"specversion": "1.0", "id": id, "source": "/compare", "type": "assent.verdict", "data": compared});
        deliver(&server, &events, &event);
    }
    eventually("both are kept", || verdicts(&server, &key).len() == 4);
    each_is_a_row_of_evidence(&server, &path);
    let messages = Session::begin(&server, "owner").get("/t/halden/messages").body;
    let told = Session::begin(&server, "change_manager").get("/t/halden/messages").body;
    assert!(
        messages.contains("inconclusive") || told.contains("inconclusive"),
        "{messages} {told}"
    );
    let done = json!({"outcome": "succeeded"});
    server.must("POST", &format!("{path}/completion"), &implementer, Some(&done));
    let draft = server.must("GET", &format!("{path}/review-draft"), &owner, None);
    assert_eq!(draft["objectives_met"], false, "{draft:#}");
    let results: Vec<&str> = draft["facts"]["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["result"].as_str().unwrap())
        .collect();
    assert_eq!(
        results,
        ["passed", "inconclusive", "passed", "passed"],
        "the same analysis again is the same verdict"
    );
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}
