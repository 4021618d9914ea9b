//! Many where one was assumed: several builds of one status, several services of one repository, and a repository with another
//! name.

use std::collections::BTreeMap;

use acts::change::{create_change, verbs};
use acts::core::connections;
use acts::directory::set_service;
use acts::integration::{edit_connection, set_connection, take_delivery};
use jiff::SignedDuration;
use model::gate::provenance::OutsideCheck;
use model::integration::signal::{DecisionKind, DecisionRequest, DecisionTexts, Repository, Signal};
use serde_json::json;
use store::record::{self, Filter};

use crate::messengers::of;
use crate::{World, artifact, began, body, status};

fn with_all(word: &str, artifacts: &[String]) -> Signal {
    let Signal::DeploymentStatus(mut told) = status("app@10", &artifacts[0], word, 2) else {
        unreachable!("a status was made");
    };
    told.artifact = None;
    told.artifacts = artifacts.to_vec();
    Signal::DeploymentStatus(told)
}

#[test]
fn of_several_artifacts_the_one_that_a_change_names_counts_wherever_it_is_listed() {
    for place in 0..3 {
        let world = World::new();
        world.set_clock(began() - SignedDuration::from_mins(30));
        let key = world.planned(artifact(1, 0));
        world.set_clock(began() + SignedDuration::from_mins(30));
        let mut all = vec![artifact(7, 0), artifact(8, 0)];
        all.insert(place, artifact(1, 0));
        world.take(with_all("in_progress", &all));
        assert_eq!(world.stands_at(&key)[0], "implementing", "place {place}");
        all.reverse();
        world.take(with_all("success", &all));
        assert_eq!(world.stands_at(&key)[1], "succeeded", "place {place}");
        assert_eq!(world.unauthorized(), 0);
    }
}

#[test]
fn of_several_artifacts_that_no_change_names_none_begins_anything() {
    let world = World::new();
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(with_all("in_progress", &[artifact(7, 0), artifact(8, 0)]));
    assert_eq!(world.stands_at(&key)[0], "scheduled");
    assert_eq!(world.unauthorized(), 1);
}

#[test]
fn services_of_one_repository_are_told_apart_by_the_environment() {
    let world = World::new();
    world.by("ada", |cx| {
        set_service::set_service(cx, &body(json!({"key": "print", "criticality": "low"})))
    });
    let id = world.connection.clone();
    world.by("ada", move |cx| {
        let row = |service: &str, theirs: &str| json!({"repository": "pay", "service": service, "environments": {theirs: "production"}});
        let map = json!([row("print", "print-prod"), row("pay", "prod")]);
        edit_connection::edit_connection(cx, &id, &body(json!({"map": map})))
    });
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    world.take(status("1", &artifact(1, 0), "in_progress", 2));
    assert_eq!(world.stands_at(&key)[0], "implementing");
    // Rows that cannot be distinguished are refused where they are set.
    let id = world.connection.clone();
    let refused = world.by("ada", move |cx| {
        let row =
            |service: &str| json!({"repository": "pay", "service": service, "environments": {"prod": "production"}});
        let map = json!([row("pay"), row("print")]);
        Ok(edit_connection::edit_connection(cx, &id, &body(json!({"map": map}))).is_err())
    });
    assert!(refused);
}

impl World {
    fn is_called(&self, connection: &str, id: &str, name: &str, signal: Signal) -> String {
        let connection = connection.to_owned();
        let signals = vec![
            Signal::Repository(Repository {
                id: id.to_owned(),
                name: name.to_owned(),
            }),
            signal,
        ];
        self.system(move |cx| take_delivery::take_signals(cx, &connection, &signals))
    }
}

#[test]
fn a_renamed_repository_is_followed_by_its_id_and_another_one_with_its_name_is_not() {
    let world = World::new();
    let hub = world.connect("github", "acme/pay");
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned(artifact(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(30));
    let tell = |name: &str, word: &str, at: i64| of(name, status("9", &artifact(1, 0), word, at));
    world.is_called(&hub, "42", "acme/pay", tell("acme/pay", "in_progress", 2));
    assert_eq!(world.stands_at(&key)[0], "implementing");
    let said = world.is_called(&hub, "77", "acme/pay", tell("acme/pay", "failure", 3));
    assert!(said.contains("another repository"), "{said}");
    assert_eq!(world.stands_at(&key)[0], "implementing");
    let said = world.is_called(&hub, "42", "acme/payments", tell("acme/payments", "success", 5));
    assert!(said.contains("is called acme/payments now"), "{said}");
    assert_eq!(world.stands_at(&key)[1], "succeeded", "it is the same deployment");
    assert_eq!(world.unauthorized(), 0);
    let row = world.system(move |cx| Ok(connections::connection(cx, &hub)?.map.remove(0)));
    assert_eq!((row.repository.as_str(), row.keyed_by()), ("acme/payments", "acme/pay"));
}

/// The commit of the main branch on which a queue begins.
const MAIN: &str = "9999999999999999999999999999999999999999";

/// The head of a pull request.
fn head(number: u64) -> String {
    format!("{number:040x}")
}

/// The commit that a queue makes for a pull request.
fn merged(number: u64) -> String {
    format!("a{number:039x}")
}

fn question(commit: &str, minute: i64, is_over: bool) -> DecisionRequest {
    DecisionRequest {
        ask: DecisionKind::Merge,
        repository: "acme/pay".to_owned(),
        environment: None,
        commit: commit.to_owned(),
        before: None,
        number: None,
        reply_to: commit.to_owned(),
        is_over,
        actor: None,
        author: None,
        fork: None,
        is_repeat: false,
        texts: DecisionTexts::default(),
        occurred_at: began() + SignedDuration::from_mins(minute),
    }
}

/// The delivery of a pull request whose title names a change.
fn request(number: u64, key: &str, minute: i64, is_over: bool) -> Signal {
    let mut ask = question(&head(number), minute, is_over);
    ask.number = Some(number);
    ask.texts.title = Some(format!("{key}: ship"));
    Signal::Ask(ask)
}

/// The delivery of the group that adds a pull request to its base.
fn group(number: u64, base: &str, minute: i64, is_over: bool) -> Signal {
    let mut ask = question(&merged(number), minute, is_over);
    ask.before = Some(base.to_owned());
    ask.texts.branch = Some(format!("refs/heads/gh-readonly-queue/main/pr-{number}-{base}"));
    Signal::Ask(ask)
}

impl World {
    /// A connection to GitHub that responds.
    fn hub(&self) -> String {
        self.by("ada", |cx| {
            let request = json!({
                "kind": "github", "name": "GitHub", "owner": "rita",
                "api": {"base": "https://api.github.com", "token": "ghs_sixteen_letters"},
                "map": [{"repository": "acme/pay", "service": "pay", "environments": {"prod": "production"}}],
            });
            Ok(set_connection::create_connection(cx, &body(request))?.0.id.0)
        })
    }

    /// A standard change for the head of a pull request, as a draft.
    fn draft_for(&self, number: u64) -> String {
        self.by("rita", move |cx| {
            let request = json!({
                "kind": "standard", "template": "deploy-pay", "title": "Deploy pay",
                "targets": [{"service": "pay", "environment": "production", "commit": head(number)}],
                "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
            });
            create_change::create_change(cx, &body(request), &[])
        })
    }

    fn submits(&self, key: &str) {
        let key = key.to_owned();
        self.by("rita", move |cx| verbs::submit_change(cx, &key));
    }

    /// The commits whose questions are open.
    fn open(&self) -> Vec<String> {
        self.system(|cx| {
            let checks = record::bodies::<OutsideCheck>(cx.tx, &Filter::new().equals("is_over", false).order_by("id"))?;
            Ok(checks.into_iter().map(|it| it.commit).collect())
        })
    }

    /// The result for each commit.
    fn said(&self) -> BTreeMap<String, &'static str> {
        self.system(|cx| {
            let checks = record::bodies::<OutsideCheck>(cx.tx, &Filter::new().order_by("id"))?;
            Ok(checks.into_iter().map(|it| (it.commit, it.answer.as_str())).collect())
        })
    }
}

#[test]
fn a_group_of_a_merge_queue_is_judged_by_its_pull_request_and_by_the_groups_before_it() {
    let mut orders = Vec::new();
    for first in 0..6 {
        for step in [1, 5] {
            orders.push((0..6).map(|it| (first + it * step) % 6).collect::<Vec<usize>>());
        }
    }
    for order in orders {
        let world = World::new();
        let hub = world.hub();
        world.set_clock(began() - SignedDuration::from_mins(30));
        let keys: Vec<String> = (7..10).map(|number| world.draft_for(number)).collect();
        world.submits(&keys[0]);
        world.submits(&keys[2]);
        let told = [
            request(7, &keys[0], 0, false),
            request(8, &keys[1], 0, false),
            request(9, &keys[2], 0, false),
            group(7, MAIN, 1, false),
            group(8, &merged(7), 2, false),
            group(9, &merged(8), 3, false),
        ];
        for place in &order {
            world.take_by(&hub, told[*place].clone());
        }
        let of = |world: &World| -> Vec<&'static str> {
            let said = world.said();
            (7..10).map(|number| said[&merged(number)]).collect()
        };
        assert_eq!(of(&world), ["approved", "waiting", "waiting"], "order {order:?}");
        // The second one is approved: it goes, and the one behind it as well.
        world.submits(&keys[1]);
        assert_eq!(of(&world), ["approved"; 3], "order {order:?}");
    }
}

#[test]
fn a_group_that_stands_on_refused_content_is_held_until_the_queue_makes_it_anew() {
    let world = World::new();
    let hub = world.hub();
    world.set_clock(began() - SignedDuration::from_mins(30));
    let keys: Vec<String> = (7..9).map(|number| world.draft_for(number)).collect();
    world.submits(&keys[1]);
    for (number, key) in (7..9).zip(&keys) {
        world.take_by(&hub, request(number, key, 0, false));
    }
    world.take_by(&hub, group(7, MAIN, 1, false));
    world.take_by(&hub, group(8, &merged(7), 2, false));
    assert_eq!(world.said()[&merged(8)], "waiting");
    let key = keys[0].clone();
    world.by("rita", move |cx| {
        verbs::cancel_change(cx, &key, &body(json!({"reason": "Not needed."})))
    });
    assert_eq!(
        (world.said()[&merged(7)], world.said()[&merged(8)]),
        ("rejected", "rejected")
    );
    // GitHub takes the refused one out. Its content is still below the other until that is made anew on the branch.
    world.take_by(&hub, group(7, MAIN, 3, true));
    assert_eq!(world.said()[&merged(8)], "rejected");
    let mut anew = question(&merged(80), 4, false);
    anew.before = Some(MAIN.to_owned());
    anew.texts.branch = Some(format!("refs/heads/gh-readonly-queue/main/pr-8-{MAIN}"));
    world.take_by(&hub, Signal::Ask(anew));
    assert_eq!(world.said()[&merged(80)], "approved");
    // The merged group stays approved once its pull request is closed. A group whose pull request is unknown waits.
    world.take_by(&hub, request(8, &keys[1], 5, true));
    assert_eq!(world.said()[&merged(80)], "approved");
    world.take_by(&hub, group(11, MAIN, 6, false));
    assert_eq!(world.said()[&merged(11)], "waiting");
}

#[test]
fn of_the_heads_of_a_pull_request_only_the_latest_is_asked_about() {
    let pushed = |commit: u64, minute: i64| {
        let mut ask = question(&head(commit), minute, false);
        ask.number = Some(7);
        Signal::Ask(ask)
    };
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let world = World::new();
        let hub = world.hub();
        world.set_clock(began());
        for minute in order {
            world.take_by(&hub, pushed(70 + u64::try_from(minute).unwrap(), minute));
        }
        // Another pull request has heads of its own.
        world.take_by(&hub, request(8, "CHG-99", 1, false));
        assert_eq!(world.open(), [head(72), head(8)], "order {order:?}");
        // Somebody presses “run again” at a head that is over.
        let Signal::Ask(mut again) = pushed(70, 3) else {
            unreachable!()
        };
        again.is_repeat = true;
        world.take_by(&hub, Signal::Ask(again));
        assert_eq!(world.open(), [head(72), head(8)], "a repeat, order {order:?}");
        world.take_by(&hub, pushed(70, 3));
        let mut open = world.open();
        open.sort();
        assert_eq!(open, [head(8), head(70)], "a head that comes back, order {order:?}");
    }
}
