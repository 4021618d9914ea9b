//! Debian's nginx, Caddy, HAProxy and Apache are in front of a deployment service, each with the configuration of its guide;
//! Envoy and Kubernetes are played by clients that others publish. All query a companion, which queries the server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::caller::agent;
use tests::faults::eventually;
use tests::{Place, Server, free_port, root};

pub(crate) const SERVICE: &str = "edge-dns";
/// The result that [`Scene::expect`] needs for an open gate; closed is the code of a reason.
const GO: Result<(), &str> = Ok(());

pub(crate) fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

/// A process that ends with the test.
pub(crate) struct Own {
    child: Child,
    log: PathBuf,
}

impl Own {
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Self {
        let file = std::fs::File::create(&log).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn();
        let child =
            child.unwrap_or_else(|error| panic!("`{program}` cannot be started ({error}); run cargo xtask setup"));
        Self { child, log }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// The heads of requests that reached the deployment service.
pub(crate) type Reached = Arc<Mutex<Vec<Vec<u8>>>>;

/// The service that would deploy: it confirms every request, and keeps it.
fn deployment_service() -> (u16, Reached) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reached = Reached::default();
    let kept = Arc::clone(&reached);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                kept.lock().unwrap().push(head);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\ndeployed");
            });
        }
    });
    (port, reached)
}

/// The configuration blocks of a guide's page: fence label and text.
pub(crate) fn blocks(page: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("docs/guide/gateways").join(page)).unwrap();
    let mut found = Vec::new();
    let mut block: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(word)) => block = Some((word.to_owned(), String::new())),
            (Some(_), Some(_)) => found.extend(block.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// Writes a page's block of one language into a folder, with this test's ports and paths in place of the page's.
fn configure(page: &str, word: &str, file: &Path, ports: &Ports) {
    let found = blocks(page).into_iter().find(|(language, _)| language == word);
    let (_, text) = found.unwrap_or_else(|| panic!("{page} holds no block `{word}`"));
    let folder = file.parent().unwrap().to_str().unwrap();
    let text = text
        .replace("9080", &ports.door.to_string())
        .replace("9191", &ports.companion.to_string())
        .replace("9292", &ports.service.to_string())
        .replace("/etc/assent", folder);
    std::fs::write(file, text).unwrap();
}

#[derive(Clone, Copy)]
struct Ports {
    door: u16,
    companion: u16,
    service: u16,
}

/// A gateway that runs.
pub(crate) struct Gateway {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    process: Own,
}

fn start_gateway(name: &'static str, base: &Path, companion: u16, service: u16) -> Gateway {
    let folder = base.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let ports = Ports {
        door: free_port(),
        companion,
        service,
    };
    let path = |file: &str| folder.join(file);
    let mut command = match name {
        "nginx" => {
            configure("nginx.md", "nginx", &path("nginx.conf"), &ports);
            let mut command = Command::new("/usr/sbin/nginx");
            command
                .arg("-p")
                .arg(&folder)
                .args(["-c", "nginx.conf", "-e", "error.log"]);
            command.args(["-g", "daemon off;"]);
            command
        }
        "caddy" => {
            configure("caddy.md", "caddy", &path("Caddyfile"), &ports);
            let mut command = Command::new("caddy");
            command
                .args(["run", "--adapter", "caddyfile", "--config"])
                .arg(path("Caddyfile"));
            command.env("XDG_DATA_HOME", &folder).env("XDG_CONFIG_HOME", &folder);
            command
        }
        "haproxy" => {
            configure("haproxy.md", "lua", &path("assent.lua"), &ports);
            configure("haproxy.md", "haproxy", &path("haproxy.cfg"), &ports);
            let mut command = Command::new("/usr/sbin/haproxy");
            command.arg("-db").arg("-f").arg(path("haproxy.cfg"));
            command
        }
        _ => {
            configure("apache.md", "lua", &path("gate.lua"), &ports);
            configure("apache.md", "apache", &path("apache.conf"), &ports);
            let mut command = Command::new("/usr/sbin/apache2");
            command
                .arg("-d")
                .arg(&folder)
                .arg("-f")
                .arg(path("apache.conf"))
                .arg("-DFOREGROUND");
            command
        }
    };
    let process = Own::start(command.current_dir(&folder), path("out.log"));
    let gateway = Gateway {
        name,
        url: format!("http://127.0.0.1:{}", ports.door),
        process,
    };
    if tests::held::awaited(|| TcpStream::connect(("127.0.0.1", ports.door)).ok()).is_some() {
        return gateway;
    }
    let log = std::fs::read_to_string(&gateway.process.log).unwrap_or_default();
    panic!("{name} does not listen:\n{log}");
}

impl Gateway {
    /// Deploys an artifact through the gateway: the status and the body.
    fn deploy(&self, artifact: &str, permit: Option<&str>) -> (u16, String) {
        let mut request = agent()
            .post(format!("{}/deploy", self.url))
            .header("Assent-Artifact", artifact);
        if let Some(permit) = permit {
            request = request.header("Assent-Permit", permit);
        }
        let mut answer = request.send("now").unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_string().unwrap_or_default())
    }
}

/// Everything that stands.
pub(crate) struct Scene {
    server: Option<Server>,
    /// Where the companion listens.
    pub(crate) companion: u16,
    _companion: Own,
    pub(crate) gateways: Vec<Gateway>,
    /// The requests that reached the service behind.
    pub(crate) reached: Reached,
    requester: String,
    manager: String,
}

/// The file of the page for Kubernetes, for the namespace and the name of the published clients' workloads.
fn workloads_of_the_page() -> String {
    let found = blocks("kubernetes.md")
        .into_iter()
        .find(|(language, _)| language == "toml");
    let (_, text) = found.expect("the page holds the file that binds workloads");
    let more = r#"images = ["registry.example/edge-dns", "registry.example/debug"]"#;
    let text = text
        .replace("namespace = \"dns\"", "namespace = \"shop\"")
        .replace("\nname = \"edge-dns\"", "\nname = \"shop\"")
        .replace(r#"images = ["registry.example/edge-dns"]"#, more);
    let nobodys = r#"{text}
[[workload]]
service = "nobody-knows"
namespace = "shop"
name = "shop"
images = ["registry.example/nobody"]
"#;
    nobodys.replace("{text}", &text)
}

fn start_companion(server: &Server, folder: &Path, port: u16) -> Own {
    std::fs::create_dir_all(folder).unwrap();
    let token = folder.join("token");
    std::fs::write(&token, server.token("pipeline")).unwrap();
    let workloads = folder.join("workloads.toml");
    std::fs::write(&workloads, workloads_of_the_page()).unwrap();
    let mut command = Command::new(tests::binary());
    command
        .args([
            "gateway",
            "--server",
            &server.url,
            "--tenant",
            "halden",
            "--refresh",
            "1s",
        ])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .arg("--token-file")
        .arg(&token)
        .arg("--workloads")
        .arg(&workloads)
        .arg("--state")
        .arg(folder.join("state"));
    let own = Own::start(&mut command, folder.join("out.log"));
    eventually("the companion knows what an outage needs", || {
        health(port).is_some_and(|health| health["list_age_seconds"].is_i64() && health["running_age_seconds"].is_i64())
    });
    own
}

fn health(companion: u16) -> Option<Value> {
    let mut answer = agent()
        .get(format!("http://127.0.0.1:{companion}/healthz"))
        .call()
        .ok()?;
    serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
}

impl Scene {
    pub(crate) fn new(place: &Place, names: &[&'static str]) -> Self {
        let server = Server::start(place, true);
        let base = server.data.join("gateways");
        let companion = free_port();
        let own = start_companion(&server, &base.join("companion"), companion);
        let (service, reached) = deployment_service();
        let gateways = names
            .iter()
            .map(|name| start_gateway(name, &base, companion, service))
            .collect();
        let (requester, manager) = (server.token("requester"), server.token("change_manager"));
        Self {
            server: Some(server),
            companion,
            _companion: own,
            gateways,
            reached,
            requester,
            manager,
        }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn act(&self, token: &str, method: &str, path: &str, body: Value) -> Value {
        let body = Some(&body).filter(|body| !body.is_null());
        self.server().must(method, &format!("/api/v1{path}"), token, body)
    }

    /// Ends a freeze that was set a moment ago by the same person.
    pub(crate) fn end_freeze(&self, freeze: &str) {
        let path = format!("/freezes/{freeze}");
        self.act(&self.manager, "DELETE", &path, json!({"reason": "It is over."}));
    }

    /// A change that waits for its approvals alone.
    pub(crate) fn propose(&self, artifact: &str, rollback_to: &str) -> String {
        let from = self.server().server_time() - jiff::SignedDuration::from_mins(1);
        let request = json!({
            "title": "Ship it", "description": "One build.", "justification": "It is tested.", "complexity": "low",
            "impact": {"data": "none", "availability": "low", "compliance": "none"},
            "targets": [{"service": SERVICE, "environment": "production", "artifact": artifact, "rollback_to": rollback_to}],
            "planned_start": from.to_string(), "planned_end": (from + jiff::SignedDuration::from_hours(2)).to_string(),
            "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Deploy the old one"}],
        });
        let key = self.act(&self.requester, "POST", "/changes", request)["key"]
            .as_str()
            .unwrap()
            .to_owned();
        self.act(
            &self.requester,
            "POST",
            &format!("/changes/{key}/submission"),
            json!({}),
        );
        let reviewed = json!({"dependencies_reviewed": true});
        self.act(&self.requester, "POST", &format!("/changes/{key}/assessment"), reviewed);
        let evidence = json!({"kind": "note", "aspect": "functional", "result": "passed", "environment": "staging", "artifact": artifact, "text": "ok"});
        self.act(&self.requester, "POST", &format!("/changes/{key}/evidence"), evidence);
        key
    }

    pub(crate) fn approve(&self, key: &str, role: &str) -> String {
        let digest =
            self.act(&self.requester, "GET", &format!("/changes/{key}"), Value::Null)["content_digest"].clone();
        let decision = json!({"decision": "approve", "content_digest": digest});
        let made = self.act(
            &self.server().token(role),
            "POST",
            &format!("/changes/{key}/approvals"),
            decision,
        );
        made["id"].as_str().unwrap().to_owned()
    }

    fn freeze(&self, halt: bool) -> String {
        let now = self.server().server_time() - jiff::SignedDuration::from_secs(2);
        let freeze = json!({
            "title": "Year's end", "reason": "Books close.", "starts_at": now.to_string(),
            "ends_at": (now + jiff::SignedDuration::from_hours(4)).to_string(), "services": [SERVICE],
            "environments": ["production"], "halt": halt,
        });
        self.act(&self.manager, "POST", "/freezes", freeze)["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The first check after the response to an act must show it, through every gateway.
    fn expect(&self, when: &str, artifact: &str, permit: Option<&str>, want: Result<(), &str>) {
        for gateway in &self.gateways {
            let (status, body) = gateway.deploy(artifact, permit);
            let found = format!("{} {when}: {status} {body}", gateway.name);
            match want {
                Ok(()) => assert!(status == 200 && body == "deployed", "{found}"),
                Err(code) => {
                    assert_eq!(status, 403, "{found}");
                    let told: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{found}: {error}"));
                    let codes: Vec<&str> = told["reasons"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .filter_map(|row| row["code"].as_str())
                        .collect();
                    assert!(codes.contains(&code), "{found}: no {code}");
                }
            }
        }
    }
}

#[test]
fn four_proxies_open_at_the_approval_close_with_freeze_hold_and_revocation_and_take_permits_in_an_outage() {
    let place = Place::demo("gateways");
    let mut scene = Scene::new(&place, &["nginx", "caddy", "haproxy", "apache"]);
    let (artifact, before) = (digest('a'), digest('b'));
    scene.expect("before there is a change", &artifact, None, Err("change_missing"));
    scene.expect("with a text that is no digest", "latest", None, Err("not_a_digest"));
    let key = scene.propose(&artifact, &before);
    scene.approve(&key, "owner");
    scene.approve(&key, "security");
    scene.expect(
        "while one approval is missing",
        &artifact,
        None,
        Err("approval_missing"),
    );
    let approval = scene.approve(&key, "change_manager");
    scene.expect("once approved", &artifact, None, GO);
    let freeze = scene.freeze(false);
    scene.expect("in a freeze before the start", &artifact, None, Err("freeze"));
    scene.end_freeze(&freeze);
    scene.expect("after the freeze", &artifact, None, GO);
    scene.act(
        &scene.requester,
        "POST",
        &format!("/changes/{key}/hold"),
        json!({"reason": "A question."}),
    );
    scene.expect("on hold", &artifact, None, Err("on_hold"));
    scene.act(&scene.requester, "POST", &format!("/changes/{key}/resume"), json!({}));
    scene.expect("resumed", &artifact, None, GO);
    scene.act(
        &scene.manager,
        "DELETE",
        &format!("/changes/{key}/approvals/{approval}"),
        json!({}),
    );
    scene.expect("with an approval withdrawn", &artifact, None, Err("approval_missing"));
    scene.approve(&key, "change_manager");
    scene.expect("approved again", &artifact, None, GO);
    scene.expect("backwards before the start", &before, None, Err("change_missing"));
    under_way(&mut scene, &key, &artifact, &before);
}

fn collect(scene: &Scene, artifact: &str, purpose: &str) -> String {
    let question = json!({"service": SERVICE, "environment": "production", "artifact": artifact, "purpose": purpose});
    let check = scene.act(&scene.server().token("pipeline"), "POST", "/gate-checks", question);
    assert_eq!(check["decision"], "go", "{check:#}");
    check["permit"].as_str().unwrap().to_owned()
}

fn under_way(scene: &mut Scene, key: &str, artifact: &str, before: &str) {
    let revoked = collect(scene, artifact, "deploy");
    scene.expect("under way, with its permit", artifact, Some(&revoked), GO);
    let id = claim(&revoked, "jti").as_str().unwrap().to_owned();
    let why = json!({"reason": "The wrong build was asked for."});
    let (security, path) = (scene.server().token("security"), format!("/permits/{id}/revocation"));
    scene.act(&security, "POST", &path, why);
    scene.expect("with a revoked permit", artifact, Some(&revoked), Err("target_closed"));
    scene.expect("closed by the revocation", artifact, None, Err("target_closed"));
    let why = json!({"reason": "It was the right build."});
    scene.act(&security, "POST", &format!("{path}/lifting"), why);
    scene.expect(
        "lifted, with the revoked permit",
        artifact,
        Some(&revoked),
        Err("permit_revoked"),
    );
    scene.freeze(false);
    scene.expect("under way, in a freeze", artifact, None, GO);
    scene.expect("the way back, in a freeze", before, None, GO);
    let (forward, back) = (collect(scene, artifact, "deploy"), collect(scene, before, "rollback"));
    let halting = scene.freeze(true);
    scene.expect("under way, in a halting freeze", artifact, None, Err("freeze"));
    scene.expect("the way back, in a halting freeze", before, None, GO);
    scene.end_freeze(&halting);
    scene.expect("after the halt", artifact, None, GO);
    // The halt revoked the permits that were collected before it; a permit collected now is good, also in the very second of
    // the halt.
    let (halted, forward) = (forward, collect(scene, artifact, "deploy"));
    let epoch = claim(&forward, "epoch").as_u64();
    eventually("the companion's list has caught up", || {
        health(scene.companion).is_some_and(|health| health["list_epoch"].as_u64() >= epoch)
    });
    scene.server.take().unwrap().kill();
    scene.expect("with the server gone", artifact, None, Err("server_away"));
    scene.expect(
        "with the server gone and a revoked permit",
        artifact,
        Some(&revoked),
        Err("revoked"),
    );
    scene.expect(
        "with the server gone and a halted permit",
        artifact,
        Some(&halted),
        Err("revoked"),
    );
    scene.expect(
        "with the server gone and a permit for another",
        &digest('c'),
        Some(&forward),
        Err("wrong_artifact"),
    );
    scene.expect("with the server gone and a good permit", artifact, Some(&forward), GO);
    scene.expect("the way back with the server gone", before, Some(&back), GO);
    let _ = key;
}

fn claim(permit: &str, name: &str) -> Value {
    let payload = proof::crypto::from_base64url(permit.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&payload).unwrap()[name].clone()
}

/// The program with clients that others publish, built by `cargo xtask`.
fn clients() -> PathBuf {
    std::env::var_os("ASSENT_TEST_CLIENTS")
        .expect("run by cargo xtask test, which builds the clients")
        .into()
}

pub(crate) fn client(words: &[&str], input: &Value) -> Value {
    let mut child = Command::new(clients())
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(
        done.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn envoys_own_messages_are_understood_over_grpc_by_server_and_companion() {
    let place = Place::demo("envoy");
    let scene = Scene::new(&place, &[]);
    let artifact = digest('a');
    let pipeline = scene.server().token("pipeline");
    let companion = format!("http://127.0.0.1:{}", scene.companion);
    let server = scene.server().url.clone();
    let ask = |url: &str, token: &str, artifact: &str| {
        client(&["envoy", url, token, SERVICE, "production", artifact], &Value::Null)
    };
    for (url, token) in [(&companion, ""), (&server, pipeline.as_str())] {
        let told = ask(url, token, &artifact);
        assert_eq!(
            (&told["allowed"], &told["status"], &told["code"]),
            (&json!(false), &json!(403), &json!(7)),
            "{told:#}"
        );
        let body: Value = serde_json::from_str(told["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["reasons"][0]["code"], "change_missing");
        let told = ask(url, token, "");
        assert_eq!(told["headers"]["assent-decision"], "stop", "{told:#}");
    }
    assert_eq!(
        ask(&server, "", &artifact)["grpc"],
        16,
        "without a credential nothing is decided"
    );
    let key = scene.propose(&artifact, &digest('b'));
    for role in ["owner", "security", "change_manager"] {
        scene.approve(&key, role);
    }
    for (url, token) in [(&companion, ""), (&server, pipeline.as_str())] {
        let told = ask(url, token, &artifact);
        assert_eq!((&told["allowed"], &told["code"]), (&json!(true), &json!(0)), "{told:#}");
        assert_eq!(told["headers"]["assent-change"], key.as_str());
        assert_eq!(told["headers"]["assent-artifact"], artifact.as_str(), "as judged");
    }
    // Over HTTP Envoy puts the path of the request behind its prefix.
    let mut answer = agent()
        .get(format!("{companion}/gateway/http/{SERVICE}/production/deploy/../x?y=1"))
        .header("Assent-Artifact", &artifact)
        .call()
        .unwrap();
    assert_eq!(answer.status(), 200, "{:?}", answer.body_mut().read_to_string());
}

struct Cluster<'a> {
    scene: &'a Scene,
}

impl Cluster<'_> {
    /// Sends a review as the API server would; whether it was admitted, and the message.
    fn apply(&self, kind: &str, operation: &str, told: &Value) -> (bool, String) {
        self.review(kind, operation, told, false)
    }

    /// As [`Cluster::apply`], for `kubectl apply --dry-run=server`.
    fn try_out(&self, kind: &str, told: &Value) -> (bool, String) {
        self.review(kind, "CREATE", told, true)
    }

    fn review(&self, kind: &str, operation: &str, told: &Value, is_dry_run: bool) -> (bool, String) {
        let mut review = client(
            &["review", kind, operation, "705ab4f5-6393-11e8-b7cc-42010a800002"],
            told,
        );
        review["request"]["dryRun"] = json!(is_dry_run);
        let url = format!(
            "http://127.0.0.1:{}/gateway/kubernetes/production",
            self.scene.companion
        );
        let mut answer = agent().post(url).send_json(&review).unwrap();
        assert_eq!(answer.status(), 200);
        let body: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        let told = client(&["answer", "705ab4f5-6393-11e8-b7cc-42010a800002"], &body);
        (
            told["allowed"].as_bool().unwrap(),
            told["message"].as_str().unwrap_or_default().to_owned(),
        )
    }
}

/// Workloads whose image or service cannot be determined, each with the code of its refusal.
fn must_refuse_what_cannot_be_judged(cluster: &Cluster<'_>, artifact: &str) {
    let image = format!("registry.example/edge-dns@{artifact}");
    let workload = |image: &str| json!({"service": SERVICE, "image": image, "replicas": 2});
    for (kind, told, code) in [
        (
            "Deployment",
            workload("registry.example/edge-dns:latest"),
            "image_without_digest",
        ),
        (
            "Deployment",
            workload(&format!("registry.example/edge-dns@{}@{artifact}", digest('b'))),
            "malformed",
        ),
        (
            "Deployment",
            workload(&format!("registry.example/label-print@{artifact}")),
            "not_bound",
        ),
        (
            "Deployment",
            workload(&format!("registry.example/nobody@{artifact}")),
            "unknown_service",
        ),
        (
            "Deployment",
            json!({"service": SERVICE, "image": image, "annotations": {"assent/service.web": "label-print"}}),
            "other_service",
        ),
        ("ConfigMap", workload(&image), "unknown_kind"),
        (
            "Pod",
            json!({"service": SERVICE, "image": image, "annotations": {"assent/change": "CHG-1"}}),
            "change_missing",
        ),
    ] {
        let (admitted, message) = cluster.apply(kind, "CREATE", &told);
        assert!(!admitted && message.contains(code), "{kind}: {message}");
    }
}

#[test]
fn workloads_are_admitted_by_digest_and_what_runs_may_restart_also_in_an_outage() {
    let place = Place::demo("admission");
    let mut scene = Scene::new(&place, &[]);
    let artifact = digest('a');
    let image = format!("registry.example/edge-dns@{artifact}");
    let workload = |image: &str| json!({"service": SERVICE, "image": image, "replicas": 2});
    let kinds = [
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
    ];
    {
        let cluster = Cluster { scene: &scene };
        for kind in kinds {
            let (admitted, message) = cluster.apply(kind, "CREATE", &workload(&image));
            assert!(!admitted && message.contains("change_missing"), "{kind}: {message}");
        }
        must_refuse_what_cannot_be_judged(&cluster, &artifact);
    }
    refusals_are_shown(&scene);
    run(&scene, &artifact, &kinds);
    let other = format!("registry.example/edge-dns@{}", digest('c'));
    eventually("the companion has heard what runs", || {
        let state = scene.server().data.join("gateways/companion/state/running.json");
        std::fs::read_to_string(state).is_ok_and(|text| text.contains(&artifact))
    });
    scene.server.take().unwrap().kill();
    let cluster = Cluster { scene: &scene };
    assert!(
        cluster.apply("Pod", "CREATE", &workload(&image)).0,
        "what runs restarts in an outage"
    );
    let (admitted, message) = cluster.apply("Pod", "CREATE", &workload(&other));
    assert!(!admitted && message.contains("server_away"), "{message}");
}

/// Approves the change, brings it out, and checks again when its target is done.
fn run(scene: &Scene, artifact: &str, kinds: &[&str]) {
    let image = format!("registry.example/edge-dns@{artifact}");
    let workload = |image: &str| json!({"service": SERVICE, "image": image, "replicas": 2});
    let key = scene.propose(artifact, &digest('b'));
    let cluster = Cluster { scene };
    let (admitted, message) = cluster.try_out("Pod", &workload(&image));
    assert!(
        !admitted && message.contains(&key),
        "tried out before the approval: {message}"
    );
    for role in ["owner", "security", "change_manager"] {
        scene.approve(&key, role);
    }
    let before = scene.act(&scene.requester, "GET", &format!("/changes/{key}"), Value::Null);
    for kind in kinds {
        assert!(cluster.try_out(kind, &workload(&image)).0, "{kind}, tried out");
    }
    let after = scene.act(&scene.requester, "GET", &format!("/changes/{key}"), Value::Null);
    assert_eq!(after, before, "trying out leaves the change as it was");
    for kind in kinds {
        assert!(cluster.apply(kind, "CREATE", &workload(&image)).0, "{kind}");
    }
    collect(scene, artifact, "deploy");
    let done = json!({"outcome": "succeeded"});
    scene.act(
        &scene.server().token("pipeline"),
        "POST",
        &format!("/changes/{key}/completion"),
        done,
    );
    let (go_forward, _) = scene.server().ask(
        "GET",
        &format!("/api/v1/gate?service={SERVICE}&environment=production&artifact={artifact}"),
        Some(&scene.server().token("pipeline")),
        None,
    );
    assert_eq!(go_forward, 403, "the plain gate knows that the target is done");
    assert!(
        cluster.apply("Pod", "CREATE", &workload(&image)).0,
        "a restart of what runs waits for nobody"
    );
    let grown = json!({"service": SERVICE, "image": image, "replicas": 9, "old_image": image, "old_replicas": 2});
    assert!(
        cluster.apply("Deployment", "UPDATE", &grown).0,
        "a scale-out of what runs waits for nobody"
    );
    let other = format!("registry.example/edge-dns@{}", digest('c'));
    let swapped = json!({"service": SERVICE, "image": other, "replicas": 2, "old_image": image, "old_replicas": 2});
    assert!(
        !cluster.apply("Deployment", "UPDATE", &swapped).0,
        "another image is another question"
    );
    let shrunk = json!({"service": SERVICE, "image": other, "replicas": 0, "old_image": other, "old_replicas": 2});
    assert!(
        cluster.apply("ReplicaSet", "UPDATE", &shrunk).0,
        "an old one may shrink"
    );
}

/// Refused questions are counted and shown to the administrator with their reasons.
fn refusals_are_shown(scene: &Scene) {
    let admin = scene.server().token("admin");
    eventually("the refused questions are counted", || {
        let list = scene.act(&admin, "GET", "/gate-refusals?limit=200", Value::Null);
        let rows = list["items"].as_array().unwrap();
        [
            "unknown_kind",
            "image_without_digest",
            "unknown_service",
            "change_missing",
        ]
        .iter()
        .all(|code| {
            rows.iter()
                .any(|row| row["code"] == *code && row["door"] == "kubernetes")
        })
    });
}
