//! Judges of what gateways are answered, with types that others publish: Envoy's messages over tonic, and the types of the
//! Kubernetes API's Rust client.
//!
//! `envoy URL TOKEN SERVICE ENVIRONMENT ARTIFACT [PERMIT]` asks over gRPC and prints what came back as JSON.
//! `review KIND OPERATION UID` reads `{"service", "image", "replicas", "annotations", "old_image", "old_replicas"}` and
//! prints an `AdmissionReview`; `answer UID` reads one that was answered and prints whether it admits, and why not.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use envoy_types::pb::envoy::service::auth::v3 as auth;
use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1 as core;
use kube_core::DynamicObject;
use kube_core::admission::AdmissionReview;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

type Any<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Any<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let told = match words.as_slice() {
        ["envoy", url, token, service, environment, artifact, permit @ ..] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(envoy(
                url,
                token,
                [service, environment, artifact],
                permit.first().copied(),
            ))?
        }
        ["review", kind, operation, uid] => review(kind, operation, uid, &input()?)?,
        ["answer", uid] => answer(uid, input()?)?,
        _ => return Err("say envoy, review or answer".into()),
    };
    println!("{told}");
    Ok(())
}

fn input() -> Any<Value> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}

async fn envoy(url: &str, token: &str, place: [&str; 3], permit: Option<&str>) -> Any<Value> {
    let [service, environment, artifact] = place;
    let mut client = auth::authorization_client::AuthorizationClient::connect(url.to_owned()).await?;
    let mut headers = HashMap::from([
        (":method".to_owned(), "POST".to_owned()),
        (":path".to_owned(), "/deploy".to_owned()),
    ]);
    if !artifact.is_empty() {
        headers.insert("assent-artifact".to_owned(), artifact.to_owned());
    }
    headers.extend(permit.map(|permit| ("assent-permit".to_owned(), permit.to_owned())));
    let http = auth::attribute_context::HttpRequest {
        id: "1".to_owned(),
        method: "POST".to_owned(),
        path: "/deploy".to_owned(),
        host: "deployments.example".to_owned(),
        headers,
        ..Default::default()
    };
    let attributes = auth::AttributeContext {
        source: Some(auth::attribute_context::Peer {
            principal: "spiffe://example/pipeline".to_owned(),
            ..Default::default()
        }),
        request: Some(auth::attribute_context::Request {
            http: Some(http),
            ..Default::default()
        }),
        context_extensions: HashMap::from([
            ("service".to_owned(), service.to_owned()),
            ("environment".to_owned(), environment.to_owned()),
        ]),
        ..Default::default()
    };
    let mut request = tonic::Request::new(auth::CheckRequest {
        attributes: Some(attributes),
    });
    if !token.is_empty() {
        request
            .metadata_mut()
            .insert("authorization", format!("Bearer {token}").parse()?);
    }
    let answer = match client.check(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Ok(json!({"grpc": i32::from(status.code()), "message": status.message()})),
    };
    let code = answer.status.as_ref().map(|status| status.code);
    let listed = |headers: &[envoy_types::pb::envoy::config::core::v3::HeaderValueOption]| -> BTreeMap<String, String> {
        headers
            .iter()
            .filter_map(|it| it.header.clone())
            .map(|it| (it.key, it.value))
            .collect()
    };
    Ok(match answer.http_response {
        Some(auth::check_response::HttpResponse::OkResponse(ok)) => {
            let removed = &ok.headers_to_remove;
            json!({"grpc": 0, "code": code, "allowed": true, "headers": listed(&ok.headers), "removed": removed})
        }
        Some(auth::check_response::HttpResponse::DeniedResponse(no)) => json!({
            "grpc": 0, "code": code, "allowed": false, "status": no.status.map(|status| status.code), "body": no.body,
            "headers": listed(&no.headers),
        }),
        _ => json!({"grpc": 0, "code": code}),
    })
}

/// A value in the shape of the client's type: what the type does not know or misses is an error.
fn typed<T: DeserializeOwned + Serialize>(value: Value) -> Any<Value> {
    Ok(serde_json::to_value(serde_json::from_value::<T>(value)?)?)
}

/// A workload with its group, in the shape of the Kubernetes API.
fn workload(kind: &str, told: &Value, image: &Value, replicas: &Value) -> Any<(Value, &'static str)> {
    let labels = match told["service"].as_str().unwrap_or_default() {
        "" => json!({}),
        service => json!({"app.kubernetes.io/name": service}),
    };
    let notes = if told["annotations"].is_object() {
        told["annotations"].clone()
    } else {
        json!({})
    };
    let metadata = json!({"name": "shop", "namespace": "shop", "labels": labels, "annotations": notes});
    let pod = json!({"containers": [{"name": "web", "image": image}]});
    let template = json!({"metadata": {"labels": labels}, "spec": pod});
    let selector = json!({"matchLabels": labels});
    let whole = |spec: Value| json!({"metadata": metadata, "spec": spec});
    let scaled = json!({"replicas": replicas, "selector": selector, "template": template});
    let job = json!({"template": template});
    Ok(match kind {
        "Pod" => (typed::<core::Pod>(whole(pod))?, ""),
        "Deployment" => (typed::<apps::Deployment>(whole(scaled))?, "apps"),
        "StatefulSet" => (typed::<apps::StatefulSet>(whole(scaled))?, "apps"),
        "ReplicaSet" => (typed::<apps::ReplicaSet>(whole(scaled))?, "apps"),
        "DaemonSet" => (
            typed::<apps::DaemonSet>(whole(json!({"selector": selector, "template": template})))?,
            "apps",
        ),
        "Job" => (typed::<batch::Job>(whole(job))?, "batch"),
        "CronJob" => (
            typed::<batch::CronJob>(whole(json!({"schedule": "0 * * * *", "jobTemplate": {"spec": job}})))?,
            "batch",
        ),
        "ConfigMap" => (typed::<core::ConfigMap>(json!({"metadata": metadata}))?, ""),
        other => return Err(format!("no kind `{other}`").into()),
    })
}

fn review(kind: &str, operation: &str, uid: &str, told: &Value) -> Any<Value> {
    let version = "v1";
    let (object, group) = workload(kind, told, &told["image"], &told["replicas"])?;
    let old = match told["old_image"] {
        Value::Null => Value::Null,
        ref image => workload(kind, told, image, &told["old_replicas"])?.0,
    };
    let body = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": {"group": group, "version": version, "kind": kind},
            "resource": {"group": group, "version": version, "resource": format!("{}s", kind.to_lowercase())},
            "name": "shop", "namespace": "shop", "operation": operation,
            "userInfo": {"username": "system:serviceaccount:kube-system:deployment-controller", "groups": ["system:authenticated"]},
            "object": object, "oldObject": old, "dryRun": false,
        },
    });
    // Through the client's own type, so that what is sent has the shape that its servers send.
    let typed: AdmissionReview<DynamicObject> = serde_json::from_value(body)?;
    Ok(serde_json::to_value(&typed)?)
}

fn answer(uid: &str, body: Value) -> Any<Value> {
    let review: AdmissionReview<DynamicObject> = serde_json::from_value(body)?;
    let response = review.response.ok_or("the answer holds no response")?;
    if response.uid != uid {
        return Err(format!("the answer is for `{}`", response.uid).into());
    }
    Ok(json!({"allowed": response.allowed, "message": response.result.message, "code": response.result.code}))
}
