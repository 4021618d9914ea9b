//! Payloads in the forms that the tools document.
#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use jiff::Timestamp;
use model::integration::signal::{Alert, Signal};
use serde_json::{Value, json};

use crate::integration::door;

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn read(kind: &str, body: &[u8]) -> Vec<Signal> {
    door::read(kind, kind, body, now()).unwrap_or_else(|aside| panic!("{kind}: {aside}"))
}

fn one(kind: &str, body: &Value) -> Alert {
    let mut found = read(kind, body.to_string().as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    match found.remove(0) {
        Signal::Alert(alert) => alert,
        other => panic!("{other:?}"),
    }
}

fn refused(kind: &str, body: &Value) -> String {
    door::read(kind, kind, body.to_string().as_bytes(), now())
        .unwrap_err()
        .reason
}

#[test]
fn a_group_of_grafana_is_one_incident_from_its_beginning_to_its_end() {
    let group = |status: &str, end: &str| {
        json!({
            "receiver": "assent", "status": status, "version": "1", "orgId": 1, "groupKey": "{}/{alertname=\"Slow\"}",
            "groupLabels": {"alertname": "Slow"}, "commonLabels": {"alertname": "Slow"},
            "commonAnnotations": {"summary": "Bookings are slow"}, "title": "[FIRING:1] Slow", "state": "alerting",
            "alerts": [{
                "status": status, "labels": {"alertname": "Slow", "service": "booking-api", "severity": "critical"},
                "annotations": {"summary": "Bookings are slow"}, "startsAt": "2026-11-20T09:50:00Z", "endsAt": end,
                "fingerprint": "57c6d9296de2ad39", "values": {"A": 3.5},
            }],
        })
    };
    let fired = one("grafana", &group("firing", "0001-01-01T00:00:00Z"));
    assert_eq!(
        (
            fired.is_over,
            fired.severity,
            fired.title.as_str(),
            fired.services.as_slice()
        ),
        (false, 1, "Bookings are slow", &["booking-api".to_owned()][..])
    );
    let over = one("grafana", &group("resolved", "2026-11-20T09:58:00Z"));
    assert_eq!(over.source_key, fired.source_key);
    assert_eq!(over.ended_at, Some("2026-11-20T09:58:00Z".parse().unwrap()));
    assert!(refused("grafana", &json!({"version": "9", "alerts": []})).contains("version 9"));
}

#[test]
fn an_alert_of_opsgenie_is_named_by_its_alias() {
    let event = |action: &str| {
        json!({
            "action": action,
            "alert": {
                "alertId": "052652ac-5d1c-464a-812a-7dd18bbfba8c", "message": "Checkout fails", "alias": "checkout-500",
                "priority": "P1", "entity": "checkout", "createdAt": 1_795_168_200_000_i64, "updatedAt": 1_795_168_500_000_000_000_i64,
                "tags": ["prod"], "source": "monitor",
            },
            "source": {"name": "web", "type": "API"}, "integrationName": "Assent",
        })
    };
    let alert = one("opsgenie", &event("Create"));
    assert_eq!(
        (alert.source_key.as_str(), alert.severity, alert.is_over),
        ("checkout-500", 1, false)
    );
    assert_eq!(alert.services, ["checkout"]);
    let closed = one("opsgenie", &event("Close"));
    let end = Timestamp::from_second(1_795_168_500).unwrap();
    assert_eq!((closed.is_over, closed.ended_at), (true, Some(end)));
    assert_eq!(closed.told_at, Some(end), "the order of what happened counts");
    let mut first = event("Create");
    first["alert"]["updatedAt"] = json!(null);
    let begin = Timestamp::from_second(1_795_168_200).unwrap();
    assert_eq!(one("opsgenie", &first).told_at, Some(begin));
    let noted = read("opsgenie", event("AddNote").to_string().as_bytes());
    assert!(matches!(&noted[0], Signal::Unknown { event, .. } if event == "AddNote"));
    assert!(refused("opsgenie", &json!({"action": "Create"})).contains("no alert"));
}

#[test]
fn a_record_of_servicenow_opens_ends_and_opens_again() {
    let record = |state: &str| {
        json!({"result": {
            "number": "INC0010023", "short_description": "Labels come out blank", "state": state, "severity": "1 - High",
            "opened_at": "2026-11-20 09:40:00", "sys_updated_on": "2026-11-20 09:55:00", "sys_mod_count": "7",
            "cmdb_ci": {"display_value": "label-print", "value": "9c573169c611228700193229fff72400"},
        }})
    };
    let open = one("servicenow", &record("2"));
    assert_eq!(
        (open.source_key.as_str(), open.severity, open.services.as_slice()),
        ("incident/INC0010023", 1, &["label-print".to_owned()][..])
    );
    assert_eq!(open.started_at, "2026-11-20T09:40:00Z".parse().unwrap());
    assert!(
        open.reopens && open.told_at.is_some(),
        "an open record after its end was opened again"
    );
    assert_eq!(open.told_number, Some(7), "two edits within a second have an order");
    let mut grave = record("2");
    grave["result"]["severity"] = json!("3 - Low");
    grave["result"]["priority"] = json!("1 - Critical");
    assert_eq!(one("servicenow", &grave).severity, 1, "the priority counts first");
    for state in ["6", "7", "Resolved"] {
        assert!(one("servicenow", &record(state)).is_over, "{state}");
    }
    assert!(refused("servicenow", &json!({"short_description": "x"})).contains("number"));
    assert!(refused("servicenow", &json!({"number": "INC1", "opened_at": "yesterday"})).contains("opened_at"));
}

#[test]
fn an_incident_comes_in_plain_form_also_as_a_cloud_event() {
    let report = json!({"id": "4711", "incident": "open", "title": "Labels come out blank", "severity": 2,
        "services": ["label-print"], "started_at": "2026-11-20T09:40:00Z", "at": "2026-11-20T09:55:00Z"});
    let open = one("plain", &report);
    assert_eq!(
        (open.source_key.as_str(), open.severity, open.is_over, open.reopens),
        ("incident/4711", 2, false, true)
    );
    assert_eq!(open.told_at, Some("2026-11-20T09:55:00Z".parse().unwrap()));
    let event = json!({"specversion": "1.0", "id": "1", "source": "/desk", "type": "assent.incident", "data": report});
    assert_eq!(one("cloudevents", &event), open);
    let over = json!({"id": "4711", "incident": "resolved", "started_at": "2026-11-20T09:40:00Z", "at": "2026-11-20T10:10:00Z"});
    let over = one("plain", &over);
    assert_eq!((over.is_over, over.ended_at), (true, over.told_at));
    assert!(refused("plain", &json!({"id": "1", "incident": "perhaps"})).contains("open, resolved"));
}

#[test]
fn an_issue_of_jira_is_over_by_the_category_of_its_status() {
    let issue = |event: &str, category: &str| {
        json!({
            "timestamp": 1_795_168_500_000_i64, "webhookEvent": event, "changelog": {"id": "10124"},
            "issue": {"id": "10042", "key": "OPS-7", "fields": {
                "summary": "Customs rejects declarations", "created": "2026-11-20T10:40:00.000+0100",
                "priority": {"name": "Highest"}, "status": {"name": "In Progress", "statusCategory": {"key": category}},
                "components": [{"name": "customs"}],
            }},
        })
    };
    let open = one("jira", &issue("jira:issue_created", "new"));
    assert_eq!(
        (open.source_key.as_str(), open.severity, open.is_over),
        ("issue/OPS-7", 1, false)
    );
    assert_eq!(open.started_at, "2026-11-20T09:40:00Z".parse().unwrap());
    assert_eq!(open.told_number, Some(10_124));
    let done = one("jira", &issue("jira:issue_updated", "done"));
    assert!(done.is_over);
    assert_eq!(
        done.ended_at, done.told_at,
        "without a date of its resolution its message counts"
    );
    assert!(one("jira", &issue("jira:issue_deleted", "new")).is_over);
    let other = read("jira", issue("comment_created", "new").to_string().as_bytes());
    assert!(matches!(&other[0], Signal::Unknown { .. }));
}

#[test]
fn a_siem_tells_in_three_forms() {
    let finding = json!({
        "class_uid": 2004, "severity_id": 5, "status_id": 1, "time": 1_795_168_200_000_i64,
        "finding_info": {"uid": "f-1", "title": "Credentials in a public bucket"}, "resources": [{"name": "booking-api"}],
    });
    let alert = one("siem", &finding);
    assert_eq!((alert.source_key.as_str(), alert.severity), ("finding/f-1", 1));
    let mut resolved = finding;
    resolved["status_id"] = json!(4);
    assert!(one("siem", &resolved).is_over);
    let wazuh = json!({"timestamp": "2026-11-20T09:59:00.000+0000", "rule": {"level": 12, "description": "Many sign-ins failed", "id": "5712"},
        "agent": {"id": "003", "name": "edge-1"}, "id": "1580123327.49031"});
    let alert = one("siem", &wazuh);
    assert_eq!((alert.source_key.as_str(), alert.severity), ("rule/5712@edge-1", 2));
    let splunk = json!({"sid": "scheduler__admin", "search_name": "Brute force", "result": {"severity": "high", "host": "edge-1"}});
    assert_eq!(one("siem", &splunk).severity, 2);
    let many = Value::Array(vec![splunk; 1_001]);
    assert!(refused("siem", &many).contains("1 to 1000"));
    assert!(refused("siem", &json!({"hello": 1})).contains("none of"));
}

#[test]
fn a_mail_opens_an_incident_and_an_answer_in_its_thread_ends_it() {
    let mail = |subject: &str, more: &str| {
        let text = format!(
            "From: monitor@example.org\r\nTo: incidents@example.org\r\nSubject: {subject}\r\n{more}MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\nSeverity: 1\r\nService: label-print, wms\r\n\r\nLabels are blank.\r\n"
        );
        match read("incident_mail", text.as_bytes()).remove(0) {
            Signal::Alert(alert) => alert,
            other => panic!("{other:?}"),
        }
    };
    let first = mail("Labels are blank", "Message-ID: <a1@example.org>\r\n");
    assert_eq!((first.source_key.as_str(), first.severity), ("a1@example.org", 1));
    assert_eq!(first.services, ["label-print", "wms"]);
    let more = "Message-ID: <a2@example.org>\r\nIn-Reply-To: <a1@example.org>\r\nReferences: <a1@example.org>\r\n";
    let over = mail("Re: [RESOLVED] Labels are blank", more);
    assert!(over.is_over && over.source_key == first.source_key, "{over:?}");
    assert_eq!(over.title, "Labels are blank");
    let bare = b"Subject: x\r\n\r\ny";
    assert!(door::read("incident_mail", "mail", bare, now()).is_err());
}

#[test]
fn words_and_numbers_of_severities() {
    for (word, severity) in [
        ("1 - Critical", Some(1)),
        ("P2", Some(2)),
        ("Sev-5", Some(4)),
        ("SEV0", Some(1)),
        ("Highest", Some(1)),
        ("major", Some(2)),
        ("Medium", Some(3)),
        ("lowest", Some(4)),
        ("", None),
        ("purple", None),
    ] {
        assert_eq!(super::severity(word), severity, "{word}");
    }
}

#[test]
fn nothing_that_a_tool_sends_makes_a_reader_panic() {
    let bodies: [&[u8]; 6] = [b"", b"[]", b"{}", b"null", b"{\"alert\":[]}", b"\xff\xfe"];
    for kind in ["grafana", "opsgenie", "servicenow", "jira", "siem", "incident_mail"] {
        for body in bodies {
            let _ = door::read(kind, kind, body, now());
        }
        let wild = json!({"action": "Create", "alert": {"alias": "a\u{7}b", "message": "x\u{0}\u{202e}y"}, "number": "1\u{1}",
            "issue": {"key": "\u{2}"}, "rule": {"id": 7}, "timestamp": "2026-11-20T10:00é0"});
        let _ = door::read(kind, kind, wild.to_string().as_bytes(), now());
    }
}
