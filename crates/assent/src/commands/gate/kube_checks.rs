//! `assent gate kubernetes`: evaluates the custom resource `GateCheck` of a cluster. An object is a request to the gate, and
//! its status the result, by which Argo CD, Flux and `kubectl wait` go on or wait.
//!
//! The environment is that of the command, and the services are bound to namespaces there: the author of an object can choose
//! neither.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::client::{Client, encode};
use crate::clock;
use crate::common::Common;
use crate::failure::{Failure, Result};
use crate::kube::{Cluster, Place};
use crate::output::{Output, array, text_of};

/// The kind of object.
const KIND: (&str, &str) = ("assent.dev/v1alpha1", "gatechecks");
/// The longest wait of a check, in seconds, as in the API.
const LONGEST_WAIT_SECONDS: i64 = 7 * 86_400;
/// How many reasons a status holds, and how long their texts are: objects of Kubernetes are small.
const MOST_REASONS: usize = 20;
const MOST_TEXT: usize = 500;

/// Answers the custom resource `GateCheck` of a Kubernetes cluster.
#[derive(Debug, Args)]
pub struct Kubernetes {
    /// The environment that the cluster is.
    #[arg(long, value_name = "KEY")]
    pub environment: String,
    /// A namespace and the service that objects in it may ask about; repeat it for more.
    #[arg(long = "bind", value_name = "NAMESPACE=SERVICE", required = true, value_parser = binding)]
    pub bindings: Vec<(String, String)>,
    /// The address of the API server; without it, that of the cluster in which this runs, with the account of its pod.
    #[arg(long, value_name = "URL")]
    pub kube_api: Option<String>,
    /// The file of the token for the API server.
    #[arg(long, value_name = "FILE")]
    pub kube_token_file: Option<String>,
    /// The file of the authority (PEM) of the API server.
    #[arg(long, value_name = "FILE")]
    pub kube_ca: Option<String>,
    /// How often the objects are looked at.
    #[arg(long, value_name = "SPAN", default_value = "5s", value_parser = clock::seconds)]
    pub every: i64,
    /// Look at them once and end.
    #[arg(long)]
    pub once: bool,
}

fn binding(text: &str) -> std::result::Result<(String, String), String> {
    let parts = text
        .split_once('=')
        .filter(|(one, other)| !one.is_empty() && !other.is_empty());
    let (namespace, service) = parts.ok_or_else(|| format!("`{text}` is no NAMESPACE=SERVICE"))?;
    Ok((namespace.to_owned(), service.to_owned()))
}

/// Evaluates objects until it is ended, or once.
///
/// # Errors
/// When the settings cannot be used; with `--once` also why an object could not be evaluated.
pub fn run(wanted: &Kubernetes, common: &Common, output: &Output) -> Result<u8> {
    let client = Client::new(common)?;
    let place = Place {
        url: wanted.kube_api.as_deref(),
        token_file: wanted.kube_token_file.as_deref(),
        authority: wanted.kube_ca.as_deref(),
    };
    let cluster = Cluster::new(place, common.insecure_http, Duration::from_secs(common.timeout))?;
    let every = Duration::from_secs(wanted.every.max(1).unsigned_abs());
    let mut told = String::new();
    loop {
        let done = round(wanted, &client, &cluster, output);
        if wanted.once {
            return done.map(|()| 0);
        }
        // The same error is reported once; an object without a result meanwhile is no go.
        let trouble = done.as_ref().err().map(Failure::text).unwrap_or_default();
        if let Err(failure) = &done
            && trouble != told
        {
            output.failure(failure);
        }
        told = trouble;
        std::thread::sleep(every);
    }
}

/// Evaluates every object that waits; the first failure is reported at the end of the round.
fn round(wanted: &Kubernetes, client: &Client, cluster: &Cluster, output: &Output) -> Result<()> {
    let mut failed = Ok(());
    let listed = cluster.visit(KIND, &mut |object| {
        if is_final(object) {
            return;
        }
        let done = settle(wanted, client, (cluster, object), output);
        if failed.is_ok() {
            failed = done;
        }
    });
    listed.and(failed)
}

/// Evaluates an object and writes its status, if that changed.
fn settle(wanted: &Kubernetes, client: &Client, (cluster, object): (&Cluster, &Value), output: &Output) -> Result<()> {
    let status = status_of(wanted, client, object)?;
    if is_written(&object["status"], &status) {
        return Ok(());
    }
    if cluster.write_status(KIND, object, &status)? {
        let (meta, phase) = (&object["metadata"], text_of(&status, "phase"));
        let place = (text_of(meta, "namespace"), text_of(meta, "name"));
        output.talk(&format!("{}/{}: {phase}", place.0, place.1));
    }
    Ok(())
}

/// Whether an object has its final result: go, or stop without a wait.
fn is_final(object: &Value) -> bool {
    let status = &object["status"];
    let is_of_now = status["observedGeneration"] == object["metadata"]["generation"];
    is_of_now && matches!(text_of(status, "phase").as_str(), "Go" | "Stop")
}

/// Whether a status has all of this already.
fn is_written(before: &Value, status: &Value) -> bool {
    let mut fields = status.as_object().into_iter().flatten();
    fields.all(|(name, value)| before[name.as_str()] == *value)
}

/// The status of an object from the gate's current response.
fn status_of(wanted: &Kubernetes, client: &Client, object: &Value) -> Result<Value> {
    let spec = &object["spec"];
    let (namespace, service) = (text_of(&object["metadata"], "namespace"), text_of(spec, "service"));
    let is_bound = |(known, of): &(String, String)| *known == namespace && *of == service;
    if !wanted.bindings.iter().any(is_bound) {
        let text = format!("Objects in `{namespace}` may not ask about the service `{service}`.");
        let help = "Whoever runs the cluster binds the service to the namespace (--bind).";
        let reason = json!({"code": "not_bound", "text": text, "satisfy": help});
        return Ok(status(
            object,
            &json!({"state": "settled", "decision": "stop", "reasons": [reason]}),
        ));
    }
    let known = text_of(&object["status"], "check");
    let is_of_now = object["status"]["observedGeneration"] == object["metadata"]["generation"];
    let checked = if known.is_empty() || !is_of_now {
        request_check(wanted, client, object)?
    } else {
        client.get(&format!("/gate-checks/{}", encode(&known)))?.body
    };
    Ok(status(object, &collected(client, checked)?))
}

/// Asks the gate. The same object requested again, after a lost response, is the same check.
fn request_check(wanted: &Kubernetes, client: &Client, object: &Value) -> Result<Value> {
    let (meta, spec) = (&object["metadata"], &object["spec"]);
    let mut body = Map::new();
    body.insert("environment".to_owned(), json!(wanted.environment));
    for name in ["service", "artifact", "commit", "change", "purpose"] {
        if let Some(value) = spec[name].as_str() {
            body.insert(name.to_owned(), json!(value));
        }
    }
    let wait = spec["waitSeconds"].as_i64().unwrap_or_default();
    if wait > 0 {
        body.insert("wait_seconds".to_owned(), json!(wait.min(LONGEST_WAIT_SECONDS)));
    }
    let key = format!("kube-{}-{}", text_of(meta, "uid"), meta["generation"]);
    let headers = [("Idempotency-Key", key.as_str())];
    let asked = client.send("POST", "/gate-checks", Some(&Value::Object(body)), &headers);
    match asked {
        Ok(answer) => Ok(answer.body),
        // An invalid request will never become valid.
        Err(Failure::Refused { status: 422, problem }) => {
            let text = Failure::Refused { status: 422, problem }.text();
            let reason = json!({"code": "invalid", "text": text, "satisfy": "Write another object."});
            Ok(json!({"state": "settled", "decision": "stop", "reasons": [reason]}))
        }
        Err(failure) => Err(failure),
    }
}

/// A check that turned to go, with its permit collected, which starts the change.
fn collected(client: &Client, mut checked: Value) -> Result<Value> {
    if text_of(&checked, "state") != "collectable" {
        return Ok(checked);
    }
    let path = format!("/gate-checks/{}/permit", encode(&text_of(&checked, "id")));
    match client.post(&path, &json!({})) {
        Ok(answer) => Ok(answer.body),
        // Between the turn and the collecting it turned back.
        Err(Failure::Refused { status: 409, problem }) => {
            checked["decision"] = json!("stop");
            checked["state"] = json!("waiting");
            checked["reasons"] = problem["unmet"].clone();
            Ok(checked)
        }
        Err(failure) => Err(failure),
    }
}

/// The fields of the status. `Ready` and `Stalled` are the conditions by which Flux and others judge any object (kstatus).
fn status(object: &Value, checked: &Value) -> Value {
    let is_go = checked["decision"] == "go";
    let is_waiting = matches!(text_of(checked, "state").as_str(), "waiting" | "collectable");
    let phase = match (is_go, is_waiting) {
        (_, true) => "Waiting",
        (true, false) => "Go",
        (false, false) => "Stop",
    };
    let cut = |text: String| text.chars().take(MOST_TEXT).collect::<String>();
    let reasons: Vec<Value> = array(checked, "reasons")
        .iter()
        .take(MOST_REASONS)
        .map(|row| {
            let of = |name: &str| cut(text_of(row, name));
            json!({"code": of("code"), "text": of("text"), "satisfy": of("satisfy")})
        })
        .collect();
    let first = reasons.first().map(|row| text_of(row, "text"));
    let message = match phase {
        "Go" => format!("The gate says go for {}.", text_of(checked, "change")),
        _ => first.unwrap_or_else(|| "The gate says stop.".to_owned()),
    };
    let (before, generation) = (&object["status"], &object["metadata"]["generation"]);
    let condition = |kind: &str, is_so: bool| {
        let status = if is_so { "True" } else { "False" };
        let same = array(before, "conditions")
            .iter()
            .find(|it| it["type"] == kind && it["status"] == status);
        let since = same.map(|it| it["lastTransitionTime"].clone());
        json!({
            "type": kind, "status": status, "reason": phase, "message": message, "observedGeneration": generation,
            "lastTransitionTime": since.unwrap_or_else(|| json!(clock::now().to_string())),
        })
    };
    json!({
        "phase": phase, "decision": if phase == "Go" { "go" } else { "stop" }, "observedGeneration": generation,
        "check": checked["id"], "change": checked["change"], "checkedAt": checked["checked_at"], "reasons": reasons,
        "conditions": [condition("Ready", phase == "Go"), condition("Stalled", phase == "Stop")],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    fn object() -> Value {
        json!({"metadata": {"namespace": "dns", "name": "a", "uid": "u", "generation": 1}, "spec": {"service": "edge-dns"}})
    }

    fn phase(checked: Value) -> String {
        text_of(&status(&object(), &checked), "phase")
    }

    #[test]
    fn only_a_go_that_was_collected_is_ready() {
        assert_eq!(
            phase(json!({"decision": "go", "state": "settled", "change": "CHG-1"})),
            "Go"
        );
        assert_eq!(phase(json!({"decision": "go", "state": "collectable"})), "Waiting");
        assert_eq!(phase(json!({"decision": "stop", "state": "waiting"})), "Waiting");
        for state in ["settled", "over"] {
            assert_eq!(phase(json!({"decision": "stop", "state": state})), "Stop");
        }
        assert_eq!(phase(json!({})), "Stop", "an answer that says nothing opens nothing");
    }

    #[test]
    fn a_status_that_says_the_same_is_not_written_again() {
        let mut known = object();
        let checked = json!({"id": "g1", "decision": "stop", "state": "waiting", "checked_at": "2026-11-28T10:00:00Z",
            "reasons": [{"code": "change_missing", "text": "No change.", "satisfy": "Draft one."}]});
        let first = status(&known, &checked);
        assert!(!is_written(&known["status"], &first));
        known["status"] = first.clone();
        // A null is no field there.
        known["status"]
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        assert!(is_written(&known["status"], &status(&known, &checked)));
        assert!(!is_final(&known));
        let gone = status(&known, &json!({"id": "g1", "decision": "go", "state": "settled"}));
        assert_eq!(gone["conditions"][0]["status"], "True");
        known["status"] = gone;
        assert!(is_final(&known));
        known["metadata"]["generation"] = json!(2);
        assert!(!is_final(&known), "another question needs another answer");
    }

    #[test]
    fn a_binding_names_both_sides() {
        assert_eq!(binding("dns=edge-dns"), Ok(("dns".to_owned(), "edge-dns".to_owned())));
        for bad in ["dns", "=edge-dns", "dns="] {
            assert!(binding(bad).is_err(), "{bad}");
        }
    }
}
