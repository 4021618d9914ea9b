//! Canary verdicts: Flagger's event webhooks, and notifications of Argo Rollouts whose template sends the rollout itself,
//! `{"rollout": {{toJson .rollout}}}` (the shape is that of the Rollout resource, `argoproj.io/v1alpha1`).
//!
//! The natural key is the canary with its checksum and phase, or the analysis run with its status. The connection's map names the
//! canary or rollout as `repository` and its namespace as the environment.

use jiff::Timestamp;
use model::core::enums::WatchResult;
use model::integration::signal::{self, SetAside, Signal, Verdict};
use serde::Deserialize;

use crate::incident::form::{hash, parse};

/// The kinds of system that report verdicts.
pub const KINDS: &[&str] = &["flagger", "argo_rollouts"];

#[derive(Deserialize)]
struct FlaggerEvent {
    name: String,
    namespace: String,
    phase: String,
    #[serde(default)]
    checksum: String,
    #[serde(default)]
    metadata: FlaggerMetadata,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct FlaggerMetadata {
    event_message: Option<String>,
    /// Milliseconds since 1970, as a text.
    timestamp: Option<String>,
}

#[derive(Deserialize)]
struct RolloutEvent {
    rollout: Rollout,
}

#[derive(Deserialize)]
struct Rollout {
    metadata: Named,
    #[serde(default)]
    status: RolloutStatus,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RolloutStatus {
    #[serde(default)]
    abort: bool,
    message: Option<String>,
    current_pod_hash: Option<String>,
    #[serde(default)]
    canary: Strategy,
    #[serde(default)]
    blue_green: Strategy,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Strategy {
    current_step_analysis_run_status: Option<AnalysisRun>,
    current_background_analysis_run_status: Option<AnalysisRun>,
    pre_promotion_analysis_run_status: Option<AnalysisRun>,
    post_promotion_analysis_run_status: Option<AnalysisRun>,
}

#[derive(Deserialize)]
struct AnalysisRun {
    name: String,
    status: String,
    message: Option<String>,
}

/// Reads a delivery of one of the [`KINDS`].
///
/// # Errors
/// [`SetAside`] where a needed field is missing.
pub fn read(kind: &str, body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let found = match kind {
        "flagger" => flagger(body, received_at)?,
        _ => rollouts(body, received_at)?,
    };
    if found.is_empty() {
        return Ok(vec![Signal::Unknown {
            event: kind.to_owned(),
            action: None,
        }]);
    }
    Ok(found.into_iter().map(Signal::Verdict).collect())
}

/// Flagger's phases; only those that end a canary are a verdict.
fn flagger(body: &[u8], received_at: Timestamp) -> Result<Vec<Verdict>, SetAside> {
    let event: FlaggerEvent = parse(body)?;
    let result = match event.phase.as_str() {
        "Succeeded" => WatchResult::Passed,
        "Failed" => WatchResult::Failed,
        _ => return Ok(Vec::new()),
    };
    let told: Option<i64> = event.metadata.timestamp.as_deref().and_then(|text| text.parse().ok());
    let at = told
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(received_at);
    // The same build may be judged again, and come to what an earlier verdict said.
    let when = told.map(|millis| format!("@{millis}")).unwrap_or_default();
    let key = format!(
        "{}/{}/{}/{}{when}",
        event.namespace, event.name, event.checksum, event.phase
    );
    Ok(vec![Verdict {
        source_key: hash(key.as_bytes()),
        judged: signal::name("name", &event.name)?,
        place: signal::name("namespace", &event.namespace)?,
        result,
        text: event.metadata.event_message.as_deref().and_then(signal::free_text),
        at: at.min(received_at),
    }])
}

/// The analysis runs of a rollout that ended, and its abort.
fn rollouts(body: &[u8], received_at: Timestamp) -> Result<Vec<Verdict>, SetAside> {
    let rollout = parse::<RolloutEvent>(body)?.rollout;
    let (judged, place) = (
        signal::name("rollout.metadata.name", &rollout.metadata.name)?,
        signal::name("rollout.metadata.namespace", &rollout.metadata.namespace)?,
    );
    let verdict = |key: String, result: WatchResult, text: Option<&str>| Verdict {
        source_key: hash(format!("{place}/{judged}/{key}").as_bytes()),
        judged: judged.clone(),
        place: place.clone(),
        result,
        text: text.and_then(signal::free_text),
        at: received_at,
    };
    let status = &rollout.status;
    let runs = [&status.canary, &status.blue_green].into_iter().flat_map(|it| {
        [
            &it.current_step_analysis_run_status,
            &it.current_background_analysis_run_status,
            &it.pre_promotion_analysis_run_status,
            &it.post_promotion_analysis_run_status,
        ]
    });
    let mut found = Vec::new();
    for run in runs.flatten() {
        let result = match run.status.as_str() {
            "Successful" => WatchResult::Passed,
            "Failed" | "Error" => WatchResult::Failed,
            "Inconclusive" => WatchResult::Inconclusive,
            _ => continue,
        };
        found.push(verdict(
            format!("{}/{}", run.name, run.status),
            result,
            run.message.as_deref(),
        ));
    }
    if status.abort {
        let build = status.current_pod_hash.as_deref().unwrap_or_default();
        found.push(verdict(
            format!("abort/{build}"),
            WatchResult::Failed,
            status.message.as_deref(),
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::{Value, json};

    use super::*;

    fn results(kind: &str, body: &Value) -> Vec<WatchResult> {
        let now = "2026-11-28T13:00:00Z".parse().unwrap();
        let signals = read(kind, body.to_string().as_bytes(), now).unwrap();
        let found = signals.into_iter().filter_map(|it| match it {
            Signal::Verdict(verdict) => Some(verdict.result),
            _ => None,
        });
        found.collect()
    }

    #[test]
    fn flagger_ends_a_canary_as_succeeded_or_failed_and_tells_no_verdict_before() {
        let event = |phase: &str| {
            json!({"name": "podinfo", "namespace": "test", "phase": phase, "checksum": "85d557f47b",
                "metadata": {"eventMessage": "Canary analysis completed", "eventType": "Normal", "timestamp": "1578607635167"}})
        };
        assert_eq!(results("flagger", &event("Succeeded")), [WatchResult::Passed]);
        assert_eq!(results("flagger", &event("Failed")), [WatchResult::Failed]);
        for phase in [
            "Initializing",
            "Progressing",
            "Promoting",
            "Finalising",
            "a phase to come",
        ] {
            assert!(results("flagger", &event(phase)).is_empty(), "{phase}");
        }
    }

    #[test]
    fn an_analysis_that_is_inconclusive_is_no_pass_and_an_aborted_rollout_failed() {
        let rollout =
            |status: Value| json!({"rollout": {"metadata": {"name": "shop", "namespace": "prod"}, "status": status}});
        let run = |word: &str| json!({"canary": {"currentStepAnalysisRunStatus": {"name": "shop-1", "status": word, "message": "m"}}});
        for (word, wanted) in [
            ("Successful", WatchResult::Passed),
            ("Failed", WatchResult::Failed),
            ("Error", WatchResult::Failed),
            ("Inconclusive", WatchResult::Inconclusive),
        ] {
            assert_eq!(results("argo_rollouts", &rollout(run(word))), [wanted], "{word}");
        }
        assert!(results("argo_rollouts", &rollout(run("Running"))).is_empty());
        let aborted = json!({"abort": true, "message": "RolloutAborted", "currentPodHash": "abc"});
        assert_eq!(results("argo_rollouts", &rollout(aborted)), [WatchResult::Failed]);
        let now = "2026-11-28T13:00:00Z".parse().unwrap();
        assert!(read("argo_rollouts", b"{}", now).is_err() && read("flagger", b"{\"name\": \"x\"", now).is_err());
    }
}
