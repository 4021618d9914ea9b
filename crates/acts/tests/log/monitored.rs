//! Raised monitoring and objectives: they follow the watch of a change from its start to its end, whatever is cut off in
//! between, and the measurement is in the draft of the review.

use acts::change::draft_review::draft_review;
use acts::change::verbs::{complete_change, review_change, start_change};
use acts::core::noun;
use acts::directory::set_service::{set_dependency, set_service};
use acts::incident::judge_candidates::judge_candidate;
use acts::incident::set_incident::open_incident;
use acts::incident::{measure_objectives, raise_monitors};
use acts::notify::action_items;
use model::core::enums::{AboutKind, ActionKind, ObjectiveResult};
use model::incident::monitor::Monitor;
use model::incident::objective::Objective;
use model::incident::objective_measure::ObjectiveMeasure;
use model::incident::raised_monitor::RaisedMonitor;
use model::incident::watch_table::{LONGEST_WATCH_MINUTES, ROWS};
use model::notify::action_item::About;
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn begun(world: &World) -> String {
    let monitor = json!({"key": "pay-latency", "title": "Latency", "services": ["pay"], "scrape_targets": ["probe.example:9115"],
        "expression": "p99{s=\"{service}\"} > 1", "url": "https://hooks.example/x"});
    world.system(move |cx| noun::add::<Monitor>(cx, &body(monitor.clone())));
    let objective = json!({"key": "pay-errors", "title": "Errors", "service": "pay", "url": "https://prometheus.example/",
        "expression": "burn{s=\"{service}\"}", "bound_is": "at_most", "bound": "14.4"});
    world.system(move |cx| noun::add::<Objective>(cx, &body(objective.clone())));
    let key = world.scheduled("Widen the column");
    world.evidence(&key, "note", b"works");
    world.pass_seconds(150 * 60);
    assert!(
        !world.system(raise_monitors::follow),
        "nothing is watched before the start"
    );
    let k = key.clone();
    world.by("ivo", move |cx| start_change(cx, &k));
    key
}

fn raised(world: &World) -> Vec<RaisedMonitor> {
    let all = world.look(|cx| Ok(record::bodies::<RaisedMonitor>(cx.tx, &Filter::new().order_by("id"))?));
    all.unwrap()
}

fn rules(world: &World) -> Value {
    let files = world.look(raise_monitors::files).unwrap();
    serde_json::from_str(&files.rules).unwrap()
}

#[test]
fn a_monitor_is_raised_from_the_start_to_the_end_of_the_watch_also_where_a_round_was_cut_off() {
    let world = World::new();
    let key = begun(&world);
    let killed = world.executor.wait(
        Lane::Acts,
        TENANT,
        model::change::change_file::Actor::system(),
        Mode::Write,
        |cx: &mut acts::Context<'_, '_>| {
            raise_monitors::follow(cx)?;
            Err::<(), _>(acts::Error::Fault("the server was killed".to_owned()))
        },
    );
    assert!(killed.is_err());
    assert_eq!(rules(&world), json!({"groups": []}));
    assert!(world.system(raise_monitors::follow));
    assert!(!world.system(raise_monitors::follow), "it is raised once");
    let rule = rules(&world)["groups"][0]["rules"][0].clone();
    assert_eq!(rule["expr"], "p99{s=\"pay\"} > 1");
    assert_eq!(rule["labels"]["assent_change"], key.as_str());
    let placed = world.look(raise_monitors::find_placed).unwrap();
    assert_eq!(
        (
            placed[0].monitor.as_str(),
            placed[0].change.as_str(),
            placed[0].expressions.as_slice()
        ),
        ("pay-latency", key.as_str(), &["p99{s=\"pay\"} > 1".to_owned()][..])
    );
    assert!(placed[0].targets.contains("probe.example:9115"));
    let id = raised(&world)[0].id.0.clone();
    let told = world.look(move |cx| raise_monitors::errand(cx, &id)).unwrap().unwrap();
    assert_eq!(
        (told.0.as_str(), &told.1["state"]),
        ("https://hooks.example/x", &json!("raised"))
    );
    let k = key.clone();
    let done = body(json!({"outcome": "succeeded"}));
    world.by("ivo", move |cx| complete_change(cx, &k, &done));
    assert!(
        !world.system(raise_monitors::follow),
        "the watch goes on after the work"
    );
    world.pass_seconds(8 * 86_400);
    assert!(world.system(raise_monitors::follow));
    let found = raised(&world);
    assert_eq!(
        (found.len(), found[0].active, found[0].lowered_at.is_some()),
        (1, false, true)
    );
    assert_eq!(rules(&world), json!({"groups": []}));
    world.assert_replays();
}

#[test]
fn an_objective_is_measured_while_a_change_is_watched_and_a_miss_is_no_success() {
    let world = World::new();
    let key = begun(&world);
    let due = world.look(measure_objectives::find_due).unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    assert!(world.system(measure_objectives::queue_calls));
    assert!(world.look(measure_objectives::find_due).unwrap().is_empty(), "it waits");
    let subject = due[0].clone();
    let asked = world
        .look(move |cx| measure_objectives::errand(cx, &subject))
        .unwrap()
        .unwrap();
    assert_eq!(
        (asked.base.as_str(), asked.expression.as_str()),
        ("https://prometheus.example", "burn{s=\"pay\"}")
    );
    for told in [
        Ok("20".to_owned()),
        Ok("1".to_owned()),
        Err("There was no answer.".to_owned()),
    ] {
        let subject = due[0].clone();
        world.system(move |cx| measure_objectives::take(cx, &subject, &told));
    }
    let all = world.look(|cx| {
        Ok(record::bodies::<ObjectiveMeasure>(
            cx.tx,
            &Filter::new().order_by("id"),
        )?)
    });
    let [measure]: [ObjectiveMeasure; 1] = all.unwrap().try_into().unwrap();
    assert_eq!((measure.measured_count, measure.missed_count), (3, 1));
    assert_eq!((measure.result, measure.value), (ObjectiveResult::Unknown, None));
    let k = key.clone();
    let done = body(json!({"outcome": "succeeded"}));
    world.by("ivo", move |cx| complete_change(cx, &k, &done));
    let k = key.clone();
    let draft = world.look(move |cx| draft_review(cx, &k)).unwrap();
    assert_eq!(draft["objectives_met"], false, "what is not known is not met");
    assert_eq!(draft["facts"]["objectives"][0]["missed_count"], 1);
    assert!(draft["summary"].as_str().unwrap().contains("was missed 1 of 3 times"));
    world.assert_replays();
}

fn is_proposed_met(world: &World, key: &str) -> bool {
    let key = key.to_owned();
    let draft = world.look(move |cx| draft_review(cx, &key)).unwrap();
    draft["objectives_met"] == true
}

#[test]
fn an_objective_that_was_never_measured_is_not_proposed_as_met() {
    let world = World::new();
    let key = world.closed("Widen the column");
    assert!(is_proposed_met(&world, &key), "nothing speaks against it");
    let objective = json!({"key": "pay-errors", "title": "Errors", "service": "pay", "url": "https://prometheus.example/",
        "expression": "burn", "bound_is": "at_most", "bound": "14.4"});
    world.system(move |cx| noun::add::<Objective>(cx, &body(objective.clone())));
    assert!(!is_proposed_met(&world, &key));
    let due = world.look(measure_objectives::find_due).unwrap();
    for subject in due {
        world.system(move |cx| measure_objectives::take(cx, &subject, &Ok("1".to_owned())));
    }
    assert!(is_proposed_met(&world, &key), "each place was measured");
}

#[test]
fn an_open_incident_of_a_service_that_needs_the_changed_one_is_no_success_while_the_change_is_a_candidate() {
    let world = World::new();
    world.system(|cx| {
        set_service(cx, &body(json!({"key": "shop", "criticality": "low"})))?;
        set_dependency(cx, &body(json!({"from": "shop", "to": "pay"}))).map(drop)
    });
    let key = world.closed("Widen the column");
    world.pass_seconds(60);
    let found = world.by("mona", |cx| {
        let wanted = json!({"title": "Slow", "severity": 3, "services": ["shop"]});
        Ok(open_incident(cx, &body(wanted))?.key)
    });
    assert!(!is_proposed_met(&world, &key));
    let wanted = body(json!({"change": key, "confirmed": false, "reason": "A cable was cut."}));
    world.by("mona", move |cx| judge_candidate(cx, &found, &wanted).map(drop));
    assert!(is_proposed_met(&world, &key), "it was cleared");
}

/// Has every change be watched as long as a change may be.
pub fn watch_longest(world: &World) {
    world.system(|cx| {
        let mut tenant = cx.directory()?.tenant.clone().unwrap();
        for name in ROWS {
            let row = tenant.watch_table.named_mut(name).unwrap();
            for (_, minutes) in row.cells_mut() {
                *minutes = LONGEST_WATCH_MINUTES;
            }
        }
        cx.put_estate("watch_table.activated", tenant, json!({})).map(drop)
    });
}

#[test]
fn a_closed_change_is_watched_as_long_as_the_table_says() {
    let world = World::new();
    let key = world.closed("Widen the column");
    watch_longest(&world);
    let monitor = json!({"key": "pay-latency", "title": "Latency", "scrape_targets": ["probe.example:9115"]});
    world.system(move |cx| noun::add::<Monitor>(cx, &body(monitor.clone())));
    assert!(world.system(raise_monitors::follow));
    assert_eq!(raised(&world)[0].change, key);
    world.pass_seconds(10 * 86_400);
    assert!(!world.system(raise_monitors::follow), "it is watched for fourteen days");
}

#[test]
fn each_improvement_of_a_review_is_an_action_item_with_its_owner_and_its_time() {
    let world = World::new();
    let key = world.closed("Widen the column");
    for _ in 0..2 {
        let k = key.clone();
        let review = body(json!({
            "objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "Fine.",
            "improvements": ["Drain earlier", "Tell the docks"], "improvements_owner": "sam",
            "improvements_due_at": "2027-01-15T12:00:00Z",
        }));
        world.by("rita", move |cx| review_change(cx, &k, &review));
    }
    let about = About::new(AboutKind::Change, key.as_str());
    let open = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    let mut titles: Vec<&str> = open
        .iter()
        .filter(|it| it.kind == ActionKind::Improve)
        .map(|it| it.title.as_str())
        .collect();
    titles.sort_unstable();
    assert_eq!(
        titles,
        ["Drain earlier", "Tell the docks"],
        "an addendum opens none twice"
    );
    let sam = world.actor("sam").person;
    for item in open.iter().filter(|it| it.kind == ActionKind::Improve) {
        assert_eq!(item.owner.as_ref(), Some(&sam));
        assert_eq!(item.due_at.to_string(), "2027-01-15T12:00:00Z");
    }
    let k = key.clone();
    let past = body(
        json!({"objectives_met": true, "assessment_adequate": true, "steps_adequate": true, "summary": "x",
        "improvements": ["y"], "improvements_owner": "nobody", "improvements_due_at": "2020-01-01T00:00:00Z"}),
    );
    let refused = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor("rita"), Mode::Write, move |cx| {
            review_change(cx, &k, &past)
        });
    let text = format!("{:?}", refused.unwrap_err());
    assert!(
        text.contains("improvements_owner") && text.contains("in_the_past"),
        "{text}"
    );
    world.assert_replays();
}
