//! Canary verdicts as evidence of the change that was at work or watched.

use serde_json::json;

use crate::change::change_file::Case;
use crate::change::content::plan_digest;
use crate::change::duties::evidence::place_of;
use crate::change::next_step::check_state;
use crate::change::related_records::Evidence;
use crate::change::settle::settle;
use crate::core::act::Act;
use crate::core::enums::{Aspect, EvidenceKind, EvidenceResult, WatchResult};
use crate::core::parse::TEXT;
use crate::incident::watch_verdict::WatchVerdict;

/// Adds a verdict as evidence, one row for each verdict: a later one about the same thing is a row of its own, and an
/// inconclusive one is no pass. A closed change takes no evidence; the verdict stays a record of its own there. It satisfies no
/// rule on evidence, as it comes after the start: its aspect is `other`.
pub fn keep_verdict(case: &mut Case<'_>, verdict: &WatchVerdict, connection: &str) {
    if check_state(case, Act::AddEvidence).is_err() {
        return;
    }
    let place = format!("{}/{}", verdict.service, verdict.environment);
    let targets = &case.change().content.targets;
    let target = targets.iter().find(|target| place_of(target) == place);
    let artifact = target.and_then(|it| it.artifact.clone().or_else(|| it.commit.clone()));
    let plan = artifact.is_none().then(|| plan_digest(&case.change().content));
    let result = match verdict.result {
        WatchResult::Passed => EvidenceResult::Passed,
        WatchResult::Failed => EvidenceResult::Failed,
        WatchResult::Inconclusive => EvidenceResult::Unknown,
    };
    let told = verdict.text.as_deref().unwrap_or_default();
    let text = format!("{connection}: {}. {told}", verdict.result);
    let text: String = text.trim().chars().take(TEXT).collect();
    let evidence = Evidence {
        id: case.new_id(),
        version: 0,
        change: case.change_id(),
        kind: EvidenceKind::Verdict,
        aspect: Aspect::Other,
        result,
        name: verdict.judged.clone(),
        environment: Some(verdict.environment.to_string()),
        artifact,
        plan_digest: plan,
        file_digest: proof::crypto::digest_text(text.as_bytes()),
        size: i64::try_from(text.len()).unwrap_or(i64::MAX),
        text: Some(text),
        media_type: "text/plain; charset=utf-8".to_owned(),
        by: case.person(),
        at: case.now,
        accepted: None,
        findings: Vec::new(),
        suites: Vec::new(),
        agreed: Vec::new(),
        file_erased_at: None,
        measured_at: Some(verdict.at),
        place: Some(place),
    };
    let data = json!({
        "evidence": evidence.id, "kind": evidence.kind, "aspect": evidence.aspect, "result": result,
        "file_digest": evidence.file_digest,
    });
    case.emit("evidence.added", data);
    case.file.evidence.push(evidence);
    settle(case);
}
