//! Polls GitHub and GitLab for deployments that no delivery reported: a delivery may be lost on its way. The results are read
//! like deliveries, so that their natural keys are the same and nothing counts twice.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::directory::snapshot::{Connection, Mapping};
use model::integration::signal::{SetAside, Signal};
use serde_json::{Value, json};

use crate::integration::reply::{send, token_of};
use crate::integration::{github, gitlab};
use crate::socket::call::{Call, Caller};

/// How many deployments are looked into in one round; the others have their turn in the next.
const MOST: usize = 50;
/// After so many failing repositories in a row, the server itself fails: the round ends.
const REFUSED: usize = 3;

/// The known deployments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownDeployments {
    /// Older deployments do not belong here.
    pub since: Timestamp,
    /// `repository#id` of ended deployments.
    pub ended: BTreeSet<String>,
}

/// The result of a round of polling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PollResult {
    /// The signals so far, also where the round ended early.
    pub signals: Vec<Signal>,
    /// Repositories that had no turn.
    pub left: Vec<String>,
    /// Why a repository failed: the first one's message.
    pub failed: Option<String>,
}

/// Polls the deployments of all mapped repositories for as long as it may go on. A refusal by one of them holds back no other.
///
/// # Errors
/// A sentence, and whether a later retry may help: no repository could be polled at all.
pub fn carry(
    caller: &Caller,
    connection: &Connection,
    credential: &str,
    known: &KnownDeployments,
    (now, may_go_on): (Timestamp, &dyn Fn() -> bool),
) -> Result<PollResult, (String, bool)> {
    let mut told = PollResult::default();
    let Some(of) = &connection.api else {
        return Ok(told);
    };
    let asking = PollRound {
        caller,
        base: of.base.trim_end_matches('/'),
        token: &token_of(caller, of, credential, now)?,
        is_gitlab: connection.kind == "gitlab",
        known,
        now,
        may_go_on,
    };
    let rows = &connection.map;
    let mut refused = 0;
    for (place, row) in rows.iter().enumerate() {
        if refused >= REFUSED || !may_go_on() {
            told.left = names(&rows[place..]);
            return Ok(told);
        }
        match asking.ask(row, &mut told.signals) {
            Ok(true) => refused = 0,
            Ok(false) => {
                told.left = names(&rows[place..]);
                // A repository that takes a whole round by itself must not keep the others from theirs.
                if place == 0 {
                    told.left.remove(0);
                }
                return Ok(told);
            }
            Err((why, _)) => {
                refused += 1;
                told.failed.get_or_insert(format!("{}: {why}", row.repository));
            }
        }
    }
    Ok(told)
}

/// Each repository once, in order; several services may be built from one.
fn names(rows: &[Mapping]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        if !names.contains(&row.repository) {
            names.push(row.repository.clone());
        }
    }
    names
}

/// The repositories of one round, and their known deployments.
struct PollRound<'a> {
    caller: &'a Caller,
    base: &'a str,
    token: &'a str,
    is_gitlab: bool,
    known: &'a KnownDeployments,
    now: Timestamp,
    may_go_on: &'a dyn Fn() -> bool,
}

impl PollRound<'_> {
    /// Polls one repository's deployments; `false` when the round was over before all were read.
    fn ask(&self, row: &Mapping, signals: &mut Vec<Signal>) -> Result<bool, (String, bool)> {
        let (base, token, repository) = (self.base, self.token, row.repository.as_str());
        let list = if self.is_gitlab {
            gitlab::api::list_deployments(base, token, repository, self.known.since)
        } else {
            github::api::get(format!("{base}/repos/{repository}/deployments?per_page=100"), token)
        };
        let found = rows(self.caller, &list)?;
        for it in found.iter().filter(|it| is_ours(it, row, self.known)).take(MOST) {
            if self.is_gitlab {
                signals.extend(of_gitlab(it, repository, self.now)?);
                continue;
            }
            if !(self.may_go_on)() {
                return Ok(false);
            }
            let url = format!(
                "{base}/repos/{repository}/deployments/{}/statuses?per_page=100",
                it["id"]
            );
            let statuses = rows(self.caller, &github::api::get(url, token))?;
            signals.extend(of_github(it, &statuses, repository, self.now).map_err(unread)?);
        }
        Ok(true)
    }
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
fn is_ours(it: &Value, row: &Mapping, known: &KnownDeployments) -> bool {
    let environment = it["environment"]
        .as_str()
        .or_else(|| it["environment"]["name"].as_str());
    let is_mapped = environment.is_some_and(|name| row.environments.keys().any(|it| it.eq_ignore_ascii_case(name)));
    let began = it["created_at"]
        .as_str()
        .and_then(|text| text.parse::<Timestamp>().ok());
    let key = format!("{}#{}", row.keyed_by(), it["id"]);
    let since = row.since.map_or(known.since, |since| since.max(known.since));
    is_mapped && began.is_some_and(|at| at >= since) && !known.ended.contains(&key)
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

/// A deployment of GitLab's API in the form of its webhook. A deployment that waits for an approval requests it by its webhook
/// alone.
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
    use crate::socket::egress;

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
            since: None,
            repository_id: None,
            first_named: None,
        };
        let mut known = KnownDeployments::default();
        assert!(is_ours(&listed, &mapping, &known));
        let since = Some(now);
        let joined = Mapping {
            since,
            ..mapping.clone()
        };
        assert!(
            !is_ours(&listed, &joined, &known),
            "it ran before its repository was mapped"
        );
        known.ended.insert("halden/edge-dns#42".to_owned());
        assert!(!is_ours(&listed, &mapping, &known));
        let known = KnownDeployments {
            since: now,
            ..KnownDeployments::default()
        };
        assert!(!is_ours(&listed, &mapping, &known));
    }

    /// A GitHub with one deployment in each repository, except those named `gone…`, which refuse.
    fn github() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
        use std::io::{BufRead, BufReader, Write};
        use std::sync::atomic::{AtomicUsize, Ordering};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let at = "2026-11-20T10:00:00Z";
                let (status, body) = match head[0].as_str() {
                    line if line.contains("/gone") => (403, json!({"message": "Not now"})),
                    line if line.contains("/statuses") => (200, json!([])),
                    _ => {
                        let it = json!({
                            "id": 42, "sha": COMMIT, "ref": "main", "task": "deploy", "environment": "production",
                            "creator": {"login": "ingrid"}, "created_at": at, "updated_at": at, "payload": {},
                        });
                        (200, json!([it]))
                    }
                };
                let text = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} It\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    text.len()
                );
                (&stream).write_all(format!("{head}{text}").as_bytes()).unwrap();
            }
        });
        (base, asked)
    }

    fn connection(base: &str, repositories: &[&str]) -> Connection {
        let map: Vec<Value> = repositories
            .iter()
            .map(
                |name| json!({"repository": name, "service": "edge-dns", "environments": {"production": "production"}}),
            )
            .collect();
        let api = json!({"base": base, "status": "commit_status"});
        let shape = json!({
            "id": "c", "version": 1, "kind": "github", "name": "GitHub", "owner": "ada", "active": true, "map": map, "api": api,
        });
        serde_json::from_value(shape).unwrap()
    }

    fn asked_of(base: &str, repositories: &[&str], may_go_on: &dyn Fn() -> bool) -> PollResult {
        let egress = egress::Egress::parse(&["127.0.0.1".to_owned()]).unwrap();
        let caller = Caller::new(egress, None).unwrap();
        let now: Timestamp = "2026-11-20T10:30:00Z".parse().unwrap();
        let known = KnownDeployments {
            since: "2026-11-20T09:00:00Z".parse().unwrap(),
            ..KnownDeployments::default()
        };
        carry(
            &caller,
            &connection(base, repositories),
            "token",
            &known,
            (now, may_go_on),
        )
        .unwrap()
    }

    #[test]
    fn what_was_read_counts_though_a_repository_refuses_and_a_server_that_refuses_all_is_left_alone() {
        let (base, asked) = github();
        let told = asked_of(&base, &["a/one", "gone/two", "a/three"], &|| true);
        assert_eq!((told.signals.len(), told.left.len()), (2, 0));
        let why = told.failed.unwrap();
        assert!(why.contains("gone/two") && why.contains("answered 403"), "{why}");
        let before = asked.load(std::sync::atomic::Ordering::SeqCst);
        let told = asked_of(&base, &["gone/1", "gone/2", "gone/3", "a/four", "a/five"], &|| true);
        assert_eq!(told.left, ["a/four", "a/five"]);
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst) - before, REFUSED);
    }

    #[test]
    fn a_round_that_is_over_keeps_what_was_read_and_tells_who_had_no_turn() {
        let (base, asked) = github();
        let seen = asked.clone();
        let until = move |count: usize| {
            let seen = seen.clone();
            move || seen.load(std::sync::atomic::Ordering::SeqCst) < count
        };
        // Two calls for each repository.
        let told = asked_of(&base, &["a/one", "a/two", "a/two", "a/three"], &until(2));
        assert_eq!((told.signals.len(), told.failed), (1, None));
        assert_eq!(told.left, ["a/two", "a/three"]);
        let told = asked_of(&base, &["a/one", "a/one", "a/two"], &until(3));
        assert_eq!(
            told.left,
            ["a/two"],
            "who takes a whole round keeps no other from theirs"
        );
        let told = asked_of(&base, &["a/one", "a/two"], &until(6));
        assert_eq!(told.left, ["a/two"], "who was not first has another turn");
    }
}
