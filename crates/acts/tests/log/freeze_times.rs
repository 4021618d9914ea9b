//! The number of changes that each time of a repeating freeze is expected to let through is stated when that time begins.

use acts::schedule::{find_freeze_report, set_freeze};
use model::core::enums::Level;
use model::schedule::freeze::Freeze;
use serde_json::json;
use store::record;

use crate::reviewing::work;
use crate::world::{ARTIFACT, World, body};

/// The statement so far: how many pass, and how many of these fail.
fn stated(world: &World, id: &str) -> Vec<(i64, String)> {
    let id = id.to_owned();
    let found = world.look(move |cx| Ok(record::load::<Freeze>(cx.tx, &id)?.map(|stored| stored.record)));
    let times = found.unwrap().unwrap().course.thaw_times;
    let told = times.into_iter().map(|it| (it.thaw_changes, it.thaw_expected_failures));
    told.collect()
}

#[test]
fn each_time_of_a_freeze_states_what_it_is_expected_to_let_through() {
    let world = World::new();
    let draft = |title: &str, day: u8| {
        let times = ["10:00", "12:00"].map(|at| format!("2026-11-{day}T{at}:00Z"));
        world.draft_at(title, ARTIFACT, [&times[0], &times[1]])
    };
    let first = draft("First", 20);
    let level = world.look(move |cx| Ok(cx.change(&first)?.risk.level)).unwrap();
    assert!(level <= Level::Medium, "{level}");
    let wanted = body(json!({
        "title": "Month end", "reason": "Finance counts.", "starts_at": "2026-11-20T09:00:00Z",
        "ends_at": "2026-11-20T18:00:00Z", "rrule": "FREQ=DAILY;COUNT=3", "time_zone": "UTC", "thaw_risk": "medium",
    }));
    let id = world.by("mona", move |cx| Ok(set_freeze::set_freeze(cx, &wanted)?.id.0));
    work(&world);
    assert!(stated(&world, &id).is_empty(), "it has not begun");

    world.pass_seconds(90 * 60);
    work(&world);
    let one = (1, "0.50".to_owned());
    assert_eq!(stated(&world, &id), std::slice::from_ref(&one));
    work(&world);
    assert_eq!(stated(&world, &id), std::slice::from_ref(&one), "a time is stated once");

    // Two changes come in between, which the freeze knew nothing of when it was set.
    draft("Second", 21);
    draft("Third", 21);
    world.pass_seconds(24 * 3_600);
    work(&world);
    let two = (2, "1.00".to_owned());
    assert_eq!(stated(&world, &id), [one, two]);

    let freeze = id.clone();
    let report = world.by("mona", move |cx| find_freeze_report::find_freeze_report(cx, &freeze));
    let expected: Vec<_> = report
        .times
        .iter()
        .map(|it| (it.expected_changes, it.let_through))
        .collect();
    assert_eq!(expected, [(Some(1), 1), (Some(2), 2)]);
    assert_eq!(report.expected_changes, Some(1), "what it was when it was set stays");
    // A server that was away for a whole time states nothing afterwards.
    world.pass_seconds(3 * 24 * 3_600);
    work(&world);
    assert_eq!(stated(&world, &id).len(), 2);
    world.assert_replays();
}

#[test]
fn an_exception_is_for_the_time_over_the_change_and_is_reported_there() {
    let world = World::new();
    let key = world.draft_at("First", ARTIFACT, ["2026-11-20T10:00:00Z", "2026-11-20T12:00:00Z"]);
    let wanted = body(json!({
        "title": "Month end", "reason": "Finance counts.", "starts_at": "2026-11-20T09:00:00Z",
        "ends_at": "2026-11-20T18:00:00Z", "rrule": "FREQ=DAILY;COUNT=3", "time_zone": "UTC",
    }));
    let id = world.by("mona", move |cx| Ok(set_freeze::set_freeze(cx, &wanted)?.id.0));
    let except = |time: Option<&str>| {
        let mut request = json!({"change": key, "reason": "Totals are wrong."});
        if let Some(time) = time {
            request["time"] = json!(time);
        }
        let (freeze, request) = (id.clone(), body(request));
        world.by("mona", move |cx| set_freeze::except_from_freeze(cx, &freeze, &request))
    };
    let starts = |freeze: &Freeze| -> Vec<String> {
        let rows = freeze.exceptions.iter();
        rows.map(|row| row.time.unwrap().starts_at.to_string()).collect()
    };
    assert_eq!(starts(&except(None)), ["2026-11-20T09:00:00Z"]);
    let both = except(Some("2026-11-22T09:00:00Z"));
    assert_eq!(starts(&both), ["2026-11-20T09:00:00Z", "2026-11-22T09:00:00Z"]);
    let freeze = id.clone();
    let report = world.by("mona", move |cx| find_freeze_report::find_freeze_report(cx, &freeze));
    let told: Vec<(String, usize)> = report
        .times
        .iter()
        .map(|it| (it.starts_at.to_string(), it.exceptions.len()))
        .collect();
    assert_eq!(
        told,
        [
            ("2026-11-20T09:00:00Z".to_owned(), 1),
            ("2026-11-22T09:00:00Z".to_owned(), 1)
        ],
        "no exception was signed for the day between"
    );
    world.assert_replays();
}
