#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use super::*;

pub(super) fn source() -> Source {
    Source {
        host: "assent.example".to_owned(),
        tenant: "halden".to_owned(),
        version: "0.1.0".to_owned(),
    }
}

pub(super) fn entry(index: i64, kind: &str) -> Entry {
    let at = "2026-11-20T10:00:00.123456789Z".parse().unwrap();
    Entry {
        index,
        previous: index.checked_sub(2).filter(|previous| *previous >= 0),
        id: format!("0197-{index}"),
        kind: kind.to_owned(),
        act: "0196".to_owned(),
        actor: "mira".to_owned(),
        actor_id: "0101".to_owned(),
        table: "change".to_owned(),
        subject: "0102".to_owned(),
        key: Some("CHG-1\"]\\|=\n2".to_owned()),
        occurred_at: at,
        recorded_at: at,
        data: json!({"state": "closed", "odd": "a=b|c\\d\n"})
            .as_object()
            .unwrap()
            .clone(),
        texts: [("change.title".to_owned(), "Line\nbreak".to_owned())].into(),
    }
}

fn rendered(format: SinkFormat, transport: Transport) -> String {
    let entries = [entry(4, "change.approved"), entry(6, "attempt.refused")];
    String::from_utf8(render(format, transport, &source(), &entries).bytes).unwrap()
}

#[test]
fn syslog_has_one_line_an_entry_and_frames_by_length_on_a_stream() {
    let lines = rendered(SinkFormat::Rfc5424, Transport::File);
    assert_eq!(lines.lines().count(), 2);
    let first = lines.lines().next().unwrap();
    assert!(
        first.starts_with(
            "<109>1 2026-11-20T10:00:00.123456Z assent.example assent - change.approved [meta sequenceId=\"5\"]"
        ),
        "{first}"
    );
    assert!(first.contains(" index=\"4\" previous=\"2\" "), "{first}");
    assert!(first.contains("key=\"CHG-1\\\"\\]\\\\|= 2\""), "{first}");
    assert!(lines.lines().nth(1).unwrap().starts_with("<108>1 "));
    let mut rest = rendered(SinkFormat::Rfc5424, Transport::Tls);
    for line in lines.lines() {
        let (length, after) = rest.split_once(' ').unwrap();
        let (message, further) = after.split_at(length.parse().unwrap());
        assert_eq!(message, line);
        rest = further.to_owned();
    }
    assert!(rest.is_empty());
}

#[test]
fn cef_escapes_its_own_signs() {
    let lines = rendered(SinkFormat::Cef, Transport::File);
    let first = lines.lines().next().unwrap();
    assert!(
        first.starts_with("CEF:0|Assent|Assent|0.1.0|change.approved|change approved|2|rt="),
        "{first}"
    );
    assert!(
        first.contains("cn1Label=index cn1=4 cn2Label=previous cn2=2 "),
        "{first}"
    );
    assert!(first.contains("cs4=CHG-1\"]\\\\|\\=\\n2 "), "{first}");
    assert!(first.contains("a\\=b|c"), "{first}");
    assert_eq!(lines.lines().count(), 2);
    assert!(rendered(SinkFormat::Cef, Transport::Tcp).contains(" assent - change.approved - CEF:0|"));
}

#[test]
fn json_formats_are_what_their_receivers_take() {
    let hec = rendered(SinkFormat::Hec, Transport::Http);
    let first: Value = serde_json::from_str(hec.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["time"], &first["fields"]["log_index"]),
        (&json!("1795168800.123"), &json!("4"))
    );
    assert_eq!(first["event"]["previous"], 2);
    let otlp: Value = serde_json::from_str(&rendered(SinkFormat::Otlp, Transport::Http)).unwrap();
    let records = otlp["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        .as_array()
        .unwrap();
    assert_eq!(
        (records.len(), &records[0]["timeUnixNano"]),
        (2, &json!("1795168800123456789"))
    );
    let kafka: Value = serde_json::from_str(&rendered(SinkFormat::Kafka, Transport::Http)).unwrap();
    assert_eq!(kafka["records"][1]["value"]["index"], 6);
    let ocsf: Value = serde_json::from_str(&rendered(SinkFormat::Ocsf, Transport::Http)).unwrap();
    assert_eq!(
        (&ocsf[0]["type_uid"], &ocsf[1]["type_uid"]),
        (&json!(600_303), &json!(200_401))
    );
    assert_eq!(ocsf[0]["metadata"]["sequence"], 4);
}

#[test]
fn what_is_refused_inside_a_good_answer_is_no_delivery() {
    let refuses = |format, body: Value| refused(format, body.to_string().as_bytes()).is_some();
    assert!(refuses(SinkFormat::Hec, json!({"text": "Server is busy", "code": 9})));
    assert!(!refuses(SinkFormat::Hec, json!({"text": "Success", "code": 0})));
    assert!(refuses(
        SinkFormat::Otlp,
        json!({"partialSuccess": {"rejectedLogRecords": "2"}})
    ));
    assert!(!refuses(SinkFormat::Otlp, json!({"partialSuccess": {}})) && !refuses(SinkFormat::Otlp, json!({})));
    let offsets =
        |code: Value| json!({"offsets": [{"partition": 0, "offset": 1, "error_code": null}, {"error_code": code}]});
    assert!(refuses(SinkFormat::Kafka, offsets(json!(2))) && !refuses(SinkFormat::Kafka, offsets(Value::Null)));
    assert!(!refuses(SinkFormat::Ocsf, json!({"code": 9})));
    assert_eq!(refused(SinkFormat::Hec, b"{\"co"), None);
}

#[test]
fn a_credential_is_a_bearer_s_unless_it_names_its_scheme() {
    assert_eq!(authorization(SinkFormat::Hec, "abc"), "Splunk abc");
    assert_eq!(authorization(SinkFormat::Otlp, "abc"), "Bearer abc");
    assert_eq!(authorization(SinkFormat::Kafka, "Basic eA=="), "Basic eA==");
}

#[test]
fn long_facts_are_shortened_by_whole_members() {
    let mut long = entry(1, "change.edited");
    long.texts
        .insert("change.description".to_owned(), "x".repeat(LINE_FACTS_BYTES));
    let told: Value = serde_json::from_str(&facts(&long)).unwrap();
    assert_eq!(
        (&told["shortened"], &told["texts"], &told["data"]["state"]),
        (&json!(true), &Value::Null, &json!("closed"))
    );
}
