//! Deliveries in any order give the same records: shuffled, doubled, delayed by hours, replayed after a year, with parts
//! missing. `ASSENT_TEST_ORDERS` sets how many orders are tried.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by unwrapping")]

mod alerts;
mod apart;
mod committers;
mod drift;
mod halts;
mod history;
mod meant;
mod messengers;
mod named;
#[path = "../common/once.rs"]
mod once;
mod places;
mod reruns;
mod several;
mod told_late;
mod vendors;
mod ways;

use std::sync::{Arc, Mutex};

use acts::change::{add_evidence, create_change, set_template};
use acts::core::{gate_question, log_high_water};
use acts::directory::{create_tenant, set_person, set_service};
use acts::gate::{answer, coverage};
use acts::integration::{set_connection, take_delivery};
use acts::{Clock, Context, Executor, Tools};
use jiff::{SignedDuration, Timestamp};
use model::change::around::StoredFile;
use model::change::change_file::Actor;
use model::change::related_records::{Deployment, Message};
use model::change::{ready_spans, settle, timers};
use model::core::body::Body;
use model::core::enums::Purpose;
use model::core::ids::{PersonId, RecordId};
use model::directory::snapshot::Connection;
use model::integration::signal::{self, Progress, Signal};
use proof::crypto::{MasterKey, SeededEntropy};
use serde_json::{Value, json};
use store::change::changes;
use store::record::{self, Filter};
use store::{Config, Lane, Mode, Store};

struct ManualClock(Mutex<Timestamp>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct World {
    executor: Executor,
    clock: Arc<ManualClock>,
    connection: String,
    _folder: tempfile::TempDir,
}

/// Brings passed evidence for a change's rollback target: other changes ran there before, with builds of their own.
pub(crate) fn test_ways_back(cx: &mut Context<'_, '_>, key: &str) -> acts::Result<()> {
    for target in cx.change(key)?.content.targets {
        let Some(back) = target.rollback_to else { continue };
        let file = StoredFile {
            digest: proof::crypto::digest_text(b"ok"),
            size: 2,
            media_type: "text/plain".to_owned(),
            reading: None,
        };
        let note = json!({"kind": "note", "aspect": "functional", "result": "passed", "artifact": back, "text": "ok"});
        add_evidence::add_evidence(cx, key, &body(note), &file)?;
    }
    Ok(())
}

fn body(value: Value) -> Body {
    value.as_object().unwrap().clone()
}

fn began() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

/// Permits ahead of the window, as a policy for outages grants them.
const AHEAD: &str = r#"
@id("world.permit")
@reason("Work goes on through an outage.")
@require("permit")
@minutes("60")
@ahead
permit (principal, action == Action::"require", resource);
"#;

impl World {
    fn new() -> Self {
        Self::under("")
    }

    /// A world with further policies.
    fn under(more: &str) -> Self {
        Self::within(history::in_memory(), more)
    }

    /// The same in a folder.
    fn within(folder: tempfile::TempDir, more: &str) -> Self {
        let path = folder.path().join("assent.db");
        once::empty_database(&path);
        let store = Store::open(Config::sqlite(path)).unwrap();
        let clock = Arc::new(ManualClock(Mutex::new(began())));
        let mut files = policy::base().files;
        if !more.is_empty() {
            files.push(policy::SourceFile {
                name: "world.cedar".to_owned(),
                text: more.to_owned(),
            });
        }
        let policies = once::policies(&files);
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
        let mut world = Self {
            executor,
            clock,
            connection: String::new(),
            _folder: folder,
        };
        world.settle_in();
        world
    }

    /// A tenant with one service, a template for it, and a connection.
    fn settle_in(&mut self) {
        self.system(|cx| create_tenant::create_tenant(cx, "Halden Freight", false));
        self.system(|cx| {
            for (login, role) in [
                ("rita", "requester"),
                ("olga", "owner"),
                ("mona", "change_manager"),
                ("ada", "admin"),
            ] {
                set_person::create_person(cx, &body(json!({"login": login, "roles": [role]})))?;
            }
            set_service::set_service(cx, &body(json!({"key": "pay", "criticality": "low"})))?;
            set_service::set_ownership(cx, &body(json!({"role": "owner", "person": "olga"})))
        });
        let template = json!({
            "key": "deploy-pay", "title": "Deploy pay", "services": ["pay"], "environments": ["production"], "free": [],
            "suspend_after": 100,
            "locked": {
                "category": "application", "complexity": "low", "description": "Deploy what was built.",
                "justification": "It is tested.", "plan": [{"title": "Deploy", "minutes": 3}],
                "rollback_plan": [{"title": "Deploy the old one", "minutes": 5}],
            },
        });
        self.by("rita", move |cx| {
            set_template::propose_template(cx, &body(template.clone()))
        });
        for login in ["olga", "mona"] {
            self.by(login, |cx| {
                set_template::approve_template(cx, "deploy-pay", &Body::new())
            });
        }
        let request = json!({
            "kind": "plain", "name": "pipelines", "owner": "rita",
            "map": [{"repository": "pay", "service": "pay", "environments": {"prod": "production"}}],
        });
        let made: Connection = self.by("ada", move |cx| {
            Ok(set_connection::create_connection(cx, &body(request.clone()))?.0)
        });
        self.connection = made.id.0;
    }

    fn system<T: Send + 'static>(&self, act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static) -> T {
        let executor = &self.executor;
        executor
            .wait(Lane::Acts, "halden", Actor::system(), Mode::Write, act)
            .unwrap()
    }

    fn by<T: Send + 'static>(
        &self,
        login: &'static str,
        act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
    ) -> T {
        let person: PersonId = self.system(move |cx| Ok(cx.directory()?.by_login(login).unwrap().id.clone()));
        let actor = Actor {
            person,
            ..Actor {
                is_system: false,
                ..Actor::system()
            }
        };
        self.executor
            .wait(Lane::Acts, "halden", actor, Mode::Write, act)
            .unwrap()
    }

    fn set_clock(&self, at: Timestamp) {
        *self.clock.0.lock().unwrap() = at;
    }

    /// A standard change for this artifact, scheduled.
    fn planned(&self, artifact: String) -> String {
        self.planned_with_way_back(artifact, OLD.to_owned())
    }

    /// The same with the version that runs again after a rollback.
    fn planned_with_way_back(&self, artifact: String, old: String) -> String {
        self.by("rita", move |cx| {
            let request = json!({
                "kind": "standard", "template": "deploy-pay", "title": "Deploy pay",
                "targets": [{"service": "pay", "environment": "production", "artifact": artifact, "rollback_to": old}],
                "planned_start": "2026-11-20T09:00:00Z", "planned_end": "2026-11-20T14:00:00Z",
            });
            let key = create_change::create_change(cx, &body(request), &[])?;
            acts::change::verbs::submit_change(cx, &key)?;
            test_ways_back(cx, &key)?;
            Ok(key)
        })
    }

    /// The clock reaches an instant: due timers run.
    fn passes(&self, key: &str, at: Timestamp) {
        self.set_clock(at);
        let key = key.to_owned();
        self.system(move |cx| {
            cx.on_change(&key, |case| {
                settle::settle(case);
                Ok(())
            })
        });
    }

    fn take(&self, signal: Signal) {
        let connection = self.connection.clone();
        self.system(move |cx| take_delivery::take_signal(cx, &connection, &signal));
    }

    /// The final state, as text that does not depend on ids and keys.
    fn outcome(&self, artifact: &str, id: &str) -> Value {
        let (artifact, natural_key) = (artifact.to_owned(), format!("pay#{id}"));
        self.system(move |cx| {
            let rows = changes::targets_for(cx.tx, "pay", "production", Some(&artifact), None)?;
            let mut changes = Vec::new();
            for row in rows
                .iter()
                .filter(|row| row.artifact.as_deref() == Some(artifact.as_str()))
            {
                let change = cx.change(&row.change_id)?;
                let targets: Vec<Value> = change
                    .target_records
                    .iter()
                    .map(|it| json!({"outcome": it.outcome, "from": it.actual_start, "to": it.actual_end}))
                    .collect();
                changes.push(json!({
                    "state": change.state, "kind": change.content.kind, "outcome": change.outcome, "targets": targets,
                    "from": change.actual_start, "to": change.actual_end,
                    "requester": cx.directory()?.login(&change.requester), "title": change.content.title,
                }));
            }
            let filter = Filter::new().equals("natural_key", natural_key.as_str());
            let found = record::find::<Deployment>(cx.tx, &filter)?;
            let mut told: Vec<Value> = Vec::new();
            for stored in found {
                let it = stored.record;
                told.push(json!({
                    "seen": it.seen_statuses, "unauthorized": it.unauthorized, "artifact": it.artifact, "at": it.at,
                    "status": it.status, "status_at": it.status_at,
                }));
            }
            Ok(json!({"changes": changes, "deployments": told}))
        })
    }
}

const OLD: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// A small generator, so that an order is named by its number.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn artifact(number: u64, copy: u64) -> String {
    format!("sha256:{:064x}", (number + 1) * 2 + copy)
}

/// A report on a deployment, so many minutes after the beginning.
fn status(id: &str, artifact: &str, word: &str, minutes: i64) -> Signal {
    Signal::DeploymentStatus(signal::DeploymentStatus {
        status_id: format!("{id}/{word}"),
        deployment_id: id.to_owned(),
        repository: "pay".to_owned(),
        environment: "prod".to_owned(),
        commit: String::new(),
        artifact: Some(artifact.to_owned()),
        other_commits: Vec::new(),
        artifacts: Vec::new(),
        status: Progress::from(word.to_owned()),
        description: None,
        actor: None,
        occurred_at: began() + SignedDuration::from_mins(minutes),
        url: None,
    })
}

/// The request of a deployment, so many minutes after the beginning.
fn asked(id: &str, artifact: &str, minutes: i64) -> Signal {
    Signal::Deployment(signal::Deployment {
        deployment_id: id.to_owned(),
        repository: "pay".to_owned(),
        environment: "prod".to_owned(),
        commit: String::new(),
        ref_name: "main".to_owned(),
        task: "deploy".to_owned(),
        artifact: Some(artifact.to_owned()),
        description: None,
        requester: None,
        occurred_at: began() + SignedDuration::from_mins(minutes),
        url: None,
    })
}

/// A story of a deployment from its sender, in order.
fn story(which: u64, number: u64, copy: u64) -> Vec<Signal> {
    let id = format!("run-{number}-{copy}");
    let status = |word: &str, minutes: i64| status(&id, &artifact(number, copy), word, minutes);
    let mut parts = vec![
        asked(&id, &artifact(number, copy), 0),
        status("queued", 1),
        status("in_progress", 2),
    ];
    let ends: &[(&str, i64)] = match which {
        0 => &[("success", 9)],
        1 => &[("failure", 9)],
        2 => &[("error", 9)],
        3 => &[("rolled_back", 9)],
        4 => &[("failure", 9), ("rolled_back", 14)],
        _ => &[("failure", 9), ("success", 20)],
    };
    parts.extend(ends.iter().map(|(word, minutes)| status(word, *minutes)));
    parts
}

/// The same story out of order: parts doubled, each sent hours late, one copy after a year.
fn shuffled(mut parts: Vec<Signal>, dice: &mut Dice) -> Vec<(Timestamp, Signal)> {
    for place in 0..parts.len() {
        if dice.below(2) == 0 {
            parts.push(parts[place].clone());
        }
    }
    for last in (1..parts.len()).rev() {
        let other = usize::try_from(dice.below(last as u64 + 1)).unwrap();
        parts.swap(last, other);
    }
    let mut at = began() + SignedDuration::from_mins(25);
    let mut told = Vec::new();
    for part in parts.clone() {
        at += SignedDuration::from_mins(i64::try_from(dice.below(90)).unwrap());
        told.push((at, part));
    }
    let again = usize::try_from(dice.below(parts.len() as u64)).unwrap();
    told.push((at + SignedDuration::from_hours(365 * 24), parts[again].clone()));
    told
}

fn orders(usual: u64) -> u64 {
    std::env::var("ASSENT_TEST_ORDERS").map_or(usual, |text| text.parse().unwrap())
}

/// Sends the stories of one order: in turn, and shuffled by its number.
fn try_order(world: &World, number: u64) {
    let mut dice = Dice(number);
    let (which, is_planned, missing) = (dice.below(6), dice.below(3) > 0, dice.below(5));
    world.set_clock(began() - SignedDuration::from_mins(30));
    let keys: Vec<String> = (0..if is_planned { 2 } else { 0 })
        .map(|copy| world.planned(artifact(number, copy)))
        .collect();
    let part_of = |copy: u64| {
        let mut parts = story(which, number, copy);
        // The end is never the missing message: a deployment that nobody ended has not ended.
        if missing < 3 {
            parts.remove(usize::try_from(missing).unwrap());
        }
        parts
    };
    for part in part_of(0) {
        world.set_clock(began() + SignedDuration::from_mins(25));
        world.take(part);
    }
    let told = shuffled(part_of(1), &mut dice);
    for (at, part) in told.clone() {
        world.set_clock(at);
        if let Some(key) = keys.get(1) {
            world.passes(key, at);
        }
        world.take(part);
    }
    let (wanted, found) = (
        world.outcome(&artifact(number, 0), &format!("run-{number}-0")),
        world.outcome(&artifact(number, 1), &format!("run-{number}-1")),
    );
    // A failure without a beginning does not count: it ends no change, and no deployment is unauthorized by it.
    let has_no_beginning = missing == 2 && (which == 1 || which == 2);
    let plain = |value: &Value, copy: u64| {
        // A change that was never begun goes on with the clock, which differs.
        let told = if has_no_beginning { &value["deployments"] } else { value };
        let text = told.to_string();
        let text = text.replace(&artifact(number, copy), "ARTIFACT");
        let short = artifact(number, copy)[7..19].to_owned();
        text.replace(&format!("run-{number}-{copy}"), "RUN")
            .replace(&short, "SHORT")
    };
    assert_eq!(
        plain(&found, 1),
        plain(&wanted, 0),
        "order {number}, planned {is_planned}: {told:#?}"
    );
    if has_no_beginning {
        assert!(
            found["changes"][0].get("outcome").is_none_or(Value::is_null),
            "order {number}"
        );
    }
    if is_planned {
        let state = if has_no_beginning { "scheduled" } else { "reviewing" };
        assert_eq!(wanted["changes"].as_array().map(Vec::len), Some(1), "order {number}");
        assert_eq!(wanted["changes"][0]["state"], state, "order {number}: {wanted:#}");
    } else if has_no_beginning {
        assert_eq!(
            wanted["deployments"][0]["unauthorized"], false,
            "order {number}: {wanted:#}"
        );
    } else {
        assert_eq!(
            wanted["deployments"][0]["unauthorized"], true,
            "order {number}: {wanted:#}"
        );
    }
}

/// After so many orders a world is left for a new one: no order knows of another, and what the others left would be read
/// again and again. The template must not have failed so often that it is suspended.
const IN_ONE_WORLD: u64 = 60;

/// Tries orders by their numbers in two worlds side by side: one writes with one thread.
fn in_worlds(orders: u64, try_one: fn(&World, u64)) {
    std::thread::scope(|scope| {
        for share in 0..2 {
            scope.spawn(move || {
                let mut world = World::new();
                for number in (share..orders).step_by(2) {
                    if number % IN_ONE_WORLD < 2 {
                        world = World::new();
                    }
                    try_one(&world, number);
                }
            });
        }
    });
    println!("{orders} orders gave the same records, numbered from 0");
}

#[test]
fn deliveries_in_any_order_give_the_same_records() {
    in_worlds(orders(500), try_order);
}

fn old(number: u64, copy: u64) -> String {
    format!("sha256:f{:063x}", number * 2 + copy)
}

/// A deployment that failed or is not ended yet, and its rollback, from their senders in order.
fn there_and_back(dice: &mut Dice, number: u64) -> impl Fn(u64) -> Vec<Signal> + use<> {
    let (has_failed, comes_back) = (dice.below(3) > 0, dice.below(3) > 0);
    let (lost_there, lost_back) = (dice.below(4), dice.below(6));
    move |copy: u64| {
        let (there, back) = (format!("run-{number}-{copy}"), format!("back-{number}-{copy}"));
        let (new, old) = (artifact(number, copy), old(number, copy));
        let mut parts = vec![asked(&there, &new, 0), status(&there, &new, "queued", 1)];
        if lost_there < 2 {
            parts.remove(usize::try_from(lost_there).unwrap());
        }
        parts.push(status(&there, &new, "in_progress", 2));
        if has_failed {
            parts.push(status(&there, &new, "failure", 9));
        }
        let mut returned = vec![
            asked(&back, &old, 10),
            status(&back, &old, "queued", 11),
            status(&back, &old, "in_progress", 12),
        ];
        if lost_back < 3 {
            returned.remove(usize::try_from(lost_back).unwrap());
        }
        let end = if comes_back { "success" } else { "failure" };
        returned.push(status(&back, &old, end, 14));
        parts.extend(returned);
        parts
    }
}

#[test]
fn deliveries_in_any_order_of_a_way_back_and_what_it_leads_back_from_give_the_same_records() {
    in_worlds(orders(80), try_order_of_a_way_back);
}

fn try_order_of_a_way_back(world: &World, number: u64) {
    let mut dice = Dice(number);
    let story = there_and_back(&mut dice, number);
    world.set_clock(began() - SignedDuration::from_mins(30));
    let keys: Vec<String> = (0..2)
        .map(|copy| world.planned_with_way_back(artifact(number, copy), old(number, copy)))
        .collect();
    for part in story(0) {
        world.set_clock(began() + SignedDuration::from_mins(25));
        world.take(part);
    }
    let told = shuffled(story(1), &mut dice);
    for (at, part) in told.clone() {
        world.passes(&keys[1], at);
        world.take(part);
    }
    let ends = |copy: u64| {
        let there = world.outcome(&artifact(number, copy), &format!("run-{number}-{copy}"));
        let back = world.outcome(&old(number, copy), &format!("back-{number}-{copy}"));
        let text = json!([there, back]).to_string();
        let text = text
            .replace(&artifact(number, copy), "NEW")
            .replace(&old(number, copy), "OLD");
        text.replace(&format!("-{number}-{copy}"), "")
    };
    assert_eq!(ends(1), ends(0), "order {number}: {told:#?}");
    assert!(
        !ends(0).contains(r#""unauthorized":true"#),
        "order {number}: {}",
        ends(0)
    );
}

#[test]
fn the_old_artifact_before_any_start_stays_unauthorized() {
    let world = World::new();
    world.set_clock(began() - SignedDuration::from_mins(30));
    world.planned_with_way_back(artifact(1, 0), old(1, 0));
    world.set_clock(began() + SignedDuration::from_mins(25));
    world.take(status("early", &old(1, 0), "success", 4));
    let stands = |id: &str| world.outcome(&artifact(1, 0), id);
    assert_eq!(stands("early")["deployments"][0]["unauthorized"], true);
    assert_eq!(stands("early")["changes"][0]["state"], "scheduled");
    // A start that came after it makes it no rollback.
    world.take(status("start", &artifact(1, 0), "in_progress", 9));
    assert_eq!(stands("early")["deployments"][0]["unauthorized"], true);
    assert_eq!(stands("start")["changes"][0]["state"], "implementing");
}

impl World {
    /// A permit to go forward, fetched ahead.
    fn permit_ahead(&self, key: &str, artifact: &str) -> RecordId {
        let (key, artifact) = (key.to_owned(), artifact.to_owned());
        self.system(move |cx| {
            let place = json!({"service": "pay", "environment": "production", "artifact": artifact});
            Ok(acts::gate::verbs::issue_permit(cx, &key, &body(place))?.0.id)
        })
    }

    fn revoke(&self, key: &str, permit: RecordId) {
        let key = key.to_owned();
        self.system(move |cx| {
            acts::gate::verbs::revoke_permit(cx, &key, &permit, &body(json!({"reason": "Not tonight."})))
        });
    }

    /// Queries the gate and collects the permit on go; returns whether it was given.
    fn is_let(&self, artifact: &str, purpose: Purpose) -> bool {
        let question = gate_question::Question {
            service: "pay".to_owned(),
            environment: "production".to_owned(),
            artifact: Some(artifact.to_owned()),
            commit: None,
            change: None,
            purpose: Some(purpose),
            member: None,
        };
        self.system(move |cx| Ok(answer::check(cx, &question, None)?.permit.is_some()))
    }

    /// The artifacts of deployments that are listed as having no approved change.
    fn listed(&self) -> Vec<String> {
        let found = self.system(|cx| coverage::unmatched(cx, began() - SignedDuration::from_hours(24)));
        let of_deployments = found.into_iter().filter(|it| it.code == "deployment_without_change");
        let mut artifacts: Vec<String> = of_deployments.filter_map(|it| it.artifact).collect();
        artifacts.sort_unstable();
        artifacts
    }

    /// The number of people notified of an unauthorized deployment.
    fn alarms(&self) -> usize {
        self.system(|cx| {
            let rows = record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?;
            let is_alarm = |it: &&record::Stored<Message>| it.record.topic == "unauthorized_deployment";
            Ok(rows.iter().filter(is_alarm).count())
        })
    }

    /// Timers that are due at an instant run, as by the clock.
    fn runs_timers(&self, key: &str, at: Timestamp) {
        self.set_clock(at);
        let key = key.to_owned();
        self.system(move |cx| {
            cx.on_change(&key, |case| {
                timers::run(case);
                Ok(())
            })
        });
    }
}

#[test]
fn a_way_back_that_a_permit_ahead_allows_is_not_unauthorized_and_counts_once_its_start_is_told() {
    let world = World::under(AHEAD);
    world.set_clock("2026-11-20T08:30:00Z".parse().unwrap());
    let keys: Vec<String> = (0..4)
        .map(|number| world.planned_with_way_back(artifact(number, 0), old(number, 0)))
        .collect();
    world.permit_ahead(&keys[0], &artifact(0, 0));
    let revoked = world.permit_ahead(&keys[1], &artifact(1, 0));
    world.revoke(&keys[1], revoked);
    world.permit_ahead(&keys[3], &artifact(3, 0));
    // One has a permit, one had, one never.
    world.set_clock(began() + SignedDuration::from_mins(25));
    for number in 0..3 {
        world.take(status(&format!("back-{number}"), &old(number, 0), "success", 4));
    }
    let first = || world.outcome(&artifact(0, 0), "back-0");
    assert_eq!(first()["deployments"][0]["unauthorized"], false, "{:#}", first());
    assert_eq!(first()["changes"][0]["state"], "scheduled", "a permit starts nothing");
    assert_eq!(world.listed(), [old(1, 0), old(2, 0)]);
    let alarms = world.alarms();
    assert!(alarms > 0);
    // Its start arrives at last: the failed deployment is rolled back.
    world.take(status("there-0", &artifact(0, 0), "in_progress", 2));
    assert_eq!(first()["changes"][0]["state"], "reviewing", "{:#}", first());
    assert_eq!(first()["changes"][0]["outcome"], "rolled_back", "{:#}", first());
    assert_eq!(first()["changes"][0]["to"], "2026-11-20T10:04:00Z", "{:#}", first());
    // The old artifact before the start was no rollback, with or without a permit.
    world.take(status("back-3", &old(3, 0), "success", 4));
    assert_eq!(world.listed(), [old(1, 0), old(2, 0)]);
    world.take(status("there-3", &artifact(3, 0), "in_progress", 9));
    assert_eq!(world.listed(), [old(1, 0), old(2, 0), old(3, 0)]);
    assert_eq!(
        stands(&world, &artifact(3, 0), "back-3"),
        (json!("implementing"), json!(true))
    );
    assert_eq!(
        world.alarms(),
        alarms,
        "what is found out late is told by the list of deployments and changes without a match"
    );
}

#[test]
fn a_way_back_under_its_permit_is_lawful_also_when_it_is_told_after_the_change_was_closed() {
    let world = World::new();
    let mut keys = Vec::new();
    for number in 0..2 {
        world.set_clock(began());
        keys.push(world.planned_with_way_back(artifact(number, 0), old(number, 0)));
        assert!(world.is_let(&artifact(number, 0), Purpose::Deploy));
        world.set_clock(began() + SignedDuration::from_mins(10));
        world.take(status(&format!("there-{number}"), &artifact(number, 0), "success", 9));
    }
    world.set_clock(began() + SignedDuration::from_mins(61));
    assert!(world.is_let(&old(0, 0), Purpose::Rollback));
    for key in &keys {
        world.runs_timers(key, began() + SignedDuration::from_hours(3));
    }
    // Both went back at the same time, one with a permit.
    for number in 0..2 {
        world.take(status(&format!("back-{number}"), &old(number, 0), "success", 62));
    }
    assert_eq!(
        stands(&world, &artifact(0, 0), "back-0"),
        (json!("closed"), json!(false))
    );
    assert_eq!(
        stands(&world, &artifact(1, 0), "back-1"),
        (json!("closed"), json!(true))
    );
    assert_eq!(world.listed(), [old(1, 0)]);
}

#[test]
fn a_time_at_the_end_of_all_times_is_taken_as_now() {
    let world = World::new();
    world.set_clock(began() - SignedDuration::from_mins(30));
    let key = world.planned_with_way_back(artifact(1, 0), old(1, 0));
    world.passes(&key, began());
    let last = |id: &str, artifact: &str, word: &str| {
        let Signal::DeploymentStatus(told) = status(id, artifact, word, 0) else {
            unreachable!("a status was made");
        };
        Signal::DeploymentStatus(signal::DeploymentStatus {
            occurred_at: "9999-12-30T22:00:00Z".parse().unwrap(),
            ..told
        })
    };
    world.take(last("back", &old(1, 0), "success"));
    world.take(last("there", &artifact(1, 0), "success"));
    world.take(last("other", &artifact(2, 0), "failure"));
    let (state, is_unauthorized) = stands(&world, &artifact(1, 0), "there");
    assert_eq!((state, is_unauthorized), (json!("reviewing"), json!(false)));
    assert_eq!(
        world.outcome(&artifact(1, 0), "there")["changes"][0]["to"],
        json!(began())
    );
}

/// The state of a change, and whether its reported deployment counts as unauthorized.
fn stands(world: &World, artifact: &str, id: &str) -> (Value, Value) {
    let found = world.outcome(artifact, id);
    (
        found["changes"][0]["state"].clone(),
        found["deployments"][0]["unauthorized"].clone(),
    )
}

#[test]
fn a_start_that_is_told_after_the_window_is_judged_by_when_it_occurred() {
    let world = World::new();
    let hours = SignedDuration::from_hours;
    // Inside of the window, reported six hours after its end.
    world.set_clock(began() - hours(1));
    let key = world.planned(artifact(1, 0));
    world.passes(&key, began() + hours(10));
    world.take(status("late", &artifact(1, 0), "in_progress", 120));
    assert_eq!(
        stands(&world, &artifact(1, 0), "late"),
        (json!("implementing"), json!(false))
    );
    // The same, reported after more than the bound.
    world.set_clock(began() - hours(1));
    let key = world.planned(artifact(2, 0));
    world.passes(&key, began() + hours(2) + ready_spans::LATE + hours(1));
    world.take(status("too-late", &artifact(2, 0), "in_progress", 120));
    assert_eq!(
        stands(&world, &artifact(2, 0), "too-late"),
        (json!("approved"), json!(true))
    );
    // Outside of the window, however early it is reported.
    world.set_clock(began() - hours(1));
    world.planned(artifact(3, 0));
    world.set_clock(began() + hours(5));
    world.take(status("outside", &artifact(3, 0), "in_progress", 270));
    assert_eq!(stands(&world, &artifact(3, 0), "outside").1, json!(true));
    // Before anybody had approved it, reported afterwards.
    world.set_clock(began() + hours(1));
    world.planned(artifact(4, 0));
    world.take(status("before", &artifact(4, 0), "in_progress", 10));
    assert_eq!(
        stands(&world, &artifact(4, 0), "before"),
        (json!("scheduled"), json!(true))
    );
}
