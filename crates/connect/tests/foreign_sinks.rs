//! Foreign parsers read the output of sinks: pycef, OpenTelemetry's own messages, and the compiled schema of OCSF.
//!
//! Run with `--features foreign` and `ASSENT_TEST_PYTHON` naming a Python interpreter with the packages of `xtask/foreign`.

#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use connect::integration::sinks::{Source, render};
use connect::integration::traces::{Begun, Span, SpanKind, document};
use model::integration::sink::{Entry, SinkFormat, Transport};
use serde_json::{Value, json};

/// At least one kind of each class, and of each form that a class has.
const KINDS: &[(&str, &str)] = &[
    ("change.approved", "change"),
    ("change.overrun", "change"),
    ("approval.given", "change"),
    ("permit.revoked", "permit"),
    ("person.deactivated", "person"),
    ("group.set", "people_group"),
    ("service.set", "service"),
    ("policies.activated", "configuration"),
    ("deployment.told", "deployment"),
    ("deployment.failed", "deployment"),
    ("deployment.cleared", "deployment"),
    ("deployment.unauthorized", "deployment"),
    ("attempt.refused", "person"),
    ("break_glass.opened", "change"),
    ("sign_in.refused", "person"),
    ("change.ungrounded", "ungrounded"),
    ("drift_finding.opened", "drift_finding"),
    ("vendor.edited", "vendor"),
];

fn entries() -> Vec<Entry> {
    let made = KINDS.iter().enumerate().map(|(place, (kind, table))| {
        let index = i64::try_from(place).unwrap() * 3;
        let at = "2026-11-20T10:00:00.5Z".parse().unwrap();
        Entry {
            index,
            previous: (index > 0).then(|| index - 3),
            id: format!("0197-{index}"),
            kind: (*kind).to_owned(),
            act: "0196".to_owned(),
            actor: if place % 2 == 0 { "mira" } else { "system" }.to_owned(),
            actor_id: if place % 2 == 0 { "0101" } else { "system" }.to_owned(),
            table: (*table).to_owned(),
            subject: format!("0102-{index}"),
            key: (*table == "change").then(|| "CHG-1001".to_owned()),
            occurred_at: at,
            recorded_at: at,
            data: json!({"odd": "a=b|c\\d\n", "service": "booking-api"})
                .as_object()
                .unwrap()
                .clone(),
            texts: [("change.title".to_owned(), "One = two | three\\".to_owned())].into(),
        }
    });
    made.collect()
}

fn read(format: SinkFormat, transport: Transport, arguments: &[&str]) -> Value {
    let source = Source {
        host: "assent.example".to_owned(),
        tenant: "halden".to_owned(),
        version: "0.1.0".to_owned(),
    };
    judged(&render(format, transport, &source, &entries()).bytes, arguments)
}

/// The script's result for these bytes.
fn judged(bytes: &[u8], arguments: &[&str]) -> Value {
    let python = std::env::var_os("ASSENT_TEST_PYTHON").expect("run by cargo xtask test, which installs the judges");
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/siem.py");
    let mut child = Command::new(python)
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn pycef_reads_every_line_and_what_it_escapes() {
    let told = read(SinkFormat::Cef, Transport::File, &["cef"]);
    let rows = told.as_array().unwrap();
    assert_eq!(rows.len(), KINDS.len());
    for (row, entry) in rows.iter().zip(entries()) {
        assert_eq!(row["DeviceEventClassID"], entry.kind.as_str(), "{row}");
        assert_eq!(row["index"], entry.index.to_string(), "{row}");
        assert_eq!(row["suser"], entry.actor.as_str(), "{row}");
    }
}

#[test]
fn opentelemetry_s_own_messages_take_every_record() {
    let told = read(SinkFormat::Otlp, Transport::Http, &["otlp"]);
    let kinds: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row[0].as_str())
        .collect();
    let sent: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, sent);
    assert_eq!(told[0][1], 1_795_168_800_500_000_000_u64);
}

#[test]
fn opentelemetry_s_own_messages_take_every_span() {
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let at = "2026-11-20T10:00:00.5Z".parse().unwrap();
    let span = |traceparent: Option<&str>, kind: SpanKind, has_failed: bool| Span {
        begun: Begun::new(traceparent, "0197a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", at).unwrap(),
        ended_at: at,
        kind,
        name: "GET /api/v1/changes".to_owned(),
        attributes: vec![
            ("http.response.status_code", json!(503)),
            ("http.route", json!("/api/v1/changes")),
        ],
        has_failed,
    };
    let given = format!("00-{trace}-{parent}-01");
    let spans = [
        span(Some(&given), SpanKind::Server, true),
        span(None, SpanKind::Consumer, false),
    ];
    let told = judged(
        document("0.1.0", "server-1", &spans).to_string().as_bytes(),
        &["traces"],
    );
    let own = "0197a1b2c3d47e5f8a6b7c8d9e0f1a2b";
    assert_eq!(told, json!([[trace, 8, parent, 2, 2], [own, 8, "", 5, 0]]));
}

/// The archive of the schema: named by `ASSENT_TEST_OCSF`, or beside the working copy.
fn schema() -> Option<PathBuf> {
    let named = std::env::var_os("ASSENT_TEST_OCSF").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/ocsf-schema-1.8.0.tar.gz");
    named.or(Some(root)).filter(|path| path.exists())
}

#[test]
fn events_validate_against_the_compiled_schema_of_ocsf() {
    let Some(archive) = schema() else {
        println!("there is no archive of OCSF's schema (ASSENT_TEST_OCSF); nothing was validated");
        return;
    };
    let told = read(SinkFormat::Ocsf, Transport::Http, &["ocsf", &archive.to_string_lossy()]);
    assert_eq!(told, json!([2003, 2004, 3004, 6002, 6003]), "every class was seen");
}
