//! The custom resource `GateCheck`: `assent gate kubernetes` against an API server that lists objects, merges their status and
//! refuses an edit of a stale version, as its documents describe.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::journey::{ENVIRONMENT, SERVICE, artifact, scheduled};
use tests::outside::{Outside, Sent};
use tests::{Place, Server, binary};

const LIST: &str = "/apis/assent.dev/v1alpha1/gatechecks";
/// Tokens for objects from this one on expire at once.
const EXPIRES: usize = 200;

type Objects = Arc<Mutex<BTreeMap<String, Value>>>;

/// Merges a patch (RFC 7386).
fn merge(into: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let object = into.as_object_mut().unwrap();
    for (name, value) in fields {
        if value.is_null() {
            object.remove(name);
        } else {
            merge(object.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Writes the status alone, as the subresource does.
fn write(objects: &Objects, sent: &Sent) -> (u16, Value) {
    assert_eq!(sent.header("content-type"), "application/merge-patch+json");
    let parts: Vec<&str> = sent.path.split('/').collect();
    let [
        "",
        "apis",
        "assent.dev",
        "v1alpha1",
        "namespaces",
        namespace,
        "gatechecks",
        name,
        "status",
    ] = parts[..]
    else {
        panic!("nothing else is written: {}", sent.path);
    };
    let patch = sent.json();
    let mut objects = objects.lock().unwrap();
    let object = objects.get_mut(name).unwrap();
    assert_eq!(object["metadata"]["namespace"], namespace);
    if patch["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
        return (
            409,
            json!({"kind": "Status", "message": "the object has been modified"}),
        );
    }
    merge(&mut object["status"], &patch["status"]);
    let next: u64 = object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    object["metadata"]["resourceVersion"] = json!((next + 1).to_string());
    (200, object.clone())
}

/// The list in pages of two, whatever the limit: a server may return fewer. The first token of the last pages has expired: its
/// refusal holds another one, which goes on from there.
fn list(objects: &Objects, path: &str) -> (u16, Value) {
    let token = path.split_once("continue=").map_or("0", |(_, text)| text);
    let objects = objects.lock().unwrap();
    let after: usize = token.trim_start_matches("fresh-").parse().unwrap();
    if after >= EXPIRES && !token.starts_with("fresh-") {
        let fresh = json!({"continue": format!("fresh-{after}")});
        return (
            410,
            json!({"kind": "Status", "reason": "Expired", "message": "too old", "metadata": fresh}),
        );
    }
    let items: Vec<Value> = objects.values().skip(after).take(2).cloned().collect();
    let next = if after + 2 < objects.len() {
        (after + 2).to_string()
    } else {
        String::new()
    };
    (
        200,
        json!({"kind": "GateCheckList", "metadata": {"continue": next}, "items": items}),
    )
}

fn cluster(objects: &Objects) -> Outside {
    let objects = objects.clone();
    Outside::start(move |sent| {
        if sent.header("authorization") != "Bearer account" {
            return (401, json!({"kind": "Status", "message": "Unauthorized"}));
        }
        match sent.method.as_str() {
            "GET" if sent.path.starts_with(LIST) => list(&objects, &sent.path),
            "PATCH" => write(&objects, sent),
            other => panic!("nothing else is asked: {other} {}", sent.path),
        }
    })
}

fn add(objects: &Objects, (name, namespace): (&str, &str), (artifact, wait): (&str, i64)) {
    let object = json!({
        "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "generation": 1, "resourceVersion": "1"},
        "spec": {"service": SERVICE, "artifact": artifact, "waitSeconds": wait},
    });
    objects.lock().unwrap().insert(name.to_owned(), object);
}

fn status(objects: &Objects, name: &str) -> Value {
    objects.lock().unwrap()[name]["status"].clone()
}

/// Looks at the objects once.
fn look((url, token): (&str, &str), cluster: &Outside, account: &Path) -> Output {
    Command::new(binary())
        .args(["gate", "kubernetes", "--once", "--environment", ENVIRONMENT])
        .args(["--bind", &format!("labels={SERVICE}"), "--kube-api", &cluster.url])
        .arg("--kube-token-file")
        .arg(account)
        .env("ASSENT_SERVER", url)
        .env("ASSENT_TOKEN", token)
        .output()
        .unwrap()
}

fn written(cluster: &Outside) -> usize {
    cluster.sent().iter().filter(|sent| sent.method == "PATCH").count()
}

#[test]
fn an_object_of_the_cluster_gets_the_answer_of_the_gate_as_its_status() {
    let place = Place::demo("kube-checks");
    let server = Server::start(&place, true);
    let (objects, folder) = (Objects::default(), tempfile::tempdir().unwrap());
    let cluster = cluster(&objects);
    let account = folder.path().join("token");
    let token = server.token("pipeline");
    let asked = (server.url.as_str(), token.as_str());
    std::fs::write(&account, "account\n").unwrap();
    let (approved, later) = (artifact(9_860), artifact(9_861));
    let path = scheduled(&server, "Asked by the cluster", &approved);
    let key = path.rsplit('/').next().unwrap();
    add(&objects, ("approved", "labels"), (&approved, 0));
    add(&objects, ("elsewhere", "other"), (&approved, 0));
    add(&objects, ("nobodys", "labels"), (&artifact(9_862), 0));
    add(&objects, ("waiting", "labels"), (&later, 3_600));
    let done = look(asked, &cluster, &account);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    let go = status(&objects, "approved");
    assert_eq!(
        (&go["phase"], &go["decision"], &go["change"]),
        (&json!("Go"), &json!("go"), &json!(key)),
        "{go:#}"
    );
    assert_eq!(
        (&go["conditions"][0]["type"], &go["conditions"][0]["status"]),
        (&json!("Ready"), &json!("True"))
    );
    let change = server.must("GET", &path, &server.token("auditor"), None);
    assert_eq!(change["state"], "implementing", "the go starts the change");
    assert!(
        !json!(*objects.lock().unwrap()).to_string().contains("eyJ"),
        "no permit stands in the cluster"
    );
    let first = |name: &str| status(&objects, name)["reasons"][0]["code"].clone();
    for (name, phase, code) in [
        ("nobodys", "Stop", "change_missing"),
        ("elsewhere", "Stop", "not_bound"),
        ("waiting", "Waiting", "change_missing"),
    ] {
        assert_eq!(
            (&status(&objects, name)["phase"], &first(name)),
            (&json!(phase), &json!(code)),
            "{name}"
        );
    }

    // An object with its final result is left alone, and a waiting one is written when its result changes.
    let before = written(&cluster);
    assert!(look(asked, &cluster, &account).status.success() && written(&cluster) == before);
    let outcome = json!({"outcome": "succeeded"});
    server.must(
        "POST",
        &format!("{path}/completion"),
        &server.token("implementer"),
        Some(&outcome),
    );
    scheduled(&server, "Approved while the cluster waits", &later);
    assert!(look(asked, &cluster, &account).status.success());
    let turned = status(&objects, "waiting");
    assert_eq!(
        (&turned["phase"], &turned["conditions"][1]["status"]),
        (&json!("Go"), &json!("False")),
        "{turned:#}"
    );
    assert_eq!(written(&cluster), before + 1);
    must_reach_the_last_of_many(asked, (&cluster, &account), &objects);
    what_is_away_opens_nothing((server, &cluster), &objects, &account);
}

/// Objects with their final result are left behind, so that those after them are reached, however many pages there are, and also
/// where the cluster drops the snapshot of the list meanwhile.
fn must_reach_the_last_of_many(asked: (&str, &str), (cluster, account): (&Outside, &Path), objects: &Objects) {
    for number in 0..EXPIRES + 20 {
        let name = format!("old-{number:04}");
        add(objects, (&name, "labels"), (&artifact(9_862), 0));
        let over = json!({"phase": "Stop", "observedGeneration": 1});
        objects.lock().unwrap().get_mut(&name).unwrap()["status"] = over;
    }
    add(objects, ("zuletzt", "other"), (&artifact(9_862), 0));
    let done = look(asked, cluster, account);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(status(objects, "zuletzt")["reasons"][0]["code"], "not_bound");
    objects.lock().unwrap().retain(|name, _| !name.starts_with("old-"));
}

/// An account that the cluster does not take, and a gate that is away, open nothing.
fn what_is_away_opens_nothing((server, cluster): (Server, &Outside), objects: &Objects, account: &Path) {
    add(objects, ("new", "labels"), (&artifact(9_860), 0));
    std::fs::write(account, "another").unwrap();
    let refused = look((&server.url, &server.token("pipeline")), cluster, account);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("401"));
    std::fs::write(account, "account").unwrap();
    let (url, token) = (server.url.clone(), server.token("pipeline"));
    assert!(server.stop().success());
    assert_eq!(look((&url, &token), cluster, account).status.code(), Some(2));
    assert!(status(objects, "new").is_null(), "it is no go");
}
