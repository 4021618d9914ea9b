//! Our own plain JSON, for systems without any of the other formats: one deployment's report or one verdict a delivery.
//!
//! ```json
//! {"id": "run-17", "service": "shop", "environment": "production", "status": "in_progress",
//!  "commit": "…", "artifact": "sha256:…", "at": "2026-11-20T10:00:00Z", "actor": "ada"}
//! ```
//! `id` names the deployment, `status` is `queued`, `in_progress`, `success`, `failure`, `error`, `canceled`, `skipped` or
//! `rolled_back`; without a status the deployment is only requested. The report's natural key is id, status and time: a run
//! that is tried again keeps its id, and a beginning after its end is another attempt.
//!
//! ```json
//! {"id": "analysis-17", "service": "shop", "environment": "production", "verdict": "passed", "text": "…", "at": "2026-11-20T10:00:00Z"}
//! ```
//! is a verdict of a tool that compares a new version with the old one: `passed`, `failed` or `inconclusive`. Its natural key
//! is place, service, id and verdict. A body with a field `incident` reports an incident.

use jiff::Timestamp;
use model::core::enums::WatchResult;
use model::integration::signal::{self, Deployment, DeploymentStatus, Progress, SetAside, Signal, Verdict};
use serde::Deserialize;

use crate::integration::received::{parse, time};
use crate::integration::{incidents, words};

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
    verdict: Option<String>,
    text: Option<String>,
}

/// Reads a report, a verdict or an incident.
///
/// # Errors
/// [`SetAside`] where a field is missing or no commit, digest, status, verdict or time, or where a report names neither commit
/// nor artifact.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    if incidents::plain::is_incident(body) {
        return incidents::plain::read(body, received_at);
    }
    let it: Body = parse(body)?;
    if let Some(word) = &it.verdict {
        return verdict(&it, word, received_at).map(|it| vec![Signal::Verdict(it)]);
    }
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

fn verdict(it: &Body, word: &str, received_at: Timestamp) -> Result<Verdict, SetAside> {
    let result = match word {
        "passed" => WatchResult::Passed,
        "failed" => WatchResult::Failed,
        "inconclusive" => WatchResult::Inconclusive,
        _ => return Err(SetAside::because("verdict is none of passed, failed, inconclusive")),
    };
    let id = signal::name("id", &it.id)?;
    let judged = signal::name("service", &it.service)?;
    let place = signal::name("environment", &it.environment)?;
    let told = it.at.as_deref().map(|text| time("at", text)).transpose()?;
    // Judged again at another time it is a verdict of its own, also where it comes to what an earlier one said.
    let when = told.map(|at| format!("@{at}")).unwrap_or_default();
    Ok(Verdict {
        source_key: format!("{place}/{judged}/{id}/{word}{when}"),
        judged,
        place,
        result,
        text: it.text.as_deref().and_then(signal::free_text),
        at: told.unwrap_or(received_at).min(received_at),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_verdict_is_read_as_what_it_says_and_no_other_word_is_one() {
        let now = "2026-11-28T13:00:00Z".parse().unwrap();
        let told = |word: &str, at: &str| {
            let body = json!({"id": "a-1", "service": "shop", "environment": "prod", "verdict": word, "text": "Slower.", "at": at});
            read(body.to_string().as_bytes(), now)
        };
        for (word, result) in [
            ("passed", WatchResult::Passed),
            ("failed", WatchResult::Failed),
            ("inconclusive", WatchResult::Inconclusive),
        ] {
            let signals = told(word, "2026-11-28T12:00:00Z").unwrap();
            let [Signal::Verdict(found)] = &signals[..] else {
                panic!("{signals:?}")
            };
            assert_eq!((found.result, found.judged.as_str()), (result, "shop"));
            assert_eq!((found.place.as_str(), found.text.as_deref()), ("prod", Some("Slower.")));
            assert_eq!(found.at, "2026-11-28T12:00:00Z".parse::<Timestamp>().unwrap());
        }
        let key = |at: &str| match &told("failed", at).unwrap()[..] {
            [Signal::Verdict(found)] => found.source_key.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(key("2026-11-28T12:00:00Z"), key("2026-11-28T12:00:00Z"), "sent again");
        assert_ne!(
            key("2026-11-28T12:00:00Z"),
            key("2026-11-28T12:20:00Z"),
            "it failed again"
        );
        let ahead = told("passed", "2026-11-29T12:00:00Z").unwrap();
        assert!(
            matches!(&ahead[0], Signal::Verdict(found) if found.at == now),
            "{ahead:?}"
        );
        assert!(told("ok", "2026-11-28T12:00:00Z").is_err() && told("passed", "yesterday").is_err());
    }
}
