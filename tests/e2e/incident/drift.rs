//! Drift from a report to its end: findings with an alert and an action item, baselines by two people, decisions, and findings
//! that are gone.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use tests::faults::eventually;
use tests::journey::{ENVIRONMENT, SERVICE, artifact, scheduled};
use tests::session::Session;
use tests::{Place, Server};

use crate::platform::crash::{must_replay, must_verify};

/// A connection that reports drift, with its secret.
pub(crate) struct Source<'a> {
    server: &'a Server,
    id: String,
    path: String,
    secret: String,
}

impl<'a> Source<'a> {
    pub(crate) fn new(server: &'a Server, kind: &str, pattern: &str) -> Self {
        let admin = server.token("admin");
        let made = server.must(
            "POST",
            "/api/v1/connections",
            &admin,
            Some(&json!({"kind": kind, "name": kind, "map": []})),
        );
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let source = Self {
            server,
            id: text("id"),
            path: text("hook_path"),
            secret: text("secret"),
        };
        let rule = json!({"pattern": pattern, "connection": source.id, "service": SERVICE, "environment": ENVIRONMENT, "place": 100});
        server.must("POST", "/api/v1/drift-rules", &admin, Some(&rule));
        source
    }

    pub(crate) fn deliver(&self, body: &[u8]) -> u16 {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}{}", self.server.url, self.path))
            .header("Content-Type", "application/json")
            .header("Authorization", format!("Bearer {}", self.secret))
            .body(body)
            .unwrap();
        tests::caller::agent().run(request).unwrap().status().as_u16()
    }

    /// Delivers a plan of Terraform that was made so many seconds ago, and waits until it was taken.
    fn plan(&self, ago: i64, changes: &[Value]) {
        let at = self.server.server_time() - jiff::SignedDuration::from_secs(ago);
        let body = json!({"format_version": "1.2", "timestamp": at.to_string(), "complete": true, "errored": false,
            "resource_changes": changes});
        assert_eq!(self.deliver(body.to_string().as_bytes()), 202);
        eventually("the plan is taken", || {
            let sources = list(self.server, "drift-sources");
            sources
                .iter()
                .any(|it| it["connection"] == self.id.as_str() && it["reported_at"] == at.to_string())
        });
    }
}

fn update(address: &str, attributes: &[(&str, &str)]) -> Value {
    let with = |value: &dyn Fn(&str) -> String| -> Value {
        let fields = attributes
            .iter()
            .map(|(name, found)| ((*name).to_owned(), json!(value(found))));
        Value::Object(fields.collect())
    };
    json!({"address": address, "mode": "managed", "type": "db", "name": "main", "change": {
        "actions": ["update"], "before": with(&|found| found.to_owned()), "after": with(&|_| "as written".to_owned())}})
}

fn same(address: &str) -> Value {
    json!({"address": address, "mode": "managed", "change": {"actions": ["no-op"], "before": {}, "after": {}}})
}

fn list(server: &Server, noun: &str) -> Vec<Value> {
    let path = format!("/api/v1/{noun}?limit=200");
    let found = server.must("GET", &path, &server.token("auditor"), None);
    found["items"].as_array().unwrap().clone()
}

fn findings(server: &Server, attribute: &str) -> Vec<Value> {
    let mut found = list(server, "drift-findings");
    found.retain(|it| it["attribute"] == attribute);
    found
}

fn patch(server: &Server, role: &str, path: &str, body: &Value) -> (u16, Value) {
    let token = server.token(role);
    let path = format!("/api/v1/{path}");
    let version = server.must("GET", &path, &token, None)["version"].clone();
    let etag = format!("\"{version}\"");
    let (status, answer) = server.ask_with("PATCH", &path, Some(&token), Some(body), &[("If-Match", &etag)]);
    (status, serde_json::from_slice(&answer).unwrap_or_default())
}

#[test]
fn drift_is_found_alerted_expected_decided_and_gone() {
    let place = Place::demo("drift");
    let server = Server::start(&place, true);
    let source = Source::new(&server, "terraform", "db.*");
    rules_are_tried(&server, &source);
    source.plan(3_000, &[same("db.main")]);
    assert!(findings(&server, "size").is_empty());

    let drifted = [update("db.main", &[("size", "large"), ("count", "7")])];
    source.plan(300, &drifted);
    let size = findings(&server, "size").remove(0);
    assert_eq!(
        (&size["state"], &size["service"], &size["count"]),
        (&json!("open"), &json!(SERVICE), &json!(1)),
        "{size:#}"
    );
    assert!(!size.to_string().contains("large"), "values are not kept");
    let owner = Session::begin(&server, "owner");
    let messages = owner.get("/t/halden/messages").body;
    assert!(messages.contains(&format!("Drift of {SERVICE}")), "{messages}");

    source.plan(200, &drifted);
    let again = findings(&server, "size");
    assert_eq!(
        (again.len(), &again[0]["id"], &again[0]["count"]),
        (1, &size["id"], &json!(2))
    );

    a_baseline_needs_two_people(&server, &source);
    source.plan(100, &drifted);
    assert!(findings(&server, "count").is_empty(), "what is expected is closed");
    assert_eq!(
        findings(&server, "size").len(),
        1,
        "another attribute of the same address is not silenced"
    );

    is_decided(&server, size["id"].as_str().unwrap());
    is_linked(&server, size["id"].as_str().unwrap());
    source.plan(0, &[same("db.main")]);
    let path = format!("/api/v1/drift-findings/{}", size["id"].as_str().unwrap());
    let closed = server.must("GET", &path, &server.token("owner"), None);
    assert_eq!(
        (&closed["state"], &closed["ending"]),
        (&json!("closed"), &json!("gone")),
        "{closed:#}"
    );
    server.wait_for_log();
    let log = Session::begin(&server, "auditor")
        .get("/t/halden/audit?kind=drift_finding")
        .body;
    assert!(log.contains("closed a finding of drift"), "the log has words for it");
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

fn rules_are_tried(server: &Server, source: &Source<'_>) {
    let path = format!("/api/v1/drift-matches?connection={}&address=", source.id);
    let admin = server.token("admin");
    let fits = server.must("GET", &format!("{path}db.main"), &admin, None);
    assert_eq!(fits["rule"]["service"], SERVICE, "{fits:#}");
    let none = server.must("GET", &format!("{path}web.main"), &admin, None);
    assert!(none["rule"].is_null(), "{none:#}");
    assert_eq!(
        server
            .get(&format!("{path}db.main"), Some(&server.token("requester")))
            .0,
        403
    );
    assert_eq!(server.get("/api/v1/drift-matches", Some(&admin)).0, 422);
    let wrong =
        json!({"pattern": "db.*", "connection": "no", "service": SERVICE, "environment": "nowhere", "place": 1});
    let (status, answer) = server.ask("POST", "/api/v1/drift-rules", Some(&admin), Some(&wrong));
    let told = String::from_utf8_lossy(&answer).into_owned();
    assert!(
        status == 422 && told.contains("connection") && told.contains("environment"),
        "{told}"
    );
    let page = Session::begin(server, "admin").get(&format!(
        "/t/halden/drift-test?connection={}&address=db.main",
        source.id
    ));
    assert!(page.status == 200 && page.body.contains(SERVICE), "{}", page.body);
    let told = Command::new(tests::binary())
        .args([
            "drift",
            "test",
            "db.main",
            "--connection",
            &source.id,
            "--server",
            &server.url,
        ])
        .env("ASSENT_TOKEN", &admin)
        .output()
        .unwrap();
    assert!(told.status.success() && String::from_utf8_lossy(&told.stdout).contains(SERVICE));
}

fn a_baseline_needs_two_people(server: &Server, source: &Source<'_>) {
    let ends = (server.server_time() + jiff::SignedDuration::from_hours(48)).to_string();
    let proposal = json!({"pattern": "db.*", "attribute": "count", "connection": source.id, "service": SERVICE,
        "environment": ENVIRONMENT, "reason": "The autoscaler sets it.", "ends_at": ends});
    let owner = server.token("owner");
    let (status, _) = server.ask(
        "POST",
        "/api/v1/drift-baselines",
        Some(&server.token("executive")),
        Some(&proposal),
    );
    assert_eq!(status, 403, "who has no part in the service proposes nothing");
    let mut wide = proposal.clone();
    wide["attribute"] = json!("*");
    assert_eq!(
        server
            .ask("POST", "/api/v1/drift-baselines", Some(&owner), Some(&wide))
            .0,
        422
    );
    let made = server.must("POST", "/api/v1/drift-baselines", &owner, Some(&proposal));
    let path = format!("drift-baselines/{}", made["id"].as_str().unwrap());
    let (status, own) = patch(server, "owner", &path, &json!({"approved": true}));
    assert_eq!((status, &own["code"]), (403, &json!("own_proposal")), "{own:#}");
    let (status, moved) = patch(
        server,
        "security",
        &path,
        &json!({"approved": true, "attribute": "size"}),
    );
    assert_eq!(status, 422, "{moved:#}");
    let (status, approved) = patch(server, "security", &path, &json!({"approved": true}));
    assert_eq!(status, 200, "{approved:#}");
    assert!(
        approved["signature"]
            .as_str()
            .is_some_and(|it| it.split('.').count() == 3),
        "{approved:#}"
    );
    assert_eq!(patch(server, "security", &path, &json!({"approved": true})).0, 409);
}

fn is_decided(server: &Server, id: &str) {
    let path = format!("drift-findings/{id}");
    let revert = json!({"outcome": "revert", "reason": "Somebody tried a larger one."});
    assert_eq!(patch(server, "requester", &path, &revert).0, 403);
    for (body, field) in [
        (json!({"outcome": "revert"}), "reason"),
        (json!({"reason": "So."}), "outcome"),
        (json!({"outcome": "accept_as_emergency", "reason": "So."}), "change"),
        (
            json!({"outcome": "accept_as_emergency", "reason": "So.", "change": "CHG-999999"}),
            "change",
        ),
        (json!({"outcome": "sell", "reason": "So."}), "outcome"),
    ] {
        let (status, answer) = patch(server, "owner", &path, &body);
        assert_eq!(
            (status, &answer["errors"][0]["field"]),
            (422, &json!(field)),
            "{answer:#}"
        );
    }
    let page = Session::begin(server, "owner");
    assert!(page.get("/t/halden/drift").body.contains("db.main"));
    let fields = [
        ("outcome", "revert"),
        ("change", ""),
        ("reason", "Somebody tried a larger one."),
    ];
    assert_eq!(page.form(&format!("/t/halden/drift/{id}"), &fields).status, 303);
    assert!(page.get("/t/halden/drift").body.contains("To be reverted"));
}

/// The page of a finding shows its decisions and takes a link, which the incident shows as well.
fn is_linked(server: &Server, id: &str) {
    let body = json!({"title": "Labels are late", "severity": 3, "services": [SERVICE]});
    let incident = server.must("POST", "/api/v1/incidents", &server.token("commander"), Some(&body));
    let key = incident["key"].as_str().unwrap();
    let owner = Session::begin(server, "owner");
    let path = format!("/t/halden/drift/{id}");
    assert!(owner.get(&path).body.contains("Somebody tried a larger one."));
    let fields = [
        ("kind", "related"),
        ("to", key),
        ("reason", "The instance was too large."),
    ];
    assert_eq!(owner.form(&format!("{path}/links"), &fields).status, 303);
    assert!(owner.get(&path).body.contains(key));
    let links = server.must(
        "GET",
        &format!("/api/v1/record-links/of/{key}"),
        &server.token("auditor"),
        None,
    );
    assert!(links.to_string().contains(id), "{links:#}");
    let kept = list(server, "drift-decisions");
    assert!(
        kept.iter()
            .any(|it| it["finding"] == id && it["reason"] == "Somebody tried a larger one."),
        "{kept:#?}"
    );
}

fn audit_event(name: &str, at: jiff::Timestamp) -> Value {
    json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": name, "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/prod/deployments", "verb": "delete", "user": {"username": "ada"},
        "objectRef": {"resource": "deployments", "namespace": "prod", "name": name, "apiGroup": "apps"},
        "responseStatus": {"code": 200}, "stageTimestamp": at.to_string()})
}

#[test]
fn a_write_during_an_approved_change_is_explained_and_one_before_it_is_not() {
    let place = Place::demo("drift-explained");
    let server = Server::start(&place, true);
    let source = Source::new(&server, "kubernetes_audit", "prod/*");
    let path = scheduled(&server, "Sharper labels", &artifact(92_001));
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &server.token("implementer"),
        Some(&json!({})),
    );
    let now = server.server_time();
    let events = [
        audit_event("inside", now),
        audit_event("before", now - jiff::SignedDuration::from_mins(20)),
    ];
    let body = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": events});
    assert_eq!(source.deliver(body.to_string().as_bytes()), 202);
    eventually("the events are taken", || !list(&server, "drift-findings").is_empty());
    let open = list(&server, "drift-findings");
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(open[0]["address"], "prod/deployments.apps/before");
    let id = open[0]["id"].as_str().unwrap();
    let key = path.rsplit('/').next().unwrap();
    let normal = json!({"outcome": "accept_as_emergency", "reason": "So.", "change": key});
    let (status, answer) = patch(&server, "owner", &format!("drift-findings/{id}"), &normal);
    assert_eq!(
        (status, &answer["errors"][0]["code"]),
        (422, &json!("not_its_kind")),
        "{answer:#}"
    );
    must_verify(&server);
    assert!(server.stop().success());
    must_replay(&place);
}

#[test]
fn a_report_that_is_cut_too_long_or_unknown_has_a_clear_answer_and_is_kept() {
    let place = Place::demo("drift-bad-input");
    let server = Server::start(&place, true);
    let source = Source::new(&server, "aide", "/srv/*");
    assert_eq!(
        source.deliver(br#"{"aide_version": "0.18.3", "number_of_entries": {"total""#),
        202
    );
    let admin = server.token("admin");
    let deliveries = format!("/api/v1/connections/{}/deliveries?state=parked", source.id);
    eventually("the cut report is set aside", || {
        let parked = server.must("GET", &deliveries, &admin, None);
        parked["items"].to_string().contains("it was cut")
    });
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, &source.secret).unwrap();
    let report = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        Command::new(tests::binary())
            .args([
                "drift",
                "report",
                file.to_str().unwrap(),
                "--kind",
                "aide",
                "--connection",
                &source.id,
                "--of",
                "host-7",
            ])
            .args(["--secret-file", secret.to_str().unwrap(), "--server", &server.url])
            .output()
            .unwrap()
    };
    let cut = report("cut.json", r#"{"aide_version": "0.18.3", "#);
    assert!(
        !cut.status.success() && String::from_utf8_lossy(&cut.stderr).contains("it was cut"),
        "{cut:?}"
    );
    let many: serde_json::Map<String, Value> = (0..100_000)
        .map(|number| (format!("/srv/{number}"), json!("f+++")))
        .collect();
    let body = json!({"aide_version": "0.18.3", "start_time": "2026-11-20 10:00:00 +0000",
        "number_of_entries": {"total": 100_000, "added": 100_000}, "added": many});
    let sent = report("many.json", &body.to_string());
    assert!(
        sent.status.success() && String::from_utf8_lossy(&sent.stdout).contains("100000"),
        "{sent:?}"
    );
    eventually("the long report is one finding", || {
        let found = list(&server, "drift-findings");
        found.len() == 1 && found[0]["address"] == "(whole report)"
    });
}

/// The kind of an event of the corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Drift,
    Expected,
    Lawful,
}

/// Numbered events, dealt by a seed.
fn dealt(count: u64, seed: u64) -> Vec<(u64, Is)> {
    let mut dice = seed;
    let mut rows = Vec::new();
    for number in 0..count {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let is = [Is::Drift, Is::Expected, Is::Lawful][usize::try_from((dice >> 33) % 3).unwrap()];
        rows.push((number, is));
    }
    rows
}

/// The addresses of those that are drift.
fn drifted(rows: &[(u64, Is)], named: impl Fn(u64) -> String) -> BTreeSet<String> {
    let rows = rows.iter().filter(|row| row.1 == Is::Drift);
    rows.map(|row| named(row.0)).collect()
}

/// Audit events as the webhook backend of Kubernetes sends them.
fn audit_events(rows: &[(u64, Is)], at: &str) -> Value {
    let event = |(number, is): &(u64, Is)| {
        let field = if *is == Is::Expected { "replicas" } else { "paused" };
        let name = format!("web-{number}");
        json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": format!("audit-{number}"),
            "stage": "ResponseComplete", "requestURI": format!("/apis/apps/v1/namespaces/pay/deployments/{name}"), "verb": "patch",
            "user": {"username": "kay", "groups": ["system:authenticated"]}, "sourceIPs": ["192.0.2.7"],
            "objectRef": {"resource": "deployments", "namespace": "pay", "name": name, "apiGroup": "apps", "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": 200}, "requestObject": {"spec": {field: number}},
            "requestReceivedTimestamp": at, "stageTimestamp": at})
    };
    let items: Vec<Value> = rows.iter().map(event).collect();
    json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items})
}

/// A plan as `terraform show -json` writes it.
fn whole_plan(rows: &[(u64, Is)], at: &str) -> Value {
    let resource = |(number, is): &(u64, Is)| {
        let field = if *is == Is::Expected {
            "desired_capacity"
        } else {
            "size"
        };
        json!({"address": format!("pay_group.web[{number}]"), "mode": "managed", "type": "pay_group", "name": "web", "index": number,
            "provider_name": "registry.terraform.io/halden/pay", "change": {"actions": ["update"],
            "before": {field: number + 1}, "after": {field: 0}, "after_unknown": {}, "before_sensitive": {}, "after_sensitive": {}}})
    };
    let changes: Vec<Value> = rows.iter().map(resource).collect();
    json!({"format_version": "1.2", "terraform_version": "1.9.8", "timestamp": at, "complete": true, "errored": false,
        "resource_changes": changes})
}

/// An application as a notification of Argo CD sends it.
fn application(rows: &[(u64, Is)], at: &str) -> Value {
    let resource = |(number, is): &(u64, Is)| {
        let (group, kind) = match is {
            Is::Expected => ("autoscaling", "HorizontalPodAutoscaler"),
            _ => ("apps", "Deployment"),
        };
        json!({"group": group, "version": "v1", "kind": kind, "namespace": "pay", "name": format!("web-{number}"), "status": "OutOfSync"})
    };
    let resources: Vec<Value> = rows.iter().map(resource).collect();
    let word = if resources.is_empty() { "Synced" } else { "OutOfSync" };
    json!({"app": {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "pay-shop", "namespace": "argocd"},
        "status": {"sync": {"status": word, "revision": "da15608"}, "reconciledAt": at, "resources": resources,
        "operationState": {"phase": "Succeeded", "syncResult": {"revision": "da15608"}}}}})
}

impl Source<'_> {
    /// A baseline of one attribute that two people approved.
    pub(crate) fn expect(&self, pattern: &str, attribute: &str) {
        let ends = (self.server.server_time() + jiff::SignedDuration::from_hours(48)).to_string();
        let proposal = json!({"pattern": pattern, "attribute": attribute, "connection": self.id, "service": SERVICE,
            "environment": ENVIRONMENT, "reason": "The autoscaler sets it.", "ends_at": ends});
        let owner = self.server.token("owner");
        let made = self
            .server
            .must("POST", "/api/v1/drift-baselines", &owner, Some(&proposal));
        let path = format!("drift-baselines/{}", made["id"].as_str().unwrap());
        assert_eq!(patch(self.server, "security", &path, &json!({"approved": true})).0, 200);
    }

    fn send(&self, body: &Value) {
        assert_eq!(self.deliver(body.to_string().as_bytes()), 202);
    }

    /// Waits until so many deliveries had their effect.
    pub(crate) fn is_taken(&self, count: usize) {
        let path = format!("/api/v1/connections/{}/deliveries?state=done&limit=100", self.id);
        eventually("the deliveries are taken", || {
            let found = self.server.must("GET", &path, &self.server.token("admin"), None);
            found["items"].as_array().unwrap().len() == count
        });
    }

    /// The addresses of its open findings.
    pub(crate) fn open(&self) -> BTreeSet<String> {
        let (mut found, mut after) = (BTreeSet::new(), String::new());
        loop {
            let path = format!("/api/v1/drift-findings?limit=200{after}");
            let page = self.server.must("GET", &path, &self.server.token("auditor"), None);
            for row in page["items"].as_array().unwrap() {
                if row["connection"] == self.id.as_str() && row["state"] == "open" {
                    found.insert(row["address"].as_str().unwrap().to_owned());
                }
            }
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return found,
            }
        }
    }
}

#[test]
fn of_a_thousand_documented_events_exactly_those_are_found_that_nothing_explains_or_expects() {
    let place = Place::demo("drift_corpus");
    let server = Server::start(&place, true);
    let audit = Source::new(&server, "kubernetes_audit", "pay/*");
    let plans = Source::new(&server, "terraform", "pay_*");
    let apps = Source::new(&server, "argocd_drift", "pay-shop/*");
    audit.expect("pay/*", "spec.replicas");
    plans.expect("pay_*", "desired_capacity");
    apps.expect("pay-shop/pay/HorizontalPodAutoscaler.autoscaling/*", "sync");
    let (writes, resources, members) = (dealt(780, 49), dealt(180, 50), dealt(60, 51));
    let ago = |seconds: i64| (server.server_time() - jiff::SignedDuration::from_secs(seconds)).to_string();
    let only = |rows: &[(u64, Is)], is_lawful: bool| -> Vec<(u64, Is)> {
        let rows = rows.iter().copied();
        rows.filter(|row| (row.1 == Is::Lawful) == is_lawful).collect()
    };
    plans.send(&whole_plan(&[], &ago(3_000)));
    apps.send(&application(&[], &ago(3_000)));
    let sent = server.server_time();
    audit.send(&audit_events(&only(&writes, false), &ago(900)));
    plans.send(&whole_plan(&only(&resources, false), &ago(900)));
    apps.send(&application(&only(&members, false), &ago(900)));
    for (source, count) in [(&audit, 1), (&plans, 2), (&apps, 2)] {
        source.is_taken(count);
    }
    let owner = Session::begin(&server, "owner");
    let subject = format!("Drift of {SERVICE}");
    eventually("the owner is told", || {
        owner.get("/t/halden/messages").body.contains(&subject)
    });
    let took = server.server_time().duration_since(sent);
    assert!(took <= jiff::SignedDuration::from_secs(60), "{took}");
    // The effects of a change at work are no drift; a difference from before its start stays one.
    let path = scheduled(&server, "Sharper labels", &artifact(94_001));
    server.must(
        "POST",
        &format!("{path}/implementation"),
        &server.token("implementer"),
        Some(&json!({})),
    );
    audit.send(&audit_events(&only(&writes, true), &ago(0)));
    plans.send(&whole_plan(&resources, &ago(0)));
    apps.send(&application(&members, &ago(0)));
    for (source, count) in [(&audit, 2), (&plans, 3), (&apps, 3)] {
        source.is_taken(count);
    }
    let wanted = drifted(&writes, |number| format!("pay/deployments.apps/web-{number}"));
    assert!(wanted.len() > 200, "{}", wanted.len());
    assert_eq!(audit.open(), wanted, "recall and precision are 1");
    let wanted = drifted(&resources, |number| format!("pay_group.web[{number}]"));
    assert_eq!(plans.open(), wanted, "recall and precision are 1");
    let wanted = drifted(&members, |number| format!("pay-shop/pay/Deployment.apps/web-{number}"));
    assert_eq!(apps.open(), wanted, "recall and precision are 1");
    server.wait_for_log();
    must_verify(&server);
}
