//! Debian's Prometheus, unmodified, reads the targets and rules that are raised while a change is watched, and reports on an
//! objective; a server that is killed finds the raised monitors, and lowered ones are gone again.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{artifact, scheduled};
use tests::outside::Outside;
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};
use crate::policy::mapping::assent;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/prometheus";

/// It ends with the test.
struct Prometheus {
    child: Child,
    url: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts it over the files that the server writes into a folder.
    fn start(folder: &Path) -> Self {
        let listen = format!("127.0.0.1:{}", tests::free_port());
        let raised = folder.join("raised");
        let config = format!(
            "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files:\n  - {0}/*.rules.yml\nscrape_configs:\n  - job_name: raised\n    \
             file_sd_configs:\n      - files: [\"{0}/*.targets.json\"]\n        refresh_interval: 1s\n",
            raised.display()
        );
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let log = std::fs::File::create(folder.join("prometheus.log")).unwrap();
        let child = Command::new(PROGRAM)
            .args([
                &format!("--config.file={}", file.display()),
                &format!("--storage.tsdb.path={}", folder.join("tsdb").display()),
                &format!("--web.listen-address={listen}"),
                "--web.enable-lifecycle",
            ])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("`{PROGRAM}` cannot be started ({error}); run cargo xtask setup"));
        let own = Self {
            child,
            url: format!("http://{listen}"),
        };
        eventually("Prometheus is ready", || {
            ureq::get(format!("{}/-/ready", own.url)).call().is_ok()
        });
        own
    }

    fn get(&self, path: &str) -> String {
        let mut answer = ureq::get(format!("{}/api/v1/{path}", self.url)).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    /// Whether it has the rule and the target of the monitor.
    fn has(&self, what: &str) -> (bool, bool) {
        (self.get("rules").contains(what), self.get("targets").contains(what))
    }
}

fn measures(server: &Server, key: &str) -> Vec<Value> {
    let found = server.must(
        "GET",
        "/api/v1/objective-measures?limit=200",
        &server.token("owner"),
        None,
    );
    let mut rows = found["items"].as_array().unwrap().clone();
    rows.retain(|row| row["change"] == key);
    rows
}

/// A monitor and an objective of the label printers; returns the monitor.
fn watched_more(server: &Server, prometheus: &Prometheus, hook: &Outside) -> Value {
    let admin = server.token("admin");
    let target = prometheus.url.trim_start_matches("http://").to_owned();
    let monitor = json!({"key": "label-walk", "title": "Labels", "services": ["label-print"], "scrape_targets": [target],
        "expression": "vector(1)", "url": format!("{}/hook", hook.url)});
    let objective = json!({"key": "label-burn", "title": "Burn", "service": "label-print", "url": prometheus.url,
        "expression": "vector(3)", "bound_is": "at_most", "bound": "2", "every_minutes": 1});
    // Prometheus cannot read it, which holds up no other rule.
    let wrong = json!({"key": "label-wrong", "title": "Wrong", "services": ["label-print"], "expression": "rate(up)"});
    server.must("POST", "/api/v1/monitors", &admin, Some(&wrong));
    server.must("POST", "/api/v1/objectives", &admin, Some(&objective));
    server.must("POST", "/api/v1/monitors", &admin, Some(&monitor))
}

/// The page of monitors shows that Prometheus read its rules, and which it cannot read; so do the API and the command line.
fn all_tell_of_the_reload(server: &Server, key: &str) {
    let admin = Session::begin(server, "admin");
    let page = || admin.get("/t/halden/monitors").body;
    eventually("the page tells of the reload", || {
        let shown = page();
        shown.contains("Prometheus read its rules") && shown.contains("Rules that Prometheus cannot read")
    });
    let shown = page();
    let (_, told) = shown.split_once("Rules that Prometheus cannot read").unwrap();
    assert!(told.contains("label-wrong"), "{told}");
    api_tells_of_the_reload(server, key);
}

/// The API and the command line show the same, with what is placed for the change.
fn api_tells_of_the_reload(server: &Server, key: &str) {
    let admin = server.token("admin");
    let state = server.must("GET", "/api/v1/monitoring-state", &admin, None);
    assert_eq!(
        (&state["reloads"], &state["reload_failed"], &state["left_out"]),
        (&json!(true), &Value::Null, &json!(["label-wrong"])),
        "{state:#}"
    );
    let raised = state["raised"].as_array().unwrap();
    let walk = raised.iter().find(|it| it["monitor"] == "label-walk").unwrap();
    assert_eq!(
        (&walk["change"], &walk["expressions"]),
        (&json!(key), &json!(["vector(1)"])),
        "{walk:#}"
    );
    let (ended, told) = assent(server, "admin", &["monitor", "state"]);
    assert_eq!((ended, &told["left_out"]), (0, &state["left_out"]), "{told:#}");
    let (status, _) = server.get("/api/v1/monitoring-state", Some(&server.token("requester")));
    assert_eq!(status, 403);
}

#[test]
fn what_is_raised_for_a_change_reaches_a_real_prometheus_and_leaves_it_again() {
    let place = Place::demo("raised");
    let folder = tempfile::tempdir().unwrap();
    let raised = folder.path().join("raised");
    std::fs::create_dir(&raised).unwrap();
    let prometheus = Prometheus::start(folder.path());
    let hook = Outside::start(|_| (200, json!({})));
    let (dir, reload) = (raised.display().to_string(), format!("{}/-/reload", prometheus.url));
    let flags = [
        "--monitoring-dir",
        dir.as_str(),
        "--monitoring-reload",
        reload.as_str(),
        "--outgoing-allow",
        "127.0.0.0/8",
    ];
    let server = Server::start_with(&place, true, &flags);
    let monitor = watched_more(&server, &prometheus, &hook);
    let path = scheduled(&server, "Sharper labels", &artifact(93_101));
    let key = path.rsplit('/').next().unwrap().to_owned();
    assert!(
        !prometheus.has("AssentLabelWalk").0,
        "nothing is raised before the start"
    );
    let implementer = server.token("implementer");
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &implementer,
        Some(&json!({})),
    );
    eventually("the rule is there", || prometheus.has("AssentLabelWalk").0);
    eventually("the target is there", || prometheus.has("label-walk").1);
    all_tell_of_the_reload(&server, &key);
    let told = hook.wait_for("the call that it is raised", |one| one.path == "/hook");
    assert_eq!(
        (&told.json()["state"], &told.json()["change"]),
        (&json!("raised"), &json!(key))
    );
    eventually("the objective is measured", || measures(&server, &key).len() == 1);
    let measure = measures(&server, &key).remove(0);
    assert_eq!(
        (&measure["value"], &measure["result"]),
        (&json!("3"), &json!("missed")),
        "{measure:#}"
    );
    server.kill();
    // A manual edit, or half a write: the next server makes the file equal to the records.
    std::fs::write(raised.join("halden.rules.yml"), "{\"groups\": []}").unwrap();
    let server = Server::start_with(&place, true, &flags);
    eventually("the rules are written again", || {
        std::fs::read_to_string(raised.join("halden.rules.yml")).is_ok_and(|text| text.contains("AssentLabelWalk"))
    });
    let id = monitor["id"].as_str().unwrap();
    server.must(
        "DELETE",
        &format!("/api/v1/monitors/{id}"),
        &server.token("admin"),
        None,
    );
    eventually("what is lowered is gone", || {
        let (rule, target) = prometheus.has("label-walk");
        !rule && !target
    });
    hook.wait_for("the call that it is lowered", |one| one.json()["state"] == "lowered");
    server.wait_for_log();
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}
