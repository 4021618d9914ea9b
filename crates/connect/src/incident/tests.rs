#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use jiff::Timestamp;
use model::incident::drift::{DriftReport, EXISTENCE, MOST, OBJECT, WHOLE};
use model::integration::signal::{SetAside, Signal};
use serde_json::{Value, json};

use super::drift::{read, reduce};
use super::form::fingerprint;

/// A report of AIDE 0.18.3 of Debian 12 as it wrote it, over a folder in which a file was added, one removed and three changed.
const AIDE: &str = include_str!("fixtures/aide-0.18.3.json");

fn now() -> Timestamp {
    "2026-11-28T13:00:00Z".parse().unwrap()
}

fn signals(kind: &str, body: &Value) -> Vec<Signal> {
    read(kind, body.to_string().as_bytes(), now()).unwrap()
}

fn report(kind: &str, body: &Value) -> DriftReport {
    match signals(kind, body).remove(0) {
        Signal::Drift(report) => report,
        other => panic!("{other:?}"),
    }
}

fn found(report: &DriftReport) -> Vec<(&str, &str)> {
    let rows = report.differences.iter();
    rows.map(|it| (it.address.as_str(), it.attribute.as_str())).collect()
}

fn reason(kind: &str, body: &[u8]) -> String {
    read(kind, body, now()).unwrap_err().reason
}

fn resource(address: &str, change: &Value) -> Value {
    json!({"address": address, "mode": "managed", "type": "aws_instance", "name": "web", "provider_name": "aws", "change": change})
}

fn plan(more: &Value) -> Value {
    let mut plan = json!({"format_version": "1.2", "terraform_version": "1.9.8", "timestamp": "2026-11-28T12:00:00Z",
        "complete": true, "errored": false});
    plan.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    plan
}

#[test]
fn a_plan_tells_each_attribute_that_differs_and_nothing_that_does_not() {
    let change = json!({
        "actions": ["update"],
        "before": {"instance_type": "m5.large", "tags": {"team": "dock", "tier": "1"}, "ports": [80, 22], "password": "hunter2", "arn": "a"},
        "after": {"instance_type": "t3.small", "tags": {"team": "dock", "tier": "2"}, "ports": [80], "password": "other", "id": "i"},
        "after_unknown": {"arn": true},
        "before_sensitive": {"password": true}, "after_sensitive": {"password": true},
    });
    let body = plan(&json!({"resource_changes": [
        resource("aws_instance.web", &change),
        resource("aws_instance.same", &json!({"actions": ["no-op"], "before": {"a": 1}, "after": {"a": 1}})),
        resource("aws_instance.gone", &json!({"actions": ["create"], "before": null, "after": {"a": 1}})),
        resource("aws_instance.more", &json!({"actions": ["delete"], "before": {"a": 1}, "after": null})),
        {"address": "data.x.y", "mode": "data", "change": {"actions": ["read"], "before": null, "after": {}}},
    ]}));
    let report = report("terraform", &body);
    let mut rows = found(&report);
    rows.sort_unstable();
    let wanted = [
        ("aws_instance.gone", EXISTENCE),
        ("aws_instance.more", EXISTENCE),
        ("aws_instance.web", "id"),
        ("aws_instance.web", "instance_type"),
        ("aws_instance.web", "password"),
        ("aws_instance.web", "ports"),
        ("aws_instance.web", "tags.tier"),
    ];
    assert_eq!(rows, wanted);
    assert_eq!(report.clean, ["aws_instance.same"]);
    assert!(report.is_complete && report.taken_at.to_string() == "2026-11-28T12:00:00Z");
    let of = |attribute: &str| report.differences.iter().find(|it| it.attribute == attribute).unwrap();
    assert_eq!(of("password").found, None, "a secret has no fingerprint");
    assert_eq!(
        of("instance_type").found,
        Some(fingerprint(&json!("m5.large"))),
        "what is there, not what is wanted"
    );
    assert!(!format!("{report:?}").contains("hunter2"), "values are not kept");
}

#[test]
fn what_changed_behind_the_state_is_told_once_and_a_plan_of_a_part_proves_nothing_gone() {
    let drift = json!({"actions": ["update"], "before": {"size": 10}, "after": {"size": 20}});
    let gone = json!({"actions": ["delete"], "before": {"size": 10}, "after": null});
    let planned = json!({"actions": ["update"], "before": {"size": 20}, "after": {"size": 10}});
    let body = json!({"resource_drift": [resource("a", &drift), resource("b", &gone)],
        "resource_changes": [resource("a", &planned), resource("b", &json!({"actions": ["no-op"]}))]});
    let whole = report("terraform", &plan(&body));
    assert_eq!(found(&whole), [("a", "size"), ("b", EXISTENCE)]);
    assert_eq!(
        whole.differences[0].found,
        Some(fingerprint(&json!(20))),
        "both tell the same of reality"
    );
    assert!(whole.clean.is_empty());
    for part in [
        json!({"complete": false}),
        json!({"errored": true}),
        json!({"complete": null}),
    ] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        assert!(!report("terraform", &plan(&body)).is_complete, "{part}");
    }
}

#[test]
fn a_real_report_of_aide_is_read_whole() {
    let body: Value = serde_json::from_str(AIDE).unwrap();
    let report = report("aide", &body);
    let wanted = [
        ("/srv/app/new", EXISTENCE),
        ("/srv/app/gone", EXISTENCE),
        ("/srv/app/link", "inode"),
        ("/srv/app/link", "link_name"),
        ("/srv/app/link", "size"),
        ("/srv/app/mode", "acl"),
        ("/srv/app/mode", "perm"),
        ("/srv/app/passwd", "md5"),
        ("/srv/app/passwd", "sha256"),
        ("/srv/app/passwd", "size"),
    ];
    assert_eq!(found(&report), wanted);
    assert!(report.is_complete && report.taken_at.to_string() == "2026-11-28T12:42:37Z");
    let digest = report.differences[8].digest.as_deref().unwrap();
    assert!(digest.starts_with("sha256:0a77960e9d2ede4f"), "{digest}");
    let clean = json!({"start_time": "2026-11-28 12:42:38 +0000", "aide_version": "0.18.3",
        "outline": "AIDE found NO differences between database and filesystem. Looks okay!!", "number_of_entries": {"total": 6}});
    let nothing = self::report("aide", &clean);
    assert!(nothing.is_complete && nothing.differences.is_empty());
    let mut limited = clean;
    limited["limit"] = json!("/etc/ssh");
    assert!(
        !self::report("aide", &limited).is_complete,
        "a limited run did not look at everything"
    );
}

#[test]
fn what_is_cut_counts_more_than_it_lists_or_is_something_else_is_set_aside_with_a_reason() {
    for end in [AIDE.len() / 3, AIDE.len() / 2, AIDE.trim_end().len() - 1] {
        let why = reason("aide", &AIDE.as_bytes()[..end]);
        assert!(why.contains("it was cut"), "{end}: {why}");
    }
    let summary = json!({"aide_version": "0.18.3", "number_of_entries": {"total": 6, "changed": 3}});
    assert!(reason("aide", summary.to_string().as_bytes()).contains("report_level"));
    for (kind, body, wanted) in [
        ("aide", "{}", "report_format=json"),
        ("aide", "AIDE found differences", "cannot be read"),
        ("terraform", "{}", "terraform show -json"),
        ("terraform", r#"{"format_version": "2.0"}"#, "2.0"),
        (
            "argocd_drift",
            r#"{"app": {"metadata": {"name": "shop"}, "status": {}}}"#,
            "app.status.sync",
        ),
        ("kubernetes_audit", "", "no audit event"),
        ("kubernetes_audit", "[1]", "no audit event"),
        (
            "kubernetes_audit",
            r#"{"kind": "EventList", "items": []}"#,
            "no audit event",
        ),
        ("kubernetes_audit", r#"{"kind": "EventList", "items": [{"#, "it was cut"),
        ("puppet", "{}", "no kind of drift report"),
    ] {
        let why = reason(kind, body.as_bytes());
        assert!(why.contains(wanted), "{kind} {body}: {why}");
    }
}

fn application(status: &str, compared: &str, synced: &str, phase: &str) -> Value {
    json!({"app": {
        "metadata": {"name": "shop", "namespace": "argocd"},
        "spec": {"destination": {"namespace": "prod"}},
        "status": {
            "sync": {"status": status, "revision": compared},
            "reconciledAt": "2026-11-28T12:30:00Z",
            "operationState": {"phase": phase, "startedAt": "2026-11-28T10:00:00Z", "syncResult": {"revision": synced}},
            "resources": [
                {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "prod", "name": "shop", "status": "OutOfSync"},
                {"version": "v1", "kind": "ConfigMap", "namespace": "prod", "name": "more", "status": "OutOfSync", "requiresPruning": true},
                {"version": "v1", "kind": "Service", "namespace": "prod", "name": "shop", "status": "Synced"},
            ],
        },
    }})
}

#[test]
fn an_application_drifted_only_where_its_last_sync_was_of_the_revision_that_it_is_compared_with() {
    let drifted = report("argocd_drift", &application("OutOfSync", "abc", "abc", "Succeeded"));
    let wanted = [
        ("shop/prod/Deployment.apps/shop", "sync"),
        ("shop/prod/ConfigMap/more", EXISTENCE),
    ];
    assert_eq!(found(&drifted), wanted);
    assert_eq!((drifted.scope.as_str(), drifted.is_complete), ("shop", true));
    let synced = report("argocd_drift", &application("Synced", "abc", "abc", "Succeeded"));
    assert!(synced.is_complete && synced.differences.is_empty());
    for body in [
        application("OutOfSync", "new", "abc", "Succeeded"),
        application("OutOfSync", "abc", "abc", "Failed"),
        application("Unknown", "abc", "abc", "Succeeded"),
    ] {
        assert!(matches!(signals("argocd_drift", &body)[..], [Signal::Unknown { .. }]));
    }
}

fn event(verb: &str, object: &Value, more: &Value) -> Value {
    let mut event = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": "1", "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/prod/deployments/shop", "verb": verb,
        "user": {"username": "ada", "groups": ["system:authenticated"]}, "objectRef": object,
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-28T12:10:00.000000Z", "stageTimestamp": "2026-11-28T12:10:00.100000Z",
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn deployment() -> Value {
    json!({"resource": "deployments", "namespace": "prod", "name": "shop", "apiGroup": "apps", "apiVersion": "v1"})
}

fn list(events: &[Value]) -> Value {
    json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": events})
}

#[test]
fn a_write_to_the_cluster_is_a_difference_of_what_it_wrote() {
    let image = format!("registry/shop@sha256:{}", "ab".repeat(32));
    let containers =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "shop", "image": image}]}}, "paused": true}});
    let mut scale = deployment();
    scale["subresource"] = json!("scale");
    let events = [
        event("patch", &deployment(), &json!({"requestObject": containers})),
        event(
            "patch",
            &deployment(),
            &json!({"requestObject": [{"op": "replace", "path": "/spec/minReadySeconds", "value": 5}]}),
        ),
        event("update", &scale, &json!({"requestObject": {"spec": {"replicas": 7}}})),
        event("update", &deployment(), &json!({})),
        event(
            "delete",
            &json!({"resource": "nodes", "name": "n1"}),
            &json!({"impersonatedUser": {"username": "root"}}),
        ),
    ];
    let report = report("kubernetes_audit", &list(&events));
    let shop = "prod/deployments.apps/shop";
    let wanted = [
        (shop, "spec.template.spec.containers"),
        (shop, "spec.paused"),
        (shop, "spec.minReadySeconds"),
        (shop, "spec.replicas"),
        (shop, OBJECT),
        ("/nodes/n1", EXISTENCE),
    ];
    assert_eq!(found(&report), wanted);
    assert!(report.is_log && !report.is_complete);
    assert_eq!(
        report.differences[0].digest,
        Some(format!("sha256:{}", "ab".repeat(32)))
    );
    assert_eq!(report.differences[0].at.unwrap().to_string(), "2026-11-28T12:10:00.1Z");
    let doers: Vec<_> = report.differences.iter().filter_map(|it| it.doer.as_deref()).collect();
    assert_eq!((doers[0], doers[5]), ("ada", "root"));
}

#[test]
fn reads_trials_refusals_and_what_the_cluster_keeps_for_itself_are_no_drift() {
    let of = |resource: &str, part: Option<&str>| json!({"resource": resource, "namespace": "prod", "name": "x", "subresource": part});
    let events = [
        event("get", &deployment(), &json!({})),
        event("patch", &deployment(), &json!({"requestURI": "/x?dryRun=All"})),
        event("patch", &deployment(), &json!({"responseStatus": {"code": 403}})),
        event("patch", &deployment(), &json!({"stage": "RequestReceived"})),
        event("update", &of("leases", None), &json!({})),
        event("update", &of("deployments", Some("status")), &json!({})),
        event("create", &of("subjectaccessreviews", None), &json!({})),
    ];
    assert!(report("kubernetes_audit", &list(&events)).differences.is_empty());
    let broken = json!({"kind": "Event", "stage": 3});
    let signals = signals(
        "kubernetes_audit",
        &list(&[broken, event("delete", &deployment(), &json!({}))]),
    );
    assert!(signals[1].complaint().is_some(), "{signals:?}");
    assert!(
        matches!(&signals[0], Signal::Drift(it) if it.differences.len() == 1),
        "the rest is read"
    );
    let lines = format!(
        "{}\n{}\n",
        event("delete", &deployment(), &json!({})),
        event("create", &deployment(), &json!({}))
    );
    let from_file = read("kubernetes_audit", lines.as_bytes(), now()).unwrap();
    assert!(matches!(&from_file[0], Signal::Drift(it) if it.differences.len() == 2));
}

#[test]
fn a_report_with_a_hundred_thousand_differences_becomes_one_that_says_so() {
    let changes: Vec<Value> = (0..100_000)
        .map(|number| resource(&format!("r.n{number}"), &json!({"actions": ["create"]})))
        .collect();
    let body = plan(&json!({"resource_changes": changes}));
    let report = report("terraform", &body);
    assert_eq!((found(&report), report.count), (vec![WHOLE], 100_000));
    assert!(!report.is_complete);
}

#[test]
fn the_reduced_form_says_the_same_and_is_held_to_the_limits() {
    let (bytes, sent) = reduce("aide", AIDE.as_bytes(), Some("host-7"), now()).unwrap();
    let read_back = |bytes: &[u8]| -> Result<Vec<Signal>, SetAside> { read("aide", bytes, now()) };
    assert_eq!(read_back(&bytes).unwrap(), [Signal::Drift(sent.clone())]);
    assert_eq!((sent.scope.as_str(), sent.differences.len()), ("host-7", 10));
    let changed = |edit: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&bytes).unwrap();
        edit(&mut value);
        read_back(value.to_string().as_bytes())
    };
    let row = json!({"address": "a", "attribute": "b"});
    let many: Vec<Value> = vec![row; MOST + 1];
    assert!(changed(&|it| it["assent_drift"] = json!(2)).is_err());
    assert!(changed(&|it| it["report"]["scope"] = json!("x".repeat(300))).is_err());
    assert!(changed(&|it| it["report"]["differences"] = json!(many)).is_err());
    assert!(changed(&|it| it["report"]["differences"][0]["address"] = json!("")).is_err());
    let long = changed(&|it| it["report"]["differences"][0]["address"] = json!("x\u{7}".repeat(9_000))).unwrap();
    let Signal::Drift(long) = &long[0] else { panic!() };
    assert!(long.differences[0].address.len() <= 512 && !long.differences[0].address.contains('\u{7}'));
    let late = changed(&|it| it["report"]["taken_at"] = json!("2031-01-01T00:00:00Z")).unwrap();
    let Signal::Drift(late) = &late[0] else { panic!() };
    assert_eq!(late.taken_at, now(), "a report of the future is of now");
}

#[test]
fn a_plan_of_fifty_megabytes_becomes_a_short_message_that_still_proves_what_is_gone() {
    let filler = "x".repeat(2_400);
    let same = json!({"actions": ["no-op"], "before": {"text": filler}, "after": {"text": filler}});
    let mut changes: Vec<Value> = (0..11_000)
        .map(|number| resource(&format!("r.n{number}"), &same))
        .collect();
    let moved = json!({"actions": ["update"], "before": {"size": 2}, "after": {"size": 1}});
    changes.push(resource("r.moved", &moved));
    let body = plan(&json!({"resource_changes": changes})).to_string();
    assert!(body.len() > 50 * 1024 * 1024, "{}", body.len());
    let (message, report) = reduce("terraform", body.as_bytes(), None, now()).unwrap();
    assert!(message.len() < 2 * 1024 * 1024 && !report.is_too_long());
    assert_eq!((found(&report), report.is_complete), (vec![("r.moved", "size")], true));
}
