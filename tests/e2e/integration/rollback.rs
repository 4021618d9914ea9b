//! A failed deployment starts the pipeline's rollback job through an outgoing webhook, and the job's result comes back.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, question, request, waiting_for_approval};
use tests::outside::Outside;
use tests::session::Session;
use tests::{Place, Server};

/// The address of a connection and its secret.
pub(crate) struct Hook<'a> {
    server: &'a Server,
    path: String,
    secret: String,
}

impl Hook<'_> {
    /// Reports a deployment.
    pub(crate) fn report(&self, id: &str, status: &str, artifact: &str) {
        let body = json!({
            "id": id, "service": "printer", "environment": "prod", "status": status, "artifact": artifact,
            "at": self.server.server_time().to_string(),
        });
        let bearer = format!("Bearer {}", self.secret);
        let headers = [("Authorization", bearer.as_str())];
        let (code, answer) = self.server.ask_with("POST", &self.path, None, Some(&body), &headers);
        assert_eq!(code, 202, "{}", String::from_utf8_lossy(&answer));
    }
}

/// A connection of a pipeline that reports its deployments.
pub(crate) fn connect(server: &Server) -> Hook<'_> {
    let request = json!({
        "kind": "plain", "name": "Pipelines",
        "map": [{"repository": "printer", "service": SERVICE, "environments": {"prod": ENVIRONMENT}}],
    });
    let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    Hook {
        server,
        path: made["hook_path"].as_str().unwrap().to_owned(),
        secret: made["secret"].as_str().unwrap().to_owned(),
    }
}

/// A change that went out with a permit, and its rollback target; its path.
fn under_way(server: &Server, new: &str, old: &str) -> String {
    let mut body = request("A new printer driver", new, server.server_time());
    body["targets"][0]["rollback_to"] = json!(old);
    let path = waiting_for_approval(server, &body, new);
    for role in ["owner", "security", "change_manager"] {
        approve(server, &path, role);
    }
    let pipeline = server.token("pipeline");
    let check = server.must("POST", "/api/v1/gate-checks", &pipeline, Some(&question(new)));
    assert_eq!(check["decision"], "go", "{check:#}");
    path
}

/// The page's form has the draft, and the command line takes it with a value of its own over it.
fn the_draft_is_a_start(server: &Server, path: &str, draft: &Value) {
    let key = path.rsplit('/').next().unwrap();
    let (summary, owner) = (draft["summary"].as_str().unwrap(), server.token("owner"));
    let line = summary.lines().nth(1).unwrap();
    let page = Session::begin(server, "owner")
        .get(&format!("/t/halden/changes/{key}"))
        .body;
    assert!(
        page.contains("Deployment failed"),
        "the report stands in the log of actions by itself"
    );
    let form = page.split("/review\"").nth(1).unwrap_or_default();
    let form = form.split("</form>").next().unwrap_or_default();
    assert!(form.contains(line) && !form.contains("checked"), "{form}");
    let assent = |words: &[&str]| {
        let done = std::process::Command::new(tests::binary())
            .args(["change"])
            .args(words)
            .env("ASSENT_SERVER", &server.url)
            .env("ASSENT_TOKEN", &owner)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    assert!(assent(&["review-draft", key]).contains(line));
    assent(&[
        "review",
        key,
        "--draft",
        "--cause",
        "missing_test",
        "--cause-text",
        "No printer of that kind was in the test.",
        "--improvement",
        "Try the driver on one printer first.",
    ]);
    let review = server.must("GET", path, &owner, None)["reviews"][0].clone();
    assert_eq!(
        (&review["summary"], &review["objectives_met"]),
        (&draft["summary"], &json!(false))
    );
    assert_eq!(review["improvements"], json!(["Try the driver on one printer first."]));
    assert_eq!(review["cause"], "missing_test");
}

/// The approvers, and owner and change manager of the failure and of the rollback.
fn the_draft_says_who_was_told(server: &Server, draft: &Value) {
    let told = draft["facts"]["told"].as_array().unwrap();
    let times = |role: &str, topic: &str| {
        let login = server.person(role)["login"].clone();
        let rows = told
            .iter()
            .filter(|row| row["person"] == login && row["topic"] == topic);
        rows.filter(|row| row["at"].is_string()).count()
    };
    assert_eq!(times("security", "asked_to_approve"), 1, "{told:#?}");
    for role in ["requester", "change_manager"] {
        assert_eq!(times(role, "went_wrong"), 2, "{role}: {told:#?}");
    }
    assert!(
        draft["summary"]
            .as_str()
            .unwrap()
            .contains(&format!("{} messages told", told.len()))
    );
}

/// The incident that the change caused.
fn incident_of(server: &Server, path: &str) -> String {
    let links = server.must("GET", &format!("{path}/links"), &server.token("requester"), None);
    let incident = links["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["kind"] == "caused");
    let incident = incident.unwrap_or_else(|| panic!("{links:#}"))["to"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(incident.starts_with("INC-"), "{incident}");
    incident
}

#[test]
fn a_failure_revokes_opens_an_incident_and_starts_the_rollback_whose_result_comes_back() {
    let place = Place::demo("rollback");
    let server = Server::start_with(&place, true, &["--outgoing-allow", "127.0.0.1"]);
    let (admin, requester) = (server.token("admin"), server.token("requester"));
    let (new, old) = (artifact(71), artifact(70));
    let runner = Outside::start(|_| (200, json!({})));
    let body = json!({"name": "runner", "url": runner.url, "kinds": ["deployment.failed"]});
    server.must("POST", "/api/v1/webhooks", &admin, Some(&body));
    let hook = connect(&server);
    let path = under_way(&server, &new, &old);
    let shown = || server.must("GET", &path, &requester, None);

    hook.report("run-1", "failure", &new);
    eventually("the target has ended", || shown()["outcome"] == "failed");
    assert_eq!(shown()["state"], "reviewing");
    let permits = server.must("GET", &format!("{path}/permits"), &requester, None);
    let states: Vec<&Value> = permits["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["state"])
        .collect();
    assert_eq!(states, ["revoked"], "{permits:#}");
    let incident = incident_of(&server, &path);

    eventually("the pipeline was told", || !runner.sent().is_empty());
    let event = runner.sent()[0].json();
    let told = &event["data"];
    assert_eq!(told["data"]["rollback_to"], json!(old), "{told:#}");
    assert_eq!(told["data"]["incident"], json!(incident));
    let mut back = question(told["data"]["rollback_to"].as_str().unwrap());
    back["purpose"] = json!("rollback");
    let check = server.must("POST", "/api/v1/gate-checks", &server.token("pipeline"), Some(&back));
    assert!(check["decision"] == "go" && check["permit"].is_string(), "{check:#}");
    hook.report("run-2", "in_progress", &old);
    hook.report("run-2", "success", &old);
    eventually("the way back was taken", || shown()["outcome"] == "rolled_back");
    assert!(shown()["unauthorized"] != true);

    let draft = server.must("GET", &format!("{path}/review-draft"), &requester, None);
    let facts = &draft["facts"];
    assert_eq!(draft["objectives_met"], false, "{draft:#}");
    assert_eq!(facts["alerts"][0]["key"], json!(incident), "{draft:#}");
    assert_eq!(facts["differs"][0]["before"], json!(old));
    assert_eq!(facts["permits"][0]["state"], "revoked");
    assert!(
        facts["timeline"].as_array().is_some_and(|rows| rows.len() > 5),
        "{draft:#}"
    );
    the_draft_says_who_was_told(&server, &draft);
    the_draft_is_a_start(&server, &path, &draft);
    server.wait_for_log();
    crate::platform::crash::must_verify(&server);
    server.stop();
    crate::platform::crash::must_replay(&place);
}
