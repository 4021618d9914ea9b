//! Facts behind a decision: results of test suites, waivers, running versions, and rollbacks, through the public interfaces.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, approve, artifact, gate_path, question, request, waiting_for_approval};
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

struct Scene<'a> {
    server: &'a Server,
    hook: String,
    secret: String,
}

impl<'a> Scene<'a> {
    fn new(server: &'a Server) -> Self {
        let body = json!({
            "kind": "plain", "name": "Pipelines",
            "map": [{"repository": "printer", "service": SERVICE, "environments": {"prod": ENVIRONMENT}}],
        });
        let made = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&body));
        Self {
            server,
            hook: made["hook_path"].as_str().unwrap().to_owned(),
            secret: made["secret"].as_str().unwrap().to_owned(),
        }
    }

    fn tell(&self, id: &str, status: &str, artifact: &str) {
        let body = json!({
            "id": id, "service": "printer", "environment": "prod", "status": status, "artifact": artifact,
            "at": self.server.server_time().to_string(),
        });
        let bearer = format!("Bearer {}", self.secret);
        let (code, answer) = self.server.ask_with(
            "POST",
            &self.hook,
            None,
            Some(&body),
            &[("Authorization", bearer.as_str())],
        );
        assert_eq!(code, 202, "{}", String::from_utf8_lossy(&answer));
    }

    /// A change that the gate lets through, and whose rollback target is another build.
    fn scheduled(&self, new: u64, old: u64) -> String {
        let mut body = request("Print faster", &artifact(new), self.server.server_time());
        body["targets"][0]["rollback_to"] = json!(artifact(old));
        let path = waiting_for_approval(self.server, &body, &artifact(new));
        for role in ["owner", "security", "change_manager"] {
            approve(self.server, &path, role);
        }
        path
    }

    fn evidence(&self, path: &str, more: Value) -> Value {
        let mut body = json!({"aspect": "functional", "environment": "staging"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let requester = self.server.token("requester");
        self.server
            .must("POST", &format!("{path}/evidence"), &requester, Some(&body))
    }

    fn accept(&self, path: &str, role: &str, id: &Value) {
        let path = format!("{path}/evidence/{}/acceptance", id.as_str().unwrap());
        let why = json!({"reason": "The test farm is down"});
        self.server.must("POST", &path, &self.server.token(role), Some(&why));
    }

    fn gate(&self, number: u64) -> (u16, Vec<String>) {
        let token = self.server.token("pipeline");
        let (code, answer) = self
            .server
            .ask("GET", &gate_path(&artifact(number)), Some(&token), None);
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let reasons = answer["reasons"].as_array().unwrap().iter();
        (
            code,
            reasons.map(|it| it["code"].as_str().unwrap().to_owned()).collect(),
        )
    }

    fn complete(&self, path: &str, role: &str, outcome: &str) {
        let body = json!({"outcome": outcome});
        self.server.must(
            "POST",
            &format!("{path}/completion"),
            &self.server.token(role),
            Some(&body),
        );
    }

    fn start(&self, number: u64) {
        let pipeline = self.server.token("pipeline");
        let check = self.server.must(
            "POST",
            "/api/v1/gate-checks",
            &pipeline,
            Some(&question(&artifact(number))),
        );
        assert_eq!(check["decision"], "go", "{check:#}");
    }

    fn shown(&self, path: &str) -> Value {
        self.server.must("GET", path, &self.server.token("requester"), None)
    }

    fn runs(&self) -> Vec<String> {
        let path = format!("/api/v1/running?service={SERVICE}&environment={ENVIRONMENT}");
        let list = self.server.must("GET", &path, &self.server.token("pipeline"), None);
        let rows = list["items"].as_array().unwrap().iter();
        rows.map(|it| it["artifact"].as_str().unwrap().to_owned()).collect()
    }
}

fn junit(cases: &str) -> String {
    format!(
        r#"<testsuite name="Unit" tests="4" failures="1"><testcase name="a"/>{cases}<testcase name="c"/></testsuite>"#
    )
}

#[test]
fn a_failed_suite_shuts_the_gate_until_it_passes_or_two_waive_it() {
    let place = Place::demo("facts");
    let server = Server::start(&place, true);
    let scene = Scene::new(&server);
    let path = scene.scheduled(81, 80);
    assert_eq!(scene.gate(81).0, 200);
    let unit = |cases: &str| json!({"kind": "junit", "name": "Unit", "artifact": artifact(81), "text": junit(cases)});
    let failed = scene.evidence(&path, unit(r#"<testcase name="b"><failure/></testcase>"#));
    assert_eq!(failed["result"], "failed", "{failed:#}");
    assert_eq!(scene.gate(81), (403, vec!["evidence_missing".to_owned()]));
    let note =
        json!({"kind": "note", "name": "Unit", "result": "passed", "artifact": artifact(81), "text": "All fine"});
    scene.evidence(&path, note);
    assert_eq!(scene.gate(81).0, 403, "a note covers no report");
    let flaky = scene.evidence(&path, unit(r#"<testcase name="b"><flakyFailure/></testcase>"#));
    assert_eq!(flaky["result"], "passed", "{flaky:#}");
    assert_eq!(scene.gate(81).0, 200);

    let open =
        json!({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scan"}}, "results": [{"kind": "open"}]}]});
    let sarif = json!({"kind": "sarif", "aspect": "security", "result": "passed", "artifact": artifact(81), "text": open.to_string()});
    assert_eq!(scene.evidence(&path, sarif)["result"], "unknown");

    // Another build goes by a waiver, once an owner and security agreed.
    let requester = server.token("requester");
    let mut body = request("Print faster still", &artifact(83), server.server_time());
    body["targets"][0]["artifact"] = json!(artifact(83));
    let path = waiting_for_approval(&server, &body, &artifact(84));
    for role in ["owner", "security", "change_manager"] {
        approve(&server, &path, role);
    }
    assert_eq!(
        scene.gate(83),
        (403, vec!["evidence_missing".to_owned()]),
        "it was another build that passed"
    );
    let bound_to_the_plan = json!({"kind": "note", "result": "passed", "text": "All fine"});
    scene.evidence(&path, bound_to_the_plan);
    assert_eq!(scene.gate(83).0, 403, "evidence without an artifact");
    let nameless = json!({"kind": "waiver", "text": "No time", "artifact": artifact(83)});
    let (code, _) = server.ask("POST", &format!("{path}/evidence"), Some(&requester), Some(&nameless));
    assert_eq!(code, 422, "it names no aspect");
    let waiver = scene.evidence(
        &path,
        json!({"kind": "waiver", "text": "The farm is down", "artifact": artifact(83)}),
    );
    scene.accept(&path, "owner", &waiver["id"]);
    assert_eq!(scene.gate(83).0, 403, "one of two");
    scene.accept(&path, "security", &waiver["id"]);
    assert_eq!(scene.gate(83).0, 200);
    server.wait_for_log();
    must_verify(&server);
    server.stop();
    must_replay(&place);
}

#[test]
fn what_runs_is_what_a_system_told_and_a_rollback_leads_there() {
    let place = Place::demo("running");
    let server = Server::start(&place, true);
    let scene = Scene::new(&server);
    // A person's report makes nothing run, neither forward nor back.
    let typed = scene.scheduled(91, 90);
    scene.start(91);
    scene.complete(&typed, "implementer", "succeeded");
    assert_eq!(scene.runs(), Vec::<String>::new());
    let typed = scene.scheduled(92, 90);
    scene.start(92);
    scene.complete(&typed, "implementer", "rolled_back");
    assert_eq!(scene.runs(), Vec::<String>::new());
    // A delivery does.
    let told = scene.scheduled(93, 90);
    scene.start(93);
    scene.tell("run-1", "success", &artifact(93));
    eventually("it runs", || scene.runs() == [artifact(93)]);
    assert_eq!(scene.shown(&told)["outcome"], "succeeded");
    let bill = |cves: &[&str]| {
        let listed: Vec<Value> = cves.iter().map(|id| json!({"id": id})).collect();
        let bill = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "vulnerabilities": listed});
        bill.to_string()
    };
    let report = |number: u64, cves: &[&str]| json!({"kind": "cyclonedx", "aspect": "security", "name": "Bill", "artifact": artifact(number), "text": bill(cves)});
    scene.evidence(&told, report(93, &["CVE-1"]));
    // The next one has a rollback target that never ran there, and brings a vulnerability of its own.
    let next = scene.scheduled(94, 89);
    let worse = scene.evidence(&next, report(94, &["CVE-1", "CVE-2"]));
    assert_eq!(worse["result"], "failed", "{worse:#}");
    assert!(
        worse["text"]
            .as_str()
            .unwrap()
            .contains("New compared with the running build: CVE-2."),
        "{worse:#}"
    );
    scene.start(94);
    assert_eq!(scene.gate(89), (403, vec!["rollback_unproven".to_owned()]));
    let tested = json!({"kind": "note", "result": "passed", "artifact": artifact(89), "text": "All fine"});
    scene.evidence(&next, tested);
    assert_eq!(scene.gate(89).0, 200);
    // Its rollback fails: the target stays open, also for the second attempt that succeeds.
    scene.tell("run-2", "in_progress", &artifact(89));
    scene.tell("run-2", "failure", &artifact(89));
    eventually("the rollback failed", || {
        scene.shown(&next)["outcome"] == "rollback_failed"
    });
    assert_ne!(scene.shown(&next)["targets"][0]["state"], "done");
    assert_eq!(scene.gate(89).0, 200);
    scene.tell("run-3", "success", &artifact(89));
    eventually("it is rolled back", || scene.shown(&next)["outcome"] == "rolled_back");
    eventually("the old one runs", || scene.runs().contains(&artifact(89)));
    // Where nothing was deployed there is nothing to take back.
    let never = scene.scheduled(95, 89);
    scene.start(95);
    scene.complete(&never, "implementer", "not_implemented");
    let asked = format!(
        "{}&change={}",
        gate_path(&artifact(89)),
        never.rsplit('/').next().unwrap()
    );
    let (code, answer) = server.ask("GET", &asked, Some(&server.token("pipeline")), None);
    assert_eq!(code, 403);
    assert!(String::from_utf8_lossy(&answer).contains("nothing_deployed"));
    server.wait_for_log();
    must_verify(&server);
    server.stop();
    must_replay(&place);
}
