//! The log of a tenant in the formats of SIEMs. Every format carries the index of the entry in the log and the index of the entry
//! that was delivered before it, so that a receiver sees repeats and gaps.

mod cef;
mod findings;
mod json_forms;
mod ocsf;
mod syslog;

use findings::severity;
use model::integration::sink::{Entry, SinkFormat, Transport};
use serde_json::{Map, Value, json};

/// How much of an entry's facts a line of syslog or CEF holds, in bytes: receivers cut messages, many at 8 KiB.
const LINE_FACTS_BYTES: usize = 6_000;

/// The sender, as entries name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The host of the public address.
    pub host: String,
    /// The tenant.
    pub tenant: String,
    /// The version of the product.
    pub version: String,
}

/// A delivery as it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The media type, for HTTP.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Renders entries for a transport. A stream of syslog and CEF frames each message by its length (RFC 5425, RFC 6587); every other
/// stream or file has one entry a line.
#[must_use]
pub fn render(format: SinkFormat, transport: Transport, source: &Source, entries: &[Entry]) -> Parcel {
    let is_stream = matches!(transport, Transport::Tcp | Transport::Tls);
    let is_http = transport == Transport::Http;
    match format {
        SinkFormat::Rfc5424 => texts(entries, is_stream, |entry| syslog::message(source, entry)),
        SinkFormat::Cef if is_stream => texts(entries, true, |entry| {
            syslog::wrapped(source, entry, &cef::line(source, entry))
        }),
        SinkFormat::Cef => texts(entries, false, |entry| cef::line(source, entry)),
        SinkFormat::Ocsf if is_http => {
            let events: Vec<Value> = entries.iter().map(|entry| ocsf::event(source, entry)).collect();
            document("application/json", &Value::Array(events))
        }
        SinkFormat::Ocsf => lines(entries, |entry| ocsf::event(source, entry)),
        SinkFormat::Hec => lines(entries, |entry| json_forms::hec(source, entry)),
        SinkFormat::Otlp if is_http => document("application/json", &json_forms::otlp(source, entries)),
        SinkFormat::Otlp => lines(entries, |entry| json_forms::otlp(source, std::slice::from_ref(entry))),
        SinkFormat::Kafka => document(json_forms::KAFKA, &json_forms::kafka(source, entries)),
    }
}

/// The header with a credential: unchanged if the credential names its scheme (`Basic …`), else in the form of the format's
/// receivers.
#[must_use]
pub fn authorization(format: SinkFormat, credential: &str) -> String {
    if credential.contains(' ') {
        return credential.to_owned();
    }
    match format {
        SinkFormat::Hec => format!("Splunk {credential}"),
        _ => format!("Bearer {credential}"),
    }
}

/// The refusals in the body of a response with status 2xx: HEC's code, rejected log records, records that Kafka did not store.
/// `None` where it took everything.
#[must_use]
pub fn refused(format: SinkFormat, answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    match format {
        SinkFormat::Hec => {
            let code = answer["code"].as_i64().filter(|code| *code != 0)?;
            Some(format!("the collector answered code {code}"))
        }
        SinkFormat::Otlp => {
            let count = &answer["partialSuccess"]["rejectedLogRecords"];
            let is_some = count.as_str().map_or(count.as_i64() > Some(0), |text| text != "0");
            is_some.then(|| format!("the collector rejected {count} log records"))
        }
        SinkFormat::Kafka => {
            let failed = |row: &&Value| !row["error_code"].is_null();
            let row = answer["offsets"].as_array()?.iter().find(failed)?;
            Some(format!("the proxy did not store a record: error {}", row["error_code"]))
        }
        _ => None,
    }
}

/// An entry as JSON of our own, which HEC, Kafka and the free parts of other formats carry.
fn native(source: &Source, entry: &Entry) -> Value {
    let mut value = json!({
        "index": entry.index,
        "previous": entry.previous,
        "id": entry.id,
        "tenant": source.tenant,
        "kind": entry.kind,
        "act": entry.act,
        "actor": entry.actor,
        "actor_id": entry.actor_id,
        "subject": {"table": entry.table, "id": entry.subject, "key": entry.key},
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.recorded_at,
        "data": entry.data,
    });
    if !entry.texts.is_empty() {
        value["texts"] = json!(entry.texts);
    }
    value
}

/// The facts of an entry for a line: JSON in one line, shortened by whole members where it is too long.
fn facts(entry: &Entry) -> String {
    let mut facts = Map::new();
    facts.insert("data".to_owned(), Value::Object(entry.data.clone()));
    if !entry.texts.is_empty() {
        facts.insert("texts".to_owned(), json!(entry.texts));
    }
    for member in ["texts", "data"] {
        let text = Value::Object(facts.clone()).to_string();
        if text.len() <= LINE_FACTS_BYTES {
            return text;
        }
        facts.remove(member);
        facts.insert("shortened".to_owned(), Value::Bool(true));
    }
    Value::Object(facts).to_string()
}

fn texts(entries: &[Entry], is_framed: bool, render: impl Fn(&Entry) -> String) -> Parcel {
    let mut bytes = Vec::new();
    for entry in entries {
        let message = render(entry);
        if is_framed {
            bytes.extend(format!("{} {message}", message.len()).bytes());
        } else {
            bytes.extend(message.bytes());
            bytes.push(b'\n');
        }
    }
    Parcel {
        media_type: "text/plain; charset=utf-8",
        bytes,
    }
}

fn lines(entries: &[Entry], render: impl Fn(&Entry) -> Value) -> Parcel {
    Parcel {
        media_type: "application/json",
        ..texts(entries, false, |entry| render(entry).to_string())
    }
}

fn document(media_type: &'static str, value: &Value) -> Parcel {
    Parcel {
        media_type,
        bytes: value.to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests;
