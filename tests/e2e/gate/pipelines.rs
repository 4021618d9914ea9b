//! The kit for pipelines: every command of its pages, run as the vendor would run it, against a server with an approved
//! change; and the recipes by which others verify a permit.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::{Place, Server, root};

/// The commands of a page: shell blocks, the scripts inside of YAML and Groovy, and Python programs.
fn programs(page: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut block: Option<(String, String)> = None;
    for line in page.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(word)) => block = Some((word.to_owned(), String::new())),
            (Some(_), Some(_)) => {
                let (word, text) = block.take().unwrap();
                match word.as_str() {
                    "sh" => found.push(("sh", text)),
                    "python" => found.push(("python", text)),
                    "yaml" | "groovy" => found.extend(scripts(&text).into_iter().map(|text| ("sh", text))),
                    _ => {}
                }
            }
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The scripts of a vendor's file: the lines indented deeper than a line that ends with `|` or `'''`.
fn scripts(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut deeper_than: Option<usize> = None;
    for line in text.lines() {
        let inside = deeper_than.is_some_and(|outer| indent(line) > outer);
        if inside {
            found.last_mut().unwrap().push_str(&format!("{}\n", line.trim_start()));
            continue;
        }
        deeper_than = (line.ends_with('|') || line.ends_with("sh '''")).then(|| indent(line));
        if deeper_than.is_some() {
            found.push(String::new());
        }
    }
    found
}

/// A change that is approved for an artifact.
pub(crate) fn ready(server: &Server, artifact: &str) {
    ready_for(server, &["edge-dns"], artifact);
}

/// The same for several services, each a target.
pub(crate) fn ready_for(server: &Server, services: &[&str], artifact: &str) {
    let target = |service: &&str| json!({"service": service, "environment": "production", "artifact": artifact});
    let targets: Vec<_> = services.iter().map(target).collect();
    let requester = server.token("requester");
    let from = server.server_time() - jiff::SignedDuration::from_mins(1);
    let request = json!({
        "title": "Ship it", "description": "One build.", "justification": "It is tested.", "complexity": "low",
        "impact": {"data": "none", "availability": "low", "compliance": "none"},
        "targets": targets,
        "planned_start": from.to_string(), "planned_end": (from + jiff::SignedDuration::from_hours(2)).to_string(),
        "plan": [{"title": "Deploy"}], "rollback_plan": [{"title": "Deploy the old one"}],
    });
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&request));
    let path = format!("/api/v1/changes/{}", made["key"].as_str().unwrap());
    let reviewed = json!({"dependencies_reviewed": true});
    server.must("POST", &format!("{path}/submission"), &requester, Some(&json!({})));
    server.must("POST", &format!("{path}/assessment"), &requester, Some(&reviewed));
    let evidence = json!({"kind": "note", "aspect": "functional", "result": "passed", "environment": "staging", "artifact": artifact, "text": "ok"});
    server.must("POST", &format!("{path}/evidence"), &requester, Some(&evidence));
    for role in ["owner", "security", "change_manager"] {
        let digest = server.must("GET", &path, &requester, None)["content_digest"].clone();
        let decision = json!({"decision": "approve", "content_digest": digest});
        server.must(
            "POST",
            &format!("{path}/approvals"),
            &server.token(role),
            Some(&decision),
        );
    }
}

/// Runs a page's programs one after another in a folder; returns their output.
fn run(server: &Server, folder: &Path, name: &str, artifact: &str) -> String {
    let page = std::fs::read_to_string(root().join("docs/guide/pipelines").join(name)).unwrap();
    let programs = programs(&page);
    assert!(!programs.is_empty(), "{name} holds no command");
    let beside = tests::binary().parent().unwrap().to_path_buf();
    let path = format!("{}:{}", beside.display(), std::env::var("PATH").unwrap());
    let mut printed = String::new();
    for (language, text) in programs {
        let mut command = match language {
            "python" => Command::new(std::env::var_os("ASSENT_TEST_PYTHON").expect("run by cargo xtask test")),
            _ => Command::new("bash"),
        };
        command.args(if language == "python" {
            vec!["-c"]
        } else {
            vec!["-euo", "pipefail", "-c"]
        });
        let done = command
            .arg(&text)
            .current_dir(folder)
            .env("PATH", &path)
            .env("ASSENT_SERVER", &server.url)
            .env("ASSENT_TOKEN", server.token("pipeline"))
            .env("ARTIFACT", artifact)
            .output()
            .unwrap();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        assert!(done.status.success(), "{name}:\n{text}\n---\n{said}");
        printed.push_str(&said);
    }
    printed
}

#[test]
fn the_kit_for_pipelines_works_as_it_is_written() {
    let place = Place::demo("pipelines");
    let server = Server::start(&place, true);
    for (page, letter) in [("github-actions.md", 'a'), ("gitlab-ci.md", 'b'), ("jenkins.md", 'c')] {
        let folder = tempfile::tempdir().unwrap();
        let deploy = folder.path().join("deploy.sh");
        std::fs::write(&deploy, "#!/bin/sh\ntest -s \"$2\" && echo \"deployed $1\"\n").unwrap();
        let made = Command::new("chmod").arg("+x").arg(&deploy).status().unwrap();
        assert!(made.success());
        let artifact = format!("sha256:{}", letter.to_string().repeat(64));
        ready(&server, &artifact);
        let printed = run(&server, folder.path(), page, &artifact);
        assert!(printed.contains(&format!("deployed {artifact}")), "{page}: {printed}");
        assert!(
            printed.contains("people") && printed.contains("queue"),
            "{page}: {printed}"
        );
        if page == "github-actions.md" {
            let printed = run(&server, folder.path(), "verifying.md", &artifact);
            assert!(printed.contains("Signature Verified Successfully"), "{printed}");
            assert!(printed.contains("good: CHG-"), "{printed}");
        }
    }
}
