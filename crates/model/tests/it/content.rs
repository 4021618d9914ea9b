//! The content that an approval binds: every field is classified, and an edit voids exactly the approvals of that field.

use std::collections::BTreeSet;

use model::approval::decide;
use model::change::around::LinkEnd;
use model::change::content::{Cover, NEITHER, WHAT, WHEN, cover, digests};
use model::change::record::{Change, Content, Exclusion, RiskOverride};
use model::change::related_records::{Approval, Coverage, PeerReview};
use model::change::{around, tasks};
use model::core::enums::{ApprovalState, GateDecision, Level, Purpose, State};
use model::schedule::plan;
use serde_json::{Value, json};

use crate::world::{World, body, facts, facts_but};

/// The names of a struct's fields. A field that is not named here does not compile.
macro_rules! names {
    ($kind:ident, $value:expr, $($name:ident),+ $(,)?) => {{
        let $kind { $($name: _),+ } = $value;
        vec![$(stringify!($name)),+]
    }};
}

#[test]
fn every_field_of_a_change_is_classified_once() {
    let change = World::new().file.change;
    let what = names! {
        Content, change.content.clone(), kind, template, expedited, expedited_reason, title, description,
        justification, objectives, verification, category, touches, targets, impact, complexity, disruption,
        security, security_answers, dependencies_reviewed, excluded, risk_override, plan, rollback_plan, no_rollback_reason,
        rollback_minutes, planned_undo, owner, team, implementers, tester, business_contact, incident, threat,
        custom_fields, wave_plan,
    };
    let rest = names! {
        Change, change, id, version, revision, key, number, state, requester, created_at, updated_at, content,
        planned_start, planned_end, labels, watchers, origins, risk, past_levels, new_services, changed_files, forecast, reach, digests, digest_salt, legal_hold, erasure, texts_erased_at, closed_targets, target_records, authors, handed_by, planned_by, clocks,
        implemented_by, requests, board_decisions, hold, submitted_at, changed_at, assessed_at, returned, rejection, cancelled, outcome,
        actual_start, actual_end, seen_work, extension, extended_until, overrun, distrusted, window_missed, ready, in_freeze,
        unauthorized, finding, gate_reopenings, turned_normal, break_glass, retrospective, validations, reviews, closed_at, closed_by, communicated, told,
        way_back_taken, undo, undo_missed_at, caused_incidents, watch_incidents,
        wave_run,
    };
    assert_eq!(BTreeSet::from_iter(what.iter()), BTreeSet::from_iter(WHAT));
    let others: BTreeSet<_> = rest.iter().filter(|name| **name != "content").collect();
    assert_eq!(others, WHEN.iter().chain(NEITHER).collect());
    assert_eq!(
        WHAT.len() + WHEN.len() + NEITHER.len(),
        what.len() + others.len(),
        "a field is named twice"
    );
    assert_eq!(
        (cover("title"), cover("planned_end"), cover("labels")),
        (Some(Cover::What), Some(Cover::When), Some(Cover::Neither))
    );
    assert_eq!(cover("tittle"), None);
}

#[test]
fn what_is_serialised_is_what_is_classified() {
    for state in State::ALL {
        let value = serde_json::to_value(World::in_state(*state).change()).unwrap();
        for field in value.as_object().unwrap().keys() {
            assert!(cover(field).is_some(), "{field} is not classified");
        }
    }
}

/// For every editable field of *what*: a patch, and the patch that takes it back.
const EDITS: &str = r#"
kind | {"kind": "emergency", "incident": "INC-1"} | {"kind": "normal", "incident": null}
expedited | {"expedited": true, "expedited_reason": "Late"} | {"expedited": null, "expedited_reason": null}
expedited_reason | {"expedited_reason": "Late"} | {"expedited_reason": null}
title | {"title": "Ship 2.5"} | {"title": "Ship 2.4"}
description | {"description": "x"} | {"description": "The new basket."}
justification | {"justification": "x"} | {"justification": "Customers wait for it."}
objectives | {"objectives": "Faster"} | {"objectives": null}
verification | {"verification": "Look"} | {"verification": null}
category | {"category": "database"} | {"category": null}
touches | {"touches": ["schema"]} | {"touches": []}
targets | {"services": ["pay"], "environment": "production"} | TARGETS
impact | {"impact": {"data": "none"}} | {"impact": {"data": "low"}}
complexity | {"complexity": "medium"} | {"complexity": "low"}
disruption | {"disruption": {"kind": "degraded", "minutes": 3}} | {"disruption": null}
plan | {"plan": [{"title": "Other"}]} | {"plan": [{"title": "Roll out", "minutes": 10}]}
rollback_plan | {"rollback_plan": [{"title": "Other"}]} | {"rollback_plan": [{"title": "Roll back", "minutes": 5}]}
no_rollback_reason | {"no_rollback_reason": "x"} | {"no_rollback_reason": null}
rollback_minutes | {"rollback_minutes": 7} | {"rollback_minutes": null}
planned_undo | {"planned_undo": {"text": "Writable again", "at": "2026-11-21T04:00:00Z"}} | {"planned_undo": null}
owner | {"owner": "vera"} | {"owner": null}
team | {"team": "web"} | {"team": null}
implementers | {"implementers": ["ida", "vera"]} | {"implementers": ["ida"]}
tester | {"tester": "vera"} | {"tester": "tom"}
business_contact | {"business_contact": "Kim"} | {"business_contact": null}
incident | {"incident": "jira:OPS-9"} | {"incident": null}
threat | {"threat": "CVE"} | {"threat": null}
custom_fields | {"custom_fields": {"cost_centre": "4711"}} | {"custom_fields": {"cost_centre": null}}
"#;

fn edits() -> Vec<(&'static str, Value, Value)> {
    let read = |text: &str| match text {
        "TARGETS" => json!({"targets": facts()["targets"]}),
        text => serde_json::from_str(text).unwrap(),
    };
    let row = |line: &'static str| {
        let mut cells = line.split(" | ");
        (
            cells.next().unwrap(),
            read(cells.next().unwrap()),
            read(cells.next().unwrap()),
        )
    };
    EDITS.trim().lines().map(row).collect()
}

/// Fields that only the assessment writes: no edit reaches them once approvals are requested.
const BY_ASSESSMENT: &[&str] = &[
    "security",
    "security_answers",
    "dependencies_reviewed",
    "excluded",
    "risk_override",
];

fn scheduled_with_peer() -> World {
    let mut world = World::new().until_scheduled();
    world.peer_review("sue", "agree").unwrap();
    world
}

fn parts(world: &World) -> Vec<(String, Coverage, Coverage)> {
    world
        .file
        .approvals
        .iter()
        .map(|row| (row.person.0.clone(), row.what, row.when))
        .collect()
}

/// Each covered field, edited by each person with the right: the gate returns stop for every one of them.
#[test]
fn whoever_edits_what_was_approved_shuts_the_gate() {
    for who in ["rita", "olga", "mia"] {
        for (field, patch, _) in edits() {
            let mut world = scheduled_with_peer();
            world
                .edit(who, patch)
                .unwrap_or_else(|refusal| panic!("{field} by {who}: {refusal}"));
            let answers = gates(&world);
            assert!(
                answers.iter().all(|decision| *decision == GateDecision::Stop),
                "{field} by {who}"
            );
            assert!(
                world.file.standing().all(|row| row.what != Coverage::Standing),
                "{field} by {who}"
            );
        }
    }
}

/// The gate's result for each target, inside the window.
fn gates(world: &World) -> Vec<GateDecision> {
    let at = world.change().planned_start.unwrap_or(world.now);
    let rows = model::gate::answer::rows(&world.file, &world.directory, at);
    let forward = rows.iter().filter(|row| row.purpose == Purpose::Deploy);
    forward
        .map(|row| model::gate::answer::judge(row, at).decision)
        .collect()
}

#[test]
fn an_edit_of_what_voids_every_word_on_what_and_nothing_else() {
    for (field, patch, back) in edits() {
        let mut world = scheduled_with_peer();
        let before = world.change().digests.clone();
        world
            .edit("rita", patch)
            .unwrap_or_else(|refusal| panic!("{field}: {refusal}"));
        let after = world.change().digests.clone();
        assert_ne!(before.what, after.what, "{field}");
        assert_eq!(before.when, after.when, "{field}");
        assert_ne!(before.content, after.content, "{field}");
        for approval in &world.file.approvals {
            assert_eq!(approval.what, Coverage::Voided, "{field}");
            // An approval of the times was given for a place, and this edit names another one.
            let when = match (approval.person.as_str(), field) {
                ("mia", "targets") => Coverage::Voided,
                ("mia", _) => Coverage::Standing,
                _ => Coverage::NotCovered,
            };
            assert_eq!(approval.when, when, "{field}");
        }
        assert!(
            world
                .file
                .peer_reviews
                .iter()
                .all(|row| row.state == ApprovalState::Voided),
            "{field}"
        );
        let voided = parts(&world);
        world
            .edit("rita", back)
            .unwrap_or_else(|refusal| panic!("{field}: {refusal}"));
        assert_eq!(world.change().digests, before, "{field}: taken back");
        assert_eq!(parts(&world), voided, "{field}: a voided word stays void");
        assert_eq!(world.state(), State::Authorizing, "{field}");
    }
    let edited = edits();
    let reached = edited
        .iter()
        .map(|(field, _, _)| field)
        .chain(BY_ASSESSMENT)
        .chain(["template", "wave_plan"].iter());
    assert_eq!(reached.collect::<BTreeSet<_>>(), WHAT.iter().collect());
}

#[test]
fn a_template_is_bound_too() {
    let locked = json!({
        "category": "application", "plan": [{"title": "Patch", "minutes": 5}],
        "rollback_plan": [{"title": "Take the patch back", "minutes": 5}],
    });
    let mut world = World::with(facts_but(locked), Vec::new()).until_scheduled();
    let before = world.change().digests.clone();
    world
        .edit("rita", json!({"kind": "standard", "template": "patch"}))
        .unwrap();
    assert!(world.file.approvals.iter().all(|row| row.what == Coverage::Voided));
    assert_ne!(before.what, world.change().digests.what);
    let pinned = world.change().content.template.clone().unwrap();
    assert_eq!((pinned.key.as_str(), pinned.template_version), ("patch", 3));
    let mut next = world.change().clone();
    next.content.template = Some(model::change::record::TemplateRef {
        template_version: 4,
        ..pinned
    });
    assert_ne!(
        digests(&next).what,
        world.change().digests.what,
        "another version is another content"
    );
}

#[test]
fn what_the_assessment_says_is_bound_too() {
    let change = World::new().file.change;
    let before = digests(&change);
    let salted = digests(&Change {
        digest_salt: Some("a random text".to_owned()),
        ..change.clone()
    });
    assert!(
        salted.what != before.what && salted.when == before.when,
        "the salt is a part of *what*"
    );
    let edits: [fn(&mut Content); 4] = [
        |content| content.security = Some("No secrets".into()),
        |content| content.dependencies_reviewed = true,
        |content| {
            content.excluded.push(Exclusion {
                item: "Load".into(),
                reason: "Small".into(),
            })
        },
        |content| {
            content.risk_override = Some(RiskOverride {
                level: Level::High,
                reason: "New".into(),
            })
        },
    ];
    for edit in edits {
        let mut next = change.clone();
        edit(&mut next.content);
        let after = digests(&next);
        assert_ne!(before.what, after.what);
        assert_eq!(before.when, after.when);
    }
}

#[test]
fn new_times_void_the_word_on_when_alone() {
    for (field, patch) in [
        ("planned_start", json!({"planned_start": "2026-11-20T11:30:00Z"})),
        ("planned_end", json!({"planned_end": "2026-11-20T13:30:00Z"})),
    ] {
        let mut world = scheduled_with_peer();
        let before = world.change().digests.clone();
        world.edit("rita", patch).unwrap();
        let after = &world.change().digests;
        assert_eq!(before.what, after.what, "{field}");
        assert_ne!(before.when, after.when, "{field}");
        let (standing, none, voided) = (Coverage::Standing, Coverage::NotCovered, Coverage::Voided);
        let wanted = [
            ("olga", standing, none),
            ("sam", standing, none),
            ("mia", standing, voided),
        ];
        assert_eq!(
            parts(&world),
            wanted.map(|(who, what, when)| (who.to_owned(), what, when)),
            "{field}"
        );
        assert!(
            world
                .file
                .peer_reviews
                .iter()
                .all(|row| row.state == ApprovalState::Standing),
            "{field}"
        );
        assert_eq!(world.state(), State::Approved, "{field}");
        world.schedule("rita", "11:00", "13:00").unwrap();
        assert_eq!(world.change().digests, before);
        assert_eq!(world.state(), State::Approved, "{field}: the word on when stays void");
        world.approve("mia").unwrap();
        assert_eq!(world.state(), State::Scheduled);
    }
}

fn words(world: &World) -> (Vec<Approval>, Vec<PeerReview>) {
    (world.file.approvals.clone(), world.file.peer_reviews.clone())
}

#[test]
fn everything_else_voids_nothing() {
    let mut world = scheduled_with_peer();
    let (before, digests) = (words(&world), world.change().digests.clone());
    world.edit("rita", json!({"labels": ["q4"]})).unwrap();
    world.act("vera", |case| around::watch(case, true)).unwrap();
    world
        .act("vera", |case| around::comment(case, &body(json!({"text": "Hm"}))))
        .unwrap();
    world.evidence("pip", "failed", None).unwrap();
    world.act("max", decide::acknowledge).unwrap();
    let find = |key: &str| {
        Some(LinkEnd {
            id: "c2".into(),
            key: key.to_owned(),
            way_back: Vec::new(),
        })
    };
    world
        .act("vera", |case| {
            around::link(case, &body(json!({"kind": "follows_up", "to": "CHG-2"})), &find)
        })
        .unwrap();
    world
        .act("rita", |case| {
            tasks::add(case, &body(json!({"kind": "verify", "title": "Look"})))
        })
        .unwrap();
    world.hold("rita", json!({"reason": "Wait"})).unwrap();
    world.act("rita", plan::resume).unwrap();
    world.edit("rita", json!({"title": "Ship 2.4"})).unwrap();
    assert_eq!(words(&world), before);
    assert_eq!(world.change().digests, digests);
    assert_eq!(world.state(), State::Scheduled);
}

#[test]
fn values_nobody_wrote_say_where_they_came_from() {
    let mut world = World::with(
        body(json!({"title": "x", "services": ["pay"], "environment": "production"})),
        Vec::new(),
    );
    let impact = world.change().content.impact;
    assert_eq!((impact.data, impact.availability), (Level::None, Level::High));
    assert!(world.change().origins.contains_key("impact.availability"));
    world
        .file
        .change
        .origins
        .insert("title".into(), model::core::enums::Origin::Pipeline);
    world.edit("rita", json!({"impact": {"availability": "low"}})).unwrap();
    assert_eq!(world.change().content.impact.availability, Level::Low);
    assert!(!world.change().origins.contains_key("impact.availability"));
    assert!(world.change().origins.contains_key("impact.data"));
    assert!(
        world.change().origins.contains_key("title"),
        "what a pipeline told stays told by it"
    );
    world.edit("rita", json!({"title": "y"})).unwrap();
    assert!(!world.change().origins.contains_key("title"));
}

/// Strangers compute the digest out of a bundle with this recipe.
#[test]
fn the_format_tells_how_the_digests_come_out_of_the_record() {
    let format = include_str!("../../../../docs/log-format.md");
    for field in WHAT.iter().chain(WHEN) {
        assert!(
            format.contains(&format!("`{field}`")),
            "docs/log-format.md lacks `{field}`"
        );
    }
    let mut world = World::new();
    world.file.change.digest_salt = Some("c2FsdA".to_owned());
    let change = &world.file.change;
    let Ok(Value::Object(record)) = serde_json::to_value(change) else {
        panic!("a change is an object")
    };
    let picked = |fields: &[&str]| -> serde_json::Map<String, Value> {
        let there = fields
            .iter()
            .filter_map(|field| Some(((*field).to_owned(), record.get(*field)?.clone())));
        there.collect()
    };
    let mut what = picked(WHAT);
    what.insert("salt".to_owned(), record["digest_salt"].clone());
    let found = digests(change);
    assert_eq!(proof::canonical::digest(&Value::Object(what)).unwrap(), found.what);
    assert_eq!(
        proof::canonical::digest(&Value::Object(picked(WHEN))).unwrap(),
        found.when
    );
}
