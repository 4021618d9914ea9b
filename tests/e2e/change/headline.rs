//! One change walks all nine steps, from a delivery as GitHub sends it to a bundle that strangers verify.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::approve;
use tests::{Place, Server};

use crate::audit::foreign::judge_bundle;
use crate::integration::deliveries::{Hook, connect_map, examples};
use crate::policy::mapping::assent;

/// Its repository in the example, and its sender.
const REPOSITORY: &str = "Codertocat/Hello-World";
const SENDER: &str = "github:Codertocat";
/// The service that the repository is, here.
const SERVICE: &str = "label-print";

/// The first example of an event, of which nothing is changed but when it was made.
fn example(event: &str, server: &Server) -> Value {
    let (_, mut body) = examples().into_iter().find(|(name, _)| name == event).unwrap();
    let now = server.server_time().to_string();
    for part in ["deployment", "deployment_status"] {
        for time in ["created_at", "updated_at"] {
            if body[part][time].is_string() {
                body[part][time] = json!(now);
            }
        }
    }
    assert_eq!(body["repository"]["full_name"], REPOSITORY);
    assert_eq!(body["deployment"]["environment"], "production");
    body
}

/// The example's status, with another state.
fn status(server: &Server, id: u64, word: &str) -> Value {
    let mut body = example("deployment_status", server);
    body["deployment_status"]["id"] = json!(id);
    body["deployment_status"]["state"] = json!(word);
    body
}

/// A change under way: its requests go here.
struct Walk<'s> {
    server: &'s Server,
    key: String,
    path: String,
}

impl Walk<'_> {
    fn show(&self) -> Value {
        self.server
            .must("GET", &self.path, &self.server.token("requester"), None)
    }

    fn state(&self) -> String {
        self.show()["state"].as_str().unwrap().to_owned()
    }

    fn does(&self, role: &str, rest: &str, body: &Value) -> Value {
        let path = format!("{}{rest}", self.path);
        self.server.must("POST", &path, &self.server.token(role), Some(body))
    }

    /// PATCH and PUT name the state of the change for which they were written.
    fn writes(&self, method: &str, rest: &str, body: &Value) {
        let token = self.server.token("requester");
        let etag = tests::caller::agent()
            .get(format!("{}{}", self.server.url, self.path))
            .header("Authorization", format!("Bearer {token}"))
            .call()
            .unwrap();
        let etag = etag.headers().get("etag").unwrap().to_str().unwrap().to_owned();
        let path = format!("{}{rest}", self.path);
        let (status, said) = self
            .server
            .ask_with(method, &path, Some(&token), Some(body), &[("If-Match", &etag)]);
        assert_eq!(status, 200, "{method} {path}: {}", String::from_utf8_lossy(&said));
    }

    /// The people and roles that the change waits for, of all that is unmet.
    fn waited_for(&self) -> Vec<String> {
        let path = format!("{}/requirements", self.path);
        let all = self.server.must("GET", &path, &self.server.token("requester"), None);
        let rows = all["items"].as_array().unwrap().iter();
        let people = rows.flat_map(|row| row["waiting_on"].as_array().cloned().unwrap_or_default());
        people.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
    }
}

/// The first step: the delivery makes a draft in the name of its sender, who is a known person, and the sender adds the facts
/// that GitHub does not know.
fn initiate<'s>(server: &'s Server, hook: &Hook<'_>) -> Walk<'s> {
    let requester = server.token("requester");
    assert_eq!(hook.good("deployment", "h-1", &example("deployment", server)), 202);
    let list = format!("/api/v1/changes?service={SERVICE}&state=draft&q=f95f852bd8fc");
    let found = || server.must("GET", &list, &requester, None)["items"].clone();
    eventually("the delivery made a draft", || {
        found().as_array().is_some_and(|it| it.len() == 1)
    });
    let key = found()[0]["key"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/changes/{key}");
    let walk = Walk { server, key, path };
    let draft = walk.show();
    assert_eq!(draft["requester"], server.person("requester")["login"], "{draft:#}");
    assert_eq!(
        draft["targets"][0]["commit"],
        "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
    );
    let content = json!({
        "justification": "Customs asks for it.", "complexity": "low", "tester": server.person("owner")["login"],
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "plan": [{"title": "Bring it out", "minutes": 10, "check": "A label prints"}],
        "rollback_plan": [{"title": "Bring the one before back", "minutes": 5}], "rollback_minutes": 5,
    });
    walk.writes("PATCH", "", &content);
    walk
}

/// Assessment, test, plan, schedule and approval, by the people that the change itself waits for.
fn prepare(walk: &Walk<'_>, server: &Server) {
    let now = server.server_time();
    let window = |minutes: i64| (now + SignedDuration::from_mins(minutes)).to_string();
    walk.writes(
        "PATCH",
        "",
        &json!({"planned_start": window(30), "planned_end": window(60)}),
    );
    walk.does("requester", "/submission", &json!({}));
    assert_eq!(walk.state(), "assessing");
    walk.does(
        "requester",
        "/assessment",
        &json!({"dependencies_reviewed": true, "security": {"new ports": "none"}}),
    );
    assert_eq!(walk.state(), "authorizing");
    let evidence = json!({
        "kind": "junit", "aspect": "functional", "environment": "staging",
        "artifact": walk.show()["targets"][0]["commit"],
        "text": "<testsuite name=\"labels\" tests=\"2\"><testcase name=\"a\"/><testcase name=\"b\"/></testsuite>",
    });
    assert_eq!(walk.does("requester", "/evidence", &evidence)["result"], "passed");
    let times = json!({"planned_start": window(-5), "planned_end": window(120)});
    walk.writes("PUT", "/schedule", &times);
    for role in ["owner", "security", "change_manager"] {
        let person = server.person(role);
        let waited = walk.waited_for();
        let is_asked = waited
            .iter()
            .any(|name| person["login"] == **name || person["name"] == **name);
        assert!(is_asked, "{role} is not asked: {waited:?}");
        approve(server, &walk.path, role);
    }
    assert_eq!(walk.state(), "scheduled");
}

/// The deployment begins and succeeds, as GitHub reports it.
fn implement(walk: &Walk<'_>, server: &Server, hook: &Hook<'_>) {
    assert_eq!(
        hook.good("deployment_status", "h-2", &status(server, 1, "in_progress")),
        202
    );
    eventually("the work has begun", || walk.state() == "implementing");
    let entry = json!({"kind": "step", "text": "Both nodes run it."});
    walk.does("implementer", "/implementation/entries", &entry);
    assert_eq!(
        hook.good("deployment_status", "h-3", &status(server, 2, "success")),
        202
    );
    eventually("every target has its outcome", || walk.state() == "reviewing");
    assert_eq!(walk.show()["outcome"], "succeeded");
}

fn review(summary: &str) -> Value {
    json!({"objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": summary})
}

/// The timeline's entries for the nine steps, each where it came first.
fn must_tell_of_each_step(walk: &Walk<'_>, server: &Server) {
    let events = server.must(
        "GET",
        &format!("{}/events?limit=200", walk.path),
        &server.token("auditor"),
        None,
    );
    let kinds: Vec<&str> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["kind"].as_str())
        .collect();
    let steps = [
        "change.created",
        "change.submitted",
        "change.assessed",
        "evidence.added",
        "change.approved",
        "change.scheduled",
        "change.implementing",
        "change.completed",
        "change.validated",
        "change.reviewed",
        "change.closed",
    ];
    let places: Vec<Option<usize>> = steps
        .iter()
        .map(|step| kinds.iter().position(|kind| kind == step))
        .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{steps:?} {places:?} in {kinds:?}"
    );
}

/// The change as a bundle has it: its version, and how many of its reviews are addenda.
fn bundled(folder: &Path) -> (u64, usize) {
    let records: Value = serde_json::from_slice(&std::fs::read(folder.join("record.json")).unwrap()).unwrap();
    let rows = records["records"].as_array().unwrap();
    let change = rows.iter().find(|row| row["table"] == "change").unwrap();
    assert_eq!(change["body"]["state"], "closed");
    let reviews = change["body"]["reviews"].as_array().unwrap();
    let addenda = reviews.iter().filter(|it| it["addendum"] == true).count();
    (change["version"].as_u64().unwrap(), addenda)
}

#[test]
fn one_change_walks_all_nine_steps_from_a_delivery_to_a_bundle_that_strangers_verify() {
    let place = Place::demo("headline");
    let server = Server::start(&place, true);
    let login = server.person("requester")["login"].as_str().unwrap().to_owned();
    let (code, told) = assent(&server, "admin", &["person", "account", &login, "--add", SENDER]);
    assert_eq!(code, 0, "{told:#}");
    let map = json!([{"repository": REPOSITORY, "service": SERVICE, "environments": {"production": "production"}}]);
    let hook = connect_map(&server, &map);
    let walk = initiate(&server, &hook);
    prepare(&walk, &server);
    implement(&walk, &server, &hook);
    walk.does(
        "owner",
        "/validation",
        &json!({"result": "works", "text": "Printed one of each."}),
    );
    walk.does("requester", "/review", &review("As planned."));
    assert_eq!(walk.state(), "reviewing", "closing is an act of its own");
    walk.does("requester", "/closure", &json!({}));
    assert_eq!(walk.state(), "closed");
    must_tell_of_each_step(&walk, &server);
    let folder = place.folder.path().join("bundles");
    let (first, second) = (folder.join("first"), folder.join("second"));
    judge_bundle(&server, &first, &walk.key);
    // A later fact reopens nothing: it is added, and the bundle is another one.
    walk.does(
        "change_manager",
        "/review",
        &review("A month later two labels were found in one language."),
    );
    assert_eq!(walk.state(), "closed");
    judge_bundle(&server, &second, &walk.key);
    let ((before, none), (after, one)) = (bundled(&first), bundled(&second));
    assert_eq!((none, one), (0, 1));
    assert!(after > before, "version {after} after {before}");
}
