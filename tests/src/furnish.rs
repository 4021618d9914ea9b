//! The demo, furnished with records that its own history lacks, so that a reader of every page sees it filled in: custom
//! fields, conditions, deviations, a failure with its review, unknown committers, webhooks, a review of access, views that are
//! shared.

use ring::hmac;
use serde_json::{Value, json};

use crate::Server;
use crate::journey::{approve, artifact, evidence, question, request, waiting_for_approval};

/// The commit of an unknown author.
const COMMIT: &str = "3333333333333333333333333333333333333333";

/// Sends a request to the API as a role; the response must be good.
fn tell(server: &Server, role: &str, path: &str, body: &Value) -> Value {
    server.must("POST", &format!("/api/v1{path}"), &server.token(role), Some(body))
}

fn login(server: &Server, role: &str) -> Value {
    server.person(role)["login"].clone()
}

/// Furnishes a demo; returns the paths of pages that are worth a look and that a walk may pass by.
pub fn furnish(server: &Server) -> Vec<String> {
    administration(server);
    let full = asked_with_everything(server);
    let on = under_way(server);
    let failed = failed(server);
    let strange = of_a_stranger(server);
    let check = tell(server, "pipeline", "/gate-checks", &question(&artifact(8_801)));
    let view = json!({"name": "Docks, tonight", "query": "state=authorizing&service=label-print"});
    tell(server, "change_manager", "/views", &view);
    let shared = json!({"name": "Of the whole house", "query": "risk=high"});
    tell(server, "owner", "/views", &shared);
    let path = "/api/v1/views/Of%20the%20whole%20house";
    let (status, said) = server.ask_with(
        "PATCH",
        path,
        Some(&server.token("owner")),
        Some(&json!({"is_shared": true})),
        &[("If-Match", "*")],
    );
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&said));
    vec![
        format!("/changes/{full}"),
        format!("/changes/{full}/edit"),
        format!("/changes/{on}"),
        format!("/changes/{on}/runbook"),
        format!("/changes/{failed}"),
        format!("/changes/{strange}"),
        format!("/gate-checks/{}", check["id"].as_str().unwrap()),
        "/changes?state=authorizing&service=label-print".to_owned(),
        "/changes?columns=key,own,owner,waits_for".to_owned(),
    ]
}

fn administration(server: &Server) {
    for field in [
        json!({"key": "customer_tier", "name": "Customer tier", "holds": "choice", "choices": ["gold", "silver"],
            "kinds": ["normal"], "description": "Whose parcels wait when it goes wrong."}),
        json!({"key": "cost_centre", "name": "Cost centre", "holds": "text"}),
        json!({"key": "contact_at_night", "name": "Contact at night", "holds": "person"}),
        json!({"key": "manual", "name": "Manual", "holds": "link"}),
    ] {
        tell(server, "admin", "/custom-fields", &field);
    }
    let hook = json!({"name": "Chat of the docks", "url": "https://hooks.example/in", "kinds": ["change.*"]});
    tell(server, "admin", "/webhooks", &hook);
    let sink = json!({"name": "The house's SIEM", "url": "file:siem.jsonl", "format": "ocsf", "kinds": ["change.*"]});
    tell(server, "admin", "/sinks", &sink);
    tell(server, "admin", "/access-reviews", &json!({}));
    let workload = json!({"name": "Releases of the house", "issuer": "https://id.example", "meant_for": "assent",
        "person": "pipeline", "claims": {"repository": ["halden/booking-api", "halden/label-*"], "environment": "production"}});
    let path = "/api/v1/workloads/releases";
    server.must("PUT", path, &server.token("admin"), Some(&workload));
    let provider = json!({"name": "The house's directory", "issuer": "https://id.example", "client_id": "assent"});
    let path = "/api/v1/identity-providers/house";
    server.must("PUT", path, &server.token("admin"), Some(&provider));
}

/// A change that waits for approval with all that a page may show of one.
fn asked_with_everything(server: &Server) -> String {
    let digest = artifact(8_801);
    let mut wanted = request(
        "Print the customs reference on every label",
        &digest,
        server.server_time(),
    );
    let more = json!({
        "description": "The label gets a second line with the customs reference.\n\n- both printers\n- all three sizes",
        "plan": [
            {"title": "Stop the queue", "owner": "tomasz", "minutes": 2, "check": "Nothing prints"},
            {"title": "Bring out the template", "team": "Warehouse", "minutes": 8, "check": "A test label shows both lines"},
        ],
        "disruption": {"kind": "degraded", "minutes": 4, "audience": "Packers of the night shift"},
        "custom_fields": {"customer_tier": "gold", "cost_centre": "4711 Docks", "manual": "https://docs.example/labels"},
        "labels": ["customs", "autumn"], "tester": login(server, "security"), "implementers": [login(server, "implementer")],
        "business_contact": "Sofie at the docks", "objectives": "No parcel is held up for want of a reference.",
        "verification": "The customs office reads ten labels of each size.",
    });
    for (name, value) in more.as_object().unwrap() {
        wanted[name] = value.clone();
    }
    let path = waiting_for_approval(server, &wanted, &digest);
    let key = path.rsplit('/').next().unwrap().to_owned();
    let at = |what: &str| format!("/changes/{key}/{what}");
    let failed = json!({"kind": "note", "aspect": "compatibility", "result": "failed", "name": "Old scanners",
        "environment": "staging", "artifact": digest, "text": "One of 40 cannot read the second line"});
    tell(server, "requester", &at("evidence"), &failed);
    let task = json!({"kind": "prepare", "title": "Tell the docks", "mandatory": true, "assignee": login(server, "requester")});
    tell(server, "requester", &at("tasks"), &task);
    let link = json!({"kind": "depends_on", "to": earlier(server)});
    tell(server, "requester", &at("links"), &link);
    let comment =
        json!({"text": "Which scanners are **too old** for it? See [the list](https://docs.example/scanners)."});
    tell(server, "security", &at("comments"), &comment);
    tell(server, "executive", &at("watchers"), &json!({}));
    let seen = server.must("GET", &path, &server.token("owner"), None)["content_digest"].clone();
    let decision = json!({"decision": "approve_with_conditions", "content_digest": seen, "comment": "Fine by the docks.",
        "conditions": [{"text": "Somebody watches the first hundred labels.", "due": "close", "checker": login(server, "owner")}]});
    tell(server, "owner", &at("approvals"), &decision);
    let words = json!({"verdict": "agree", "content_digest": seen, "text": "Read plan and template."});
    tell(server, "commander", &at("peer-reviews"), &words);
    key
}

/// A change of the demo that another may depend on.
fn earlier(server: &Server) -> Value {
    let list = server.must(
        "GET",
        "/api/v1/changes?state=closed&limit=1",
        &server.token("requester"),
        None,
    );
    list["items"][0]["key"].clone()
}

/// A change under way that differs from its plan and needs more time.
fn under_way(server: &Server) -> String {
    let path = crate::journey::scheduled(server, "Replace the rollers of line two", &artifact(8_802));
    let key = path.rsplit('/').next().unwrap().to_owned();
    let at = |what: &str| format!("/changes/{key}/{what}");
    tell(server, "implementer", &at("implementation"), &json!({}));
    for (kind, text) in [
        ("step", "The old rollers are out."),
        ("deviation", "One bolt is stuck; drilled it out."),
        ("issue", "The belt runs to the left."),
    ] {
        let entry = json!({"kind": kind, "text": text});
        tell(server, "implementer", &at("implementation/entries"), &entry);
    }
    let until = server.server_time() + jiff::SignedDuration::from_hours(3);
    let more = json!({"until": until.to_string(), "reason": "The belt has to be aligned anew."});
    tell(server, "implementer", &at("extension"), &more);
    key
}

/// A change that failed, with the later findings.
fn failed(server: &Server) -> String {
    let path = crate::journey::scheduled(server, "Print in two colours", &artifact(8_803));
    let key = path.rsplit('/').next().unwrap().to_owned();
    let at = |what: &str| format!("/changes/{key}/{what}");
    tell(server, "implementer", &at("implementation"), &json!({}));
    tell(
        server,
        "implementer",
        &at("completion"),
        &json!({"outcome": "rolled_back"}),
    );
    let found = json!({"result": "works", "text": "The old picture is back on every label."});
    tell(server, "owner", &at("validation"), &found);
    let review = json!({"objectives_met": false, "assessment_adequate": true, "steps_adequate": false,
        "summary": "The red ink dried too slowly for the night's speed.", "cause": "missing_test", "improvements": ["Try it at full speed in staging."]});
    tell(server, "requester", &at("review"), &review);
    key
}

/// A change with a commit of an unknown author.
fn of_a_stranger(server: &Server) -> String {
    let mut wanted = request("Another resolver", &artifact(8_804), server.server_time());
    wanted["targets"] = json!([{"service": "edge-dns", "environment": "production", "commit": COMMIT}]);
    wanted["impact"] = json!({"data": "none", "availability": "high", "compliance": "none"});
    wanted["complexity"] = json!("high");
    let key = tell(server, "requester", "/changes", &wanted)["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/changes/{key}");
    tell(server, "requester", &format!("/changes/{key}/submission"), &json!({}));
    let assessment = json!({"dependencies_reviewed": true});
    tell(server, "requester", &format!("/changes/{key}/assessment"), &assessment);
    let mut tests = evidence(&artifact(8_804));
    tests.as_object_mut().unwrap().remove("artifact");
    tell(server, "requester", &format!("/changes/{key}/evidence"), &tests);
    approve(server, &path, "owner");
    let map = json!({"kind": "github", "name": "The resolvers' repository",
        "map": [{"repository": "halden/edge-dns", "service": "edge-dns", "environments": {"production": "production"}}]});
    let hook = tell(server, "admin", "/connections", &map);
    let author = json!({"name": "Mona Lind", "email": "mona@home.example", "username": "mona-l"});
    let push = json!({
        "ref": "refs/heads/main", "before": "1111111111111111111111111111111111111111", "after": COMMIT,
        "commits": [{"id": COMMIT, "message": "Faster", "author": author, "committer": author}],
        "repository": {"full_name": "halden/edge-dns", "name": "edge-dns", "owner": {"login": "halden"}},
        "pusher": {"name": "mona-l"}, "sender": {"login": "mona-l"},
    });
    deliver(server, &hook, &push);
    let owed = format!("{path}/requirements");
    crate::faults::eventually("the stranger is noticed", || {
        let rows = server.must("GET", &owed, &server.token("requester"), None);
        rows.to_string().contains("Mona Lind")
    });
    key
}

/// Delivers a push, signed as GitHub signs.
fn deliver(server: &Server, hook: &Value, push: &Value) {
    let bytes = push.to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, hook["secret"].as_str().unwrap().as_bytes());
    let tag = hmac::sign(&key, bytes.as_bytes());
    let digits: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let agent = crate::caller::agent();
    let answer = agent
        .post(format!("{}{}", server.url, hook["hook_path"].as_str().unwrap()))
        .header("Content-Type", "application/json")
        .header("X-GitHub-Event", "push")
        .header("X-GitHub-Delivery", "furnish-1")
        .header("X-Hub-Signature-256", format!("sha256={digits}"))
        .send(bytes);
    assert_eq!(answer.unwrap().status(), 202);
}
