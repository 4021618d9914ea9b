//! Asks GitHub and GitLab for the deployments that nobody told of: a delivery may be lost on its way. What is found is read
//! as if it had been delivered, so that its natural keys are the same and nothing counts twice.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::directory::{Connection, Mapping};
use model::signal::{SetAside, Signal};
use serde_json::{Value, json};

use crate::reply::{send, token_of};
use crate::socket::call::{Call, Caller};
use crate::{github, gitlab};

/// How many deployments are looked into in one round; the others have their turn in the next.
const MOST: usize = 50;

/// What is known already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Older deployments are none of ours.
    pub since: Timestamp,
    /// `repository#id` of those that have ended.
    pub ended: BTreeSet<String>,
}

/// Asks for the deployments of all mapped repositories; answers what they tell.
///
/// # Errors
/// A sentence, and whether trying again later may help.
pub fn carry(
    caller: &Caller,
    connection: &Connection,
    credential: &str,
    known: &Known,
    now: Timestamp,
) -> Result<Vec<Signal>, (String, bool)> {
    let Some(of) = &connection.api else {
        return Ok(Vec::new());
    };
    let token = token_of(caller, of, credential, now)?;
    let base = of.base.trim_end_matches('/');
    let mut signals = Vec::new();
    for row in &connection.map {
        let list = |call: Call| rows(caller, &call);
        let found = if connection.kind == "gitlab" {
            list(gitlab::api::list_deployments(
                base,
                &token,
                &row.repository,
                known.since,
            ))?
        } else {
            let url = format!("{base}/repos/{}/deployments?per_page=100", row.repository);
            list(github::api::get(url, &token))?
        };
        let ours: Vec<&Value> = found.iter().filter(|it| is_ours(it, row, known)).take(MOST).collect();
        for it in ours {
            if connection.kind == "gitlab" {
                signals.extend(of_gitlab(it, &row.repository, now)?);
                continue;
            }
            let url = format!(
                "{base}/repos/{}/deployments/{}/statuses?per_page=100",
                row.repository, it["id"]
            );
            let statuses = rows(caller, &github::api::get(url, &token))?;
            signals.extend(of_github(it, &statuses, &row.repository, now).map_err(unread)?);
        }
    }
    Ok(signals)
}

fn unread(why: SetAside) -> (String, bool) {
    (why.reason, true)
}

fn rows(caller: &Caller, call: &Call) -> Result<Vec<Value>, (String, bool)> {
    let body = send(caller, call)?;
    serde_json::from_slice(&body).map_err(|error| {
        unread(SetAside::because(format_args!(
            "the deployments cannot be read: {error}"
        )))
    })
}

/// Whether a deployment is of a mapped environment, began since we listen, and has not ended here.
fn is_ours(it: &Value, row: &Mapping, known: &Known) -> bool {
    let environment = it["environment"]
        .as_str()
        .or_else(|| it["environment"]["name"].as_str());
    let is_mapped = environment.is_some_and(|name| row.environments.keys().any(|it| it.eq_ignore_ascii_case(name)));
    let began = it["created_at"]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    let key = format!("{}#{}", row.repository, it["id"]);
    is_mapped && began.is_some_and(|at| at >= known.since) && !known.ended.contains(&key)
}

fn of_github(it: &Value, statuses: &[Value], repository: &str, now: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let repository = json!({"full_name": repository});
    let asked = json!({"action": "created", "deployment": it, "repository": repository});
    let mut signals = github::read_received("deployment", asked.to_string().as_bytes(), Some(now))?;
    for status in statuses {
        let body =
            json!({"action": "created", "deployment": it, "deployment_status": status, "repository": repository});
        signals.extend(github::read_received(
            "deployment_status",
            body.to_string().as_bytes(),
            Some(now),
        )?);
    }
    Ok(signals)
}

/// A deployment of GitLab's API in the form of its webhook. One that waits for an approval asks by its webhook alone.
fn of_gitlab(it: &Value, repository: &str, now: Timestamp) -> Result<Vec<Signal>, (String, bool)> {
    if it["status"] == "blocked" {
        return Ok(Vec::new());
    }
    let commit = it["sha"].as_str().unwrap_or_default();
    let body = json!({
        "object_kind": "deployment", "status": it["status"], "status_changed_at": it["updated_at"],
        "deployment_id": it["id"], "environment": it["environment"]["name"],
        "project": {"id": 0, "path_with_namespace": repository}, "commit_url": format!("commit/{commit}"),
        "user": {"username": it["user"]["username"]},
    });
    gitlab::read(body.to_string().as_bytes(), now).map_err(unread)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    const COMMIT: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

    #[test]
    fn what_the_apis_list_is_read_as_what_the_webhooks_tell() {
        let now: Timestamp = "2026-11-20T10:30:00Z".parse().unwrap();
        let listed = json!({
            "id": 42, "iid": 2, "ref": "main", "sha": COMMIT, "created_at": "2026-11-20T10:00:00.000Z",
            "updated_at": "2026-11-20T10:09:00.000Z", "status": "success", "user": {"username": "ingrid"},
            "environment": {"id": 9, "name": "production"}, "deployable": null,
        });
        let told = of_gitlab(&listed, "halden/edge-dns", now).unwrap();
        let hook = json!({
            "object_kind": "deployment", "status": "success", "status_changed_at": "2026-11-20 11:09:00 +0100",
            "deployment_id": 42, "environment": "production", "user": {"username": "ingrid"},
            "project": {"id": 19, "path_with_namespace": "halden/edge-dns"},
            "commit_url": format!("https://gitlab.example/halden/edge-dns/-/commit/{COMMIT}"),
        });
        assert_eq!(told, gitlab::read(hook.to_string().as_bytes(), now).unwrap());
        let mapping = Mapping {
            repository: "halden/edge-dns".to_owned(),
            service: "edge-dns".into(),
            environments: std::iter::once(("Production".to_owned(), "production".into())).collect(),
        };
        let mut known = Known::default();
        assert!(is_ours(&listed, &mapping, &known));
        known.ended.insert("halden/edge-dns#42".to_owned());
        assert!(!is_ours(&listed, &mapping, &known));
        let known = Known {
            since: now,
            ..Known::default()
        };
        assert!(!is_ours(&listed, &mapping, &known));
    }
}
