//! The pages of the guide for gateways that no test can start as they are: each name, path and flag on them is one that the
//! routes accept.

use std::process::Command;

use serde_json::{Value, json};
use tests::caller::agent;
use tests::{Place, root};

use crate::gate::gateways::{SERVICE, Scene, blocks, client, digest};

/// The items between `[` and `]` behind a name, as YAML writes a short list.
fn listed<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let of_one = |rest: &'a str| rest.split_once(']').unwrap().0.split(',').map(str::trim);
    text.split(&format!("{name}: [")).skip(1).flat_map(of_one).collect()
}

/// The items behind a name, up to the line's end or a bracket.
fn said<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("{name}: ")).unwrap();
    rest.split(['\n', '}', ',']).next().unwrap().trim()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs/guide/gateways").join(name)).unwrap()
}

/// Runs a page's plain block with this test's server and artifact; its exit code and its output.
fn follow(scene: &Scene, block: &str, artifact: &str) -> (Option<i32>, String) {
    let text = block
        .replace("https://assent.example", &scene.server().url)
        .replace("sha256:…", artifact);
    let beside = tests::binary().parent().unwrap().to_path_buf();
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &text])
        .current_dir(&scene.server().data)
        .env(
            "PATH",
            format!("{}:{}", beside.display(), std::env::var("PATH").unwrap()),
        )
        .env("TOKEN", scene.server().token("pipeline"))
        .env("ASSENT_TOKEN", scene.server().token("pipeline"))
        .env("ASSENT_SERVER", &scene.server().url)
        .output()
        .unwrap();
    let told = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&told).into_owned())
}

/// Every flag that a page gives the companion is one that it has.
fn check_flags(page_name: &str, command: &str) {
    let help = Command::new(tests::binary())
        .args(["gateway", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let flags: Vec<&str> = command
        .split(|letter: char| letter.is_whitespace() || letter == ',')
        .filter(|word| word.starts_with("--"))
        .collect();
    assert!(flags.len() >= 4, "{page_name}: {flags:?}");
    for flag in flags {
        assert!(help.contains(flag), "{page_name}: the companion has no {flag}");
    }
}

/// Each kind of workload that the page sends is judged.
fn check_kubernetes(scene: &Scene, artifact: &str) {
    let kubernetes = page("kubernetes.md");
    check_flags("kubernetes.md", &listed(&kubernetes, "args").join(" "));
    let resources = listed(&kubernetes, "resources");
    assert!(resources.len() >= 9, "{resources:?}");
    let url = format!("http://127.0.0.1:{}{}", scene.companion, said(&kubernetes, "path"));
    for resource in resources {
        let kind = match resource {
            "pods" | "pods/ephemeralcontainers" => "Pod",
            // Of the same shape, in a group of its own.
            "replicationcontrollers" => "ReplicaSet",
            "deployments" => "Deployment",
            "statefulsets" => "StatefulSet",
            "daemonsets" => "DaemonSet",
            "replicasets" => "ReplicaSet",
            "jobs" => "Job",
            "cronjobs" => "CronJob",
            other => panic!("the page sends {other}, which nothing judges"),
        };
        let image = format!("registry.example/edge-dns@{artifact}");
        let told = json!({"service": SERVICE, "image": image, "replicas": 2});
        let mut review = client(
            &["review", kind, "CREATE", "705ab4f5-6393-11e8-b7cc-42010a800002"],
            &told,
        );
        if resource == "replicationcontrollers" {
            review["request"]["kind"] = json!({"group": "", "version": "v1", "kind": "ReplicationController"});
        }
        if resource == "pods/ephemeralcontainers" {
            // The patch of `kubectl debug`: the pod with one container more.
            let request = &mut review["request"];
            request["oldObject"] = request["object"].clone();
            request["operation"] = json!("UPDATE");
            request["subResource"] = json!("ephemeralcontainers");
            let image = format!("registry.example/debug@{}", digest('d'));
            request["object"]["spec"]["ephemeralContainers"] = json!([{"name": "debug", "image": image}]);
        }
        let mut answer = agent().post(&url).send_json(&review).unwrap();
        let told = answer.body_mut().read_to_string().unwrap();
        assert!(told.contains("change_missing"), "{resource}: {told}");
    }
    assert_eq!(said(&kubernetes, "failurePolicy"), "Fail");
}

#[test]
fn the_pages_of_envoy_kubernetes_and_plain_http_say_what_the_doors_take() {
    let place = Place::demo("gateway_pages");
    let scene = Scene::new(&place, &[]);
    let artifact = digest('a');
    let plain: Vec<String> = blocks("plain.md").into_iter().map(|(_, text)| text).collect();
    let (code, told) = follow(&scene, &plain[0], &artifact);
    assert!(code == Some(0) && told.contains(r#""decision":"stop""#), "{told}");
    let (code, told) = follow(&scene, &plain[1].replace("--wait 30m", ""), &artifact);
    assert!(code == Some(1) && told.contains("change_missing"), "{code:?} {told}");

    let readme = blocks("README.md").remove(0).1;
    check_flags("README.md", readme.split_once("assent gateway").unwrap().1);
    check_kubernetes(&scene, &artifact);
    let envoy = page("envoy.md");
    assert_eq!(said(&envoy, "failure_mode_allow"), "false");
    let key = scene.propose(&artifact, &digest('b'));
    for role in ["owner", "security", "change_manager"] {
        scene.approve(&key, role);
    }
    let companion = format!("http://127.0.0.1:{}", scene.companion);
    let (_, of_route) = envoy.split_once("context_extensions").unwrap();
    let (service, environment) = (said(of_route, "service"), said(of_route, "environment"));
    let told = client(
        &["envoy", &companion, "", service, environment, &artifact],
        &Value::Null,
    );
    assert_eq!(told["allowed"], true, "{told:#}");
    let asked = agent()
        .get(format!("{companion}{}/deploy?now", said(&envoy, "path_prefix")))
        .header("Assent-Artifact", &artifact)
        .header("Assent-Gateway", "envoy");
    assert_eq!(asked.call().unwrap().status(), 200);

    let (code, told) = follow(&scene, &plain[0], &artifact);
    assert!(code == Some(0) && told.contains(r#""decision":"go""#), "{told}");
    let (code, told) = follow(&scene, &plain[1], &artifact);
    assert!(
        code == Some(0) && scene.server().data.join("permit.jwt").is_file(),
        "{code:?} {told}"
    );
}
