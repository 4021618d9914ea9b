//! Traces of OpenTelemetry: spans for the operator's collector about requests and about deferred work (OTLP/HTTP in JSON), and
//! the header `traceparent` by which a trace goes on from one server to the next (W3C Trace Context, version 00).

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

/// How many spans wait at most. A trace is no evidence: a span over this limit is dropped and counted.
const MOST_WAITING: usize = 8_192;
/// How many spans leave in one call.
const PARCEL: usize = 512;
/// OpenTelemetry's number for the status of a span that failed.
const FAILED: i64 = 2;

/// The kind of a span, by the numbers of OpenTelemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A served request.
    Server = 2,
    /// Work on a row that waited.
    Consumer = 5,
}

/// A span that has begun: its place in its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    trace: String,
    span: String,
    parent: Option<String>,
    at: Timestamp,
}

impl Begun {
    /// Goes on with the trace of a `traceparent`, or begins one where none can be read. `id` is a new UUID. `None` where the
    /// caller does not record its trace.
    #[must_use]
    pub fn new(traceparent: Option<&str>, id: &str, at: Timestamp) -> Option<Self> {
        let own: String = id.chars().filter(|c| *c != '-').collect();
        let span = own.get(16..32)?.to_owned();
        let given = traceparent.and_then(read);
        if given.as_ref().is_some_and(|given| !given.is_sampled) {
            return None;
        }
        let (trace, parent) = match given {
            Some(given) => (given.trace, Some(given.span)),
            None => (own, None),
        };
        Some(Self {
            trace,
            span,
            parent,
            at,
        })
    }

    /// The header by which a call goes on with this span.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace, self.span)
    }
}

/// The `traceparent` for deferred work of a request: that of the request's span, or that of a caller that does not record the
/// trace, so that the later work is not recorded either. `None` where there is neither.
#[must_use]
pub fn left_behind(begun: Option<&Begun>, given: Option<&str>) -> Option<String> {
    let unrecorded = || given.and_then(read).filter(|given| !given.is_sampled);
    let off = |given: Given| format!("00-{}-{}-00", given.trace, given.span);
    begun.map(Begun::traceparent).or_else(|| unrecorded().map(off))
}

/// The content of a `traceparent`.
struct Given {
    trace: String,
    span: String,
    is_sampled: bool,
}

fn read(text: &str) -> Option<Given> {
    let mut parts = text.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &str, length: usize| is_hex(part, length) && part.bytes().any(|b| b != b'0');
    // A later version may have more after these parts; `ff` is none.
    let is_known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !is_known || !is_id(trace, 32) || !is_id(span, 16) || !is_hex(flags, 2) {
        return None;
    }
    Some(Given {
        trace: trace.to_owned(),
        span: span.to_owned(),
        is_sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1,
    })
}

/// A span that has ended. The span has no tenant's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Its place.
    pub begun: Begun,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Its kind.
    pub kind: SpanKind,
    /// The operation, of few different texts: a route, the kind of a row.
    pub name: String,
    /// Further attributes: texts and whole numbers.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether it failed.
    pub has_failed: bool,
}

/// Spans in the queue for export.
#[derive(Debug, Default)]
pub struct Traces(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    spans: Vec<Span>,
    dropped: u64,
}

impl Traces {
    /// Keeps a span until it leaves.
    pub fn note(&self, span: Span) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.spans.len() < MOST_WAITING {
            waiting.spans.push(span);
        } else {
            waiting.dropped += 1;
        }
    }

    /// Takes the oldest spans for one call, and how many were dropped since the last one.
    pub fn take(&self) -> (Vec<Span>, u64) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.spans.len().min(PARCEL);
        let dropped = std::mem::take(&mut waiting.dropped);
        (waiting.spans.drain(..count).collect(), dropped)
    }
}

/// A request to a collector's `/v1/traces`. Numbers of 64 bits are texts, as Protocol Buffers write them in JSON.
#[must_use]
pub fn document(version: &str, server: &str, spans: &[Span]) -> Value {
    let rows: Vec<Value> = spans.iter().map(row).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            attribute("service.name", &json!("assent")),
            attribute("service.version", &json!(version)),
            attribute("service.instance.id", &json!(server)),
        ]},
        "scopeSpans": [{"scope": {"name": "assent", "version": version}, "spans": rows}],
    }]})
}

fn row(span: &Span) -> Value {
    let attributes = span.attributes.iter().map(|(name, value)| attribute(name, value));
    let mut row = json!({
        "traceId": span.begun.trace,
        "spanId": span.begun.span,
        "name": span.name,
        "kind": span.kind as i64,
        "startTimeUnixNano": span.begun.at.as_nanosecond().to_string(),
        // With a clock that was set back, a span still does not end before its beginning.
        "endTimeUnixNano": span.ended_at.max(span.begun.at).as_nanosecond().to_string(),
        "attributes": attributes.collect::<Vec<Value>>(),
    });
    if let Some(parent) = &span.begun.parent {
        row["parentSpanId"] = json!(parent);
    }
    if span.has_failed {
        row["status"] = json!({"code": FAILED});
    }
    row
}

fn attribute(key: &str, value: &Value) -> Value {
    match value.as_i64() {
        Some(number) => json!({"key": key, "value": {"intValue": number.to_string()}}),
        None => json!({"key": key, "value": {"stringValue": value}}),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

    use super::*;

    const ID: &str = "0197a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn at() -> Timestamp {
        "2026-11-28T10:00:00.5Z".parse().unwrap()
    }

    fn begun(traceparent: Option<&str>) -> Option<Begun> {
        Begun::new(traceparent, ID, at())
    }

    fn span(has_failed: bool) -> Span {
        Span {
            begun: begun(Some(&format!("00-{TRACE}-{PARENT}-01"))).unwrap(),
            ended_at: at() - jiff::SignedDuration::from_secs(1),
            kind: SpanKind::Server,
            name: "GET /api/v1/changes".to_owned(),
            attributes: vec![
                ("http.route", json!("/api/v1/changes")),
                ("http.response.status_code", json!(200)),
            ],
            has_failed,
        }
    }

    #[test]
    fn a_trace_goes_on_where_its_header_can_be_read_and_begins_otherwise() {
        let own = "00-0197a1b2c3d47e5f8a6b7c8d9e0f1a2b-8a6b7c8d9e0f1a2b-01";
        assert_eq!(begun(None).unwrap().traceparent(), own);
        let good = format!("00-{TRACE}-{PARENT}-01");
        let on = begun(Some(&good)).unwrap();
        assert_eq!(on.traceparent(), format!("00-{TRACE}-8a6b7c8d9e0f1a2b-01"));
        assert_eq!(on.parent.as_deref(), Some(PARENT));
        let later = format!("01-{TRACE}-{PARENT}-03-more");
        assert_eq!(begun(Some(&later)).unwrap().trace, TRACE);
        for bad in [
            String::new(),
            format!("{good}-more"),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("00-{}-{PARENT}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            good.to_uppercase(),
            format!("00-{TRACE}-{PARENT}-1"),
        ] {
            assert_eq!(begun(Some(&bad)).unwrap().traceparent(), own, "{bad}");
        }
    }

    #[test]
    fn a_trace_that_its_caller_does_not_record_is_not_recorded() {
        assert_eq!(begun(Some(&format!("00-{TRACE}-{PARENT}-00"))), None);
        assert_eq!(begun(Some(&format!("00-{TRACE}-{PARENT}-02"))), None);
    }

    #[test]
    fn later_work_goes_on_with_the_span_and_stays_unrecorded_where_its_caller_does_not_record() {
        let good = format!("00-{TRACE}-{PARENT}-01");
        let on = begun(Some(&good));
        let left = left_behind(on.as_ref(), Some(&good)).unwrap();
        assert_eq!(left, on.unwrap().traceparent());
        let off = format!("00-{TRACE}-{PARENT}-00");
        assert_eq!(left_behind(None, Some(&off)), Some(off.clone()));
        assert_eq!(begun(left_behind(None, Some(&off)).as_deref()), None);
        assert_eq!(left_behind(None, Some(&good)), None, "nobody takes spans");
        assert_eq!(left_behind(None, None), None);
    }

    #[test]
    fn a_span_is_written_as_the_protocol_says() {
        let told = document("0.1.0", "server-1", &[span(true)]);
        let row = &told["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
        assert_eq!(row["traceId"], TRACE);
        assert_eq!(row["parentSpanId"], PARENT);
        assert_eq!((&row["kind"], &row["status"]["code"]), (&json!(2), &json!(2)));
        assert_eq!(row["startTimeUnixNano"], "1795860000500000000");
        assert_eq!(
            row["endTimeUnixNano"], row["startTimeUnixNano"],
            "it ends not before it began"
        );
        assert_eq!(row["attributes"][0]["value"], json!({"stringValue": "/api/v1/changes"}));
        assert_eq!(row["attributes"][1]["value"], json!({"intValue": "200"}));
        let fine = document("0.1.0", "server-1", &[span(false)]);
        assert!(
            fine["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
                .get("status")
                .is_none()
        );
    }

    #[test]
    fn what_comes_while_too_much_waits_is_dropped_and_counted_once() {
        let traces = Traces::default();
        for _ in 0..MOST_WAITING + 3 {
            traces.note(span(false));
        }
        let (first, dropped) = traces.take();
        assert_eq!((first.len(), dropped), (PARCEL, 3));
        traces.note(span(true));
        let mut left = 0;
        loop {
            let (spans, dropped) = traces.take();
            assert_eq!(dropped, 0);
            if spans.is_empty() {
                break;
            }
            left += spans.len();
        }
        assert_eq!(left, MOST_WAITING - PARCEL + 1);
    }
}
