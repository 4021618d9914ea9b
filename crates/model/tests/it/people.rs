//! The small organisation of the tests: its estate, its people, and policies that mimic the base set.

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::approval::obligation::{
    ApprovalRule, Asked, Due, Duty, Obligation, Party, Requirements, TargetObligation, Verdict,
};
use model::change::change_file::ChangeFile;
use model::change::custom_field::CustomField;
use model::change::record::Change;
use model::change::template::bounds::TemplateBounds;
use model::compliance::erasure;
use model::core::enums::{Aspect, Covers, Criticality, FieldKind, Kind, Level, OwnershipRole, Role, TemplateState};
use model::core::refusal::PolicyReason;
use model::directory::snapshot::{
    Directory, Environment, Group, Incident, Ownership, Person, Service, StandardTemplate, Tenant,
};
use model::emergency::owed::{owes_as_emergency, with_what_an_emergency_owes};
use model::policy::facts::{ActorFacts, Part};
use serde_json::json;

/// Everybody, with their rights. `rita` requests, `olga` owns, `sam` and `sue` are security, `mia` and `max` manage.
pub const PEOPLE: &[(&str, &[Role])] = &[
    ("rita", &[Role::Requester]),
    ("olga", &[Role::Owner]),
    ("sam", &[Role::Security]),
    ("sue", &[Role::Executive]),
    ("mia", &[Role::ChangeManager]),
    ("max", &[Role::ChangeManager]),
    ("ida", &[Role::Implementer]),
    ("tom", &[Role::Requester]),
    ("cora", &[Role::Commander]),
    ("pip", &[Role::Pipeline]),
    ("ada", &[Role::Admin]),
    ("vera", &[Role::Requester]),
];

/// The instant at which every test begins.
pub fn dawn() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn tenant() -> Tenant {
    Tenant {
        id: "halden".into(),
        version: 1,
        name: "Halden".into(),
        demo: false,
        log_is_public: false,
        log_said: None,
        status_is_public: false,
        status_said: None,
        access_review_period: Default::default(),
        ownership_by_two: false,
        sla_table: Default::default(),
        sla_table_from: None,
        watch_table: Default::default(),
        watch_table_from: None,
        major_severity: model::incident::major::USUAL_BOUND,
        major_severity_from: None,
        retention: erasure::Retention::default(),
        retention_from: None,
        risk_table: Default::default(),
        risk_terms: Default::default(),
        risk_table_from: None,
        mapping: Vec::new(),
        mapping_from: None,
        policies: None,
    }
}

/// A field in use that may stay empty.
pub fn field(key: &str, holds: FieldKind) -> CustomField {
    CustomField {
        id: key.into(),
        version: 1,
        key: key.into(),
        name: key.to_uppercase(),
        description: None,
        holds,
        choices: Vec::new(),
        kinds: Default::default(),
        categories: Default::default(),
        needed_since: None,
        defaults: Vec::new(),
        is_fact: false,
        is_over: false,
    }
}

/// The estate: two services, two environments, one template.
pub fn directory() -> Directory {
    let mut found = Directory {
        tenant: Some(tenant()),
        ..Directory::default()
    };
    for (login, roles) in PEOPLE {
        found.logins.insert((*login).into(), (*login).into());
        found.people.insert((*login).into(), person(login, roles));
    }
    let members = BTreeSet::from(["sam".into(), "sue".into()]);
    let security = Group {
        id: "g1".into(),
        version: 1,
        key: "security".into(),
        name: "Security".into(),
        members,
        kind: Default::default(),
        calendar: None,
        external_id: None,
        removed: false,
    };
    found.groups.insert(security.key.clone(), security);
    for key in ["INC-1", "INC-7", "INC-9"] {
        found.incidents.insert(key.into(), incident(key));
    }
    for (key, criticality) in [("shop", Criticality::Low), ("pay", Criticality::High)] {
        found.services.insert(key.into(), service(key, criticality));
    }
    for (key, is_production) in [("staging", false), ("production", true)] {
        let environment = Environment {
            id: key.into(),
            version: 1,
            key: key.into(),
            name: key.into(),
            is_production,
        };
        found.environments.insert(key.into(), environment);
    }
    found.ownerships = vec![Ownership {
        id: "o1".into(),
        version: 1,
        service: None,
        config_item: None,
        class: None,
        environment: None,
        role: OwnershipRole::Owner,
        person: Some("olga".into()),
        group: None,
        function: None,
        since: dawn(),
        ends_at: None,
        is_from_catalogue: false,
        hand: None,
        corrected_at: None,
    }]
    .into();
    let cost_centre = field("cost_centre", FieldKind::Text);
    found.custom_fields.insert(cost_centre.key.clone(), cost_centre);
    found.templates.insert("patch".to_owned(), template());
    found
}

fn person(login: &str, roles: &[Role]) -> Person {
    Person {
        id: login.into(),
        version: 1,
        login: login.into(),
        name: login.to_uppercase(),
        email: None,
        roles: roles.iter().copied().collect(),
        zone: "Europe/Oslo".into(),
        active: true,
        accounts: Vec::new(),
        functions: BTreeSet::new(),
        calendar: None,
        deactivation: None,
        subjects: Vec::new(),
        external_id: None,
        attributes: Vec::new(),
        removed: false,
        telling: None,
        manager: None,
        refused_rights: Vec::new(),
        vouched: Vec::new(),
        readdressed: None,
        made_by: None,
        is_agent: false,
        services: Default::default(),
    }
}

fn service(key: &str, criticality: Criticality) -> Service {
    Service {
        id: key.into(),
        version: 1,
        key: key.into(),
        name: key.into(),
        criticality,
        regimes: BTreeSet::new(),
        data_class: None,
        holds: BTreeSet::new(),
        team: None,
        watchers: BTreeSet::new(),
        watching_groups: BTreeSet::new(),
        led_by: None,
    }
}

/// An open incident of both services.
pub fn incident(key: &str) -> Incident {
    Incident {
        id: key.into(),
        version: 1,
        key: key.into(),
        title: "It is down".into(),
        severity: 2,
        services: BTreeSet::from(["shop".into(), "pay".into()]),
        started_at: "2026-11-20T06:00:00Z".parse().unwrap(),
        resolved_at: None,
        end_recorded_at: None,
        external_ref: None,
        connection: None,
        cause_verdicts: Vec::new(),
        course: Default::default(),
    }
}

pub fn template() -> StandardTemplate {
    StandardTemplate {
        custom_fields: Vec::new(),
        id: "t1".into(),
        version: 1,
        key: "patch".into(),
        template_version: 3,
        state: TemplateState::Approved,
        title: "Patch the shop".into(),
        locked: locked(),
        free: BTreeSet::from(["title".into()]),
        bounds: TemplateBounds::default(),
        services: BTreeSet::from(["shop".into()]),
        environments: BTreeSet::new(),
        review_by: "2027-06-01T00:00:00Z".parse().unwrap(),
        watch_minutes: 30,
        suspend_after: 3,
        failures: Vec::new(),
        proposer: "ida".into(),
        handed_by: None,
        approvals: Vec::new(),
        digest: "sha256:template".into(),
        ended_reason: None,
        next: None,
    }
}

fn locked() -> serde_json::Map<String, serde_json::Value> {
    match json!({
        "category": "application",
        "plan": [{"title": "Patch", "minutes": 5}],
        "rollback_plan": [{"title": "Take the patch back", "minutes": 5}],
    }) {
        serde_json::Value::Object(map) => map,
        _ => unreachable!("the text above is an object"),
    }
}

fn approval(from: Asked, covers: Covers) -> Duty {
    Duty::Approval(rule(from, covers))
}

/// A plain rule of approval by one person.
pub fn rule(from: Asked, covers: Covers) -> ApprovalRule {
    ApprovalRule::plain(from, covers)
}

/// The knowledge of judges beside the change: the estate, and the time.
pub type Estate<'a> = (&'a Directory, Timestamp);

/// The requirements of the base policies for a change, beside the test's own rules.
pub fn requirements(file: &ChangeFile, extra: &[(Due, Duty)], stop: Option<&str>, _: Estate<'_>) -> Requirements {
    let own = of_kind(&file.change, extra, stop);
    if !owes_as_emergency(&file.change) {
        return own;
    }
    let mut emergency = file.change.clone();
    emergency.content.kind = Kind::Emergency;
    with_what_an_emergency_owes(own, of_kind(&emergency, extra, stop))
}

fn of_kind(change: &Change, extra: &[(Due, Duty)], stop: Option<&str>) -> Requirements {
    let mut rows: Vec<(&str, Due, Duty)> = vec![(
        "base.validation",
        Due::Close,
        Duty::Validation {
            distinct_from: vec![Party::Implementer],
            from: None,
        },
    )];
    let functional = |environment: Option<&str>| Duty::Evidence {
        aspect: Aspect::Functional,
        environment: environment.map(str::to_owned),
    };
    let lives = change.retrospective.is_none();
    if change.content.kind != Kind::Standard {
        rows.push(("base.review", Due::Close, Duty::Review {}));
    }
    if change.content.kind == Kind::Normal && lives {
        rows.push(("base.owner", Due::Start, approval(Asked::Owner, Covers::What)));
        rows.push(("base.security", Due::Start, approval(Asked::Security, Covers::What)));
        rows.push(("base.manager", Due::Start, approval(Asked::ChangeManager, Covers::Both)));
        rows.push(("base.evidence", Due::Start, functional(Some("staging"))));
        if change.risk.level == Level::High {
            let peer = Duty::PeerReview {
                count: 1,
                from: Some("security".into()),
            };
            rows.push(("base.peer", Due::Approval, peer));
        }
    }
    if change.content.kind == Kind::Emergency && lives {
        rows.push(("base.emergency_owner", Due::Start, approval(Asked::Owner, Covers::What)));
        rows.push((
            "base.emergency_manager",
            Due::Start,
            approval(Asked::ChangeManager, Covers::What),
        ));
        rows.push(("base.emergency_evidence", Due::Close, functional(None)));
    }
    gathered(change, rows, extra, stop)
}

/// The base rules and the test's own, as the policies would evaluate them.
fn gathered(change: &Change, rows: Vec<(&str, Due, Duty)>, extra: &[(Due, Duty)], stop: Option<&str>) -> Requirements {
    let rows = rows.into_iter().map(|(id, due, duty)| (id.to_owned(), due, duty));
    let mut obligations: Vec<_> = rows.map(|row| asked(change, row)).collect();
    obligations.extend(own_rules(change, extra));
    match stop {
        Some(stop) => Requirements {
            stop: Some(stop.to_owned()),
            ..Requirements::default()
        },
        None => Requirements {
            policy_digest: "p".into(),
            facts_digest: "f".into(),
            obligations,
            ..Requirements::default()
        },
    }
}

fn asked(change: &Change, (id, due, duty): (String, Due, Duty)) -> TargetObligation {
    TargetObligation {
        obligation: Obligation {
            id,
            reason: "The house asks for it".into(),
            due,
            duty,
        },
        targets: change.content.targets.iter().map(|target| target.id.clone()).collect(),
    }
}

/// The test's own rules, beside the base ones.
pub fn own_rules(change: &Change, extra: &[(Due, Duty)]) -> Vec<TargetObligation> {
    let rows = extra.iter().enumerate();
    rows.map(|(place, (due, duty))| asked(change, (format!("own.{place}"), *due, duty.clone())))
        .collect()
}

/// Whether the base policies let a person act: by parts and rights, as the contract defines.
pub fn may(facts: &ActorFacts, act: &str, _: Option<&ChangeFile>, _: Estate<'_>) -> Verdict {
    let part = |parts: &[Part]| parts.iter().any(|part| facts.parts.contains(part));
    let role = |role: Role| facts.roles.contains(&role);
    let manager = role(Role::ChangeManager);
    let allowed = match act {
        "create_change" => {
            manager || role(Role::Requester) || role(Role::Owner) || role(Role::Implementer) || role(Role::Pipeline)
        }
        "edit_change" | "submit_change" | "assess_change" | "label_change" | "schedule_change" | "hold_change"
        | "resume_change" | "cancel_change" => manager || part(&[Part::Requester, Part::Owner]),
        "acknowledge_change" | "approve_change" | "withdraw_approval" => part(&[Part::Asked, Part::Approver]),
        "return_change" => manager || part(&[Part::Asked]),
        "overrule_rejection" => manager && !part(&[Part::Requester]),
        "start_change" | "record_entry" | "complete_change" => part(&[Part::Implementer]),
        "ask_extension" => part(&[Part::Implementer, Part::Owner, Part::Requester]),
        "decide_extension" | "review_change" | "close_change" => manager || part(&[Part::Owner]),
        "validate_change" => part(&[Part::Tester, Part::Owner]),
        "break_glass" => manager || role(Role::Commander) || part(&[Part::Holder]),
        "cosign_break_glass" => part(&[Part::Asked]),
        "validate_break_glass" => manager || role(Role::Security) || part(&[Part::Owner]),
        "confirm_retrospective" => part(&[Part::VerbalApprover]),
        "state_finding" => manager,
        "peer_review_change" => part(&[Part::Peer]),
        "add_evidence" => {
            role(Role::Pipeline)
                || part(&[
                    Part::Requester,
                    Part::Owner,
                    Part::Tester,
                    Part::Implementer,
                    Part::Checker,
                ])
        }
        "accept_evidence" => part(&[Part::Asked, Part::Approver]) && !part(&[Part::Author, Part::Requester]),
        "tick_checklist" | "add_task" | "update_task" | "meet_condition" => {
            manager
                || part(&[
                    Part::Requester,
                    Part::Owner,
                    Part::Implementer,
                    Part::Tester,
                    Part::Checker,
                ])
        }
        "comment_change" | "watch_change" | "link_change" => !facts.roles.is_empty(),
        "issue_permit" => role(Role::Pipeline) || part(&[Part::Implementer]),
        "revoke_permit" => manager || role(Role::Security) || role(Role::Commander) || part(&[Part::Owner]),
        other => unreachable!("no act is called {other}"),
    };
    let reason = PolicyReason {
        id: "base.act".into(),
        reason: "The house says so.".into(),
    };
    Verdict {
        allowed,
        reasons: vec![reason],
    }
}
