//! One change walks its nine steps through the acts, on a real store.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

use std::sync::{Arc, Mutex};

use acts::change::{add_evidence, create_change, edit_change, link_change};
use acts::core::{gate_question, log_high_water};
use acts::directory::{create_tenant, set_person, set_service};
use acts::gate::answer;
use acts::{Clock, Context, Error, Executor, Tools};
use jiff::{SignedDuration, Timestamp};
use model::change::around;
use model::change::change_file::Actor;
use model::core::body::Body;
use model::core::enums::{GateDecision, State};
use model::core::ids::PersonId;
use proof::crypto::{MasterKey, SeededEntropy};
use serde_json::{Value, json};
use store::{Config, Lane, Mode, Store};

struct ManualClock(Mutex<Timestamp>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct All;

impl policy::Directory for All {
    fn group_exists(&self, _: &str) -> bool {
        true
    }
    fn person_exists(&self, _: &str) -> bool {
        true
    }
    fn service_exists(&self, _: &str) -> bool {
        true
    }
    fn environment_exists(&self, _: &str) -> bool {
        true
    }
}

struct World {
    executor: Executor,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

fn body(value: Value) -> Body {
    value.as_object().unwrap().clone()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Config::sqlite(folder.path().join("assent.db"))).unwrap();
        let clock = Arc::new(ManualClock(Mutex::new("2026-11-20T08:00:00Z".parse().unwrap())));
        let policies = policy::PolicySet::compile(&policy::base().files, "", policy::SCHEMA, &All, |bytes| {
            proof::crypto::digest_text(bytes)
        })
        .unwrap();
        let policies = Arc::new(policies);
        let executor = Executor::new(Tools {
            store,
            clock: clock.clone(),
            recorder: clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            master: Arc::new(MasterKey::new([3; 32])),
            seen_logs: Arc::new(log_high_water::SeenInMemory::default()),
            demo_policies: policies.clone(),
            policies,
            public_url: "http://127.0.0.1:8080".to_owned(),
            reaches: Arc::new(|_| true),
            evidence_folder: None,
        });
        let world = Self {
            executor,
            clock,
            _folder: folder,
        };
        world.system(|cx| create_tenant::create_tenant(cx, "Halden Freight", false));
        world.system(|cx| {
            for (login, role) in [
                ("rita", "requester"),
                ("olga", "owner"),
                ("sam", "security"),
                ("mona", "change_manager"),
                ("ivo", "implementer"),
                ("pipe", "pipeline"),
                ("ada", "admin"),
            ] {
                set_person::create_person(cx, &body(json!({"login": login, "roles": [role]})))?;
            }
            Ok(())
        });
        world.system(|cx| {
            set_service::set_service(cx, &body(json!({"key": "pay", "criticality": "low"})))?;
            set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "olga"})))?;
            Ok(())
        });
        world
    }

    fn system<T: Send + 'static>(&self, act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static) -> T {
        self.executor
            .wait(Lane::Acts, "halden", Actor::system(), Mode::Write, act)
            .unwrap()
    }

    fn by<T: Send + 'static>(
        &self,
        login: &'static str,
        act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> acts::Result<T> {
        let person: PersonId = self.system(move |cx| Ok(cx.directory()?.by_login(login).unwrap().id.clone()));
        let actor = Actor {
            person,
            by_token: false,
            stepped_up_at: None,
            factor: None,
            is_system: false,
            method: "password".to_owned(),
            lent: None,
            via: None,
        };
        self.executor.wait(Lane::Acts, "halden", actor, Mode::Write, act)
    }

    fn pass(&self, minutes: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now += SignedDuration::from_mins(minutes);
    }

    fn state(&self, key: &str) -> State {
        let key = key.to_owned();
        self.system(move |cx| Ok(cx.change(&key)?.state))
    }
}

const ARTIFACT: &str = "git:aaaae5e";

#[test]
fn a_normal_change_walks_all_nine_steps() {
    let world = World::new();
    let key = initiate_and_assess(&world);
    assert_eq!(key, "CHG-1001");
    approve(&world, &key);
    test_and_deploy(&world, &key);
    review_and_close(&world, &key);
    assert_eq!(world.state(&key), State::Closed);
}

fn initiate_and_assess(world: &World) -> String {
    let key = world
        .by("rita", move |cx| {
            let request = body(json!({
                "title": "Give every shipment a customs reference", "description": "Adds a column.",
                "justification": "Customs asks for it.", "complexity": "low",
                "targets": [{"service": "pay", "environment": "production", "artifact": ARTIFACT}],
                "planned_start": "2026-11-20T10:00:00Z", "planned_end": "2026-11-20T12:00:00Z",
                "plan": [{"title": "Deploy", "minutes": 10}], "rollback_plan": [{"title": "Deploy the old one", "minutes": 5}],
                "implementers": ["ivo"], "tester": "olga",
            }));
            create_change::create_change(cx, &request, &[])
        })
        .unwrap();
    let k = key.clone();
    world
        .by("rita", move |cx| acts::change::verbs::submit_change(cx, &k))
        .unwrap();
    let k = key.clone();
    world
        .by("rita", move |cx| {
            acts::change::verbs::assess_change(cx, &k, &body(json!({"dependencies_reviewed": true})))
        })
        .unwrap();
    assert_eq!(world.state(&key), State::Authorizing);
    key
}

fn approve(world: &World, key: &str) {
    for login in ["olga", "sam", "mona"] {
        let k = key.to_owned();
        world
            .by(login, move |cx| {
                let digest = cx.change(&k)?.digests.content;
                acts::approval::verbs::approve_change(
                    cx,
                    &k,
                    &body(json!({"decision": "approve", "content_digest": digest})),
                )
            })
            .unwrap();
    }
    assert_eq!(world.state(key), State::Scheduled);
}

fn bring_evidence(world: &World, key: &str) {
    let k = key.to_owned();
    world
        .by("rita", move |cx| {
            let file = around::StoredFile {
                digest: "sha256:00".into(), size: 3, media_type: "text/plain".into(), reading: None,
            };
            let request = body(json!({"kind": "note", "aspect": "functional", "result": "passed", "environment": "staging", "artifact": ARTIFACT, "text": "works"}));
            add_evidence::add_evidence(cx, &k, &request, &file)
        })
        .unwrap();
}

fn question(change: Option<&str>) -> gate_question::Question {
    gate_question::Question {
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(ARTIFACT.into()),
        commit: None,
        change: change.map(str::to_owned),
        purpose: None,
        member: None,
    }
}

fn test_and_deploy(world: &World, key: &str) {
    let k = key.to_owned();
    let refused = world.by("ivo", move |cx| acts::change::verbs::start_change(cx, &k));
    let Err(Error::Refused(refusal)) = refused else {
        panic!("started without evidence and before its window")
    };
    let text = format!("{refusal:?}");
    assert!(
        text.contains("evidence_missing") && text.contains("window_not_open"),
        "{text}"
    );
    bring_evidence(world, key);
    world.pass(150);
    let question = question(None);
    let checked = world.by("pipe", move |cx| answer::check(cx, &question, None)).unwrap();
    assert_eq!(checked.check.decision, GateDecision::Go, "{:?}", checked.check.reasons);
    assert!(checked.permit.is_some());
    assert_eq!(world.state(key), State::Implementing);
}

fn review_and_close(world: &World, key: &str) {
    let k = key.to_owned();
    world
        .by("ivo", move |cx| {
            acts::change::verbs::complete_change(cx, &k, &body(json!({"outcome": "succeeded"})))
        })
        .unwrap();
    let k = key.to_owned();
    world
        .by("olga", move |cx| {
            acts::change::verbs::validate_change(cx, &k, &body(json!({"result": "works"})))
        })
        .unwrap();
    let k = key.to_owned();
    let review =
        json!({"objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Fine."});
    world
        .by("rita", move |cx| {
            acts::change::verbs::review_change(cx, &k, &body(review.clone()))
        })
        .unwrap();
    let k = key.to_owned();
    world
        .by("rita", move |cx| acts::change::verbs::close_change(cx, &k))
        .unwrap();
    assert_eq!(world.state(key), State::Closed);
}

/// The gate's result of the plain query for one change, with its reasons; and the same of a check that waits since before.
fn gate_of(world: &World, key: &str) -> (GateDecision, Vec<String>) {
    let asked = question(Some(key));
    let answer = world.system(move |cx| answer::ask(cx, &asked));
    (
        answer.decision,
        answer.reasons.into_iter().map(|row| row.code).collect(),
    )
}

fn decide(world: &World, login: &'static str, key: &str, words: Value) {
    let k = key.to_owned();
    world
        .by(login, move |cx| {
            let mut words = body(words.clone());
            let digest = cx.change(&k)?.digests.content;
            words.insert("content_digest".to_owned(), Value::String(digest));
            acts::approval::verbs::approve_change(cx, &k, &words)
        })
        .unwrap();
}

fn stop_code(code: &str) -> (GateDecision, Vec<String>) {
    (GateDecision::Stop, vec![code.to_owned()])
}

#[test]
fn a_rejection_closes_the_gate_of_others_with_its_artifact_until_it_is_lifted() {
    let world = World::new();
    let go = (GateDecision::Go, Vec::new());
    let key = initiate_and_assess(&world);
    approve(&world, &key);
    bring_evidence(&world, &key);
    let others: Vec<String> = (0..3).map(|_| initiate_and_assess(&world)).collect();
    world.pass(150);
    assert_eq!(gate_of(&world, &key), go);
    for (place, other) in others.iter().enumerate() {
        decide(
            &world,
            "sam",
            other,
            json!({"decision": "reject", "comment": "Not this one."}),
        );
        assert_eq!(gate_of(&world, &key), stop_code("rejected_elsewhere"), "{other}");
        let k = other.clone();
        match place {
            0 => world.by("mona", move |cx| {
                let words = body(json!({"reason": "It was about another place."}));
                acts::approval::verbs::overrule_rejection(cx, &k, &words)
            }),
            1 => world.by("rita", move |cx| {
                acts::change::verbs::cancel_change(cx, &k, &body(json!({"reason": "Done otherwise."})))
            }),
            _ => world.by("rita", move |cx| {
                edit_change::edit_change(cx, &k, &body(json!({"title": "Another"})))
            }),
        }
        .unwrap();
        assert_eq!(gate_of(&world, &key), go, "{other}");
    }
}

#[test]
fn the_end_of_a_dependency_opens_the_gate_and_a_cancelled_change_is_none() {
    let world = World::new();
    let (first, second) = (initiate_and_assess(&world), initiate_and_assess(&world));
    approve(&world, &second);
    bring_evidence(&world, &second);
    world.pass(150);
    let (from, to) = (second.clone(), first.clone());
    let link = world
        .by("rita", move |cx| {
            let words = body(json!({"kind": "depends_on", "to": to}));
            link_change::link_change(cx, &from, &words)
        })
        .unwrap();
    assert_eq!(gate_of(&world, &second), stop_code("dependency_open"));
    let asked = question(Some(&second));
    let until = *world.clock.0.lock().unwrap() + SignedDuration::from_mins(30);
    let waiting = world
        .by("pipe", move |cx| answer::check(cx, &asked, Some(until)))
        .unwrap();
    assert_eq!(waiting.check.decision, GateDecision::Stop);
    let k = first.clone();
    world
        .by("rita", move |cx| {
            acts::change::verbs::cancel_change(cx, &k, &body(json!({"reason": "Not needed."})))
        })
        .unwrap();
    assert_eq!(gate_of(&world, &second), stop_code("dependency_open"));
    let from = second.clone();
    world
        .by("rita", move |cx| link_change::unlink_change(cx, &from, &link))
        .unwrap();
    assert_eq!(gate_of(&world, &second), (GateDecision::Go, Vec::new()));
    let id = waiting.check.id.0.clone();
    let turned = world.system(move |cx| answer::load_check(cx, &id));
    assert_eq!(turned.decision, GateDecision::Go, "it waits no longer");
}
