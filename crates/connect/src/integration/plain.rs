//! Our own plain JSON, for systems that speak none of the other languages: one deployment's report a delivery.
//!
//! ```json
//! {"id": "run-17", "service": "shop", "environment": "production", "status": "in_progress",
//!  "commit": "…", "artifact": "sha256:…", "at": "2026-11-20T10:00:00Z", "actor": "ada"}
//! ```
//! `id` names the deployment, `status` is `queued`, `in_progress`, `success`, `failure`, `error`, `canceled`, `skipped` or
//! `rolled_back`; without it the deployment is merely asked for. The report's natural key is id, status and time: a run that
//! is tried again keeps its id, and a beginning after its end is another attempt.

use jiff::Timestamp;
use model::integration::signal::{self, Deployment, DeploymentStatus, Progress, SetAside, Signal};
use serde::Deserialize;

use crate::integration::received::{parse, time};
use crate::integration::words;

#[derive(Deserialize)]
struct Body {
    id: String,
    service: String,
    environment: String,
    status: Option<String>,
    commit: Option<String>,
    artifact: Option<String>,
    at: Option<String>,
    actor: Option<String>,
    description: Option<String>,
    url: Option<String>,
}

/// Reads a report.
///
/// # Errors
/// [`SetAside`] where a field is missing or no commit, digest, status or time, or where it names neither commit nor
/// artifact.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Body = parse(body)?;
    let commit = it
        .commit
        .map(|text| signal::commit("commit", &text))
        .transpose()?
        .unwrap_or_default();
    let artifact = it
        .artifact
        .map(|text| signal::digest(&text).ok_or_else(|| SetAside::because("artifact is no SHA-256 digest")))
        .transpose()?;
    if commit.is_empty() && artifact.is_none() {
        return Err(SetAside::because("the report names neither commit nor artifact"));
    }
    let occurred_at = it.at.map(|text| time("at", &text)).transpose()?.unwrap_or(received_at);
    let deployment_id = signal::name("id", &it.id)?;
    let repository = signal::name("service", &it.service)?;
    let environment = signal::name("environment", &it.environment)?;
    let actor = it.actor.map(|text| signal::name("actor", &text)).transpose()?;
    let description = it.description.as_deref().and_then(signal::free_text);
    let url = it.url.as_deref().and_then(signal::url);
    let Some(status) = it.status else {
        return Ok(vec![Signal::Deployment(Deployment {
            deployment_id,
            repository,
            environment,
            ref_name: if commit.is_empty() {
                "artifact".to_owned()
            } else {
                commit.clone()
            },
            commit,
            task: "deploy".to_owned(),
            artifact,
            description,
            requester: actor,
            occurred_at,
            url,
        })]);
    };
    let words: Vec<&str> = words::of("plain").iter().map(|(word, _)| *word).collect();
    if !words.contains(&status.as_str()) {
        return Err(SetAside::because(format_args!(
            "status is none of {}",
            words.join(", ")
        )));
    }
    Ok(vec![Signal::DeploymentStatus(DeploymentStatus {
        status_id: format!("{deployment_id}/{status}@{occurred_at}"),
        deployment_id,
        repository,
        environment,
        commit,
        artifact,
        other_commits: Vec::new(),
        artifacts: Vec::new(),
        status: Progress::from(status),
        description,
        actor,
        occurred_at,
        url,
    })])
}
