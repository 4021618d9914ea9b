//! Lists around the gate: refusals, watched targets, deployments and changes without a match, waiting times, running versions.

use serde_json::Value;

use crate::client::{Client, encode};
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Columns of a list: heading and field.
type Columns = [(&'static str, &'static str)];

/// Columns of refused questions.
pub(crate) const REFUSED: [(&str, &str); 7] = [
    ("door", "door"),
    ("service", "service"),
    ("environment", "environment"),
    ("code", "code"),
    ("named", "subject"),
    ("asked", "asked"),
    ("last", "last_at"),
];
/// Columns of recorded checks.
pub(crate) const CHECKS: [(&str, &str); 6] = [
    ("id", "id"),
    ("service", "service"),
    ("environment", "environment"),
    ("decision", "decision"),
    ("change", "change"),
    ("checked", "checked_at"),
];
/// Columns of deployments and changes without a match.
pub(crate) const UNMATCHED: [(&str, &str); 5] = [
    ("since", "since"),
    ("service", "service"),
    ("environment", "environment"),
    ("change", "change"),
    ("what", "text"),
];
/// Columns of the running versions.
pub(crate) const RUNNING: [(&str, &str); 5] = [
    ("service", "service"),
    ("environment", "environment"),
    ("artifact", "artifact"),
    ("change", "change_key"),
    ("since", "since"),
];

/// Prints a list.
pub(crate) fn list(client: &Client, output: &Output, path: &str, columns: &Columns) -> Result<u8> {
    let answer = client.get(path)?.body;
    output.data(&answer, |output| {
        let heads: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
        let row = |item: &Value| columns.iter().map(|(_, field)| text_of(item, field)).collect();
        let rows: Vec<Vec<String>> = array(&answer, "items").iter().map(row).collect();
        output.rows(&heads, &rows);
    });
    Ok(0)
}

/// Prints recorded checks, the newest first.
pub(crate) fn checks(client: &Client, output: &Output, service: Option<&str>, state: Option<&str>) -> Result<u8> {
    let filters = [("service", service), ("state", state)];
    let filters = filters.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let filters: String = filters
        .map(|(name, value)| format!("&{name}={}", encode(value)))
        .collect();
    list(client, output, &format!("/gate-checks?limit=200{filters}"), &CHECKS)
}

/// Prints the watched targets. A finding makes the exit code 1, as a signal for a nightly job.
pub(crate) fn coverage(client: &Client, output: &Output, days: i64) -> Result<u8> {
    let answer = client.get(&format!("/coverage?days={days}"))?.body;
    let items = array(&answer, "items");
    let found = items.iter().flat_map(|item| array(item, "findings")).count();
    output.data(&answer, |output| {
        let row = |item: &Value| {
            let findings: Vec<String> = array(item, "findings").iter().map(|row| text_of(row, "code")).collect();
            let doors: Vec<String> = array(item, "doors").iter().map(|row| text_of(row, "door")).collect();
            let sources: Vec<&str> = array(item, "sources").iter().filter_map(Value::as_str).collect();
            vec![
                text_of(item, "service"),
                text_of(item, "environment"),
                sources.join(", "),
                doors.join(", "),
                text_of(item, "last_signal_at"),
                text_of(item, "last_check_at"),
                findings.join(", "),
            ]
        };
        let heads = [
            "service",
            "environment",
            "sources",
            "gates",
            "last signal",
            "last check",
            "findings",
        ];
        output.rows(&heads, &items.iter().map(row).collect::<Vec<_>>());
    });
    output.talk(&format!(
        "{found} findings about {} services in production.",
        items.len()
    ));
    Ok(u8::from(found > 0))
}

/// Prints how long pipelines waited.
pub(crate) fn waits(client: &Client, output: &Output, days: i64) -> Result<u8> {
    let answer = client.get(&format!("/gate-waits?days={days}"))?.body;
    output.data(&answer, |output| {
        let row = |item: &Value| {
            let spans = |part: &str| {
                let p95 = item[part]["p95_ms"].as_i64().unwrap_or_default();
                format!("{} s", seconds_of(p95))
            };
            vec![
                text_of(item, "pipeline"),
                text_of(item, "service"),
                text_of(item, "environment"),
                text_of(item, "checks"),
                spans("people"),
                spans("queue"),
                spans("decision"),
            ]
        };
        let heads = [
            "pipeline",
            "service",
            "environment",
            "checks",
            "people p95",
            "queue p95",
            "decision p95",
        ];
        output.rows(&heads, &array(&answer, "items").iter().map(row).collect::<Vec<_>>());
    });
    Ok(0)
}

/// Whole seconds, half of one counting as one.
pub(crate) fn seconds_of(ms: i64) -> i64 {
    (ms + 500) / 1_000
}
