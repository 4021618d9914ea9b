//! CloudEvents 1.0.2: structured mode in and out, binary mode and batches in. Data that are CDEvents are read as such; other data
//! are read as our plain report when the type is `assent.deployment`, `assent.verdict` or `assent.incident`.

use jiff::Timestamp;
use model::integration::signal::{self, SetAside, Signal};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::integration::received::{Headers, Kept, parse};
use crate::integration::{cdevents, plain};

/// The media type of one event in structured mode.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The type under which our plain report travels.
pub const PLAIN: &str = "assent.deployment";
/// The type under which a verdict in our plain form travels.
pub const VERDICT: &str = "assent.verdict";
/// The type under which an incident in our plain form travels.
pub const INCIDENT: &str = "assent.incident";

/// The type of a batch of events (`application/cloudevents-batch+json`); its events are separate.
pub const BATCH: &str = "cloudevents.batch";
/// The most events of one batch.
const MOST: usize = 1_000;

/// An event to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing<'a> {
    /// The event's id; with the source it names the event for good.
    pub id: &'a str,
    /// Where it happened, a URI.
    pub source: &'a str,
    /// The kind of event, such as `change.approved`; sent as `assent.change.approved`.
    pub kind: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// When, in RFC 3339.
    pub time: &'a str,
    /// Its index in the log; sent in the extension `sequence`, padded so that it orders as text.
    pub index: i64,
    /// The event as the API shows it.
    pub data: Value,
}

/// An event's bytes in structured mode.
#[must_use]
pub fn structured(event: &Outgoing<'_>) -> Vec<u8> {
    let mut map = Map::new();
    map.insert("specversion".to_owned(), json!("1.0"));
    map.insert("id".to_owned(), json!(event.id));
    map.insert("source".to_owned(), json!(event.source));
    map.insert("type".to_owned(), json!(format!("assent.{}", event.kind)));
    map.insert("subject".to_owned(), json!(event.subject));
    map.insert("time".to_owned(), json!(event.time));
    map.insert("sequence".to_owned(), json!(format!("{:020}", event.index)));
    map.insert("datacontenttype".to_owned(), json!("application/json"));
    map.insert("data".to_owned(), event.data.clone());
    Value::Object(map).to_string().into_bytes()
}

/// An event that came in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Event {
    /// The version of the specification.
    pub specversion: String,
    /// Its id.
    pub id: String,
    /// Where it happened.
    pub source: String,
    /// The kind of event.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its data.
    #[serde(default)]
    pub data: Value,
    /// Its data, in base64.
    #[serde(default)]
    data_base64: Option<String>,
}

impl Event {
    /// Reads an event in structured mode.
    ///
    /// # Errors
    /// [`SetAside`] where it is none, or of another version.
    pub fn read(body: &[u8]) -> Result<Self, SetAside> {
        Self::checked(parse(body)?)
    }

    fn checked(mut event: Self) -> Result<Self, SetAside> {
        if event.specversion != "1.0" {
            return Err(SetAside::because("specversion is not 1.0"));
        }
        for (field, text) in [("id", &event.id), ("source", &event.source), ("type", &event.kind)] {
            signal::name(field, text)?;
        }
        if let Some(text) = event.data_base64.take() {
            use base64::Engine;
            let wrong = || SetAside::because("data_base64 is no JSON in base64");
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text)
                .map_err(|_| wrong())?;
            event.data = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        }
        Ok(event)
    }
}

/// The stored form of a delivery: in binary mode the attributes are in headers and are put around the data.
///
/// # Errors
/// [`SetAside`] where the body in binary mode is no JSON.
pub fn keep(headers: Headers<'_>, body: Vec<u8>) -> Result<Kept, SetAside> {
    let named = headers("ce-id");
    if named.is_empty() && is_batch(&body) {
        return Ok(Kept {
            event: BATCH.to_owned(),
            delivery_id: String::new(),
            body,
        });
    }
    if named.is_empty() {
        let event = Event::read(&body);
        let (kind, id) = event.map_or_else(
            |_| ("cloudevents".to_owned(), String::new()),
            |it| (it.kind, key(&it.source, &it.id)),
        );
        return Ok(Kept {
            event: kind,
            delivery_id: id,
            body,
        });
    }
    let mut map = Map::new();
    for name in ["specversion", "id", "source", "type", "subject", "time"] {
        let value = plain_text(&headers(&format!("ce-{name}")));
        if !value.is_empty() {
            map.insert(name.to_owned(), json!(value));
        }
    }
    let data: Value = if body.is_empty() { Value::Null } else { parse(&body)? };
    map.insert("data".to_owned(), data);
    Ok(Kept {
        event: plain_text(&headers("ce-type")),
        delivery_id: key(&plain_text(&headers("ce-source")), &plain_text(&named)),
        body: Value::Object(map).to_string().into_bytes(),
    })
}

/// A header's value without its percent-encoding (HTTP protocol binding, 3.1.3.2); unchanged where that is broken.
fn plain_text(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digit = |place: usize| after.get(place).and_then(|it| char::from(*it).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high << 4 | low).unwrap_or_default());
                rest = &after[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned())
}

/// Source and id name an event for good; a long pair is named by its digest in the inbox.
fn key(source: &str, id: &str) -> String {
    let text = format!("{source}#{id}");
    if text.len() <= 200 { text } else { String::new() }
}

/// Reads an event.
///
/// # Errors
/// [`SetAside`] where it is no CloudEvent, or its data cannot be read.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    if is_batch(body) {
        return read_batch(body, |event| read_one(event, received_at));
    }
    read_one(Event::read(body)?, received_at)
}

/// Whether a body is a batch (JSON batch format): a list of events.
pub(crate) fn is_batch(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// Reads each event of a batch. One that cannot be read leaves a complaint and keeps the rest.
///
/// # Errors
/// [`SetAside`] where the body is no list, holds too many events, or none of them can be read.
pub(crate) fn read_batch(
    body: &[u8],
    read: impl Fn(Event) -> Result<Vec<Signal>, SetAside>,
) -> Result<Vec<Signal>, SetAside> {
    let events: Vec<Value> = parse(body)?;
    if events.len() > MOST {
        return Err(SetAside::because(format_args!(
            "the batch holds more than {MOST} events"
        )));
    }
    let one = |event: Value| {
        let event = serde_json::from_value(event)
            .map_err(|error| SetAside::because(format_args!("an event of the batch cannot be read: {error}")))?;
        read(Event::checked(event)?)
    };
    keep_the_rest(BATCH, events.into_iter().map(one))
}

/// The signals of the readable parts, with a complaint for each other one.
///
/// # Errors
/// The first reason, where no part can be read.
pub(crate) fn keep_the_rest(
    event: &str,
    parts: impl Iterator<Item = Result<Vec<Signal>, SetAside>>,
) -> Result<Vec<Signal>, SetAside> {
    let (mut signals, mut complaints) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Ok(found) => signals.extend(found),
            Err(aside) => complaints.push(aside),
        }
    }
    if signals.is_empty()
        && let Some(first) = complaints.first()
    {
        return Err(first.clone());
    }
    signals.extend(complaints.iter().map(|aside| Signal::unread(event, aside)));
    Ok(signals)
}

fn read_one(event: Event, received_at: Timestamp) -> Result<Vec<Signal>, SetAside> {
    if event.kind.starts_with("dev.cdevents.") {
        return cdevents::read(event.data, received_at);
    }
    if [PLAIN, VERDICT, INCIDENT].contains(&event.kind.as_str()) {
        return plain::read(event.data.to_string().as_bytes(), received_at);
    }
    Ok(vec![Signal::Unknown {
        event: event.kind,
        action: None,
    }])
}
