//! Formats that are JSON: Splunk's HTTP Event Collector, OpenTelemetry's logs (OTLP/HTTP) and Kafka's REST proxy (version 2).

use model::integration::sink::Entry;
use serde_json::{Value, json};

use super::{Source, native, severity};

/// The media type of records in JSON for Kafka's REST proxy.
pub(super) const KAFKA: &str = "application/vnd.kafka.json.v2+json";

/// One event for the HTTP Event Collector. The index is an indexed field, so that it is found without parsing.
pub(super) fn hec(source: &Source, entry: &Entry) -> Value {
    let milliseconds = entry.occurred_at.as_millisecond();
    let mut fields = json!({"log_index": entry.index.to_string(), "tenant": source.tenant});
    if let Some(previous) = entry.previous {
        fields["log_previous"] = json!(previous.to_string());
    }
    json!({
        "time": format!("{}.{:03}", milliseconds.div_euclid(1_000), milliseconds.rem_euclid(1_000)),
        "host": source.host,
        "source": "assent",
        "sourcetype": "assent:event",
        "event": native(source, entry),
        "fields": fields,
    })
}

/// A request to a collector's `/v1/logs`. Numbers of 64 bits are texts, as Protocol Buffers write them in JSON.
pub(super) fn otlp(source: &Source, entries: &[Entry]) -> Value {
    let records: Vec<Value> = entries.iter().map(record).collect();
    json!({"resourceLogs": [{
        "resource": {"attributes": [
            text("service.name", "assent"),
            text("service.version", &source.version),
            text("host.name", &source.host),
            text("assent.tenant", &source.tenant),
        ]},
        "scopeLogs": [{"scope": {"name": "assent.log", "version": source.version}, "logRecords": records}],
    }]})
}

fn record(entry: &Entry) -> Value {
    // Severities of OpenTelemetry's log data model: 9 is INFO, 13 WARN, 17 ERROR.
    let (number, word) = match severity(entry) {
        4 => (17, "ERROR"),
        3 => (13, "WARN"),
        _ => (9, "INFO"),
    };
    let mut attributes = vec![
        text("event.name", &entry.kind),
        integer("assent.index", entry.index),
        text("assent.id", &entry.id),
        text("assent.act", &entry.act),
        text("enduser.id", &entry.actor),
        text("assent.table", &entry.table),
        text("assent.subject", &entry.subject),
        text("assent.data", &Value::Object(entry.data.clone()).to_string()),
    ];
    attributes.extend(entry.previous.map(|previous| integer("assent.previous", previous)));
    attributes.extend(entry.key.as_deref().map(|key| text("assent.key", key)));
    let texts = entry.texts.iter();
    attributes.extend(texts.map(|(path, words)| text(&format!("assent.text.{path}"), words)));
    json!({
        "timeUnixNano": entry.occurred_at.as_nanosecond().to_string(),
        "observedTimeUnixNano": entry.recorded_at.as_nanosecond().to_string(),
        "severityNumber": number,
        "severityText": word,
        "body": {"stringValue": entry.kind},
        "attributes": attributes,
    })
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn integer(key: &str, value: i64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

/// A request to `/topics/NAME`. The key is the subject, so that the events of one subject stay in one partition, in order.
pub(super) fn kafka(source: &Source, entries: &[Entry]) -> Value {
    let rows = entries.iter().map(|entry| {
        let key = format!("{}/{}/{}", source.tenant, entry.table, entry.subject);
        json!({"key": key, "value": native(source, entry)})
    });
    json!({"records": rows.collect::<Vec<Value>>()})
}
