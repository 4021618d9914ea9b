//! An agent from its account to the log: it drafts by `assent mcp`, its events name its charter, and people alone decide.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tests::journey::request;
use tests::{Place, Server, binary};

/// A running `assent mcp`.
struct Mcp {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: u64,
}

impl Mcp {
    fn start(server: &Server, token: &str) -> Self {
        let mut child = Command::new(binary())
            .arg("mcp")
            .env("ASSENT_SERVER", &server.url)
            .env("ASSENT_TOKEN", token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            input,
            output: BufReader::new(output),
            asked: 0,
        }
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let message = json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        writeln!(self.input, "{message}").unwrap();
        self.input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], self.asked, "{answer}");
        answer["result"].clone()
    }

    fn call(&mut self, name: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": name, "arguments": arguments}))
    }
}

impl Drop for Mcp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An agent of label-print; returns its token.
fn agent(server: &Server) -> String {
    let admin = server.token("admin");
    let person = json!({"login": "agent-release", "name": "Release helper", "roles": ["requester"]});
    server.must("POST", "/api/v1/people", &admin, Some(&person));
    let owner = server.person("owner")["login"].clone();
    let ends_at = server.server_time() + jiff::SignedDuration::from_hours(24 * 30);
    let body = json!({
        "person": "agent-release", "sponsor": owner, "charter": "Prepares releases of label-print.", "services": ["label-print"],
        "environments": ["production"], "changes_per_day": 3, "highest_risk": "high", "ends_at": ends_at.to_string(),
    });
    server.must("POST", "/api/v1/agents", &admin, Some(&body));
    let token = json!({"name": "agent", "person": "agent-release", "scopes": ["read", "write", "gate"]});
    let made = server.must("POST", "/api/v1/tokens", &admin, Some(&token));
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn an_agent_drafts_by_tools_and_is_marked_in_the_log() {
    let place = Place::demo("agents");
    let server = Server::start(&place, true);
    let token = agent(&server);
    let mut mcp = Mcp::start(&server, &token);
    let greeted = mcp.ask(
        "initialize",
        &json!({"protocolVersion": "2025-06-18", "capabilities": {}}),
    );
    assert_eq!(greeted["serverInfo"]["name"], "assent", "{greeted}");
    let listed = mcp.ask("tools/list", &json!({}));
    assert_eq!(listed["tools"].as_array().unwrap().len(), 4);

    let mut change = request("Scale the printer", "", server.server_time());
    change["owner"] = server.person("owner")["login"].clone();
    change["targets"] = json!([{"service": "label-print", "environment": "production"}]);
    let call = json!({"name": "scale", "arguments": {"app": "printer", "replicas": 3}});
    let drafted = mcp.call("draft_change", &json!({"change": change, "tool_call": call}));
    assert_eq!(drafted["isError"], false, "{drafted}");
    let drafted = &drafted["structuredContent"];
    assert_eq!(drafted["requester"], "agent-release", "{drafted}");
    let artifact = drafted["targets"][0]["artifact"].as_str().unwrap();
    assert!(artifact.starts_with("sha256:"), "{drafted}");

    let asked = |call: &Value| json!({"service": "label-print", "environment": "production", "tool_call": call});
    let stopped = mcp.call("check_gate", &asked(&call));
    assert_eq!(stopped["structuredContent"]["decision"], "stop", "{stopped}");
    let path = format!(
        "/api/v1/gate-checks/{}",
        stopped["structuredContent"]["id"].as_str().unwrap()
    );
    let kept = server.must("GET", &path, &token, None);
    assert_eq!(
        kept["by"], "agent-release",
        "the check of a tool call is recorded: {kept}"
    );

    let path = format!("/api/v1/changes/{}", drafted["key"].as_str().unwrap());
    let yes = json!({"decision": "approve", "content_digest": drafted["digests"]["content"]});
    let (status, _) = server.ask("POST", &format!("{path}/approvals"), Some(&token), Some(&yes));
    assert_eq!(status, 403, "an agent approves nothing");
    let events = server.must("GET", &format!("{path}/events"), &server.token("auditor"), None);
    let made = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["kind"] == "change.created");
    let data = &made.unwrap()["data"];
    assert!(data["by_agent"].as_str().unwrap().starts_with("sha256:"), "{events}");
    server.wait_for_log();
}
