//! The files that pipelines and clusters install: the actions of GitHub run step by step as a job runs them, the client's
//! installer over a release, every YAML file, the chart through Helm, and the script that makes a webhook's certificate.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tests::{Place, Server, root};

use super::pipelines::{ready, ready_for};

/// The version of the release that the tests make.
const VERSION: &str = "9.9.9";

fn python(script: &str) -> Command {
    let mut command = Command::new(std::env::var_os("ASSENT_TEST_PYTHON").expect("run by cargo xtask test"));
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(root().join("tests/pipelines").join(script));
    command
}

fn said(done: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    )
}

/// Runs a shell script in a folder and has it succeed.
fn shell(folder: &Path, script: &str) -> String {
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{script}\n{}", said(&done));
    said(&done)
}

/// A release as it lies at its address: the archive, whose programs run those under test, sums and their signature.
fn release(folder: &Path) -> PathBuf {
    let release = folder.join("release");
    std::fs::create_dir_all(&release).unwrap();
    let program = tests::binary();
    for (name, target) in [
        ("assent", program.clone()),
        ("assent-permit", program.with_file_name("assent-permit")),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, format!("#!/bin/sh\nexec '{}' \"$@\"\n", target.display())).unwrap();
    }
    shell(
        folder,
        &format!(
            "chmod +x assent assent-permit
             tar -czf release/assent-{VERSION}-x86_64-linux-client.tar.gz assent assent-permit
             (cd release && sha256sum *.tar.gz > SHA256SUMS)
             ssh-keygen -q -t ed25519 -N '' -f key
             ssh-keygen -q -Y sign -n assent-release -f key release/SHA256SUMS
             echo \"release $(cat key.pub)\" > signers"
        ),
    );
    release
}

/// A job: its folder, and the additions of its actions to the path.
struct Job<'a> {
    server: &'a Server,
    folder: &'a Path,
    path: Vec<String>,
}

impl Job<'_> {
    /// Runs an action with its inputs; its exit code, its output, and its outputs where it succeeded.
    fn action(&mut self, name: &str, inputs: &[(&str, &str)]) -> (Option<i32>, String, Value) {
        let usual = std::env::var("PATH").unwrap();
        let path = self.path.iter().cloned().chain([usual]).collect::<Vec<_>>().join(":");
        let mut command = python("composite.py");
        command
            .arg(root().join("packaging/github").join(name))
            .args(inputs.iter().map(|(name, value)| format!("{name}={value}")))
            .current_dir(self.folder)
            .env("RUNNER_TEMP", self.folder)
            .env("PATH", path)
            .env_remove("ASSENT_TOKEN");
        let done = command.output().unwrap();
        let text = said(&done);
        let last = String::from_utf8_lossy(&done.stdout).lines().last().map(str::to_owned);
        let told: Value = last
            .and_then(|line| serde_json::from_str(&line).ok())
            .unwrap_or_default();
        let added = told["path"].as_array().into_iter().flatten();
        self.path.extend(added.filter_map(|it| it.as_str().map(str::to_owned)));
        (done.status.code(), text, told["outputs"].clone())
    }

    /// Runs the action that queries the gate about an artifact.
    fn gate(&mut self, artifact: &str, wait: &str) -> (Option<i32>, String, Value) {
        let (url, token) = (self.server.url.clone(), self.server.token("pipeline"));
        let inputs = [
            ("server", url.as_str()),
            ("token", token.as_str()),
            ("service", "edge-dns"),
            ("environment", "production"),
            ("artifact", artifact),
            ("wait", wait),
        ];
        self.action("gate", &inputs)
    }
}

#[test]
fn a_job_installs_asks_the_gate_deploys_and_records_with_the_actions_alone() {
    let place = Place::demo("actions");
    let server = Server::start(&place, true);
    let folder = tempfile::tempdir().unwrap();
    let source = format!("file://{}", release(folder.path()).display());
    let signers = folder.path().join("signers").display().to_string();
    let mut job = Job {
        server: &server,
        folder: folder.path(),
        path: Vec::new(),
    };
    let install = [
        ("version", VERSION),
        ("source", source.as_str()),
        ("signers", signers.as_str()),
    ];
    let (code, text, outputs) = job.action("setup", &install);
    assert_eq!(code, Some(0), "{text}");
    assert!(outputs["version"].as_str().unwrap().starts_with("assent "), "{outputs}");

    let (code, text, _) = job.gate(&format!("sha256:{}", "e".repeat(64)), "1s");
    assert_eq!(code, Some(1), "an artifact that no change names is stopped: {text}");
    assert!(!folder.path().join("permit.jwt").exists(), "{text}");

    let artifact = format!("sha256:{}", "d".repeat(64));
    ready(&server, &artifact);
    let (code, text, outputs) = job.gate(&artifact, "30s");
    assert_eq!(code, Some(0), "{text}");
    let change = outputs["change"].as_str().unwrap().to_owned();
    assert!(folder.path().join(outputs["permit"].as_str().unwrap()).is_file());
    assert!(
        !text.contains(&server.token("pipeline")),
        "the token stands in the job's log"
    );

    let (url, token) = (server.url.clone(), server.token("pipeline"));
    let record = [
        ("server", url.as_str()),
        ("token", token.as_str()),
        ("change", change.as_str()),
        ("status", "success"),
    ];
    let (code, text, _) = job.action("record", &record);
    assert_eq!(code, Some(0), "{text}");
    let seen = server.must(
        "GET",
        &format!("/api/v1/changes/{change}"),
        &server.token("requester"),
        None,
    );
    assert_eq!(
        (seen["state"].as_str(), seen["outcome"].as_str()),
        (Some("reviewing"), Some("succeeded"))
    );

    let nothing = [
        ("server", url.as_str()),
        ("token", token.as_str()),
        ("change", ""),
        ("status", "failure"),
    ];
    let (code, text, _) = job.action("record", &nothing);
    assert_eq!(code, Some(1), "a step that is not told the change fails: {text}");
}

/// The checked artifact is deployed; no report names it as running on the other target.
#[test]
fn the_outcome_of_one_target_says_nothing_of_the_other() {
    let place = Place::demo("two-targets");
    let server = Server::start(&place, true);
    let folder = tempfile::tempdir().unwrap();
    let artifact = format!("sha256:{}", "7".repeat(64));
    ready_for(&server, &["status-page", "edge-dns"], &artifact);
    let mut job = Job {
        server: &server,
        folder: folder.path(),
        path: vec![tests::binary().parent().unwrap().display().to_string()],
    };
    let (code, text, outputs) = job.gate(&artifact, "30s");
    assert_eq!(code, Some(0), "{text}");
    let (url, token) = (server.url.clone(), server.token("pipeline"));
    let change = outputs["change"].as_str().unwrap();
    let mut record = vec![
        ("server", url.as_str()),
        ("token", token.as_str()),
        ("change", change),
        ("status", "success"),
    ];
    let (code, text, _) = job.action("record", &record);
    assert_ne!(code, Some(0), "{text}");
    assert!(text.contains("status-page in production"), "the other is named: {text}");
    record.push(("target", outputs["target"].as_str().unwrap()));
    let (code, text, _) = job.action("record", &record);
    assert_eq!(code, Some(0), "{text}");
    let path = format!("/api/v1/changes/{change}");
    let seen = server.must("GET", &path, &server.token("requester"), None);
    assert_eq!(seen["state"], "implementing", "{seen}");
    let path = "/api/v1/running?service=status-page";
    let running = server.must("GET", path, &server.token("requester"), None);
    assert!(!running.to_string().contains(&artifact), "{running}");
}

#[test]
fn a_client_whose_digest_or_signature_does_not_fit_is_not_installed() {
    let folder = tempfile::tempdir().unwrap();
    let release = release(folder.path());
    let install = |signers: &str, into: &str| {
        Command::new("sh")
            .arg(root().join("packaging/install/client.sh"))
            .args([VERSION, &format!("file://{}", release.display()), into, signers])
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    let good = install("signers", "good");
    assert!(good.status.success(), "{}", said(&good));
    shell(
        folder.path(),
        "ssh-keygen -q -t ed25519 -N '' -f other && echo \"release $(cat other.pub)\" > others",
    );
    let signed_by_another = install("others", "bad");
    assert!(!signed_by_another.status.success(), "{}", said(&signed_by_another));
    shell(folder.path(), "echo more >> release/*.tar.gz");
    let changed = install("", "bad");
    assert!(!changed.status.success(), "{}", said(&changed));
    assert!(!folder.path().join("bad").exists(), "nothing was unpacked");
}

#[test]
fn every_yaml_file_and_block_can_be_read_and_names_no_key_twice() {
    let done = python("check_yaml.py").arg(root()).output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let count: usize = String::from_utf8_lossy(&done.stdout).trim().parse().unwrap();
    assert!(count >= 18, "only {count} texts were found");
}

#[test]
fn helm_renders_the_chart_closed_and_refuses_values_that_cannot_work() {
    let done = python("chart.py").arg(root().join("packaging/chart")).output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
}

#[test]
fn the_certificate_of_the_webhook_is_for_the_service_and_trusted_through_its_bundle_alone() {
    let folder = tempfile::tempdir().unwrap();
    let script = root().join("packaging/kubernetes/certificate.sh");
    shell(
        folder.path(),
        &format!("sh '{}' made assent-gateway gates 30", script.display()),
    );
    shell(
        folder.path(),
        "openssl verify -CAfile made/ca.crt -verify_hostname assent-gateway.gates.svc made/tls.crt
         base64 -d made/ca-bundle.txt | cmp - made/ca.crt
         test \"$(stat -c %a made/tls.key)\" = 600
         ! openssl verify -CAfile made/ca.crt -verify_hostname assent-gateway.other.svc made/tls.crt",
    );
}

/// Each platform's commands for a runner; Jenkins and GitHub have tests of their own.
const PLATFORMS: &[(&str, char)] = &[
    ("gitlab", '1'),
    ("azure-devops", '2'),
    ("buildkite", '3'),
    ("tekton", '4'),
    ("argo-cd", '5'),
    ("flux", '6'),
];

/// A runner of a platform: its place, and its artifact.
struct Runner<'a> {
    server: &'a Server,
    platform: &'a str,
    artifact: String,
    release: &'a Path,
    work: tempfile::TempDir,
}

impl Runner<'_> {
    /// Runs the platform's commands; a name of `steps.py` that there is.
    fn run(&self, what: &str, wait: &str) -> Output {
        let script = python("steps.py")
            .arg(what)
            .args(["service=edge-dns", "environment=production", "tenant=halden"])
            .args([
                format!("server={}", self.server.url),
                format!("artifact={}", self.artifact),
            ])
            .args([
                format!("version={VERSION}"),
                format!("source=file://{}", self.release.display()),
            ])
            .arg(format!("wait={wait}"))
            .output()
            .unwrap();
        assert!(script.status.success(), "{what}: {}", said(&script));
        // A time that a file fixes at half an hour is shortened here, or the stop would take as long.
        let text = String::from_utf8(script.stdout).unwrap();
        let text = text.replace("30m", wait).replace("25m", wait);
        // Images have the program in their path; runners install it by the step itself.
        let beside = tests::binary().parent().unwrap().display().to_string();
        let usual = std::env::var("PATH").unwrap();
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", &text])
            .current_dir(self.work.path())
            .env("PATH", format!("{}:{beside}:{usual}", self.work.path().display()))
            .env("ARTIFACT", &self.artifact)
            .env("ASSENT_TOKEN", self.server.token("pipeline"))
            .output()
            .unwrap()
    }

    /// The change that names the artifact.
    fn change(&self) -> Value {
        let asked = format!("/api/v1/changes?artifact={}", self.artifact);
        let token = self.server.token("requester");
        let found = self.server.must("GET", &asked, &token, None);
        let path = format!("/api/v1/changes/{}", found["items"][0]["key"].as_str().unwrap());
        self.server.must("GET", &path, &token, None)
    }

    /// Programs of the platform, and a deployment, which fails.
    fn stand_ins(&self) {
        shell(
            self.work.path(),
            "printf '#!/bin/sh\nexit 0\n' > buildkite-agent
             printf '#!/bin/sh\nexit 1\n' | tee flux > deploy.sh
             chmod +x buildkite-agent flux deploy.sh",
        );
    }
}

#[test]
fn the_steps_of_every_other_platform_are_stopped_without_a_change_pass_with_an_approved_one_and_record_a_failure() {
    let place = Place::demo("platforms");
    let server = Server::start(&place, true);
    let folder = tempfile::tempdir().unwrap();
    let release = release(folder.path());
    std::fs::copy(root().join("packaging/install/client.sh"), release.join("client.sh")).unwrap();
    let mut runners = Vec::new();
    for (platform, digit) in PLATFORMS {
        let runner = Runner {
            server: &server,
            platform,
            artifact: format!("sha256:{}", digit.to_string().repeat(64)),
            release: &release,
            work: tempfile::tempdir().unwrap(),
        };
        let stopped = runner.run(platform, "1s");
        assert_eq!(stopped.status.code(), Some(1), "{platform}: {}", said(&stopped));
        assert!(
            said(&stopped).contains("change_missing"),
            "{platform}: {}",
            said(&stopped)
        );
        ready(&server, &runner.artifact);
        let passed = runner.run(platform, "60s");
        assert!(passed.status.success(), "{platform}: {}", said(&passed));
        let change = runner.change();
        assert_eq!(change["state"], "implementing", "{platform}: {change}");
        runners.push(runner);
    }
    // Argo CD's notifications report a failure; the others have a step for it.
    for runner in runners.iter().filter(|it| it.platform != "argo-cd") {
        runner.stand_ins();
        let recorded = runner.run(&format!("record-{}", runner.platform), "60s");
        let change = runner.change();
        let (platform, text) = (runner.platform, said(&recorded));
        assert_eq!(change["outcome"], "failed", "{platform}: {text}\n{change}");
    }
}
