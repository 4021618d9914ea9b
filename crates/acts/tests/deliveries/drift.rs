//! Drift against changes: seeded events of a known kind each, and differences that stay, change, go and come back.

use std::collections::BTreeSet;

use acts::change::create_change;
use acts::core::noun;
use acts::directory::set_person;
use acts::effects::run_timer;
use acts::incident::find_what_changed::{Question, find_what_changed};
use acts::incident::link_records::find_links;
use acts::incident::set_drift::decisions_about;
use acts::incident::set_incident::open_incident;
use acts::incident::take_drift::take_drift;
use acts::integration::set_connection;
use acts::{Context, Error};
use jiff::{SignedDuration, Timestamp};
use model::change::change_file::Actor;
use model::change::related_records::Message;
use model::core::enums::{ActionState, DriftEnding, DriftState};
use model::core::ids::PersonId;
use model::incident::drift::baseline::DriftBaseline;
use model::incident::drift::finding::DriftFinding;
use model::incident::drift::rule::DriftRule;
use model::incident::drift::{Difference, DriftReport};
use model::incident::record_link::RecordLink;
use model::notify::action_item::ActionItem;
use serde_json::json;
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::{Dice, World, artifact, began, body, status};

/// How many changes are at work, one after another.
const CHANGES: i64 = 11;
/// From the start of one change to the start of the next, in minutes.
const APART: i64 = 20;
/// How many events each of their times has.
const EVENTS: u64 = 91;

fn at(minute: i64) -> Timestamp {
    began() + SignedDuration::from_mins(minute)
}

fn difference(address: &str, attribute: &str, found: &str) -> Difference {
    Difference {
        address: address.to_owned(),
        attribute: attribute.to_owned(),
        found: Some(found.to_owned()),
        digest: None,
        at: None,
        doer: None,
    }
}

fn state(minute: i64, differences: Vec<Difference>) -> DriftReport {
    DriftReport {
        scope: String::new(),
        taken_at: at(minute),
        is_complete: true,
        is_log: false,
        clean: Vec::new(),
        count: differences.len() as u64,
        differences,
    }
}

impl World {
    /// A connection that reports drift of the service `pay`; its id.
    pub(crate) fn source(&self, kind: &'static str) -> String {
        self.by("ada", move |cx| {
            let made = set_connection::create_connection(cx, &body(json!({"kind": kind, "name": kind, "map": []})))?.0;
            let rule = json!({"pattern": "pay.*", "connection": made.id, "service": "pay", "environment": "production", "place": 1});
            noun::add::<DriftRule>(cx, &body(rule))?;
            Ok(made.id.0)
        })
    }

    pub(crate) fn report(&self, connection: &str, report: DriftReport) -> String {
        let connection = connection.to_owned();
        self.system(move |cx| take_drift(cx, &connection, &report))
    }

    pub(crate) fn findings(&self) -> Vec<DriftFinding> {
        self.system(|cx| Ok(record::bodies::<DriftFinding>(cx.tx, &Filter::new().order_by("id"))?))
    }

    /// The state of the one finding there is, and how it ended.
    fn finding(&self) -> (DriftState, Option<DriftEnding>, i64) {
        let found = self.findings();
        assert_eq!(found.len(), 1, "{found:#?}");
        (found[0].state, found[0].ending, found[0].count)
    }

    /// A baseline of one attribute that two people approved.
    fn expect(&self, connection: &str, attribute: &'static str) {
        let connection = connection.to_owned();
        let id = self.by("olga", move |cx| {
            let ends = cx.now + SignedDuration::from_hours(24);
            let proposal = json!({"pattern": "pay.*", "attribute": attribute, "connection": connection, "service": "pay",
                "environment": "production", "reason": "The autoscaler sets it.", "ends_at": ends});
            Ok(noun::add::<DriftBaseline>(cx, &body(proposal))?.id.0)
        });
        let own = id.clone();
        let code = self.refusal("olga", move |cx| approve(cx, &own));
        assert_eq!(code, "own_proposal");
        self.by("sue", move |cx| approve(cx, &id));
    }

    fn refusal<T: Send + 'static>(
        &self,
        login: &'static str,
        act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> String {
        let person: PersonId = self.system(move |cx| Ok(cx.directory()?.by_login(login).unwrap().id.clone()));
        let actor = Actor {
            person,
            is_system: false,
            ..Actor::system()
        };
        match self.executor.wait(Lane::Acts, "halden", actor, Mode::Write, act) {
            Err(Error::Refused(refusal)) => refusal.code().to_owned(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{login} was not refused"),
        }
    }

    /// A planned change is at work from one minute to another.
    fn works(&self, number: u64, from: i64, until: i64) {
        let (build, id) = (artifact(number, 0), format!("run-{number}"));
        self.set_clock(at(from));
        self.take(status(&id, &build, "in_progress", from));
        self.set_clock(at(until));
        self.take(status(&id, &build, "success", until));
    }
}

/// The changes on the service `pay` in the hour before a minute: the titles and the findings of drift.
fn drift_before(world: &World, minute: i64) -> Vec<(String, Option<String>)> {
    let answer = world.by("olga", move |cx| {
        let question = Question {
            service: Some("pay".to_owned()),
            item: None,
            before: at(minute),
            hours: 1,
        };
        find_what_changed(cx, &question)
    });
    let rows = answer.items.into_iter().filter(|it| it.drift.is_some());
    rows.map(|it| (it.title, it.drift)).collect()
}

#[test]
fn drift_that_no_change_explains_is_among_what_changed_once_for_each_thing() {
    let world = world();
    let connection = world.source("kubernetes_audit");
    world.expect(&connection, "spec.replicas");
    world.set_clock(at(0));
    world.report(&connection, state(0, Vec::new()));
    let seen = |attribute: &str| difference("pay.1", attribute, "x");
    world.set_clock(at(10));
    world.report(&connection, state(10, vec![seen("spec.paused"), seen("spec.replicas")]));
    world.set_clock(at(20));
    let more = vec![seen("spec.paused"), seen("spec.replicas"), seen("spec.image")];
    world.report(&connection, state(20, more));
    let found = world.findings();
    let of = |attribute: &str| found.iter().find(|it| it.attribute == attribute).unwrap().id.0.clone();
    let row = |attribute: &str| vec![("Drift of pay.1".to_owned(), Some(of(attribute)))];
    assert_eq!(drift_before(&world, 15), row("spec.paused"));
    assert_eq!(drift_before(&world, 30), row("spec.image"), "the latest of the thing");
    assert!(drift_before(&world, 5).is_empty(), "nothing had changed by then");
    assert!(drift_before(&world, 120).is_empty(), "it lies too far back");
    // A decision names a change that came afterwards: manual work stays manual work.
    let emergency = world.by("rita", |cx| {
        let request = json!({"kind": "emergency", "title": "Keep the image",
            "targets": [{"service": "pay", "environment": "production"}]});
        create_change::create_change(cx, &body(request), &[])
    });
    let id = of("spec.image");
    world.by("olga", move |cx| {
        let wanted = json!({"outcome": "accept_as_emergency", "change": emergency, "reason": "It has to stay."});
        noun::edit::<DriftFinding>(cx, &id, &body(wanted)).map(drop)
    });
    assert_eq!(
        drift_before(&world, 30),
        row("spec.image"),
        "decided, and no less a change"
    );
}

fn approve(cx: &mut Context<'_, '_>, id: &str) -> acts::Result<()> {
    noun::edit::<DriftBaseline>(cx, id, &body(json!({"approved": true}))).map(drop)
}

fn world() -> World {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "sue", "roles": ["security"]}))));
    world
}

#[test]
fn of_a_thousand_seeded_events_exactly_those_are_found_that_nothing_explains_or_expects() {
    let world = world();
    let connection = world.source("kubernetes_audit");
    world.expect(&connection, "spec.replicas");
    for number in 0..CHANGES.unsigned_abs() {
        world.planned(artifact(number, 0));
    }
    let mut dice = Dice(49);
    let (mut drifted, mut lawful, mut count) = (BTreeSet::new(), BTreeSet::new(), 0_u64);
    for number in 0..CHANGES {
        let start = number * APART;
        world.works(number.unsigned_abs(), start, start + 8);
        let mut differences = Vec::new();
        for _ in 0..EVENTS {
            count += 1;
            let address = format!("pay.{count}");
            let what = dice.below(3);
            let minute = match what {
                0 => start + 1 + i64::try_from(dice.below(7)).unwrap(),
                _ => start + 14,
            };
            let attribute = if what == 2 { "spec.replicas" } else { "spec.paused" };
            match what {
                0 => lawful.insert(address.clone()),
                1 => drifted.insert(address.clone()),
                _ => true,
            };
            differences.push(Difference {
                at: Some(at(minute) + SignedDuration::from_millis(i64::try_from(count).unwrap())),
                ..difference(&address, attribute, "x")
            });
        }
        world.set_clock(at(start + 15));
        let report = DriftReport {
            is_complete: false,
            is_log: true,
            ..state(start + 15, differences)
        };
        world.report(&connection, report);
    }
    assert!(count > 1_000 && drifted.len() > 250 && lawful.len() > 250);
    let found = world.findings();
    let of = |wanted: DriftState| -> BTreeSet<String> {
        found
            .iter()
            .filter(|it| it.state == wanted)
            .map(|it| it.address.clone())
            .collect()
    };
    assert_eq!(of(DriftState::Open), drifted, "recall and precision are 1");
    assert_eq!(of(DriftState::Closed), lawful);
    let told = world.system(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let alerts: Vec<&Message> = told.iter().filter(|it| it.topic == "drift").collect();
    let times: BTreeSet<Timestamp> = alerts.iter().map(|it| it.at).collect();
    let wanted: BTreeSet<Timestamp> = (0..CHANGES).map(|number| at(number * APART + 15)).collect();
    assert_eq!(times, wanted, "each report is alerted in its own transaction");
}

#[test]
fn the_same_difference_is_one_finding_until_it_is_gone_and_opens_again_when_it_returns() {
    let world = world();
    let connection = world.source("terraform");
    let wrong = || vec![difference("pay.db", "size", "large")];
    world.set_clock(at(1));
    world.report(&connection, state(1, Vec::new()));
    world.set_clock(at(10));
    world.report(&connection, state(10, wrong()));
    assert_eq!(world.finding(), (DriftState::Open, None, 1));
    let item = |world: &World| -> ActionState {
        let items = world.system(|cx| Ok(record::bodies::<ActionItem>(cx.tx, &Filter::new().order_by("id"))?));
        assert_eq!(items.len(), 1, "{items:#?}");
        items[0].state
    };
    assert_eq!(item(&world), ActionState::Open);
    world.report(&connection, state(10, wrong()));
    assert_eq!(world.finding().2, 1, "the same report again is no second sight");
    world.set_clock(at(20));
    world.report(&connection, state(20, wrong()));
    assert_eq!(world.finding(), (DriftState::Open, None, 2));
    world.report(&connection, state(15, Vec::new()));
    assert_eq!(world.finding().0, DriftState::Open, "an older report closes nothing");
    world.set_clock(at(30));
    world.report(&connection, state(30, Vec::new()));
    assert_eq!(world.finding(), (DriftState::Closed, Some(DriftEnding::Gone), 2));
    assert_eq!(item(&world), ActionState::Done, "the item is settled by the fact");
    world.set_clock(at(40));
    world.report(&connection, state(40, wrong()));
    assert_eq!(world.finding(), (DriftState::Open, None, 3));
    assert_eq!(item(&world), ActionState::Open);
    let part = DriftReport {
        is_complete: false,
        clean: vec!["pay.other".to_owned()],
        ..state(50, Vec::new())
    };
    world.set_clock(at(50));
    world.report(&connection, part.clone());
    assert_eq!(
        world.finding().0,
        DriftState::Open,
        "a part that did not look there closes nothing"
    );
    let there = DriftReport {
        clean: vec!["pay.db".to_owned()],
        taken_at: at(51),
        ..part
    };
    world.set_clock(at(51));
    world.report(&connection, there);
    assert_eq!(world.finding().1, Some(DriftEnding::Gone));
}

#[test]
fn what_a_change_explains_stays_explained_until_another_value_is_there() {
    let world = world();
    let connection = world.source("terraform");
    for number in [1, 2] {
        world.planned(artifact(number, 0));
    }
    world.set_clock(at(1));
    world.report(&connection, state(1, Vec::new()));
    world.works(1, 10, 15);
    world.set_clock(at(30));
    world.report(&connection, state(30, vec![difference("pay.db", "size", "large")]));
    assert_eq!(world.finding(), (DriftState::Closed, Some(DriftEnding::Explained), 1));
    world.set_clock(at(60));
    world.report(&connection, state(60, vec![difference("pay.db", "size", "large")]));
    assert_eq!(
        world.finding().1,
        Some(DriftEnding::Explained),
        "the work lies before the last look"
    );
    world.set_clock(at(90));
    world.report(&connection, state(90, vec![difference("pay.db", "size", "huge")]));
    assert_eq!(world.finding().0, DriftState::Open, "no work explains the new value");
    // A difference that was explained once and went away is not explained when it returns.
    let other = world.source("aide");
    world.works(2, 100, 105);
    world.set_clock(at(110));
    world.report(&other, state(110, vec![difference("pay.file", "size", "1")]));
    world.report(&other, state(111, Vec::new()));
    world.set_clock(at(140));
    world.report(&other, state(140, vec![difference("pay.file", "size", "1")]));
    let found = world.findings();
    let file = found.iter().find(|it| it.address == "pay.file").unwrap();
    assert_eq!((file.state, file.change.as_deref()), (DriftState::Open, None));
}

#[test]
fn a_report_that_holds_too_much_is_one_finding_of_all_of_it() {
    let world = world();
    let connection = world.source("terraform");
    let many = (0..5_000)
        .map(|number| difference(&format!("pay.{number}"), "size", "1"))
        .collect();
    let told = world.report(&connection, state(1, many).bounded(|| "sha256:0".to_owned()));
    assert!(told.contains("5000"), "{told}");
    assert_eq!(world.finding(), (DriftState::Open, None, 1));
    assert_eq!(world.findings()[0].service, None);
    world.set_clock(at(10));
    world.report(&connection, state(10, Vec::new()));
    assert_eq!(world.finding().1, Some(DriftEnding::Gone));
}

/// An event that wrote a value at a minute.
fn written(minute: i64, found: &str) -> DriftReport {
    let event = Difference {
        at: Some(at(minute)),
        ..difference("pay.web", "spec.image", found)
    };
    DriftReport {
        is_complete: false,
        is_log: true,
        ..state(minute, vec![event])
    }
}

#[test]
fn a_decision_stands_for_the_same_value_and_is_kept_when_another_one_opens_the_finding_again() {
    let world = world();
    let connection = world.source("kubernetes_audit");
    world.set_clock(at(10));
    world.report(&connection, written(10, "sha256:aa"));
    let id = world.findings().remove(0).id.0;
    let one = id.clone();
    world.by("olga", move |cx| {
        let wanted = body(json!({"outcome": "revert", "reason": "Somebody tried it by hand."}));
        noun::edit::<DriftFinding>(cx, &one, &wanted).map(drop)
    });
    world.set_clock(at(20));
    world.report(&connection, written(20, "sha256:aa"));
    let same = world.findings().remove(0);
    assert_eq!(
        (same.state, same.count),
        (DriftState::Decided, 2),
        "the same value was written again"
    );
    assert_eq!(same.reason.as_deref(), Some("Somebody tried it by hand."));
    world.set_clock(at(30));
    world.report(&connection, written(30, "sha256:bb"));
    let other = world.findings().remove(0);
    assert_eq!(
        (other.state, other.outcome),
        (DriftState::Open, None),
        "another value is another difference"
    );
    let one = id.clone();
    world.by("olga", move |cx| {
        let wanted = body(json!({"outcome": "revert", "reason": "Once more."}));
        noun::edit::<DriftFinding>(cx, &one, &wanted).map(drop)
    });
    let finding = world.findings().remove(0);
    let kept = world.system(move |cx| decisions_about(cx, &finding));
    let told: Vec<(&str, Option<&str>)> = kept
        .iter()
        .map(|it| (it.reason.as_str(), it.found.as_deref()))
        .collect();
    let wanted = [
        ("Once more.", Some("sha256:bb")),
        ("Somebody tried it by hand.", Some("sha256:aa")),
    ];
    assert_eq!(told, wanted, "each decision stays, with the value that it was about");
}

/// The action item whose title begins so.
fn item(world: &World, words: &'static str) -> ActionItem {
    let items = world.system(|cx| Ok(record::bodies::<ActionItem>(cx.tx, &Filter::new().order_by("id"))?));
    let mut found = items.into_iter().filter(|it| it.title.starts_with(words));
    found.next().unwrap()
}

fn decide(world: &World, wanted: serde_json::Value) {
    let id = world.findings().remove(0).id.0;
    world.by("olga", move |cx| {
        noun::edit::<DriftFinding>(cx, &id, &body(wanted.clone())).map(drop)
    });
}

#[test]
fn what_was_decided_and_is_not_done_in_time_is_open_again() {
    let world = world();
    let connection = world.source("terraform");
    let wrong = || vec![difference("pay.db", "size", "large")];
    world.set_clock(at(1));
    world.report(&connection, state(1, Vec::new()));
    world.set_clock(at(10));
    world.report(&connection, state(10, wrong()));
    let alerts = || {
        let told = world.system(|cx| Ok(record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?));
        told.iter().filter(|it| it.topic == "drift").count()
    };
    let emergency = world.by("rita", |cx| {
        let request = json!({"kind": "emergency", "title": "Keep the size",
            "targets": [{"service": "pay", "environment": "production"}]});
        create_change::create_change(cx, &body(request), &[])
    });
    let week = 7 * 24 * 60;
    let promises = [
        json!({"outcome": "revert", "reason": "By hand."}),
        json!({"outcome": "accept_as_emergency", "change": emergency, "reason": "It stays."}),
    ];
    for (promise, minute) in promises.into_iter().zip([10, 20 + week]) {
        world.set_clock(at(minute));
        decide(&world, promise);
        let promised = item(&world, "Carry out");
        let states = (item(&world, "Decide").state, promised.state);
        assert_eq!(states, (ActionState::Done, ActionState::Open));
        let wakes = |later: i64| {
            world.set_clock(at(minute + later));
            let id = promised.id.0.clone();
            world.system(move |cx| run_timer::run_timer(cx, "action_item", &id));
        };
        let before = alerts();
        wakes(week - 60);
        assert_eq!((world.finding().0, alerts()), (DriftState::Decided, before));
        wakes(week + 1);
        assert_eq!(world.finding().0, DriftState::Open);
        assert!(alerts() > before, "its owner is alerted anew");
        let states = (item(&world, "Decide").state, item(&world, "Carry out").state);
        assert_eq!(states, (ActionState::Open, ActionState::Done));
    }
    // A revert that is done settles its item by the fact.
    decide(&world, json!({"outcome": "revert", "reason": "Now it is done."}));
    assert_eq!(item(&world, "Carry out").state, ActionState::Open);
    let minute = 40 + 2 * week;
    world.set_clock(at(minute));
    world.report(&connection, state(minute, Vec::new()));
    assert_eq!(world.finding().1, Some(DriftEnding::Gone));
    assert_eq!(item(&world, "Carry out").state, ActionState::Done);
}

#[test]
fn a_finding_is_linked_with_an_incident_and_both_ends_read_it() {
    let world = world();
    let connection = world.source("kubernetes_audit");
    world.set_clock(at(10));
    world.report(&connection, written(10, "sha256:aa"));
    let id = world.findings().remove(0).id.0;
    let incident = world.by("olga", |cx| {
        let wanted = body(json!({"title": "Slow", "severity": 3, "services": ["pay"]}));
        Ok(open_incident(cx, &wanted)?.key)
    });
    let (from, to) = (id.clone(), incident.clone());
    world.by("olga", move |cx| {
        let wanted = body(json!({"from": from, "kind": "caused", "to": to, "reason": "The image is broken."}));
        noun::add::<RecordLink>(cx, &wanted).map(drop)
    });
    for (key, words, other) in [(&id, "caused", &incident), (&incident, "caused by", &id)] {
        let key = key.clone();
        let seen = world.system(move |cx| find_links(cx, &key));
        assert_eq!(
            (seen.len(), seen[0].reads.words(), &seen[0].other.key),
            (1, words, other)
        );
    }
    let (from, to) = (id.clone(), "no-such-record");
    let code = world.refusal("olga", move |cx| {
        noun::add::<RecordLink>(cx, &body(json!({"from": from, "kind": "related", "to": to})))
    });
    assert_eq!(code, "invalid");
}
