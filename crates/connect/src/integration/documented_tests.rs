//! Deliveries in the shapes that their systems' own pages describe, each read whole: names and places of fields are theirs, the
//! values are made up here.
#![allow(clippy::unwrap_used, reason = "a test may stop where it fails")]

use jiff::Timestamp;
use model::integration::signal::{Alert, DecisionKind, DeploymentStatus, Progress, SetAside, Signal};
use serde_json::{Value, json};

use crate::integration::door;

const COMMIT: &str = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";
const BEFORE: &str = "95790bf891e76fee5e1747ab589903a6a1f80f22";
const HEX: &str = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn received() -> Timestamp {
    at("2026-11-20T10:00:00Z")
}

fn read(kind: &str, body: &Value) -> Result<Vec<Signal>, SetAside> {
    door::read(kind, kind, body.to_string().as_bytes(), received())
}

/// The one signal of a body.
fn one(kind: &str, body: &Value) -> Signal {
    let mut signals = read(kind, body).unwrap();
    assert_eq!(signals.len(), 1, "{signals:?}");
    signals.remove(0)
}

/// Why a body is set aside.
fn reason(kind: &str, body: &Value) -> String {
    read(kind, body).unwrap_err().reason
}

/// A status without the fields that not every system sends.
fn status((deployment, status_id): (&str, &str), place: (&str, &str), word: Progress, when: &str) -> DeploymentStatus {
    DeploymentStatus {
        deployment_id: deployment.to_owned(),
        status_id: status_id.to_owned(),
        repository: place.0.to_owned(),
        environment: place.1.to_owned(),
        commit: String::new(),
        artifact: None,
        other_commits: Vec::new(),
        artifacts: Vec::new(),
        status: word,
        description: None,
        actor: None,
        occurred_at: at(when),
        url: None,
    }
}

// CDEvents, conformance files of 0.3 to 0.5 and their binding to CloudEvents.

fn cdevent(subject: &str, version: &str, content: &Value) -> Value {
    let kind = format!("dev.cdevents.{subject}.{version}");
    json!({
        "specversion": "1.0", "id": "271069a8-fc18-44f1-b38f-9d70a1695819", "source": "/event/source/123", "type": kind,
        "time": "2023-03-20T14:27:05.315384Z", "datacontenttype": "application/json",
        "data": {
            "context": {
                "version": "0.4.0", "id": "271069a8-fc18-44f1-b38f-9d70a1695819", "source": "/event/source/123",
                "chainId": "4c8cb7dd-3448-41de-8768-eec704e2829b", "type": kind,
                "timestamp": "2023-03-20T14:27:05.315384Z", "schemaUri": "https://halden.example/schema",
                "links": [{"linkType": "END", "from": {"contextId": "5328c37f-bb7e-4bb7-84ea-9f5f85e4a7ce"}}],
            },
            "subject": {"id": "shop", "source": "/event/source/123", "type": "service", "content": content},
            "customData": {"metric": "responseTime"}, "customDataContentType": "application/json",
        },
    })
}

fn in_place(artifact: &str) -> Value {
    json!({"environment": {"id": "prod", "source": "/iaas/geo1"}, "artifactId": artifact})
}

#[test]
fn cdevents_tell_of_services_in_environments() {
    let purl = format!("pkg:oci/shop@sha256%3A{HEX}?tag=1.4");
    let digest = format!("sha256:{HEX}");
    let words = [
        ("service.deployed", "0.1.1", Progress::Success),
        ("service.deployed", "0.2.0", Progress::Success),
        ("service.upgraded", "0.3.0-draft", Progress::Success),
        ("service.rolledback", "0.2.0", Progress::Other("rolled_back".to_owned())),
    ];
    for (subject, version, word) in words {
        let wanted = DeploymentStatus {
            artifact: Some(digest.clone()),
            ..status(
                (&format!("prod/{digest}"), "271069a8-fc18-44f1-b38f-9d70a1695819"),
                ("shop", "prod"),
                word,
                "2023-03-20T14:27:05.315384Z",
            )
        };
        let told = one("cdevents", &cdevent(subject, version, &in_place(&purl)));
        assert_eq!(told, Signal::DeploymentStatus(wanted), "{subject} {version}");
        // A connection of the kind `cloudevents` reads them as well.
        assert_eq!(one("cloudevents", &cdevent(subject, version, &in_place(&purl))), told);
    }
    let source = format!("pkg:github/halden/shop@{COMMIT}");
    let Signal::DeploymentStatus(told) = one("cdevents", &cdevent("service.deployed", "0.2.0", &in_place(&source)))
    else {
        panic!("a deployment was told");
    };
    assert_eq!((told.commit.as_str(), told.artifact), (COMMIT, None));
    for subject in [
        "service.published",
        "service.removed",
        "pipelinerun.finished",
        "environment.created",
    ] {
        let told = one("cdevents", &cdevent(subject, "0.2.0", &json!({})));
        assert!(matches!(told, Signal::Unknown { .. }), "{subject}: {told:?}");
    }
    assert!(reason("cdevents", &cdevent("service.deployed", "0.2.0", &json!({}))).contains("environment.id"));
    let foreign = json!({"specversion": "1.0", "id": "1", "source": "/x", "type": "com.example.x", "data": {}});
    assert!(reason("cdevents", &foreign).contains("com.example.x"));
}

#[test]
fn cdevents_tell_of_incidents() {
    let content = json!({
        "description": "Response time above 100ms", "environment": {"id": "prod"}, "service": {"id": "shop"},
        "artifactId": format!("pkg:oci/shop@sha256%3A{HEX}"),
    });
    let wanted = |is_over: bool| {
        Signal::Alert(Alert {
            source_key: "shop".to_owned(),
            is_over,
            reopens: false,
            tells_state: false,
            title: "Response time above 100ms".to_owned(),
            services: vec!["shop".to_owned()],
            severity: 3,
            started_at: at("2023-03-20T14:27:05.315384Z"),
            later_starts: Vec::new(),
            told_at: None,
            told_number: None,
            ended_at: is_over.then(|| at("2023-03-20T14:27:05.315384Z")),
        })
    };
    assert_eq!(
        one("cdevents", &cdevent("incident.detected", "0.2.0", &content)),
        wanted(false)
    );
    assert_eq!(
        one("cdevents", &cdevent("incident.reported", "0.2.0", &content)),
        wanted(false)
    );
    assert_eq!(
        one("cdevents", &cdevent("incident.resolved", "0.2.0", &content)),
        wanted(true)
    );
}

#[test]
fn cloudevents_in_binary_mode_are_kept_with_their_attributes() {
    let event = cdevent(
        "service.deployed",
        "0.2.0",
        &in_place(&format!("pkg:oci/shop@sha256%3A{HEX}")),
    );
    let attributes = ["specversion", "id", "source", "type", "time"];
    let headers = |name: &str| match name.strip_prefix("ce-") {
        Some(known) if attributes.contains(&known) => event[known].as_str().unwrap().to_owned(),
        // Text other than ASCII is percent-encoded in a header.
        Some("subject") => "Gesch%C3%A4ft%20100%".to_owned(),
        _ => String::new(),
    };
    for kind in ["cdevents", "cloudevents"] {
        let kept = door::keep(kind, &headers, event["data"].to_string().into_bytes()).unwrap();
        assert_eq!(kept.event, event["type"].as_str().unwrap());
        assert_eq!(
            kept.delivery_id,
            "/event/source/123#271069a8-fc18-44f1-b38f-9d70a1695819"
        );
        let whole: Value = serde_json::from_slice(&kept.body).unwrap();
        assert_eq!(whole["subject"], "Geschäft 100%");
        let told = door::read(kind, &kept.event, &kept.body, received()).unwrap();
        assert_eq!(told, read(kind, &event).unwrap());
    }
    // In structured mode the body is kept as it came, under the same key.
    let nothing = |_: &str| String::new();
    let kept = door::keep("cloudevents", &nothing, event.to_string().into_bytes()).unwrap();
    assert_eq!(
        kept.delivery_id,
        "/event/source/123#271069a8-fc18-44f1-b38f-9d70a1695819"
    );
    assert_eq!(kept.body, event.to_string().into_bytes());
}

#[test]
fn cloudevents_carry_our_plain_report_and_other_types_are_noted() {
    let report =
        json!({"id": "run-1", "service": "shop", "environment": "prod", "status": "success", "commit": COMMIT});
    let mut event =
        json!({"specversion": "1.0", "id": "1", "source": "/ci", "type": "assent.deployment", "data": report});
    let told = one("cloudevents", &event);
    assert_eq!(told, one("plain", &report));
    let packed = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(report.to_string())
    };
    event.as_object_mut().unwrap().remove("data");
    event["data_base64"] = json!(packed);
    assert_eq!(one("cloudevents", &event), told);
    event["type"] = json!("com.example.built");
    assert!(matches!(one("cloudevents", &event), Signal::Unknown { event, .. } if event == "com.example.built"));
    event["specversion"] = json!("0.3");
    assert!(reason("cloudevents", &event).contains("specversion"));
}

/// CloudEvents' JSON batch format: each event is read as if it came alone, and an invalid one hides no other.
#[test]
fn batches_of_cloudevents_are_read_event_by_event() {
    let event = cdevent(
        "service.deployed",
        "0.2.0",
        &in_place(&format!("pkg:oci/shop@sha256%3A{HEX}")),
    );
    let alone = read("cdevents", &event).unwrap();
    for kind in ["cdevents", "cloudevents"] {
        let batch = json!([event, {"specversion": "1.0", "id": "2"}, event]);
        let nothing = |_: &str| String::new();
        let kept = door::keep(kind, &nothing, batch.to_string().into_bytes()).unwrap();
        assert_eq!(
            (kept.event.as_str(), kept.delivery_id.as_str()),
            ("cloudevents.batch", "")
        );
        let told = read(kind, &batch).unwrap();
        assert_eq!(told[..2], [alone.clone(), alone.clone()].concat(), "{kind}");
        assert!(told.len() == 3 && told[2].complaint().is_some(), "{told:?}");
        assert!(reason(kind, &json!([{"id": "2"}])).contains("batch"));
        assert_eq!(read(kind, &json!([])).unwrap(), []);
    }
}

/// Some senders of CDEvents send no envelope around them.
#[test]
fn a_bare_cdevent_is_read_as_one_in_its_envelope() {
    let event = cdevent(
        "service.deployed",
        "0.2.0",
        &in_place(&format!("pkg:oci/shop@sha256%3A{HEX}")),
    );
    assert_eq!(
        read("cdevents", &event["data"]).unwrap(),
        read("cdevents", &event).unwrap()
    );
    assert!(read("cloudevents", &event["data"]).is_err());
}

// Argo CD's Application resource, as `{"app": {{toJson .app}}}` sends it.

fn application(phase: &str, images: &[&str]) -> Value {
    json!({"app": {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd", "annotations": {}},
        "spec": {
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "prod"}, "project": "default",
            "source": {"repoURL": "https://github.com/halden/deploy.git", "path": "shop", "targetRevision": "HEAD"},
        },
        "status": {
            "health": {"status": "Healthy"}, "sync": {"status": "Synced", "revision": COMMIT},
            "operationState": {
                "operation": {"initiatedBy": {"username": "ingrid"}, "sync": {"revision": COMMIT}}, "phase": phase,
                "message": "successfully synced (all tasks run)", "startedAt": "2026-11-20T09:40:00Z",
                "finishedAt": if phase == "Running" { Value::Null } else { json!("2026-11-20T09:42:00Z") },
                "syncResult": {"revision": COMMIT, "resources": [], "source": {}},
            },
            "summary": {"images": images},
        },
    }})
}

#[test]
fn argo_cd_tells_of_an_operation_of_an_application() {
    let image = format!("registry.example/shop@sha256:{HEX}");
    let wanted = |word: Progress, phase: &str, when: &str| DeploymentStatus {
        commit: COMMIT.to_owned(),
        artifact: Some(format!("sha256:{HEX}")),
        actor: Some("ingrid".to_owned()),
        description: Some("successfully synced (all tasks run)".to_owned()),
        ..status(
            (
                "shop@2026-11-20T09:40:00Z",
                &format!("shop@2026-11-20T09:40:00Z/{phase}"),
            ),
            ("shop", "prod"),
            word,
            when,
        )
    };
    let (began, ended) = ("2026-11-20T09:40:00Z", "2026-11-20T09:42:00Z");
    for (phase, word, name, when) in [
        ("Running", Progress::InProgress, "in_progress", began),
        ("Succeeded", Progress::Success, "success", ended),
        ("Failed", Progress::Failure, "failure", ended),
        ("Error", Progress::Error, "error", ended),
    ] {
        let told = one("argocd", &application(phase, &[&image]));
        assert_eq!(told, Signal::DeploymentStatus(wanted(word, name, when)), "{phase}");
    }
    // Of several images none is *the* artifact; the commit still names the deployed version.
    let other = format!("registry.example/proxy@sha256:{}", "a".repeat(64));
    let Signal::DeploymentStatus(told) = one("argocd", &application("Succeeded", &[&image, &other])) else {
        panic!("a deployment was told");
    };
    assert_eq!((told.artifact, told.commit.as_str()), (None, COMMIT));
    let mut idle = application("Succeeded", &[]);
    idle["app"]["status"].as_object_mut().unwrap().remove("operationState");
    assert!(matches!(one("argocd", &idle), Signal::Unknown { .. }));
}

// Jenkins' Notification plugin, format JSON.

fn build(phase: &str, status: Option<&str>) -> Value {
    let mut body = json!({
        "name": "shop", "display_name": "shop", "url": "job/shop/",
        "build": {
            "full_url": "https://jenkins.example/job/shop/18/", "number": 18, "queue_id": 4,
            "timestamp": 1_795_167_600_000_i64, "duration": 1200, "phase": phase, "url": "job/shop/18/",
            "scm": {"url": "https://github.com/halden/shop.git", "branch": "origin/main", "commit": COMMIT,
                    "changes": [], "culprits": []},
            "parameters": {"ENVIRONMENT": "prod", "ARTIFACT": format!("sha256:{HEX}")},
            "log": "", "notes": "", "artifacts": {"shop.war": {"archive": "https://jenkins.example/shop.war"}},
        },
    });
    if let Some(status) = status {
        body["build"]["status"] = json!(status);
    }
    body
}

#[test]
fn jenkins_tells_of_a_build_with_its_parameters() {
    let wanted = |word: Progress, name: &str| DeploymentStatus {
        commit: COMMIT.to_owned(),
        artifact: Some(format!("sha256:{HEX}")),
        url: Some("https://jenkins.example/job/shop/18/".to_owned()),
        ..status(
            ("18", &format!("18/{name}")),
            ("shop", "prod"),
            word,
            "2026-11-20T09:40:00Z",
        )
    };
    for (phase, status, word, name) in [
        ("QUEUED", None, Progress::Queued, "queued"),
        // With it comes the result of the build before.
        ("STARTED", Some("FAILURE"), Progress::InProgress, "in_progress"),
        ("COMPLETED", Some("SUCCESS"), Progress::Success, "success"),
        ("FINALIZED", Some("SUCCESS"), Progress::Success, "success"),
        ("COMPLETED", Some("UNSTABLE"), Progress::Failure, "failure"),
        ("FINALIZED", Some("FAILURE"), Progress::Failure, "failure"),
        (
            "COMPLETED",
            Some("ABORTED"),
            Progress::Other("canceled".to_owned()),
            "canceled",
        ),
    ] {
        let told = one("jenkins", &build(phase, status));
        assert_eq!(told, Signal::DeploymentStatus(wanted(word, name)), "{phase} {status:?}");
    }
    let mut elsewhere = build("COMPLETED", Some("SUCCESS"));
    elsewhere["build"]["parameters"] = json!({});
    assert!(matches!(one("jenkins", &elsewhere), Signal::Unknown { .. }));
    elsewhere["build"].as_object_mut().unwrap().remove("number");
    assert!(reason("jenkins", &elsewhere).contains("number"));
}

// Alertmanager's webhook, version 4.

fn group(alerts: Value) -> Value {
    json!({
        "version": "4", "groupKey": "{}:{alertname=\"Slow\"}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "assent", "groupLabels": {"alertname": "Slow"}, "commonLabels": {"alertname": "Slow"},
        "commonAnnotations": {}, "externalURL": "http://alerts.example:9093", "alerts": alerts,
    })
}

#[test]
fn a_group_of_alertmanager_is_one_alert_until_nothing_of_it_fires() {
    let mut alerts = json!([
        {"status": "firing", "labels": {"alertname": "Slow", "service": "shop", "severity": "warning"},
         "annotations": {"summary": "The shop is slow"}, "startsAt": "2026-11-20T09:30:00.123456789Z",
         "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example/graph",
         "fingerprint": "c0ffee0000000001"},
        {"status": "firing", "labels": {"alertname": "Slow", "job": "disk", "severity": "critical"},
         "annotations": {}, "startsAt": "2026-11-20T09:40:00Z", "endsAt": "0001-01-01T00:00:00Z",
         "generatorURL": "", "fingerprint": "c0ffee0000000002"},
        {"status": "resolved", "labels": {"alertname": "Slow", "job": "old", "severity": "critical"},
         "annotations": {}, "startsAt": "2026-11-20T09:00:00+01:00", "endsAt": "2026-11-20T09:10:00Z",
         "generatorURL": "", "fingerprint": "c0ffee0000000003"},
    ]);
    let wanted = Alert {
        source_key: "group/{}:{alertname=\"Slow\"}".to_owned(),
        is_over: false,
        reopens: false,
        tells_state: false,
        title: "Slow".to_owned(),
        services: vec!["disk".to_owned(), "shop".to_owned()],
        severity: 1,
        started_at: at("2026-11-20T09:30:00.123456Z"),
        later_starts: vec![at("2026-11-20T09:40:00Z")],
        told_at: None,
        told_number: None,
        ended_at: None,
    };
    let found = read("alertmanager", &group(alerts.clone())).unwrap();
    assert_eq!(found, [Signal::Alert(wanted)]);
    for place in 0..2 {
        alerts[place]["status"] = json!("resolved");
        alerts[place]["endsAt"] = json!("2026-11-20T09:50:00Z");
    }
    let Signal::Alert(over) = one("alertmanager", &group(alerts.clone())) else {
        panic!("an alert was told");
    };
    assert!(over.is_over);
    assert_eq!(over.ended_at, Some(at("2026-11-20T09:50:00Z")));
    // Without a group's key each alert is a matter of its own.
    let mut keyless = group(alerts);
    keyless.as_object_mut().unwrap().remove("groupKey");
    assert_eq!(read("alertmanager", &keyless).unwrap().len(), 3);
}

#[test]
fn an_alert_of_the_severity_none_opens_nothing() {
    let watchdog = json!({
        "status": "firing", "labels": {"alertname": "Watchdog", "severity": "none"}, "annotations": {},
        "startsAt": "2026-11-20T09:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c0ffee0000000004",
    });
    assert!(matches!(
        one("alertmanager", &group(json!([watchdog]))),
        Signal::Unknown { .. }
    ));
    let mut real = watchdog.clone();
    real["labels"]["severity"] = json!("warning");
    real["startsAt"] = json!("2026-11-20T09:20:00Z");
    let Signal::Alert(told) = one("alertmanager", &group(json!([watchdog, real]))) else {
        panic!("an alert was told");
    };
    assert_eq!((told.started_at, told.severity), (at("2026-11-20T09:20:00Z"), 3));
}

#[test]
fn an_alert_in_a_shape_that_is_not_known_hides_no_other() {
    let good = json!({
        "status": "firing", "labels": {"alertname": "Slow"}, "annotations": {}, "startsAt": "2026-11-20T09:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c0ffee0000000005",
    });
    let mut odd = good.clone();
    odd["startsAt"] = json!(17);
    let told = read("alertmanager", &group(json!([odd, good]))).unwrap();
    assert!(matches!(told[0], Signal::Alert(_)));
    assert!(told.len() == 2 && told[1].complaint().is_some(), "{told:?}");
    assert!(reason("alertmanager", &group(json!([odd]))).contains("an alert cannot be read"));
    let mut other = group(json!([good]));
    other["version"] = json!("5");
    assert!(reason("alertmanager", &other).contains("version 5"));
}

// PagerDuty's Events API v2, as its senders use it.

#[test]
fn pagerduty_s_senders_trigger_and_resolve() {
    let trigger = json!({
        "routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "shop/slow",
        "payload": {"summary": "The shop is slow", "source": "monitor-7", "severity": "error", "component": "shop",
                    "timestamp": "2026-11-20T09:30:00.000+0000", "group": "web", "class": "latency",
                    "custom_details": {"p99": "2 s"}},
        "images": [], "links": [], "client": "Monitor", "client_url": "https://monitor.example",
    });
    let wanted = Alert {
        source_key: "shop/slow".to_owned(),
        is_over: false,
        reopens: false,
        tells_state: false,
        title: "The shop is slow".to_owned(),
        services: vec!["shop".to_owned()],
        severity: 2,
        started_at: at("2026-11-20T09:30:00Z"),
        later_starts: Vec::new(),
        told_at: Some(received()),
        told_number: None,
        ended_at: None,
    };
    assert_eq!(one("pagerduty", &trigger), Signal::Alert(wanted));
    let ended =
        json!({"routing_key": "0123456789abcdef0123456789abcdef", "event_action": "resolve", "dedup_key": "shop/slow"});
    let Signal::Alert(told) = one("pagerduty", &ended) else {
        panic!("an alert was told");
    };
    assert_eq!(
        (told.source_key.as_str(), told.is_over, told.ended_at),
        ("shop/slow", true, Some(received()))
    );
    let mut seen = ended.clone();
    seen["event_action"] = json!("acknowledge");
    assert!(matches!(one("pagerduty", &seen), Signal::Unknown { .. }));
    let mut nameless = ended;
    nameless.as_object_mut().unwrap().remove("dedup_key");
    assert!(reason("pagerduty", &nameless).contains("dedup_key"));
    let mut plain = trigger;
    plain["payload"].as_object_mut().unwrap().remove("timestamp");
    plain.as_object_mut().unwrap().remove("dedup_key");
    let Signal::Alert(told) = one("pagerduty", &plain) else {
        panic!("an alert was told");
    };
    assert_eq!(
        (told.source_key.as_str(), told.started_at),
        ("monitor-7@2026-11-20T10:00:00Z", received())
    );
}

// PagerDuty's page "Webhooks Overview": version 3.

fn pagerduty_webhook(what: &str) -> Value {
    json!({"event": {
        "id": "01DEGU0JSNNJVYFT3CPBI01V0L", "event_type": what, "resource_type": "incident",
        "occurred_at": "2026-11-20T09:45:00.000Z", "client": null,
        "agent": {"id": "PLH1HKV", "type": "user_reference", "summary": "Ingrid"},
        "data": {
            "id": "PGR0VU2", "type": "incident", "self": "https://api.pagerduty.com/incidents/PGR0VU2", "number": 2,
            "status": "triggered", "incident_key": "d3640fbd41094207a1c11e58e46b1662",
            "created_at": "2026-11-20T09:30:00Z", "title": "The shop is slow",
            "service": {"id": "PF9KMXH", "summary": "shop", "type": "service_reference"},
            "assignees": [], "escalation_policy": {"id": "PUS0KTE", "summary": "Default"}, "teams": [],
            "priority": {"id": "PSO75BM", "summary": "P1", "type": "priority_reference"}, "urgency": "high",
            "conference_bridge": null, "resolve_reason": null,
        },
    }})
}

#[test]
fn pagerduty_s_webhooks_tell_of_its_incidents() {
    let begun = Alert {
        source_key: "incident/PGR0VU2".to_owned(),
        is_over: false,
        reopens: false,
        tells_state: true,
        title: "The shop is slow".to_owned(),
        services: vec!["shop".to_owned()],
        severity: 1,
        started_at: at("2026-11-20T09:30:00Z"),
        later_starts: Vec::new(),
        told_at: None,
        told_number: None,
        ended_at: None,
    };
    assert_eq!(
        one("pagerduty", &pagerduty_webhook("incident.triggered")),
        Signal::Alert(begun.clone())
    );
    for updated in ["incident.priority_updated", "incident.service_updated"] {
        assert_eq!(
            one("pagerduty", &pagerduty_webhook(updated)),
            Signal::Alert(begun.clone())
        );
        let mut late = pagerduty_webhook(updated);
        late["event"]["data"]["status"] = json!("resolved");
        assert!(matches!(one("pagerduty", &late), Signal::Unknown { event, .. } if event == updated));
    }
    let over = Alert {
        is_over: true,
        told_at: Some(at("2026-11-20T09:45:00Z")),
        ended_at: Some(at("2026-11-20T09:45:00Z")),
        ..begun.clone()
    };
    assert_eq!(
        one("pagerduty", &pagerduty_webhook("incident.resolved")),
        Signal::Alert(over)
    );
    let again = Alert {
        reopens: true,
        tells_state: false,
        told_at: Some(at("2026-11-20T09:45:00Z")),
        ..begun
    };
    assert_eq!(
        one("pagerduty", &pagerduty_webhook("incident.reopened")),
        Signal::Alert(again)
    );
    for noted in ["incident.acknowledged", "incident.annotated", "service.updated"] {
        assert!(matches!(one("pagerduty", &pagerduty_webhook(noted)), Signal::Unknown { event, .. } if event == noted));
    }
    assert_eq!(one("pagerduty", &pagerduty_webhook("pagey.ping")), Signal::Ping);
}

#[test]
fn a_webhook_of_pagerduty_without_details_is_read() {
    let mut bare = pagerduty_webhook("incident.triggered");
    for field in ["priority", "title", "service"] {
        bare["event"]["data"].as_object_mut().unwrap().remove(field);
    }
    let Signal::Alert(told) = one("pagerduty", &bare) else {
        panic!("an alert was told");
    };
    assert_eq!(
        (told.severity, told.title.as_str(), told.services),
        (2, "Incident", Vec::new())
    );
    bare["event"]["data"] = json!({"id": 7});
    assert!(reason("pagerduty", &bare).contains("no incident"));
}

// GitLab's page "Webhook events".

fn project() -> Value {
    json!({
        "id": 30, "name": "shop", "description": "", "web_url": "https://gitlab.example/halden/shop", "avatar_url": null,
        "git_ssh_url": "ssh://vagrant@gitlab.example:2222/halden/shop.git", "namespace": "halden", "visibility_level": 0,
        "git_http_url": "https://gitlab.example/halden/shop.git", "path_with_namespace": "halden/shop",
        "default_branch": "main", "ci_config_path": "", "homepage": "https://gitlab.example/halden/shop",
        "url": "ssh://vagrant@gitlab.example:2222/halden/shop.git",
    })
}

fn gitlab_deployment(word: &str) -> Value {
    json!({
        "object_kind": "deployment", "status": word, "status_changed_at": "2021-04-28 21:50:00 +0200",
        "deployment_id": 15, "deployable_id": 796, "deployable_url": "https://gitlab.example/halden/shop/-/jobs/796",
        "environment": "prod", "environment_tier": "production", "environment_slug": "prod",
        "environment_external_url": "https://shop.example", "project": project(), "ref": "main", "short_sha": "da156088",
        "user": {"id": 1, "name": "Ingrid", "username": "ingrid", "avatar_url": null, "email": "ingrid@halden.example"},
        "user_url": "https://gitlab.example/ingrid", "commit_title": "A new zone",
        "commit_url": format!("https://gitlab.example/halden/shop/-/commit/{COMMIT}"),
    })
}

#[test]
fn gitlab_tells_of_deployments() {
    let words = [
        ("running", Progress::InProgress),
        ("success", Progress::Success),
        ("failed", Progress::Failure),
        ("canceled", Progress::Other("canceled".to_owned())),
        ("skipped", Progress::Other("skipped".to_owned())),
        ("created", Progress::Queued),
    ];
    for (word, progress) in words {
        let wanted = DeploymentStatus {
            commit: COMMIT.to_owned(),
            actor: Some("ingrid".to_owned()),
            url: Some("https://gitlab.example/halden/shop/-/jobs/796".to_owned()),
            ..status(
                ("15", &format!("15/{word}@2021-04-28T19:50:00Z")),
                ("halden/shop", "prod"),
                progress,
                "2021-04-28T19:50:00Z",
            )
        };
        assert_eq!(
            one("gitlab", &gitlab_deployment(word)),
            Signal::DeploymentStatus(wanted),
            "{word}"
        );
    }
    let blocked = read("gitlab", &gitlab_deployment("blocked")).unwrap();
    let [Signal::DeploymentStatus(_), Signal::Ask(ask)] = &blocked[..] else {
        panic!("a blocked deployment asks: {blocked:?}");
    };
    assert_eq!(
        (ask.ask, ask.commit.as_str(), ask.reply_to.as_str()),
        (DecisionKind::DeploymentApproval, COMMIT, "30/15")
    );
    let mut cut = gitlab_deployment("success");
    cut.as_object_mut().unwrap().remove("commit_url");
    assert!(reason("gitlab", &cut).contains("commit_url"));
}

#[test]
fn gitlab_tells_of_pushes_and_merge_requests() {
    let push = json!({
        "object_kind": "push", "event_name": "push", "before": BEFORE, "after": COMMIT, "ref": "refs/heads/main",
        "ref_protected": true, "checkout_sha": COMMIT, "user_id": 4, "user_name": "Ingrid", "user_username": "ingrid",
        "user_email": "", "user_avatar": null, "project_id": 30, "project": project(), "commits": [
            {"id": COMMIT, "message": "A zone", "title": "A zone", "timestamp": "2011-12-12T14:27:31+02:00",
             "url": "http://x", "author": {"name": "Ada", "email": "Ada@x"}, "added": [], "modified": [], "removed": []},
        ],
        "total_commits_count": 2, "repository": {"name": "shop", "url": "", "visibility_level": 0},
    });
    let Signal::Push(told) = one("gitlab", &push) else {
        panic!("a push was told");
    };
    assert_eq!(
        (
            told.repository.as_str(),
            told.before.as_str(),
            told.after.as_str(),
            told.pusher.as_deref()
        ),
        ("halden/shop", BEFORE, COMMIT, Some("ingrid"))
    );
    assert_eq!(told.commits[0].authors[0].email.as_deref(), Some("ada@x"));
    assert!(told.is_partial, "one of two commits was told");
    let mut merge = json!({
        "object_kind": "merge_request", "event_type": "merge_request", "project": project(),
        "user": {"id": 1, "name": "Ingrid", "username": "ingrid", "avatar_url": null, "email": "[REDACTED]"},
        "object_attributes": {
            "id": 99, "iid": 7, "target_branch": "main", "source_branch": "chg-1042-zone", "author_id": 51,
            "title": "CHG-1042: a new zone", "description": "It is needed.", "created_at": "2013-12-03T17:23:34Z",
            "updated_at": "2013-12-03 17:23:34 UTC", "state": "opened", "action": "update", "oldrev": BEFORE,
            "merge_commit_sha": null, "draft": false, "detailed_merge_status": "not_open",
            "last_commit": {"id": COMMIT, "message": "A new zone", "title": "A new zone",
                            "timestamp": "2012-01-03T23:36:29+02:00", "author": {"name": "Ingrid", "email": "x"}},
        },
        "labels": [], "changes": {}, "assignees": [], "reviewers": [],
    });
    let Signal::PullRequest(told) = one("gitlab", &merge) else {
        panic!("a merge request was told");
    };
    assert_eq!(
        (told.number, told.head_commit.as_str(), told.merged),
        (7, COMMIT, false)
    );
    assert_eq!(told.occurred_at, at("2013-12-03T17:23:34Z"));
    // An external status check sends the same body with its rule in it.
    merge["external_approval_rule"] =
        json!({"id": 5, "name": "Assent", "external_url": "https://assent.example/hooks/1"});
    let told = read("gitlab", &merge).unwrap();
    let [Signal::PullRequest(_), Signal::Ask(ask)] = &told[..] else {
        panic!("a status check asks: {told:?}");
    };
    assert_eq!(
        (ask.ask, ask.reply_to.as_str(), ask.before.as_deref()),
        (DecisionKind::StatusCheck, "30/7/5", Some(BEFORE))
    );
    assert_eq!(ask.texts.branch.as_deref(), Some("chg-1042-zone"));
    for kind in ["tag_push", "pipeline", "build", "note", "release"] {
        let body = match kind {
            "tag_push" => {
                let mut body = push.clone();
                body["object_kind"] = json!(kind);
                body
            }
            _ => json!({"object_kind": kind, "project": project()}),
        };
        assert!(read("gitlab", &body).is_ok(), "{kind}");
    }
    assert!(reason("gitlab", &json!({"project": project()})).contains("object_kind"));
}

// Our own plain report.

#[test]
fn the_plain_report_tells_a_deployment_or_its_status() {
    let digest = format!("sha256:{HEX}");
    let mut report = json!({
        "id": "run-17", "service": "shop", "environment": "prod", "status": "rolled_back", "artifact": digest,
        "commit": COMMIT, "at": "2026-11-20T09:40:00+01:00", "actor": "ingrid", "description": "Back.",
        "url": "https://ci.example/17",
    });
    let wanted = DeploymentStatus {
        commit: COMMIT.to_owned(),
        artifact: Some(digest),
        actor: Some("ingrid".to_owned()),
        description: Some("Back.".to_owned()),
        url: Some("https://ci.example/17".to_owned()),
        ..status(
            ("run-17", "run-17/rolled_back@2026-11-20T08:40:00Z"),
            ("shop", "prod"),
            Progress::Other("rolled_back".to_owned()),
            "2026-11-20T08:40:00Z",
        )
    };
    assert_eq!(one("plain", &report), Signal::DeploymentStatus(wanted));
    report["status"] = json!("shipped");
    assert!(reason("plain", &report).contains("status"));
    report.as_object_mut().unwrap().remove("status");
    assert!(matches!(one("plain", &report), Signal::Deployment(it) if it.deployment_id == "run-17"));
    for field in ["commit", "artifact"] {
        report.as_object_mut().unwrap().remove(field);
    }
    assert!(reason("plain", &report).contains("neither commit nor artifact"));
}
