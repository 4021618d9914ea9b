//! Argo CD notifications whose template sends the application itself: `{"app": {{toJson .app}}}`. The shape is that of the
//! Application resource, `argoproj.io/v1alpha1`. A deployment is one operation of one application: its name and the time at
//! which the operation began; its phase names the report.

use jiff::Timestamp;
use model::integration::signal::{self, DeploymentStatus, SetAside, Signal};
use serde::Deserialize;

use crate::integration::received::{commit_or_none, parse, time};
use crate::integration::words;

#[derive(Deserialize)]
struct Body {
    app: App,
}

#[derive(Deserialize)]
struct App {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize, Default)]
struct Spec {
    #[serde(default)]
    destination: Destination,
}

#[derive(Deserialize, Default)]
struct Destination {
    namespace: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    operation_state: Option<Operation>,
    #[serde(default)]
    summary: Summary,
}

#[derive(Deserialize, Default)]
struct Summary {
    #[serde(default)]
    images: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    phase: String,
    started_at: String,
    finished_at: Option<String>,
    message: Option<String>,
    sync_result: Option<SyncResult>,
    operation: Option<RequestedOperation>,
}

#[derive(Deserialize)]
struct SyncResult {
    revision: Option<String>,
    #[serde(default)]
    revisions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestedOperation {
    initiated_by: Option<Initiator>,
}

#[derive(Deserialize)]
struct Initiator {
    username: Option<String>,
}

/// The commits of an operation, each once: of an application with one source its revision, of one with several all of them.
fn commits(result: Option<SyncResult>) -> impl Iterator<Item = String> {
    let revisions = result.map(|it| it.revision.into_iter().chain(it.revisions));
    let mut seen = Vec::new();
    for revision in revisions.into_iter().flatten() {
        let commit = commit_or_none(Some(&revision));
        if !commit.is_empty() && !seen.contains(&commit) {
            seen.push(commit);
        }
    }
    seen.into_iter()
}

/// Reads a notification; one about an application without an operation has no deployment.
///
/// # Errors
/// [`SetAside`] where a needed field is missing.
pub fn read(body: &[u8], _received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let app = parse::<Body>(body)?.app;
    let Some(operation) = app.status.operation_state else {
        return Ok(vec![Signal::Unknown {
            event: "argocd".to_owned(),
            action: None,
        }]);
    };
    let name = signal::name("app.metadata.name", &app.metadata.name)?;
    let destination = app.spec.destination;
    let environment = destination
        .namespace
        .filter(|text| !text.is_empty())
        .or(destination.name)
        .unwrap_or_else(|| "default".to_owned());
    let began = time("startedAt", &operation.started_at)?;
    let ended = operation
        .finished_at
        .as_deref()
        .map(|text| time("finishedAt", text))
        .transpose()?;
    let status = words::ours("argocd", "phase", &operation.phase)?;
    let mut commits = commits(operation.sync_result);
    let mut digests: Vec<String> = app
        .status
        .summary
        .images
        .iter()
        .filter_map(|it| signal::digest(it))
        .collect();
    digests.sort();
    digests.dedup();
    let deployment_id = format!("{name}@{began}");
    let initiator = operation.operation.and_then(|asked| asked.initiated_by?.username);
    Ok(vec![Signal::DeploymentStatus(DeploymentStatus {
        status_id: format!("{deployment_id}/{}", status.as_str()),
        deployment_id,
        repository: name,
        environment: signal::name("app.spec.destination", &environment)?,
        commit: commits.next().unwrap_or_default(),
        other_commits: commits.collect(),
        // With several images none of them is *the* artifact.
        artifact: digests.first().filter(|_| digests.len() == 1).cloned(),
        artifacts: if digests.len() == 1 { Vec::new() } else { digests },
        status,
        description: operation.message.as_deref().and_then(signal::free_text),
        actor: initiator
            .filter(|text| !text.is_empty())
            .map(|text| signal::name("username", &text))
            .transpose()?,
        occurred_at: ended.unwrap_or(began),
        url: None,
    })])
}
