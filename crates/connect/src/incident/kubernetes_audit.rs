//! Audit events of Kubernetes (`audit.k8s.io/v1`) as the webhook backend sends them, an `EventList`, and as the log backend writes
//! them, one event a line.
//!
//! An event is a difference where a write had success. The natural key is the object and the path of the attribute; an event
//! takes effect once, by its time. The cluster's internal objects (leases, endpoints, the status of objects, reviews) are no
//! configuration and are left out.

use jiff::Timestamp;
use model::incident::drift::{Difference, DriftReport, EXISTENCE, OBJECT};
use model::integration::signal::{self, SetAside, Signal};
use serde::Deserialize;
use serde_json::Value;

use crate::incident::form::{fingerprint, report, unreadable};

/// The most attributes of one write that are listed; one with more is reported as a whole.
const MOST_PATHS: usize = 50;
/// How many complaints about parts are reported.
const MOST_COMPLAINTS: usize = 5;
/// Objects that the cluster writes for itself all the time.
const KEPT_BY_ITSELF: &[&str] = &["endpoints", "endpointslices", "events", "leases"];
/// Parts of objects that are configuration.
const PARTS: &[&str] = &["ephemeralcontainers", "resize", "scale"];
/// Fields that only name an object.
const NAMES: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.uid",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    stage: String,
    verb: String,
    #[serde(default, rename = "requestURI")]
    request_uri: String,
    user: Option<User>,
    impersonated_user: Option<User>,
    object_ref: Option<ObjectRef>,
    response_status: Option<Status>,
    request_object: Option<Value>,
    request_received_timestamp: Option<String>,
    stage_timestamp: Option<String>,
}

#[derive(Deserialize)]
struct User {
    username: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectRef {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    api_group: String,
    subresource: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    code: Option<i64>,
}

/// Reads a list of events, or several events one after another.
///
/// # Errors
/// [`SetAside`] where it is cut, or holds no audit event.
pub(super) fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    let mut events = Vec::new();
    for value in serde_json::Deserializer::from_slice(body).into_iter::<Value>() {
        let mut value = value.map_err(|error| unreadable(&error))?;
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        match (kind.as_str(), value.get_mut("items").map(Value::take)) {
            ("EventList", Some(Value::Array(items))) => events.extend(items),
            ("Event", _) => events.push(value),
            _ => {
                return Err(SetAside::because(
                    "it is no audit event: `kind` is neither `EventList` nor `Event` of `audit.k8s.io/v1`",
                ));
            }
        }
    }
    if events.is_empty() {
        return Err(SetAside::because("it holds no audit event"));
    }
    let (mut differences, mut complaints) = (Vec::new(), Vec::new());
    for event in events {
        match serde_json::from_value::<Event>(event)
            .map_err(|error| unreadable(&error))
            .and_then(|it| of_event(&it, received_at))
        {
            Ok(found) => differences.extend(found),
            Err(why) => complaints.push(Signal::unread("kubernetes_audit", &why)),
        }
    }
    complaints.truncate(MOST_COMPLAINTS);
    let found = DriftReport {
        scope: String::new(),
        taken_at: differences.iter().filter_map(|it| it.at).max().unwrap_or(received_at),
        is_complete: false,
        is_log: true,
        clean: Vec::new(),
        count: 0,
        differences,
    };
    let mut signals = vec![report(found, body, received_at)?];
    signals.extend(complaints);
    Ok(signals)
}

fn of_event(event: &Event, received_at: Timestamp) -> Result<Vec<Difference>, SetAside> {
    let is_done = event
        .response_status
        .as_ref()
        .and_then(|it| it.code)
        .is_none_or(|code| (200..300).contains(&code));
    let is_dry = event.request_uri.contains("dryRun=");
    let Some(object) = event.object_ref.as_ref().filter(|it| is_configuration(it)) else {
        return Ok(Vec::new());
    };
    let is_write = matches!(
        event.verb.as_str(),
        "create" | "update" | "patch" | "delete" | "deletecollection"
    );
    if event.stage != "ResponseComplete" || !is_write || !is_done || is_dry {
        return Ok(Vec::new());
    }
    let told = event
        .stage_timestamp
        .as_deref()
        .or(event.request_received_timestamp.as_deref());
    let Some(at) = told.and_then(|text| text.parse::<Timestamp>().ok()) else {
        return Err(SetAside::because("an event without a time in `stageTimestamp`"));
    };
    let who = [&event.impersonated_user, &event.user].into_iter().flatten();
    let doer = who.filter_map(|it| it.username.clone()).next();
    let rows = attributes(event, object).into_iter();
    Ok(rows
        .map(|(attribute, found, digest)| Difference {
            address: address(object),
            attribute,
            found,
            digest,
            at: Some(at.min(received_at)),
            doer: doer.clone(),
        })
        .collect())
}

fn is_configuration(object: &ObjectRef) -> bool {
    let is_part = object
        .subresource
        .as_deref()
        .is_none_or(|it| it.is_empty() || PARTS.contains(&it));
    let resource = object.resource.as_str();
    is_part && !resource.is_empty() && !resource.ends_with("reviews") && !KEPT_BY_ITSELF.contains(&resource)
}

/// `prod/deployments.apps/booking-api`; of an object of the whole cluster `/nodes/n1`.
fn address(object: &ObjectRef) -> String {
    let group = match object.api_group.as_str() {
        "" => String::new(),
        group => format!(".{group}"),
    };
    let name = if object.name.is_empty() { "*" } else { &object.name };
    format!("{}/{}{group}/{name}", object.namespace, object.resource)
}

type Attribute = (String, Option<String>, Option<String>);

fn attributes(event: &Event, object: &ObjectRef) -> Vec<Attribute> {
    let word = |word: &str| vec![(EXISTENCE.to_owned(), Some(word.to_owned()), None)];
    let sent = event.request_object.as_ref();
    match event.verb.as_str() {
        "delete" | "deletecollection" => return word("absent"),
        "create" if object.subresource.is_none() => return word("present"),
        _ => {}
    }
    if object.subresource.as_deref() == Some("scale") {
        let count = sent.and_then(|it| it.pointer("/spec/replicas"));
        return vec![("spec.replicas".to_owned(), count.map(fingerprint), None)];
    }
    let mut found = Vec::new();
    match (event.verb.as_str(), sent) {
        ("patch", Some(Value::Array(steps))) => found.extend(steps.iter().filter_map(step)),
        ("patch", Some(patch)) => walk(String::new(), patch, &mut found),
        _ => {}
    }
    found.retain(|(path, ..)| !NAMES.contains(&path.as_str()));
    if found.is_empty() || found.len() > MOST_PATHS {
        return vec![(OBJECT.to_owned(), sent.map(fingerprint), sent.and_then(image))];
    }
    found
}

/// A step of a JSON Patch (RFC 6902).
fn step(step: &Value) -> Option<Attribute> {
    let path = step["path"].as_str()?.trim_start_matches('/').replace('/', ".");
    let path = path.replace("~1", "/").replace("~0", "~");
    let value = &step["value"];
    Some((path, Some(fingerprint(value)), image(value)))
}

/// The leaves of a merge patch; a list is one.
fn walk(path: String, value: &Value, found: &mut Vec<Attribute>) {
    let Value::Object(map) = value else {
        found.push((path, Some(fingerprint(value)), image(value)));
        return;
    };
    for (name, inner) in map {
        let inner_path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        if !NAMES.contains(&inner_path.as_str()) {
            walk(inner_path, inner, found);
        }
    }
}

/// The digest of the image in a value, if the value names exactly one.
fn image(value: &Value) -> Option<String> {
    let mut found = Vec::new();
    digests(value, &mut found);
    found.sort();
    found.dedup();
    found.pop().filter(|_| found.is_empty())
}

fn digests(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(signal::digest(text)),
        Value::Array(rows) => rows.iter().for_each(|row| digests(row, found)),
        Value::Object(map) => map.values().for_each(|row| digests(row, found)),
        _ => {}
    }
}
