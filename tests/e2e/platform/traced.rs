//! Traces of OpenTelemetry: a request goes on with the trace of its caller, and so does the work that the request left for
//! later; outgoing calls carry the trace. No key of a tenant is in them.

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::outside::Outside;
use tests::{Place, Server};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const KEPT: &str = "6bf92f3577b34da6a3ce929d0e0e4736";
const UNRECORDED: &str = "5bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Every span that the collector was sent.
fn spans(collector: &Outside) -> Vec<Value> {
    let rows = collector.sent().into_iter().flat_map(|sent| {
        assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/traces"));
        let told = sent.json();
        let rows = told["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned();
        rows.expect("a call holds spans")
    });
    rows.collect()
}

fn awaited(collector: &Outside, what: &str, likes: impl Fn(&Value) -> bool) -> Value {
    let mut found = None;
    eventually(what, || {
        found = spans(collector).into_iter().find(|span| likes(span));
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn a_request_goes_on_with_its_trace_and_what_leaves_carries_one() {
    let place = Place::demo("traced");
    let collector = Outside::start(|_| (200, json!({})));
    let receiver = Outside::start(|_| (204, Value::Null));
    let url = format!("{}/v1/traces", collector.url);
    let flags = ["--outgoing-allow", "127.0.0.1", "--traces-to", url.as_str()];
    let server = Server::start_with(&place, true, &flags);
    let hook = json!({"name": "chat", "url": receiver.url, "kinds": ["change.*"]});
    server.must("POST", "/api/v1/webhooks", &server.token("admin"), Some(&hook));
    let requester = server.token("requester");
    let draft = json!({"title": "A new zone", "services": ["edge-dns"], "environment": "production"});
    let made = server.must("POST", "/api/v1/changes", &requester, Some(&draft));
    let key = made["key"].as_str().unwrap();
    for (trace, flags) in [(UNRECORDED, "00"), (TRACE, "01")] {
        let header = format!("00-{trace}-{PARENT}-{flags}");
        let path = format!("/api/v1/changes/{key}");
        let (status, _) = server.ask_with("GET", &path, Some(&requester), None, &[("traceparent", &header)]);
        assert_eq!(status, 200);
    }
    let span = awaited(&collector, "the span of the request comes", |span| {
        span["traceId"] == TRACE
    });
    assert_eq!(
        (&span["parentSpanId"], &span["kind"]),
        (&json!(PARENT), &json!(2)),
        "{span:#}"
    );
    assert_eq!(span["name"], "GET /api/v1/changes/{key}");
    let status = json!({"key": "http.response.status_code", "value": {"intValue": "200"}});
    assert!(span["attributes"].as_array().unwrap().contains(&status), "{span:#}");

    let sent = receiver.wait_for("the event leaves", |sent| sent.method == "POST");
    let carried = sent.header("traceparent").to_owned();
    let span = awaited(&collector, "the span of the delivery comes", |span| {
        let (trace, span) = (span["traceId"].as_str().unwrap(), span["spanId"].as_str().unwrap());
        carried == format!("00-{trace}-{span}-01")
    });
    assert_eq!(
        (&span["name"], &span["kind"]),
        (&json!("webhook"), &json!(5)),
        "{span:#}"
    );
    work_goes_on_with_the_trace_of_its_request(&server, (&receiver, &collector), &draft);
    assert!(server.stop().success());
    let all = spans(&collector);
    assert!(
        all.iter().all(|span| span["traceId"] != UNRECORDED),
        "its caller does not record it"
    );
    assert!(!json!(all).to_string().contains(key), "no key of a tenant is told");
}

/// Of two requests that have a webhook called later, the trace of the one goes on with the call, and the other's is recorded nowhere.
fn work_goes_on_with_the_trace_of_its_request(
    server: &Server,
    (receiver, collector): (&Outside, &Outside),
    draft: &Value,
) {
    let requester = server.token("requester");
    for (trace, flags) in [(UNRECORDED, "00"), (KEPT, "01")] {
        let header = format!("00-{trace}-{PARENT}-{flags}");
        let headers = [("traceparent", header.as_str())];
        let (status, _) = server.ask_with("POST", "/api/v1/changes", Some(&requester), Some(draft), &headers);
        assert_eq!(status, 201);
    }
    let asked = awaited(collector, "the span of the request comes", |span| {
        span["traceId"] == KEPT && span["kind"] == 2
    });
    let called = awaited(collector, "the span of its call comes", |span| {
        span["traceId"] == KEPT && span["name"] == "webhook"
    });
    assert_eq!(called["parentSpanId"], asked["spanId"], "{called:#} {asked:#}");
    let own = format!("00-{KEPT}-{}-01", called["spanId"].as_str().unwrap());
    receiver.wait_for("the call carries its span", |sent| sent.header("traceparent") == own);
}
