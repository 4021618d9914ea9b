//! Debian's Prometheus Alertmanager, unmodified, sends its alerts: each occurrence of a group is one incident, opened and
//! resolved.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::{Place, Server};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

/// It ends with the test.
pub(crate) struct Alertmanager {
    child: Child,
    url: String,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Alertmanager {
    /// Starts it with one receiver: our hook, with the connection's secret as its credential.
    pub(crate) fn start(server: &Server, hook: &Value, folder: &std::path::Path) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], tests::free_port()));
        let text = |name: &str| hook[name].as_str().unwrap();
        let config = format!(
            "route:\n  receiver: assent\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1h\nreceivers:\n  - name: assent\n    \
             webhook_configs:\n      - url: {}{}\n        send_resolved: true\n        http_config:\n          authorization:\n            \
             type: Bearer\n            credentials: {}\n",
            server.url,
            text("hook_path"),
            text("secret"),
        );
        let file = folder.join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let log = std::fs::File::create(folder.join("alertmanager.log")).unwrap();
        let child = Command::new(PROGRAM)
            .args([
                &format!("--config.file={}", file.display()),
                &format!("--storage.path={}", folder.join("storage").display()),
                &format!("--web.listen-address={listen}"),
                "--cluster.listen-address=",
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
        eventually("Alertmanager is ready", || {
            ureq::get(format!("{}/-/ready", own.url)).call().is_ok()
        });
        own
    }

    pub(crate) fn alert(&self, alert: &Value) {
        let body = json!([alert]).to_string();
        let request = ureq::post(format!("{}/api/v2/alerts", self.url)).header("Content-Type", "application/json");
        assert_eq!(request.send(body.as_str()).unwrap().status(), 200);
    }
}

fn incidents(server: &Server) -> Vec<Value> {
    let found = server.must("GET", "/api/v1/incidents?limit=200", &server.token("commander"), None);
    let is_ours = |row: &&Value| row["title"] == "Labels come out blank";
    found["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(is_ours)
        .cloned()
        .collect()
}

#[test]
fn an_alert_of_the_real_alertmanager_is_one_incident_from_its_beginning_to_its_end() {
    let place = Place::demo("alerts");
    let server = Server::start(&place, true);
    let request = json!({
        "kind": "alertmanager", "name": "Prometheus",
        "map": [{"repository": "printer", "service": "label-print", "environments": {}}],
    });
    let hook = server.must("POST", "/api/v1/connections", &server.token("admin"), Some(&request));
    let folder = tempfile::tempdir().unwrap();
    let sender = Alertmanager::start(&server, &hook, folder.path());
    let began = (server.server_time() - jiff::SignedDuration::from_mins(2)).to_string();
    let mut alert = json!({
        "labels": {"alertname": "BlankLabels", "service": "printer", "severity": "critical"},
        "annotations": {"summary": "Labels come out blank"}, "startsAt": began,
    });
    sender.alert(&alert);
    eventually("the incident is open", || incidents(&server).len() == 1);
    let open = incidents(&server).remove(0);
    assert_eq!(open["services"], json!(["label-print"]), "{open:#}");
    assert!(open.get("resolved_at").is_none_or(Value::is_null), "{open:#}");
    alert["endsAt"] = json!((server.server_time() - jiff::SignedDuration::from_secs(1)).to_string());
    sender.alert(&alert);
    eventually("the incident is over", || {
        incidents(&server)[0]["resolved_at"].is_string()
    });
    assert_eq!(incidents(&server).len(), 1);
}
