//! CDEvents (0.3 to 0.5) inside CloudEvents: the deployments of a service in an environment, and incidents. A deployment is one
//! artifact of one service in one environment, named by the event's id.

use jiff::Timestamp;
use model::integration::signal::{self, Alert, DeploymentStatus, Progress, SetAside, Signal};
use serde::Deserialize;
use serde_json::Value;

use crate::integration::cloudevents::{self, Event};
use crate::integration::received::{commit_or_none, parse, time};

#[derive(Deserialize)]
struct Body {
    context: Context,
    subject: Subject,
}

#[derive(Deserialize)]
struct Context {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
}

#[derive(Deserialize)]
struct Subject {
    id: String,
    #[serde(default)]
    content: Value,
}

/// Reads a CloudEvent whose data is a CDEvent.
///
/// # Errors
/// [`SetAside`] where it is no CloudEvent, or its data no CDEvent.
pub fn read_event(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    if cloudevents::is_batch(body) {
        return cloudevents::read_batch(body, |event| read_one(event, received_at));
    }
    // Some senders leave the envelope out and send the CDEvent as it is.
    if let Ok(bare) = parse::<Value>(body)
        && bare.get("specversion").is_none()
        && bare.pointer("/context/type").is_some()
    {
        return read(bare, received_at);
    }
    read_one(Event::read(body)?, received_at)
}

fn read_one(event: Event, received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    if !event.kind.starts_with("dev.cdevents.") {
        return Err(SetAside::because(format_args!("{} is no type of CDEvents", event.kind)));
    }
    read(event.data, received_at)
}

/// Reads a CDEvent.
///
/// # Errors
/// [`SetAside`] where a needed field is missing.
pub fn read(data: Value, _received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let it: Body = serde_json::from_value(data)
        .map_err(|error| SetAside::because(format_args!("the data is no CDEvent: {error}")))?;
    let kind = it.context.kind.clone();
    let words: Vec<&str> = kind.split('.').collect();
    let (subject, predicate) = match words[..] {
        ["dev", "cdevents", subject, predicate, ..] => (subject, predicate),
        _ => return Err(SetAside::because(format_args!("{kind} is no type of CDEvents"))),
    };
    match (subject, predicate) {
        ("service", "deployed" | "upgraded") => Ok(vec![deployed(&it, Progress::Success)?]),
        ("service", "rolledback") => Ok(vec![deployed(&it, Progress::Other("rolled_back".to_owned()))?]),
        ("incident", "detected" | "reported") => Ok(vec![incident(&it, false)?]),
        ("incident", "resolved") => Ok(vec![incident(&it, true)?]),
        _ => Ok(vec![Signal::Unknown {
            event: signal::name("type", &kind)?,
            action: None,
        }]),
    }
}

fn text<'a>(content: &'a Value, pointer: &str) -> Option<&'a str> {
    content
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn deployed(it: &Body, status: Progress) -> Result<Signal, SetAside> {
    let content = &it.subject.content;
    let environment = text(content, "/environment/id").ok_or_else(|| SetAside::because("environment.id is missing"))?;
    let purl = text(content, "/artifactId");
    let artifact = purl.and_then(digest_of_purl);
    let service = signal::name("subject.id", &it.subject.id)?;
    let what = artifact.as_deref().or(purl).unwrap_or_default();
    Ok(Signal::DeploymentStatus(DeploymentStatus {
        deployment_id: signal::name("deployment", &format!("{environment}/{what}"))?,
        status_id: signal::name("context.id", &it.context.id)?,
        repository: service,
        environment: signal::name("environment.id", environment)?,
        commit: commit_or_none(purl.and_then(version_of_purl).as_deref()),
        artifact,
        other_commits: Vec::new(),
        artifacts: Vec::new(),
        status,
        description: None,
        actor: None,
        occurred_at: time("context.timestamp", &it.context.timestamp)?,
        url: None,
    }))
}

/// The version in a package URL: a digest in `pkg:oci/shop@sha256%3Aabc…?tag=1`, a commit in `pkg:github/halden/shop@6dcb09b…`.
fn version_of_purl(purl: &str) -> Option<String> {
    let version = purl.rsplit_once('@')?.1;
    let version = version.split(['?', '#']).next().unwrap_or_default();
    Some(version.replace("%3A", ":").replace("%3a", ":"))
}

fn digest_of_purl(purl: &str) -> Option<String> {
    signal::digest(&version_of_purl(purl)?)
}

fn incident(it: &Body, is_over: bool) -> Result<Signal, SetAside> {
    let content = &it.subject.content;
    let at = time("context.timestamp", &it.context.timestamp)?;
    let title = text(content, "/description").and_then(signal::free_text);
    let service = text(content, "/service/id");
    Ok(Signal::Alert(Alert {
        source_key: signal::name("subject.id", &it.subject.id)?,
        is_over,
        reopens: false,
        tells_state: false,
        title: title.unwrap_or_else(|| it.subject.id.clone()),
        services: service
            .map(|text| signal::name("service.id", text))
            .transpose()?
            .into_iter()
            .collect(),
        severity: 3,
        started_at: at,
        later_starts: Vec::new(),
        told_at: None,
        told_number: None,
        ended_at: is_over.then_some(at),
    }))
}
