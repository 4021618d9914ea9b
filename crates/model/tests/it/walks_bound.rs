//! The things that an approval, a co-signature and a permit are bound to: when these move, all three end.

use model::approval::obligation::{Asked, Due, Duty};
use model::change::around::{self, LinkEnd};
use model::change::change_file::RejectedElsewhere;
use model::change::related_records::Coverage;
use model::change::{tasks, waiting_on, work};
use model::core::enums::{self, Covers, State};
use model::emergency::break_glass;
use model::gate::permit;
use serde_json::{Value, json};

use crate::people::{directory, rule};
use crate::world::{World, at, body, code, facts, facts_but, fields, signing};

fn with_open_glass() -> World {
    let high = json!({"impact": {"availability": "high"}, "complexity": "high"});
    let mut world = World::with(facts_but(high), Vec::new());
    world.break_glass("cora", 60).unwrap();
    world
}

/// Signs as sue for the content with this digest.
fn sign_for(world: &mut World, digest: &str) -> &'static str {
    let words = body(json!({"content_digest": digest}));
    code(world.act("sue", |case| break_glass::cosign(case, &words)))
}

#[test]
fn an_edit_of_what_a_glass_was_broken_for_ends_it_before_the_second_signature() {
    let mut world = with_open_glass();
    let times = json!({"planned_start": "2026-11-20T11:30:00Z", "planned_end": "2026-11-20T13:30:00Z"});
    world.edit("rita", times).unwrap();
    world.edit("rita", json!({"labels": ["night"]})).unwrap();
    assert!(
        !world.change().break_glass.as_ref().unwrap().ended,
        "what it is for stands"
    );
    let read = world.change().digests.content.clone();
    let other = json!([{"service": "pay", "environment": "production", "artifact": "git:eee5e5e"}]);
    world.edit("rita", json!({"targets": other})).unwrap();
    assert!(world.change().break_glass.as_ref().unwrap().ended);
    let told = world.letters.last().unwrap();
    assert_eq!((told.to.as_str(), told.topic), ("cora", "break_glass_ended"));
    assert_eq!(code(world.cosign("sue")), "nothing_to_sign");
    assert_eq!(world.state(), State::Draft);
    world.break_glass("cora", 60).unwrap();
    assert_eq!(sign_for(&mut world, &read), "digest_not_current");
    let present = world.change().digests.content.clone();
    assert_eq!(sign_for(&mut world, &present), "done");
    assert_eq!(world.state(), State::Implementing);
}

#[test]
fn an_assessment_that_changes_the_content_ends_a_glass_that_waits() {
    let mut world = with_open_glass();
    world.submit("rita").unwrap();
    world
        .assess("rita", json!({"security": "Nothing is exposed."}))
        .unwrap();
    assert_eq!(code(world.cosign("sue")), "nothing_to_sign");
}

#[test]
fn nobody_signs_for_another_content_than_the_glass_was_broken_for() {
    let mut world = with_open_glass();
    let glass = world.file.change.break_glass.as_mut().unwrap();
    glass.what_digest = "sha256:other".into();
    assert_eq!(code(world.cosign("sue")), "content_moved");
    world.break_glass("cora", 60).unwrap();
    world.cosign("sue").unwrap();
    assert_eq!(world.state(), State::Implementing);
}

fn target(service: &str, artifact: &str) -> Value {
    json!({"service": service, "environment": "production", "artifact": artifact})
}

/// Two owners, olga of the shop and vera of pay, and a rule on *when* that requires the owner.
fn owned(targets: Value) -> World {
    let mut estate = directory();
    let mut shop = estate.ownerships.get(0).unwrap().clone();
    shop.service = Some("shop".into());
    let mut pay = shop.clone();
    (pay.id, pay.service, pay.person) = ("o2".into(), Some("pay".into()), Some("vera".into()));
    estate.ownerships = vec![shop, pay].into();
    let asks = Duty::Approval(rule(Asked::Owner, Covers::When));
    let facts = facts_but(json!({"targets": targets}));
    World::create("rita", facts, vec![(Due::Start, asks)], estate)
        .unwrap()
        .until_authorizing()
}

fn word_on_when(world: &World, who: &str) -> Coverage {
    let mut words = world.file.approvals.iter();
    words.find(|word| word.person.as_str() == who).unwrap().when
}

#[test]
fn a_word_on_when_stands_for_the_place_for_which_it_was_given() {
    let (shop, pay) = (target("shop", "git:aae5e5e"), target("pay", "git:bbe5e5e"));
    let mut world = owned(json!([shop, pay]));
    world.approve("olga").unwrap();
    world.approve("vera").unwrap();
    world.edit("rita", json!({"title": "Ship 2.5"})).unwrap();
    world
        .edit("rita", json!({"targets": [target("shop", "git:cce5e5e"), pay]}))
        .unwrap();
    for who in ["olga", "vera"] {
        assert_eq!(
            word_on_when(&world, who),
            Coverage::Standing,
            "{who}: the places are the same"
        );
    }
    let mut added = world.clone();
    let staging = json!({"service": "shop", "environment": "staging", "artifact": "git:aae5e5e"});
    added.edit("rita", json!({"targets": [shop, pay, staging]})).unwrap();
    assert_eq!(word_on_when(&added, "olga"), Coverage::Standing);
    let mut fewer = world.clone();
    fewer.edit("rita", json!({"targets": [shop]})).unwrap();
    assert_eq!(word_on_when(&fewer, "olga"), Coverage::Standing);
    assert_eq!(word_on_when(&fewer, "vera"), Coverage::Voided, "its target is gone");
    let mut narrower = world.clone();
    let mut narrow = shop.clone();
    narrow["config_items"] = json!(["vm-1"]);
    narrower.edit("rita", json!({"targets": [narrow, pay]})).unwrap();
    assert_eq!(word_on_when(&narrower, "olga"), Coverage::Voided);
    assert_eq!(word_on_when(&narrower, "vera"), Coverage::Standing);
    // A swap touches both.
    world.edit("rita", json!({"targets": [pay, shop]})).unwrap();
    for who in ["olga", "vera"] {
        assert_eq!(word_on_when(&world, who), Coverage::Voided, "{who}");
    }
}

fn with_permit_ahead() -> World {
    let ahead = Duty::Permit {
        minutes: None,
        ahead: true,
        max_list_age_seconds: None,
    };
    let mut world = World::with(facts(), vec![(Due::Start, ahead)]).until_scheduled();
    let asked = body(json!({"service": "shop", "environment": "production", "artifact": "git:aae5e5e"}));
    world
        .act("ida", |case| permit::issue_ahead(case, &asked, &signing()))
        .unwrap();
    world
}

#[test]
fn a_permit_ahead_ends_with_whatever_stops_the_start() {
    type Verb = fn(&mut World);
    let stops: [(&str, Verb); 4] = [
        ("a task", |world| {
            let words = body(json!({"kind": "prepare", "title": "Save the data", "mandatory": true}));
            world.act("rita", |case| tasks::add(case, &words)).unwrap();
        }),
        ("a dependency", |world| {
            let find = |key: &str| {
                Some(LinkEnd {
                    id: "c2".into(),
                    key: key.to_owned(),
                    way_back: Vec::new(),
                })
            };
            let words = body(json!({"kind": "depends_on", "to": "CHG-2"}));
            world.act("rita", |case| around::link(case, &words, &find)).unwrap();
            world.settle();
        }),
        ("a rejection for the same artifact", |world| {
            world.file.rejected_elsewhere = Some(RejectedElsewhere {
                key: "CHG-2".into(),
                requester: "mia".into(),
                of_interest_to: vec!["mia".into()],
            });
            world.settle();
        }),
        ("evidence that a rule asks for now", |world| {
            let duty = Duty::Evidence {
                aspect: enums::Aspect::Security,
                environment: None,
            };
            world.extra.push((Due::Start, duty));
            world.settle();
        }),
    ];
    for (name, stop) in stops {
        let mut world = with_permit_ahead();
        assert_eq!(world.live_permits().len(), 1, "{name}");
        stop(&mut world);
        assert_eq!(world.state(), State::Scheduled, "{name}: no state moves");
        assert!(world.live_permits().is_empty(), "{name}");
    }
}

#[test]
fn a_permit_ahead_outlives_what_stops_no_start() {
    let mut world = with_permit_ahead();
    let words = body(json!({"kind": "verify", "title": "Look at it", "mandatory": true}));
    world.act("rita", |case| tasks::add(case, &words)).unwrap();
    world.edit("rita", json!({"labels": ["night"]})).unwrap();
    world.settle();
    assert_eq!(world.live_permits().len(), 1);
    world.wait_until(at("11:05"));
    assert_eq!(world.live_permits().len(), 1, "the window opened");
}

#[test]
fn times_at_the_end_of_all_times_stop_no_act() {
    let last = json!({"planned_start": "2026-11-20T11:00:00Z", "planned_end": "9999-12-30T21:59:00Z"});
    let mut world = World::with(facts_but(last), Vec::new()).until_scheduled();
    world.wait_until(at("11:10"));
    world.start("ida").unwrap();
    assert_eq!(world.state(), State::Implementing);
    world.settle();
    world.run_timers();
    let ahead = Duty::Permit {
        minutes: Some(600),
        ahead: true,
        max_list_age_seconds: None,
    };
    let last = json!({"planned_start": "9999-12-30T21:30:00Z", "planned_end": "9999-12-30T21:59:59.999999Z"});
    let mut world = World::with(facts_but(last), vec![(Due::Start, ahead)]).until_scheduled();
    let asked = body(json!({"service": "shop", "environment": "production", "artifact": "git:aae5e5e"}));
    let given = world
        .act("ida", |case| permit::issue_ahead(case, &asked, &signing()))
        .unwrap();
    assert_eq!(given.expires_at, at("9999-12-30T21:59:59.999999Z"));
}

#[test]
fn more_time_ends_a_week_behind_the_planned_end() {
    let mut world = World::new().until_implementing();
    let ask = |world: &mut World, until: &str| {
        let words = body(json!({"until": until, "reason": "Slow"}));
        world.act("ida", |case| work::ask_extension(case, &words))
    };
    let late = fields(ask(&mut world, "2026-11-27T13:00:01Z"));
    assert_eq!(late, [("until".to_owned(), "out_of_range".to_owned())]);
    ask(&mut world, "2026-11-27T13:00:00Z").unwrap();
}

#[test]
fn each_build_without_evidence_is_named_and_no_build_twice() {
    let target =
        |service: &str, artifact: &str| json!({"service": service, "environment": "production", "artifact": artifact});
    let builds = [("shop", "git:aae5e5e"), ("shop", "git:bbe5e5e"), ("pay", "git:bbe5e5e")];
    let several = json!({"targets": builds.map(|(service, build)| target(service, build))});
    let mut world = World::with(facts_but(several), Vec::new());
    let lacking = |world: &World| -> Vec<String> {
        let ahead = waiting_on::ahead(&world.file, &world.directory, world.now);
        let rows = ahead.into_iter().map(|row| row.unmet);
        rows.filter(|row| row.code == "evidence_missing")
            .map(|row| row.text)
            .collect()
    };
    world.submit("rita").unwrap();
    assert_eq!(
        lacking(&world),
        [
            "Passed functional evidence from staging is missing for git:aae5e5e (shop).",
            "Passed functional evidence from staging is missing for git:bbe5e5e (shop, pay).",
        ]
    );
    world.evidence("pip", "passed", Some("git:aae5e5e")).unwrap();
    let [left] = lacking(&world).try_into().unwrap();
    assert!(left.contains("git:bbe5e5e (shop, pay)"), "{left}");
    world.evidence("pip", "passed", Some("git:bbe5e5e")).unwrap();
    assert!(lacking(&world).is_empty());
}
