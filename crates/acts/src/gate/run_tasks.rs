//! Terraform runs query the gate by a run task, and wait for its result. The mapping gives the workspace's service and
//! environment, the commit identifies the content, and the gate's decision becomes the result with each of its reasons.
//!
//! A run that must wait gets the reason, again within the ten minutes in which Terraform expects progress, and gets its
//! result as soon as the gate opens. Terraform gives up after an hour, so the result is a refusal shortly before that.

use jiff::{SignedDuration, Timestamp};
use model::core::unmet::{Unmet, unmet};
use model::directory::snapshot::ConnectionApi;
use model::gate::provenance::{CheckReply, OutsideCheck};
use model::integration::signal::RunTask;
use store::identity::secrets as rows;

use crate::core::context::Context;
use crate::core::error::Result;
use crate::gate::said::TaskReply;

/// The kind of the connections with run tasks.
pub(crate) const KIND: &str = "terraform_task";
/// The default address for results.
pub(crate) const USUAL_BASE: &str = "https://app.terraform.io";
/// How long a run waits at most: Terraform ends a task after an hour, and the delivery of a result takes some time.
const PATIENCE: SignedDuration = SignedDuration::from_mins(58);
/// How often a waiting run gets a progress message: Terraform treats ten silent minutes as an error.
const PROGRESS: SignedDuration = SignedDuration::from_mins(8);

/// The default address for results of a kind that needs no credential of its own.
pub(crate) fn usual_api(kind: &str) -> Option<ConnectionApi> {
    (kind == KIND).then(|| ConnectionApi {
        base: USUAL_BASE.to_owned(),
        status: "commit_status".to_owned(),
        app: None,
        installation: None,
    })
}

/// The present result for a run; `may_deploy` queries the gate as for any deployment.
///
/// # Errors
/// The store's.
pub(crate) fn present_reply(
    cx: &mut Context<'_, '_>,
    check: &OutsideCheck,
    may_deploy: impl FnOnce(&mut Context<'_, '_>, &OutsideCheck) -> Result<TaskReply>,
) -> Result<TaskReply> {
    let only_plans = matches!(check.stage.as_deref(), Some("pre_plan" | "post_plan"));
    if check.is_speculative && only_plans {
        let text = "A speculative plan is never applied, so it needs no change.";
        return Ok(at_once(CheckReply::Approved, text.to_owned(), Vec::new()));
    }
    if check.environment.is_none() {
        let text = format!("The workspace {} belongs to no single service here.", check.repository);
        let help = "An administrator must map the workspace in the connection.";
        return Ok(refused(unmet("workspace_unmapped", text, help, Vec::new())));
    }
    if check.commit.is_empty() {
        let text = "The run names no commit, so nothing ties it to what was approved.";
        let help = "Plan from a repository; or start the run by an account that the connection trusts, with the commit in its message.";
        return Ok(refused(unmet("commit_missing", text, help, Vec::new())));
    }
    let said = may_deploy(cx, check)?;
    Ok(in_time(check, said, cx.now))
}

fn at_once(answer: CheckReply, text: String, reasons: Vec<Unmet>) -> TaskReply {
    TaskReply {
        answer,
        text,
        reasons,
        change: None,
        next: None,
        is_over: true,
    }
}

fn refused(reason: Unmet) -> TaskReply {
    at_once(CheckReply::Rejected, reason.text.clone(), vec![reason])
}

/// A result is final. Before it, the run gets a progress message at fixed times after its question: times counted from
/// now would be postponed by every event of the change.
fn in_time(check: &OutsideCheck, mut said: TaskReply, now: Timestamp) -> TaskReply {
    let end = check.at + PATIENCE;
    // A run that was applied can no longer be stopped, and a run that ends waits for nothing.
    let is_applied = check.stage.as_deref() == Some(RunTask::APPLIED);
    if said.answer == CheckReply::Waiting && (is_applied || now >= end) {
        said.answer = CheckReply::Rejected;
        if !is_applied {
            let text = "The gate did not open within the hour that Terraform waits.";
            let over = unmet("wait_over", text, "Start the run again.", Vec::new());
            said.text = format!("{text} {}", said.text);
            said.reasons.insert(0, over);
        }
    }
    said.is_over = said.answer != CheckReply::Waiting;
    let passed = now.duration_since(check.at).as_secs().max(0) / PROGRESS.as_secs();
    let beats = i32::try_from(passed).unwrap_or(i32::MAX).saturating_add(1);
    let beat = check.at + PROGRESS * beats;
    let soonest = said.next.map_or(end, |next| next.min(end)).min(beat);
    said.next = (!said.is_over).then_some(soonest);
    said
}

/// The name under which the token of a run rests.
pub(crate) fn token_name(check: &str) -> String {
    format!("outside_check/{check}")
}

/// Deletes the token of a run that has its result.
///
/// # Errors
/// The store's.
pub fn forget_token(cx: &mut Context<'_, '_>, check: &str) -> Result<()> {
    rows::delete(cx.tx, &token_name(check))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_that_waits_hears_of_it_and_is_refused_within_the_hour() {
        let at: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let check = |stage: &str| -> OutsideCheck {
            serde_json::from_value(json!({
                "id": "c", "version": 1, "connection": "k", "ask": "run_task", "natural_key": "r", "repository": "acme/shop-prod",
                "service": "shop", "environment": "production", "commit": "c", "reply_to": "u", "answer": "waiting", "text": "",
                "stage": stage, "at": at,
            }))
            .unwrap()
        };
        let waits = |next: Option<Timestamp>| TaskReply {
            next,
            is_over: false,
            ..at_once(CheckReply::Waiting, "Not yet.".to_owned(), Vec::new())
        };
        let minutes = |count: i64| at + SignedDuration::from_mins(count);
        let look = |stage: &str, next: Option<i64>, now: i64| {
            let said = in_time(&check(stage), waits(next.map(minutes)), minutes(now));
            (said.answer, said.next.map(|next| next.duration_since(at).as_mins()))
        };
        assert_eq!(look("pre_apply", None, 0), (CheckReply::Waiting, Some(8)));
        assert_eq!(
            look("pre_apply", None, 7),
            (CheckReply::Waiting, Some(8)),
            "nothing puts it off"
        );
        assert_eq!(look("pre_apply", None, 8), (CheckReply::Waiting, Some(16)));
        assert_eq!(look("pre_apply", Some(11), 9), (CheckReply::Waiting, Some(11)));
        assert_eq!(look("pre_apply", None, 57), (CheckReply::Waiting, Some(58)));
        assert_eq!(look("pre_apply", Some(70), 58), (CheckReply::Rejected, None));
        assert_eq!(look("post_apply", None, 0), (CheckReply::Rejected, None));
    }
}
