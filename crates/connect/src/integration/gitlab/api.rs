//! Calls to GitLab: external status checks, approvals of blocked deployments, freeze periods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::freezes::Whom;
use crate::integration::github::api::CheckDecision;
use crate::socket::call::Call;

fn call(method: &'static str, url: String, token: &str, body: &Value) -> Call {
    Call {
        method,
        url,
        headers: vec![
            ("private-token".to_owned(), token.to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ],
        body: body.to_string().into_bytes(),
    }
}

/// Reports to a status check of a merge request, for one commit. `reply_to` is project, request and check, joined by `/`.
#[must_use]
pub fn status_check(base: &str, token: &str, reply_to: &str, commit: &str, say: CheckDecision) -> Option<Call> {
    let mut parts = reply_to.split('/');
    let (project, request, check) = (parts.next()?, parts.next()?, parts.next()?);
    let status = match say {
        CheckDecision::Wait => "pending",
        CheckDecision::Yes => "passed",
        CheckDecision::No => "failed",
    };
    let check: u64 = check.parse().ok()?;
    let body = json!({"sha": commit, "external_status_check_id": check, "status": status});
    let url = format!("{base}/api/v4/projects/{project}/merge_requests/{request}/status_check_responses");
    Some(call("POST", url, token, &body))
}

/// Approves or rejects a blocked deployment; while it waits there is no call.
#[must_use]
pub fn deployment_approval(base: &str, token: &str, reply_to: &str, say: CheckDecision, text: &str) -> Option<Call> {
    let (project, deployment) = reply_to.split_once('/')?;
    let status = match say {
        CheckDecision::Wait => return None,
        CheckDecision::Yes => "approved",
        CheckDecision::No => "rejected",
    };
    let body = json!({"status": status, "comment": text});
    let url = format!("{base}/api/v4/projects/{project}/deployments/{deployment}/approval");
    Some(call("POST", url, token, &body))
}

fn freezes(whom: Whom<'_>, method: &'static str, rest: &str, body: &Value) -> Call {
    let project = whom.project.replace('/', "%2F");
    let url = format!("{}/api/v4/projects/{project}/freeze_periods{rest}", whom.base);
    let mut made = call(method, url, whom.token, body);
    if body.is_null() {
        made.body = Vec::new();
    }
    made
}

/// Makes a freeze period in a project (API "Freeze periods").
#[must_use]
pub fn push_freeze(whom: Whom<'_>, period: &Value) -> Call {
    freezes(whom, "POST", "", period)
}

/// Moves a freeze period of a project.
#[must_use]
pub fn move_freeze(whom: Whom<'_>, id: u64, period: &Value) -> Call {
    freezes(whom, "PUT", &format!("/{id}"), period)
}

/// Requests a project's freeze periods, as many as GitLab returns at once.
#[must_use]
pub fn list_freezes(whom: Whom<'_>) -> Call {
    freezes(whom, "GET", "?per_page=100", &Value::Null)
}

/// Takes a freeze period of a project back.
#[must_use]
pub fn end_freeze(whom: Whom<'_>, id: u64) -> Call {
    freezes(whom, "DELETE", &format!("/{id}"), &Value::Null)
}

/// Requests a project's deployments that moved since a time, the first to move first (API "Deployments").
#[must_use]
pub fn list_deployments(base: &str, token: &str, project: &str, since: Timestamp) -> Call {
    let project = project.replace('/', "%2F");
    let url = format!(
        "{base}/api/v4/projects/{project}/deployments?updated_after={since}&order_by=updated_at&sort=asc&per_page=100"
    );
    Call {
        body: Vec::new(),
        ..call("GET", url, token, &Value::Null)
    }
}
