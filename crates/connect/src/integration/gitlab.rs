//! GitLab's webhooks, as in its page "Webhook events", and its external status checks. A deployment's natural key is its id,
//! the report's the status with the time at which it changed.

pub mod api;
pub mod freezes;

use jiff::Timestamp;
use jiff::fmt::strtime;
use model::gate::committers::Committer;
use model::integration::signal::{
    self, DecisionKind, DecisionRequest, DecisionTexts, DeploymentStatus, PullRequest, Push, PushedCommit, SetAside,
    Signal,
};
use ring::hmac;
use serde::Deserialize;
use serde_json::Value;

use crate::integration::received::{self, parse};
use crate::integration::words;

/// Whether `header` (the value of `X-Gitlab-Signature`) is the signature of a status check's body: HMAC-SHA256 in
/// hexadecimal digits. The comparison takes the same time wherever the first difference lies.
#[must_use]
pub fn check_signature(secret: &str, body: &[u8], header: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let digits = header.trim().as_bytes();
    if digits.len() != 64 {
        return false;
    }
    let value = |byte: u8| char::from(byte).to_digit(16);
    let tag: Option<Vec<u8>> = digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok())
        .collect();
    tag.is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
}

#[derive(Deserialize)]
struct Outline {
    object_kind: Option<String>,
    external_approval_rule: Option<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    id: u64,
}

#[derive(Deserialize)]
struct Project {
    id: u64,
    path_with_namespace: String,
}

#[derive(Deserialize)]
struct User {
    username: Option<String>,
}

/// Reads a verified body.
///
/// # Errors
/// [`SetAside`] where it is no JSON or lacks a needed field.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let outline: Outline = parse(body)?;
    match outline.object_kind.as_deref() {
        Some("deployment") => read_deployment(parse(body)?, received_at),
        Some("merge_request") => read_merge_request(parse(body)?, outline.external_approval_rule, received_at),
        Some("push" | "tag_push") => read_push(parse(body)?),
        Some(other) => Ok(vec![Signal::Unknown {
            event: signal::name("object_kind", other)?,
            action: None,
        }]),
        None => Err(SetAside::because("object_kind is missing")),
    }
}

#[derive(Deserialize)]
struct DeploymentBody {
    status: String,
    status_changed_at: Option<String>,
    deployment_id: u64,
    environment: String,
    project: Project,
    commit_url: Option<String>,
    user: Option<User>,
    deployable_url: Option<String>,
}

fn read_deployment(it: DeploymentBody, received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    // The body has the short form of the commit alone; its address ends with the whole one.
    let commit = it
        .commit_url
        .as_deref()
        .and_then(|url| url.rsplit('/').next())
        .unwrap_or_default();
    let commit = signal::commit("commit_url", commit)?;
    let status = words::ours("gitlab", "status", &it.status)?;
    let occurred_at = it
        .status_changed_at
        .as_deref()
        .map(|text| moment("status_changed_at", text))
        .transpose()?
        .unwrap_or(received_at);
    let repository = signal::name("project.path_with_namespace", &it.project.path_with_namespace)?;
    let environment = signal::name("environment", &it.environment)?;
    let is_blocked = it.status == "blocked";
    let mut signals = vec![Signal::DeploymentStatus(DeploymentStatus {
        deployment_id: it.deployment_id.to_string(),
        status_id: format!("{}/{}@{occurred_at}", it.deployment_id, it.status),
        repository: repository.clone(),
        environment: environment.clone(),
        commit: commit.clone(),
        artifact: None,
        other_commits: Vec::new(),
        artifacts: Vec::new(),
        status,
        description: None,
        actor: it
            .user
            .and_then(|user| user.username)
            .map(|text| signal::name("user.username", &text))
            .transpose()?,
        occurred_at,
        url: it.deployable_url.as_deref().and_then(signal::url),
    })];
    if is_blocked {
        signals.push(Signal::Ask(DecisionRequest {
            ask: DecisionKind::DeploymentApproval,
            repository,
            environment: Some(environment),
            commit,
            before: None,
            number: None,
            reply_to: format!("{}/{}", it.project.id, it.deployment_id),
            is_over: false,
            actor: None,
            author: None,
            fork: None,
            is_repeat: false,
            texts: DecisionTexts::default(),
            occurred_at,
        }));
    }
    Ok(signals)
}

#[derive(Deserialize)]
struct MergeRequestBody {
    object_attributes: MergeRequest,
    project: Project,
    user: Option<User>,
}

#[derive(Deserialize)]
struct MergeRequest {
    iid: u64,
    title: String,
    description: Option<String>,
    source_branch: Option<String>,
    state: Option<String>,
    action: Option<String>,
    updated_at: Option<String>,
    merge_commit_sha: Option<String>,
    oldrev: Option<String>,
    last_commit: Option<LastCommit>,
    source: Option<Source>,
}

/// The project that a merge request's commits lie in.
#[derive(Deserialize)]
struct Source {
    path_with_namespace: String,
}

#[derive(Deserialize)]
struct LastCommit {
    id: String,
    message: Option<String>,
}

fn read_merge_request(
    it: MergeRequestBody,
    rule: Option<Rule>,
    received_at: Timestamp,
) -> Result<Vec<Signal>, SetAside> {
    let of = it.object_attributes;
    let last = of
        .last_commit
        .ok_or_else(|| SetAside::because("last_commit is missing"))?;
    let head_commit = signal::commit("last_commit.id", &last.id)?;
    let repository = signal::name("project.path_with_namespace", &it.project.path_with_namespace)?;
    let occurred_at = of
        .updated_at
        .as_deref()
        .map(|text| moment("updated_at", text))
        .transpose()?
        .unwrap_or(received_at);
    let actor = it
        .user
        .and_then(|user| user.username)
        .map(|text| signal::name("user.username", &text))
        .transpose()?;
    let is_merged = of.state.as_deref() == Some("merged");
    let mut signals = vec![Signal::PullRequest(PullRequest {
        repository: repository.clone(),
        number: of.iid,
        action: signal::name("action", of.action.as_deref().unwrap_or("changed"))?,
        head_commit: head_commit.clone(),
        merge_commit: of
            .merge_commit_sha
            .as_deref()
            .and_then(|sha| signal::commit("merge_commit_sha", sha).ok()),
        title: signal::free_text(&of.title).unwrap_or_default(),
        author: actor.clone(),
        merged: is_merged,
        occurred_at,
    })];
    if let Some(rule) = rule {
        signals.push(Signal::Ask(DecisionRequest {
            ask: DecisionKind::StatusCheck,
            repository,
            environment: None,
            commit: head_commit,
            before: of.oldrev.as_deref().and_then(|sha| signal::commit("oldrev", sha).ok()),
            number: Some(of.iid),
            reply_to: format!("{}/{}/{}", it.project.id, of.iid, rule.id),
            is_over: is_merged || of.state.as_deref() == Some("closed"),
            actor,
            author: None,
            fork: of
                .source
                .map(|source| source.path_with_namespace)
                .filter(|source| !source.eq_ignore_ascii_case(&it.project.path_with_namespace)),
            is_repeat: false,
            texts: DecisionTexts {
                branch: of.source_branch,
                title: Some(of.title),
                body: of.description,
                message: last.message,
            },
            occurred_at,
        }));
    }
    Ok(signals)
}

#[derive(Deserialize)]
struct PushBody {
    #[serde(rename = "ref")]
    ref_name: String,
    before: String,
    after: String,
    project: Project,
    user_username: Option<String>,
    #[serde(default)]
    commits: Vec<PushedPart>,
    total_commits_count: Option<u64>,
}

#[derive(Deserialize)]
struct PushedPart {
    id: String,
    message: Option<String>,
    author: Option<GitPerson>,
}

/// An author in GitLab's form: without an account.
#[derive(Deserialize)]
struct GitPerson {
    name: Option<String>,
    email: Option<String>,
}

fn read_push(it: PushBody) -> Result<Vec<Signal>, SetAside> {
    if it.commits.len() > signal::PUSH_MAX_COMMITS {
        return Err(SetAside::because("the push names too many commits"));
    }
    // GitLab lists the last twenty and counts them all.
    let is_partial = it
        .total_commits_count
        .is_some_and(|total| total > u64::try_from(it.commits.len()).unwrap_or(u64::MAX));
    let commits = it
        .commits
        .into_iter()
        .map(read_commit)
        .collect::<Result<Vec<_>, SetAside>>()?;
    Ok(vec![Signal::Push(Push {
        repository: signal::name("project.path_with_namespace", &it.project.path_with_namespace)?,
        ref_name: signal::name("ref", &it.ref_name)?,
        before: signal::commit("before", &it.before)?,
        after: signal::commit("after", &it.after)?,
        commits,
        is_partial,
        pusher: it
            .user_username
            .map(|text| signal::name("user_username", &text))
            .transpose()?,
    })])
}

fn read_commit(it: PushedPart) -> Result<PushedCommit, SetAside> {
    let author = it.author.map(|one| Committer {
        login: None,
        // A hidden address is replaced by this.
        email: one
            .email
            .filter(|mail| mail != "[REDACTED]")
            .and_then(|mail| signal::line(&mail.to_lowercase())),
        name: one.name.and_then(|name| signal::line(&name)),
    });
    let mut authors: Vec<Committer> = author.into_iter().collect();
    authors.extend(it.message.as_deref().map(signal::co_authors).unwrap_or_default());
    Ok(PushedCommit {
        commit: signal::commit("commits.id", &it.id)?,
        authors,
        committer: None,
    })
}

/// Reads a time in one of the three forms that GitLab writes: RFC 3339, `2021-04-28 21:50:00 +0200`, and
/// `2013-12-03 17:23:34 UTC`.
fn moment(field: &str, text: &str) -> Result<Timestamp, SetAside> {
    if let Ok(at) = received::time(field, text) {
        return Ok(at);
    }
    let text = text.replace(" UTC", " +0000");
    let wrong = || SetAside::because(format_args!("{field} is not a time: {text}"));
    strtime::parse("%Y-%m-%d %H:%M:%S %z", &text)
        .and_then(|broken| broken.to_timestamp())
        .map_err(|_| wrong())
}

/// One of GitLab's freeze periods: two cron lines and a zone, as its API "Freeze periods" shows them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FreezePeriod {
    /// Its id.
    pub id: u64,
    /// When it begins, as cron.
    pub freeze_start: String,
    /// When it ends, as cron.
    pub freeze_end: String,
    /// The zone of both.
    #[serde(default)]
    pub cron_timezone: Option<String>,
}

/// A span as GitLab's freeze period: cron names no year, so the period is taken back when its end has passed.
#[must_use]
pub fn freeze_period(starts_at: Timestamp, ends_at: Timestamp) -> Value {
    let cron = |at: Timestamp| {
        let it = at.to_zoned(jiff::tz::TimeZone::UTC);
        format!("{} {} {} {} *", it.minute(), it.hour(), it.day(), it.month())
    };
    serde_json::json!({"freeze_start": cron(starts_at), "freeze_end": cron(ends_at), "cron_timezone": "UTC"})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    #[test]
    fn times_are_read_in_the_forms_that_occur() {
        for text in [
            "2021-04-28T19:50:00Z",
            "2021-04-28 21:50:00 +0200",
            "2021-04-28 19:50:00 UTC",
        ] {
            assert_eq!(
                moment("at", text).unwrap().to_string(),
                "2021-04-28T19:50:00Z",
                "{text}"
            );
        }
        assert!(moment("at", "yesterday").is_err());
    }

    #[test]
    fn a_freeze_becomes_two_cron_lines() {
        let at = |text: &str| text.parse().unwrap();
        let period = freeze_period(at("2026-12-23T18:00:00Z"), at("2027-01-02T06:30:00Z"));
        assert_eq!(period["freeze_start"], "0 18 23 12 *");
        assert_eq!(period["freeze_end"], "30 6 2 1 *");
    }

    #[test]
    fn a_status_check_is_signed_over_its_body() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret of sixteen");
        let tag = hex::encode(hmac::sign(&key, b"{}"));
        assert!(check_signature("a secret of sixteen", b"{}", &tag));
        assert!(!check_signature("a secret of sixteen", b"{ }", &tag));
        assert!(!check_signature("another secret here", b"{}", &tag));
        assert!(!check_signature("a secret of sixteen", b"{}", "zz"));
    }
}
