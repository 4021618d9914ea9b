//! GitHub's webhooks, as its documentation page "Webhook events and payloads" describes them.
//!
//! The signature covers the body alone. The event's name is in a header that anyone with an old body could change, so a body
//! must also look like the event in its header.

pub mod api;
mod questions;

use std::fmt;

use jiff::Timestamp;
use model::gate::committers::Committer;
use model::integration::signal::{
    self, Deployment, DeploymentStatus, Progress, PullRequest, Push, PushedCommit, Release, SetAside, Signal,
};
use ring::hmac;
use serde::Deserialize;
use serde_json::Value;

pub use questions::with_questions;

/// The largest body that GitHub sends, in bytes; the receiver refuses more.
pub const BODY_MAX_BYTES: usize = 25 * 1024 * 1024;
/// The shortest secret that is accepted, in bytes. An empty one would accept anybody's signature.
pub const SECRET_MIN_BYTES: usize = 16;

/// A secret shared with a sender of webhooks. It is never printed.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl Secret {
    /// Takes the secret's bytes; `None` if they are fewer than [`SECRET_MIN_BYTES`].
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (bytes.len() >= SECRET_MIN_BYTES).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// Signs a body as GitHub does: the value of the header `X-Hub-Signature-256`.
    #[must_use]
    pub fn sign(&self, raw_body: &[u8]) -> String {
        let tag = hmac::sign(&self.0, raw_body);
        format!("sha256={}", hex::encode(tag))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// Whether `header` (the value of `X-Hub-Signature-256`) is the signature of exactly these bytes under one of the secrets; two
/// are valid side by side while a secret is being rotated. The comparison takes the same time wherever the first difference
/// lies. Anything but `sha256=` and 64 lower-case hex digits is refused, and so is everything when there is no secret.
#[must_use]
pub fn verify(secrets: &[Secret], raw_body: &[u8], header: &str) -> bool {
    let Some(claimed) = parse_signature(header) else {
        return false;
    };
    secrets
        .iter()
        .any(|secret| hmac::verify(&secret.0, raw_body, &claimed).is_ok())
}

/// A signature that is computed while the body comes in, so that a body that nobody signed need not be held in memory.
/// It judges as [`verify`] does.
pub struct Signing(Vec<(hmac::Key, hmac::Context)>);

impl Signing {
    /// Begins under the secrets that are live.
    #[must_use]
    pub fn begin(secrets: &[Secret]) -> Self {
        let begun = secrets
            .iter()
            .map(|Secret(key)| (key.clone(), hmac::Context::with_key(key)));
        Self(begun.collect())
    }

    /// Adds the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        for (_, context) in &mut self.0 {
            context.update(bytes);
        }
    }

    /// Whether `header` is the signature of the whole body under one of the secrets.
    #[must_use]
    pub fn fits(self, header: &str) -> bool {
        let Some(claimed) = parse_signature(header) else {
            return false;
        };
        // Both are signed once more before they are compared, and that comparison takes the same time wherever the first
        // difference lies.
        self.0.into_iter().any(|(key, context)| {
            let twice = hmac::sign(&key, &claimed);
            hmac::verify(&key, context.sign().as_ref(), twice.as_ref()).is_ok()
        })
    }
}

fn parse_signature(header: &str) -> Option<[u8; 32]> {
    let digits = header.strip_prefix("sha256=")?;
    // GitHub writes small letters; anything else is no signature of its.
    if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

/// Reads a verified body into signals. `event_header` is the value of `X-GitHub-Event`. Fields
/// that are not needed here are ignored, whatever they hold.
///
/// # Errors
/// [`SetAside`] with a reason where the body is not JSON (also a form: the hook must send `application/json`), is larger than
/// [`BODY_MAX_BYTES`], lacks a needed field or holds one that breaks a limit of [`model::integration::signal`], or is of
/// another event than the header's.
pub fn read(event_header: &str, body: &[u8]) -> Result<Vec<Signal>, SetAside> {
    read_received(event_header, body, None)
}

/// The same of a delivery that was received at a known time: that time counts for a deployment or status without a time.
///
/// # Errors
/// As [`read`].
pub fn read_received(event_header: &str, body: &[u8], received_at: Option<Timestamp>) -> Result<Vec<Signal>, SetAside> {
    if body.len() > BODY_MAX_BYTES {
        return Err(SetAside::because("the body is larger than 25 MiB"));
    }
    let event = signal::name("event header", event_header)?;
    if body.starts_with(b"payload=") {
        return Err(SetAside::because(
            "the body is a form; set the hook's content type to application/json",
        ));
    }
    let outline: Outline = parse(body)?;
    let looks_like = outline.event();
    if let Some(other) = looks_like
        && other != event
    {
        return Err(SetAside::because(format_args!(
            "the header says {event}, but the body is of {other}"
        )));
    }
    let signal = match event.as_str() {
        "ping" => return Ok(vec![Signal::Ping]),
        "deployment" if outline.is_created() => read_deployment(parse(body)?, received_at)?,
        "deployment_status" if outline.is_created() => read_status(parse(body)?, received_at)?,
        "push" => read_push(parse(body)?)?,
        "pull_request" => read_pull_request(parse(body)?)?,
        "release" => read_release(parse(body)?)?,
        _ => return unknown(event, &outline),
    };
    if looks_like.is_none() {
        return Err(SetAside::because(format_args!(
            "the header says {event}, but the body is of another event"
        )));
    }
    Ok(vec![signal])
}

fn unknown(event: String, outline: &Outline) -> Result<Vec<Signal>, SetAside> {
    let action = outline.action();
    let action = action.map(|it| signal::name("action", it)).transpose()?;
    Ok(vec![Signal::Unknown { event, action }])
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, SetAside> {
    serde_json::from_slice(body).map_err(|error| SetAside::because(format_args!("the body cannot be read: {error}")))
}

/// The members that identify a body's event. serde's `IgnoredAny` reads a member without keeping it, in constant stack space.
#[derive(Deserialize)]
struct Outline {
    action: Option<Value>,
    deployment: Option<serde::de::IgnoredAny>,
    deployment_status: Option<serde::de::IgnoredAny>,
    workflow_job: Option<serde::de::IgnoredAny>,
    pull_request: Option<serde::de::IgnoredAny>,
    number: Option<serde::de::IgnoredAny>,
    release: Option<serde::de::IgnoredAny>,
    pusher: Option<serde::de::IgnoredAny>,
    after: Option<serde::de::IgnoredAny>,
}

impl Outline {
    /// The event of this body, if the body identifies one that has a meaning here. A reported workflow job also carries its
    /// deployment, and a comment on a pull request the pull request, but no number of its own.
    fn event(&self) -> Option<&'static str> {
        if self.deployment_status.is_some() {
            return Some("deployment_status");
        }
        if self.deployment.is_some() && self.workflow_job.is_none() && self.is_created() {
            return Some("deployment");
        }
        if self.pull_request.is_some() && self.number.is_some() {
            return Some("pull_request");
        }
        if self.release.is_some() {
            return Some("release");
        }
        if self.pusher.is_some() && self.after.is_some() {
            return Some("push");
        }
        None
    }

    fn action(&self) -> Option<&str> {
        self.action.as_ref().and_then(Value::as_str)
    }

    /// Deployments and their statuses are created; older servers omit this.
    fn is_created(&self) -> bool {
        self.action.is_none() || self.action() == Some("created")
    }
}

#[derive(Deserialize)]
struct Account {
    login: Option<String>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct DeploymentBody {
    deployment: DeploymentPart,
    repository: Repository,
    sender: Option<Account>,
}

#[derive(Deserialize)]
struct DeploymentPart {
    id: u64,
    sha: String,
    #[serde(rename = "ref")]
    ref_name: Option<String>,
    task: Option<String>,
    payload: Option<Value>,
    environment: String,
    description: Option<String>,
    creator: Option<Account>,
    created_at: Option<String>,
    url: Option<String>,
}

fn read_deployment(body: DeploymentBody, received_at: Option<Timestamp>) -> Result<Signal, SetAside> {
    let it = body.deployment;
    Ok(Signal::Deployment(Deployment {
        deployment_id: it.id.to_string(),
        repository: signal::name("repository", &body.repository.full_name)?,
        environment: signal::name("deployment.environment", &it.environment)?,
        commit: signal::commit("deployment.sha", &it.sha)?,
        // Without a name for it, the commit itself is the deployed version.
        ref_name: signal::name("deployment.ref", it.ref_name.as_deref().unwrap_or(&it.sha))?,
        task: signal::name("deployment.task", it.task.as_deref().unwrap_or("deploy"))?,
        artifact: it.payload.as_ref().and_then(artifact),
        description: it.description.as_deref().and_then(signal::free_text),
        requester: login(&[body.sender, it.creator])?,
        occurred_at: made_at("deployment.created_at", it.created_at.as_deref(), received_at)?,
        url: it.url.as_deref().and_then(signal::url),
    }))
}

/// When something was made: its own time, else when it was received.
fn made_at(field: &str, said: Option<&str>, received_at: Option<Timestamp>) -> Result<Timestamp, SetAside> {
    match (said, received_at) {
        (Some(text), _) => time(field, text),
        (None, Some(at)) => Ok(at),
        (None, None) => Err(SetAside::because(format_args!("{field} is missing"))),
    }
}

/// Finds the artifact in a deployment's payload, which is free-form: an object or, from older clients, an object written as a
/// string.
fn artifact(payload: &Value) -> Option<String> {
    let named = |payload: &Value| signal::digest(payload.get("artifact")?.as_str()?);
    match payload {
        Value::String(text) => named(&serde_json::from_str(text).ok()?),
        other => named(other),
    }
}

#[derive(Deserialize)]
struct StatusBody {
    deployment_status: StatusPart,
    deployment: DeploymentPart,
    repository: Repository,
    sender: Option<Account>,
}

#[derive(Deserialize)]
struct StatusPart {
    id: u64,
    state: String,
    environment: Option<String>,
    description: Option<String>,
    creator: Option<Account>,
    created_at: Option<String>,
    log_url: Option<String>,
    target_url: Option<String>,
    url: Option<String>,
}

fn read_status(body: StatusBody, received_at: Option<Timestamp>) -> Result<Signal, SetAside> {
    let it = body.deployment_status;
    let state = signal::name("deployment_status.state", &it.state)?;
    let environment = it
        .environment
        .filter(|text| !text.is_empty())
        .unwrap_or(body.deployment.environment);
    let links = [it.log_url, it.target_url, it.url];
    Ok(Signal::DeploymentStatus(DeploymentStatus {
        deployment_id: body.deployment.id.to_string(),
        status_id: it.id.to_string(),
        repository: signal::name("repository", &body.repository.full_name)?,
        environment: signal::name("deployment_status.environment", &environment)?,
        commit: signal::commit("deployment.sha", &body.deployment.sha)?,
        artifact: body.deployment.payload.as_ref().and_then(artifact),
        other_commits: Vec::new(),
        artifacts: Vec::new(),
        status: Progress::from(state),
        description: it.description.as_deref().and_then(signal::free_text),
        actor: login(&[body.sender, it.creator])?,
        occurred_at: made_at("deployment_status.created_at", it.created_at.as_deref(), received_at)?,
        url: links.iter().flatten().find_map(|text| signal::url(text)),
    }))
}

#[derive(Deserialize)]
struct PushBody {
    #[serde(rename = "ref")]
    ref_name: String,
    before: String,
    after: String,
    #[serde(default)]
    commits: Vec<PushedPart>,
    repository: Repository,
    sender: Option<Account>,
}

#[derive(Deserialize)]
struct PushedPart {
    id: String,
    author: Option<GitPerson>,
    committer: Option<GitPerson>,
    message: Option<String>,
}

/// A person as git knows one, with the account's login where GitHub knew it.
#[derive(Deserialize)]
struct GitPerson {
    username: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

impl GitPerson {
    /// The person's form in signals; `None` where git has no name or address.
    fn read(self) -> Result<Option<Committer>, SetAside> {
        let one = Committer {
            login: login(&[Some(Account { login: self.username })])?,
            email: self.email.and_then(|mail| signal::line(&mail.to_lowercase())),
            name: self.name.and_then(|name| signal::line(&name)),
        };
        let is_named = one.login.is_some() || one.email.is_some() || one.name.is_some();
        Ok(is_named.then_some(one))
    }
}

/// Whether GitHub itself made the commit, as it does for merges on its pages. Anybody can set this name in git, so it names
/// nobody, and the pusher counts instead.
fn is_of_github(one: &Committer) -> bool {
    one.login.as_deref() == Some("web-flow") || one.email.as_deref() == Some("noreply@github.com")
}

fn read_push(body: PushBody) -> Result<Signal, SetAside> {
    if body.commits.len() > signal::PUSH_MAX_COMMITS {
        return Err(SetAside::because("the push names too many commits"));
    }
    // GitHub names at most this many, so a full list may be one that was cut.
    let is_partial = body.commits.len() == signal::PUSH_MAX_COMMITS;
    let commits = body
        .commits
        .into_iter()
        .map(|it| {
            let read = |person: Option<GitPerson>| person.map(GitPerson::read).transpose().map(Option::flatten);
            let mut authors: Vec<Committer> = read(it.author)?.into_iter().collect();
            authors.extend(it.message.as_deref().map(signal::co_authors).unwrap_or_default());
            Ok(PushedCommit {
                commit: signal::commit("commits.id", &it.id)?,
                authors,
                committer: read(it.committer)?.filter(|one| !is_of_github(one)),
            })
        })
        .collect::<Result<Vec<_>, SetAside>>()?;
    Ok(Signal::Push(Push {
        is_partial,
        repository: signal::name("repository", &body.repository.full_name)?,
        ref_name: signal::name("ref", &body.ref_name)?,
        before: signal::commit("before", &body.before)?,
        after: signal::commit("after", &body.after)?,
        commits,
        pusher: login(&[body.sender])?,
    }))
}

#[derive(Deserialize)]
struct PullRequestBody {
    action: String,
    number: u32,
    pull_request: PullRequestPart,
    repository: Repository,
}

#[derive(Deserialize)]
struct PullRequestPart {
    title: String,
    head: Head,
    merge_commit_sha: Option<String>,
    merged: Option<bool>,
    user: Option<Account>,
    updated_at: String,
}

#[derive(Deserialize)]
struct Head {
    sha: String,
}

fn read_pull_request(body: PullRequestBody) -> Result<Signal, SetAside> {
    let it = body.pull_request;
    let merge_commit = it
        .merge_commit_sha
        .map(|sha| signal::commit("pull_request.merge_commit_sha", &sha))
        .transpose()?;
    Ok(Signal::PullRequest(PullRequest {
        repository: signal::name("repository", &body.repository.full_name)?,
        number: body.number.into(),
        action: signal::name("action", &body.action)?,
        head_commit: signal::commit("pull_request.head.sha", &it.head.sha)?,
        merge_commit,
        title: signal::free_text(&it.title).unwrap_or_default(),
        author: login(&[it.user])?,
        merged: it.merged.unwrap_or(false),
        occurred_at: time("pull_request.updated_at", &it.updated_at)?,
    }))
}

#[derive(Deserialize)]
struct ReleaseBody {
    action: String,
    release: ReleasePart,
    repository: Repository,
}

#[derive(Deserialize)]
struct ReleasePart {
    tag_name: String,
    target_commitish: Option<String>,
    author: Option<Account>,
    updated_at: Option<String>,
    published_at: Option<String>,
    created_at: Option<String>,
}

fn read_release(body: ReleaseBody) -> Result<Signal, SetAside> {
    let it = body.release;
    let occurred_at = it
        .updated_at
        .or(it.published_at)
        .or(it.created_at)
        .map(|text| time("release's time", &text))
        .transpose()?;
    let target = it
        .target_commitish
        .filter(|text| !text.is_empty())
        .map(|text| signal::name("release.target_commitish", &text))
        .transpose()?;
    Ok(Signal::Release(Release {
        repository: signal::name("repository", &body.repository.full_name)?,
        tag: signal::name("release.tag_name", &it.tag_name)?,
        action: signal::name("action", &body.action)?,
        target,
        author: login(&[it.author])?,
        occurred_at,
    }))
}

/// The first login among some accounts, checked; an account that was deleted has none.
fn login(accounts: &[Option<Account>]) -> Result<Option<String>, SetAside> {
    accounts
        .iter()
        .flatten()
        .find_map(|account| account.login.as_deref().filter(|text| !text.is_empty()))
        .map(|text| signal::name("login", text))
        .transpose()
}

/// Reads a time, in whole microseconds as all times here are.
fn time(field: &str, text: &str) -> Result<Timestamp, SetAside> {
    text.parse::<Timestamp>()
        .and_then(|at| Timestamp::from_microsecond(at.as_microsecond()))
        .map_err(|_| SetAside::because(format_args!("{field} is not a time: {text}")))
}

#[cfg(test)]
#[path = "github_tests.rs"]
mod tests;
