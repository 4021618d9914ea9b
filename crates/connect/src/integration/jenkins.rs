//! Jenkins' Notification plugin, JSON format. The job is the repository; the build's parameters `ENVIRONMENT` and `ARTIFACT`
//! give place and artifact. A deployment is one build, its phase the report.

use jiff::Timestamp;
use model::integration::signal::{self, DeploymentStatus, SetAside, Signal};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::integration::received::{commit_or_none, parse};
use crate::integration::words;

#[derive(Deserialize)]
struct Body {
    name: String,
    build: Build,
}

#[derive(Deserialize)]
struct Build {
    number: u64,
    phase: String,
    status: Option<String>,
    full_url: Option<String>,
    timestamp: Option<i64>,
    #[serde(default)]
    parameters: BTreeMap<String, serde_json::Value>,
    scm: Option<Scm>,
}

#[derive(Deserialize)]
struct Scm {
    commit: Option<String>,
}

fn is_result(word: &str) -> bool {
    words::of("jenkins").iter().any(|(known, _)| *known == word)
}

/// Reads a notification. `FINALIZED` repeats `COMPLETED`, under the same key; a job may be set to send either alone.
///
/// # Errors
/// [`SetAside`] where a needed field is missing.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let Body { name, build } = parse(body)?;
    let status = match (build.phase.as_str(), build.status.as_deref()) {
        ("STARTED" | "QUEUED", _) => words::ours("jenkins", "phase", &build.phase)?,
        ("COMPLETED" | "FINALIZED", Some(result)) if is_result(result) => words::ours("jenkins", "status", result)?,
        (phase, _) => {
            return Ok(vec![Signal::Unknown {
                event: "jenkins".to_owned(),
                action: Some(signal::name("phase", phase)?),
            }]);
        }
    };
    let parameter = |name: &str| {
        let found = build
            .parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .and_then(|(_, value)| value.as_str())
            .filter(|text| !text.is_empty())
    };
    let Some(environment) = parameter("environment") else {
        return Ok(vec![Signal::Unknown {
            event: "jenkins".to_owned(),
            action: Some("a build without ENVIRONMENT".to_owned()),
        }]);
    };
    let told_commit = build.scm.as_ref().and_then(|scm| scm.commit.as_deref());
    let deployment_id = build.number.to_string();
    let at = build
        .timestamp
        .and_then(|millis| Timestamp::from_millisecond(millis).ok());
    Ok(vec![Signal::DeploymentStatus(DeploymentStatus {
        status_id: format!("{deployment_id}/{}", status.as_str()),
        deployment_id,
        repository: signal::name("name", &name)?,
        environment: signal::name("ENVIRONMENT", environment)?,
        commit: commit_or_none(parameter("commit").or(told_commit)),
        artifact: parameter("artifact").and_then(signal::digest),
        other_commits: Vec::new(),
        artifacts: Vec::new(),
        status,
        description: None,
        actor: None,
        occurred_at: at.unwrap_or(received_at),
        url: build.full_url.as_deref().and_then(signal::url),
    })])
}
