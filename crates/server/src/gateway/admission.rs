//! Kubernetes' `ValidatingWebhook`: an `AdmissionReview` of `admission.k8s.io/v1` in, one out. A workload is admitted when
//! each of its images may go, by the gate or because it is recorded as running.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::binding::Bindings;
use super::question::{Decide, Decided, GatewayQuestion, Place, permit_of};
use super::unclear::Unclear;
use super::workload::{Site, Workload, is_made, is_unchanged, read, template_path};
use crate::http::body::{JsonBody, check_length, read_all};
use crate::http::failure::Failure;

/// The largest review, in bytes: an object and the one before it.
const LIMIT: u64 = 4 * 1024 * 1024;
/// The supported version.
const VERSION: &str = "admission.k8s.io/v1";
/// The endpoint's name in counts.
const DOOR: &str = "kubernetes";
/// The longest message to the person who applied the workload, in characters.
const MESSAGE: usize = 2_000;

/// `POST /gateway/kubernetes/{environment}`.
pub(super) async fn answer<D: Decide>(
    State(decider): State<D>,
    Path(environment): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match review(&decider, &environment, headers, body).await {
        Ok(answer) => axum::Json(answer).into_response(),
        Err(failure) => failure.into_response(),
    }
}

/// The object to be judged.
enum Task {
    /// Not a deployment: admitted.
    Nothing(&'static str),
    /// A workload.
    Workload(Workload),
}

async fn review<D: Decide>(decider: &D, environment: &str, headers: HeaderMap, body: Body) -> Result<Value, Failure> {
    check_length(&headers, LIMIT)?;
    let fields = JsonBody::parse(&read_all(body, LIMIT).await?)?.fields;
    let review = Value::Object(fields);
    let request = &review["request"];
    let uid = request["uid"].as_str().unwrap_or_default().to_owned();
    let is_review = review["apiVersion"] == VERSION && review["kind"] == "AdmissionReview" && !uid.is_empty();
    let task = if is_review {
        task(request, environment, decider.bindings())
    } else {
        Err(unclear_review(&review))
    };
    match task {
        Ok(Task::Nothing(why)) => Ok(describe(&uid, true, why, json!({"assent": why}))),
        Ok(Task::Workload(workload)) => judge(decider, &uid, &workload, environment, &headers).await,
        Err(unclear) => {
            let asked = question(Err(unclear), None, &headers);
            Ok(refused(&uid, &[(String::new(), decider.decide(asked).await?)]))
        }
    }
}

fn unclear_review(review: &Value) -> Unclear {
    Unclear {
        code: "malformed",
        subject: review["apiVersion"].as_str().unwrap_or_default().to_owned(),
        text: format!("The body is no `AdmissionReview` of `{VERSION}` with a `request.uid`."),
        satisfy: "Set `admissionReviewVersions: [v1]` in the webhook.",
    }
}

fn task(request: &Value, environment: &str, bindings: Option<&Bindings>) -> Result<Task, Unclear> {
    let word = |field: &str| request["kind"][field].as_str().unwrap_or_default();
    let (group, kind) = (word("group"), word("kind"));
    // The scale of a workload names no image; each of its pods has a request of its own.
    if kind == "Scale" && request["subResource"] == "scale" {
        return Ok(Task::Nothing("scale"));
    }
    let path = template_path(group, kind)?;
    let operation = request["operation"].as_str().unwrap_or_default();
    match operation {
        "DELETE" => return Ok(Task::Nothing("delete")),
        "CREATE" | "UPDATE" => {}
        other => {
            return Err(Unclear {
                code: "unknown_operation",
                subject: other.to_owned(),
                text: format!("`{other}` is no operation that is judged here."),
                satisfy: "Let the webhook's rules name CREATE and UPDATE alone.",
            });
        }
    }
    if operation == "UPDATE" && is_unchanged(&request["oldObject"], &request["object"], path) {
        return Ok(Task::Nothing("unchanged"));
    }
    let site = Site {
        environment,
        namespace: request["namespace"].as_str().unwrap_or_default(),
        is_made: is_made(kind),
        bindings,
    };
    read(&request["object"], path, site).map(Task::Workload)
}

fn question(about: Result<Place, Unclear>, permit: Option<String>, headers: &HeaderMap) -> GatewayQuestion {
    GatewayQuestion {
        door: DOOR.to_owned(),
        about,
        permit,
        headers: headers.clone(),
    }
}

async fn judge<D: Decide>(
    decider: &D,
    uid: &str,
    workload: &Workload,
    environment: &str,
    headers: &HeaderMap,
) -> Result<Value, Failure> {
    let mut stopped = Vec::new();
    let mut notes = Vec::new();
    for image in &workload.images {
        let place = Place {
            service: image.service.clone(),
            environment: environment.to_owned(),
            artifact: Some(image.digest.clone()),
            change: workload.change.clone(),
            admits_running: true,
            ..Place::default()
        };
        let asked = question(Ok(place), permit_of(workload.permit.as_deref()), headers);
        let decided = decider.decide(asked).await?;
        if decided.is_go() {
            let change = decided.change.clone().unwrap_or_default();
            notes.push(format!("{}: {} ({})", image.container, change, decided.basis.as_str()));
        } else {
            stopped.push((image.reference.clone(), decided));
        }
    }
    if stopped.is_empty() {
        return Ok(describe(uid, true, "go", json!({"images": notes.join(", ")})));
    }
    Ok(refused(uid, &stopped))
}

fn refused(uid: &str, stopped: &[(String, Decided)]) -> Value {
    let mut lines = Vec::new();
    for (image, decided) in stopped {
        for reason in &decided.reasons {
            let about = if image.is_empty() {
                String::new()
            } else {
                format!("{image}: ")
            };
            lines.push(format!("{about}{} ({}) {}", reason.text, reason.code, reason.satisfy));
        }
    }
    let message: String = lines.join(" ").chars().take(MESSAGE).collect();
    let codes: Vec<&str> = stopped
        .iter()
        .flat_map(|(_, decided)| &decided.reasons)
        .map(|reason| reason.code.as_str())
        .collect();
    describe(
        uid,
        false,
        &format!("stop: {message}"),
        json!({"codes": codes.join(",")}),
    )
}

fn describe(uid: &str, is_allowed: bool, message: &str, notes: Value) -> Value {
    // Clients of the API expect a status in any case, although only that of a refusal is looked at.
    let status = if is_allowed {
        json!({"code": 200, "message": message})
    } else {
        json!({"code": 403, "reason": "Forbidden", "message": message})
    };
    let response = json!({"uid": uid, "allowed": is_allowed, "status": status, "auditAnnotations": notes});
    json!({"apiVersion": VERSION, "kind": "AdmissionReview", "response": response})
}
