//! Events of the Open Cybersecurity Schema Framework, version 1.8. Data without a place in the schema are under `unmapped`.

use model::change::change_file::VIA;
use model::integration::sink::Entry;
use serde_json::{Value, json};

use super::findings::{Finding, finding, severity};
use super::{Source, native};

/// The version of the schema.
const VERSION: &str = "1.8.0";

/// The class of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Entity Management: people, groups, services, rights, configuration.
    Entity,
    /// API Activity: the work on changes.
    Api,
    /// Application Lifecycle: deployments.
    Lifecycle,
    /// Compliance Finding: a rule of change enablement was not kept.
    Compliance,
    /// Detection Finding: something happened that nobody allowed.
    Detection,
}

/// Families of kinds that are about people, rights and configuration.
const ENTITIES: &[&str] = &[
    "absence",
    "access_review",
    "agent",
    "audit_mandate",
    "business_unit",
    "calendar",
    "cause",
    "communication_plan",
    "config_item",
    "configuration",
    "connection",
    "custom_field",
    "customer_list",
    "delegation",
    "dependency",
    "dialect",
    "directory",
    "drift_baseline",
    "drift_rule",
    "duty_rota",
    "emergency_card",
    "environment",
    "foreign_system",
    "freeze",
    "group",
    "hold_order",
    "identity_provider",
    "key",
    "keys",
    "lesson_assignment",
    "lesson_session",
    "major_severity",
    "mapping",
    "meeting_series",
    "monitor",
    "objective",
    "on_call",
    "outside_calendar",
    "ownership",
    "person",
    "person_erasure",
    "planning_terms",
    "policies",
    "probe",
    "report_schedule",
    "retention",
    "retention_rule",
    "risk_table",
    "service",
    "service_lead",
    "sink",
    "sla_table",
    "template",
    "tenant",
    "time_authority",
    "token",
    "traffic",
    "training",
    "vendor",
    "wait_budget",
    "watch_table",
    "watched_log",
    "webhook",
    "window",
    "witness",
    "workload",
];

impl Class {
    fn of(entry: &Entry) -> Self {
        match finding(entry) {
            Some(Finding::Detection) => return Self::Detection,
            Some(Finding::Compliance) => return Self::Compliance,
            None => {}
        }
        let kind = entry.kind.as_str();
        let family = kind.split('.').next().unwrap_or_default();
        match kind {
            "service.deployed" => Self::Lifecycle,
            _ if family == "deployment" || family == "provenance" => Self::Lifecycle,
            _ if ENTITIES.contains(&family) => Self::Entity,
            _ => Self::Api,
        }
    }

    /// The category and the class, as the schema numbers them.
    fn numbers(self) -> (i64, i64) {
        match self {
            Self::Entity => (3, 3004),
            Self::Api => (6, 6003),
            Self::Lifecycle => (6, 6002),
            Self::Compliance => (2, 2003),
            Self::Detection => (2, 2004),
        }
    }

    /// The activity: create, update and delete are 1, 3 and 4 of entities and API; 1 creates a finding; 1 installs an application,
    /// 99 is any other.
    fn activity(self, kind: &str) -> i64 {
        let verb = kind.rsplit('.').next().unwrap_or_default();
        match self {
            Self::Compliance | Self::Detection => 1,
            Self::Lifecycle if matches!(verb, "told" | "deployed" | "failed") => 1,
            Self::Lifecycle => 99,
            Self::Entity | Self::Api => match verb {
                "created" | "added" | "opened" | "given" | "issued" | "proposed" | "begun" | "recorded" => 1,
                "ended" | "removed" | "revoked" | "withdrawn" | "retired" | "erased" | "unlinked" | "deactivated" => 4,
                _ => 3,
            },
        }
    }
}

/// One event.
pub(super) fn event(source: &Source, entry: &Entry) -> Value {
    let class = Class::of(entry);
    let (category, number) = class.numbers();
    let activity = class.activity(&entry.kind);
    let is_failure = entry.kind.ends_with(".refused") || entry.kind.ends_with(".failed");
    let mut event = json!({
        "category_uid": category,
        "class_uid": number,
        "activity_id": activity,
        "type_uid": number * 100 + activity,
        "severity_id": severity(entry),
        "time": entry.occurred_at.as_millisecond(),
        "message": entry.kind,
        "metadata": metadata(source, entry),
        "unmapped": native(source, entry),
    });
    if activity == 99 {
        // The schema requires the source's own name where an enumeration has none.
        event["activity_name"] = json!(entry.kind);
    }
    match class {
        Class::Entity => {
            event["entity"] = entity(entry);
            event["actor"] = actor(entry);
            event["status_id"] = status(is_failure);
        }
        Class::Api => {
            event["api"] = json!({"operation": entry.kind, "service": {"name": "Assent"}});
            event["actor"] = actor(entry);
            event["src_endpoint"] = caller(source, entry);
            event["status_id"] = status(is_failure);
        }
        Class::Lifecycle => {
            event["app"] = app(entry);
            event["status_id"] = status(is_failure);
        }
        Class::Compliance => {
            event["finding_info"] = finding_info(entry);
            // A violation is of the rule of a control report that found it.
            let rule = entry.data.get("rule").and_then(Value::as_str);
            event["compliance"] = json!({"control": rule.unwrap_or(&entry.kind), "status_id": 3});
            // A finding that nobody has examined there.
            event["status_id"] = json!(1);
        }
        Class::Detection => {
            event["finding_info"] = finding_info(entry);
            event["status_id"] = json!(1);
        }
    }
    event
}

fn status(is_failure: bool) -> Value {
    json!(if is_failure { 2 } else { 1 })
}

fn metadata(source: &Source, entry: &Entry) -> Value {
    json!({
        "version": VERSION,
        "product": {"name": "Assent", "vendor_name": "Assent", "version": source.version},
        "uid": entry.id,
        "sequence": entry.index,
        "correlation_uid": entry.act,
        "event_code": entry.kind,
        "log_name": "transparency log",
        "log_provider": source.host,
        "logged_time": entry.recorded_at.as_millisecond(),
        "tenant_uid": source.tenant,
    })
}

fn actor(entry: &Entry) -> Value {
    if entry.actor_id == "system" {
        return json!({"app_name": "Assent"});
    }
    let mut actor = json!({"user": {"uid": entry.actor_id, "name": entry.actor}});
    if let Some(token) = way_in(entry, "token") {
        actor["user"]["credential_uid"] = json!(token);
    }
    if let Some(session) = way_in(entry, "session") {
        actor["session"] = json!({"uid": session});
    }
    actor
}

/// A field of the credential by which an act came.
fn way_in<'e>(entry: &'e Entry, name: &str) -> Option<&'e str> {
    entry.data.get(VIA)?.get(name)?.as_str()
}

/// Where an act came from: the code of the caller's address, as the log holds no address. Only what Assent did by itself came from its
/// own server.
fn caller(source: &Source, entry: &Entry) -> Value {
    match way_in(entry, "address") {
        Some(code) => json!({"uid": code}),
        None if entry.actor_id == "system" => json!({"name": source.host}),
        // The schema requires an endpoint.
        None => json!({"name": "unknown"}),
    }
}

fn entity(entry: &Entry) -> Value {
    let named = json!({"uid": entry.subject});
    match entry.table.as_str() {
        "person" => json!({"uid": entry.subject, "type_id": 2, "type": "User", "user": named}),
        "people_group" => json!({"uid": entry.subject, "type_id": 3, "type": "Group", "group": named}),
        table => json!({"uid": entry.subject, "type_id": 99, "type": table}),
    }
}

fn app(entry: &Entry) -> Value {
    let named = entry.data.get("service").and_then(Value::as_str);
    json!({"name": named.unwrap_or(&entry.table), "uid": entry.subject})
}

fn finding_info(entry: &Entry) -> Value {
    let title = entry.kind.replace(['.', '_'], " ");
    json!({
        "uid": entry.id,
        "title": title,
        "types": [entry.kind],
        "created_time": entry.occurred_at.as_millisecond(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entry, source};
    use super::*;

    #[test]
    fn a_violation_names_the_rule_that_found_it() {
        let mut opened = entry(4, "action_item.opened");
        opened.data.insert("kind".to_owned(), json!("resolve_violation"));
        opened.data.insert("rule".to_owned(), json!("gate_off"));
        let told = event(&source(), &opened);
        assert_eq!(
            (&told["class_uid"], &told["compliance"]["control"]),
            (&json!(2003), &json!("gate_off"))
        );
        let glass = event(&source(), &entry(4, "break_glass.opened"));
        assert_eq!(glass["compliance"]["control"], "break_glass.opened");
    }

    #[test]
    fn an_act_comes_from_its_caller_and_not_from_the_server() {
        let mut acted = entry(4, "change.approved");
        assert_eq!(event(&source(), &acted)["src_endpoint"], json!({"name": "unknown"}));
        let via = json!({"session": "s1", "token": "t1", "address": "c1"});
        acted.data.insert(VIA.to_owned(), via);
        let told = event(&source(), &acted);
        assert_eq!(told["src_endpoint"], json!({"uid": "c1"}));
        assert_eq!(told["actor"]["session"], json!({"uid": "s1"}));
        assert_eq!(told["actor"]["user"]["credential_uid"], "t1");
        acted.actor_id = "system".to_owned();
        acted.data.remove(VIA);
        let by_itself = &event(&source(), &acted)["src_endpoint"];
        assert_eq!(by_itself, &json!({"name": "assent.example"}));
    }

    #[test]
    fn every_family_of_entities_is_a_family_of_events() {
        let known = model::nouns::event_kinds();
        for family in ENTITIES {
            let beginning = format!("{family}.");
            assert!(known.iter().any(|kind| kind.starts_with(&beginning)), "`{family}`");
        }
    }
}
