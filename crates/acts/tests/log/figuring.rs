//! Figures from the projection: it follows the log, a replay computes it again, and each figure agrees with its rows.

use acts::Error;
use acts::change::link_change;
use acts::directory::set_service;
use acts::report::export_event_log::export_event_log;
use acts::report::find_figures::{explain_figure, find_figure, find_rows, find_sensitivity};
use acts::report::find_tiles::{MOST_WAITING, Narrow, find_changes_of_row, find_tiles};
use acts::report::metric_query::read_query;
use acts::report::project_outcomes::{NAME, project_outcomes, rebuild_outcomes};
use acts::report::recent_rows::MOST_READ;
use jiff::{SignedDuration, Timestamp};
use model::core::refusal::Refusal;
use model::report::dashboard::tile_of;
use model::report::population::RowFilter;
use serde_json::json;
use store::report::change_outcome::OutcomeRow;
use store::report::{change_outcome, projection};
use store::{Lane, Mode};

use crate::world::{ARTIFACT, FILE, TENANT, World, body};

/// A window around all that the worlds do.
const QUERY: &[(&str, &str)] = &[
    ("from", "2026-11-01"),
    ("to", "2026-12-01"),
    ("environment", "production"),
];

fn asked(name: &str) -> Option<&'static str> {
    QUERY.iter().find(|(field, _)| *field == name).map(|(_, value)| *value)
}

/// Hits and all of a metric.
fn share(world: &World, id: &'static str) -> (u64, u64) {
    let look = world.look(move |cx| {
        let query = read_query(id, cx.now, asked)?;
        let found = find_figure(cx, &query)?;
        let rows = find_rows(cx, &query)?;
        let hits = rows.iter().filter(|row| row.counted == "hit").count() as u64;
        let misses = rows.iter().filter(|row| row.counted == "miss").count() as u64;
        assert_eq!(
            (found.whole.hits, found.whole.of),
            (hits, hits + misses),
            "a figure is what its rows say"
        );
        let explained = explain_figure(cx, &query)?;
        assert_eq!(
            (explained.figure.whole, explained.rows, &explained.variants),
            (found.whole.clone(), rows, &find_sensitivity(cx, &query)?),
            "rows that reach further back move nothing"
        );
        let defined = explained.variants.iter().find(|it| it.is_defined).unwrap();
        assert_eq!(defined.figure, found.whole, "the defined line is the figure itself");
        Ok((found.whole.hits, found.whole.of))
    });
    look.unwrap()
}

/// Rows that a test saves past the projector are seen where the projection is elsewhere.
fn move_on(cx: &mut acts::Context<'_, '_>) -> acts::Result<()> {
    let position = projection::position(cx.tx, NAME)?;
    assert!(projection::save_position(cx.tx, NAME, position, position + 1_000)?);
    Ok(())
}

#[test]
fn figures_follow_the_log_and_a_replay_computes_their_rows_again() {
    let world = World::new();
    world.closed("One");
    assert_eq!(share(&world, "success_share"), (0, 0), "the events have no places yet");
    world.sequence();
    assert_eq!(share(&world, "success_share"), (1, 1));
    assert_eq!(share(&world, "change_failure_rate"), (0, 1));
    world.assert_replays();
    // A confirmed incident revises the outcome, however late it is found.
    world.by("mona", |cx| {
        link_change::link_change(
            cx,
            "CHG-1001",
            &body(json!({"kind": "caused", "to": "pagerduty:outage-7"})),
        )
    });
    assert_eq!(share(&world, "success_share"), (1, 1), "not placed yet");
    world.assert_replays();
    world.sequence();
    assert_eq!(share(&world, "success_share"), (0, 1));
    assert_eq!(share(&world, "change_failure_rate"), (1, 1));
    world.assert_replays();
}

#[test]
fn a_projection_that_is_rebuilt_is_the_same_and_one_that_is_ahead_does_nothing() {
    let world = World::new();
    world.closed("One");
    world.draft("Two");
    world.sequence();
    let all = || {
        let look = world.look(|cx| {
            let every = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
            Ok(change_outcome::list(cx.tx, every.0, every.1, 10)?)
        });
        look.unwrap()
    };
    let before = all();
    assert_eq!(before.len(), 2);
    let position = rebuild_outcomes(&world.executor, TENANT).unwrap();
    assert_eq!(all(), before);
    assert_eq!(project_outcomes(&world.executor, TENANT).unwrap(), position);
    world.assert_replays();
}

#[test]
fn a_row_that_was_written_past_the_server_is_found() {
    let changed = "UPDATE change_outcome SET body = json_set(body, '$.succeeded', json('false')) WHERE number = 1001";
    for (sql, table) in [
        (changed, "change_outcome"),
        ("DELETE FROM change_outcome WHERE number = 1001", "change_outcome"),
        (
            "UPDATE change_outcome SET change_id = 'nobody' WHERE number = 1001",
            "change_outcome",
        ),
        ("UPDATE projection SET position = position + 1", "projection"),
    ] {
        let world = World::new();
        world.closed("One");
        world.sequence();
        let findings = world.tampered(sql);
        assert!(findings.iter().any(|it| it.table == table), "{sql}: {findings:#?}");
    }
}

#[test]
fn a_position_that_was_set_back_is_caught_up_with() {
    let world = World::new();
    world.closed("One");
    world.sequence();
    assert_eq!(world.tampered("UPDATE projection SET position = 3"), []);
    project_outcomes(&world.executor, TENANT).unwrap();
    let position = world.look(|cx| Ok(projection::position(cx.tx, NAME)?)).unwrap();
    assert!(position > 3);
    world.assert_replays();
}

#[test]
fn a_question_that_cannot_be_read_is_told_with_each_of_its_errors() {
    let world = World::new();
    let refused = |id: &'static str, query: &'static [(&'static str, &'static str)]| {
        let found = world.look(move |cx| {
            let get = |name: &str| query.iter().find(|(field, _)| *field == name).map(|(_, value)| *value);
            read_query(id, cx.now, get).map(drop)
        });
        match found {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    let unknown = refused("sucess_share", &[]);
    assert!(
        unknown.text().contains("did you mean `success_share`"),
        "{}",
        unknown.text()
    );
    let wrong = refused(
        "success_share",
        &[
            ("from", "yesterday"),
            ("zone", "Oslo"),
            ("by", "colour"),
            ("kind", "big"),
            ("risk", "low"),
        ],
    );
    let Refusal::Invalid(errors) = wrong else {
        panic!("{wrong:?}")
    };
    let fields: Vec<&str> = errors.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["zone", "from", "kind", "by"]);
    let turned = refused("success_share", &[("from", "2026-11-02"), ("to", "2026-11-02")]);
    assert!(turned.text().contains("must be later than `from`"), "{}", turned.text());
    let long = refused("success_share", &[("from", "2010-01-01"), ("to", "2026-11-02")]);
    assert!(long.text().contains("3660"), "{}", long.text());
}

#[test]
fn an_event_log_has_a_case_for_each_change_with_its_events_in_order() {
    let world = World::new();
    world.closed("One");
    world.draft("Two");
    world.sequence();
    let cases = world.look(|cx| {
        let query = read_query("written_to_done", cx.now, asked)?;
        export_event_log(cx, query.window, &RowFilter::default())
    });
    let cases = cases.unwrap();
    assert_eq!(cases.len(), 2);
    let activities: Vec<&str> = cases[0].events.iter().map(|it| it.activity.as_str()).collect();
    assert_eq!(activities.first(), Some(&"change.created"));
    assert!(
        activities.contains(&"approval.given") && activities.contains(&"change.closed"),
        "{activities:?}"
    );
    assert!(cases[0].events.is_sorted_by_key(|it| it.at));
    assert_eq!(cases[0].events[0].resource, "rita");
}

#[test]
fn an_event_log_names_other_people_to_the_audit_and_to_change_managers_alone() {
    let world = World::new();
    world.closed("One");
    world.sequence();
    let names = |login: &'static str| -> Vec<String> {
        let cases = world.by(login, |cx| {
            let query = read_query("written_to_done", cx.now, asked)?;
            export_event_log(cx, query.window, &RowFilter::default())
        });
        let events = cases.into_iter().flat_map(|case| case.events);
        events.map(|event| event.resource).collect()
    };
    let all = names("mona");
    assert!(
        all.contains(&"rita".to_owned()),
        "a change manager reads logins: {all:?}"
    );
    let own = names("rita");
    assert_eq!(own.len(), all.len());
    let mut known: Vec<(&String, &String)> = own.iter().zip(&all).collect();
    known.sort();
    known.dedup();
    let hidden = |name: &str| name.starts_with("person-");
    assert!(
        known
            .iter()
            .all(|(shown, login)| hidden(shown) || ["rita", "system"].contains(&login.as_str())),
        "{known:?}"
    );
    assert!(known.iter().any(|(shown, _)| hidden(shown)), "{known:?}");
    assert!(
        known.windows(2).all(|pair| pair[0].0 != pair[1].0),
        "one name for one person: {known:?}"
    );
}

#[test]
fn a_place_that_is_not_known_is_refused_with_those_near_it() {
    let world = World::new();
    let asked_of = |name: &'static str, value: &'static str| {
        move |field: &str| -> Option<&'static str> { if field == name { Some(value) } else { asked(field) } }
    };
    for (name, value) in [("service", "warehouze"), ("environment", "productoin")] {
        let get = asked_of(name, value);
        let figure = world.look(move |cx| {
            let query = read_query("success_share", cx.now, get)?;
            find_figure(cx, &query).map(drop)
        });
        let rows = world.look(move |cx| {
            let query = read_query("success_share", cx.now, get)?;
            find_rows(cx, &query).map(drop)
        });
        let cases = world.look(move |cx| {
            let query = read_query("written_to_done", cx.now, get)?;
            export_event_log(cx, query.window, &query.filter).map(drop)
        });
        for found in [figure, rows, cases] {
            let Err(Error::Refused(refusal)) = found else {
                panic!("{name}: {found:?}")
            };
            assert!(refusal.text().contains(value), "{}", refusal.text());
        }
    }
}

#[test]
fn failed_work_on_a_dashboard_is_what_figures_count_as_no_success() {
    let world = World::new();
    world.closed("One");
    world.sequence();
    let refuted = || {
        let look = world.look(|cx| {
            let tile = tile_of("failures").unwrap();
            let found = find_tiles(cx, &[tile], &Narrow::new())?;
            let rows = found.into_iter().flat_map(|it| it.rows);
            Ok(rows
                .filter(|row| row.count > 0)
                .map(|row| (row.id, row.changes))
                .collect::<Vec<_>>())
        });
        look.unwrap()
    };
    assert!(refuted().is_empty());
    world.by("mona", |cx| {
        link_change::link_change(
            cx,
            "CHG-1001",
            &body(json!({"kind": "caused", "to": "pagerduty:outage-7"})),
        )
    });
    world.sequence();
    assert_eq!(refuted(), [("refuted".to_owned(), vec!["CHG-1001".to_owned()])]);
    let behind = world.look(|cx| find_changes_of_row(cx, ("failures", "refuted"), &Narrow::new()));
    assert_eq!(behind.unwrap().len(), 1);
}

#[test]
fn the_change_that_waits_longest_is_among_those_that_are_asked_whom_they_wait_for() {
    let world = World::new();
    let begin: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    for number in 0..=MOST_WAITING {
        let start = begin + SignedDuration::from_hours(3 * number);
        let end = start + SignedDuration::from_hours(1);
        let key = world.draft_at(
            &format!("Number {number}"),
            ARTIFACT,
            [&start.to_string(), &end.to_string()],
        );
        world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &key));
    }
    let tile = || {
        let found = world.look(|cx| find_tiles(cx, &[tile_of("waiting").unwrap()], &Narrow::new()));
        found.unwrap().remove(0)
    };
    let found = tile();
    assert!(found.is_cut);
    let has = |key: &str| found.rows.iter().any(|row| row.changes.iter().any(|it| it == key));
    assert!(has("CHG-1001") && !has("CHG-1301"));
    let row = found.rows[0].id.clone();
    let behind = world.look(move |cx| find_changes_of_row(cx, ("waiting", row.as_str()), &Narrow::new()));
    assert_eq!(
        behind.unwrap().last().map(|it| it.key.clone()),
        Some("CHG-1001".to_owned())
    );
}

#[test]
fn failed_work_is_of_the_days_in_which_it_ended_whenever_it_was_written() {
    let world = World::new();
    let key = world.scheduled("Long under way");
    world.evidence(&key, "note", b"works");
    world.evidence(&key, "file", FILE);
    world.pass_seconds(150 * 60);
    let k = key.clone();
    world.by("ivo", move |cx| acts::change::verbs::start_change(cx, &k));
    world.pass_seconds(40 * 24 * 3600);
    let k = key.clone();
    let failed = body(json!({"outcome": "failed", "reason": "It never went through"}));
    world.by("ivo", move |cx| acts::change::verbs::complete_change(cx, &k, &failed));
    world.sequence();
    let rows = || {
        let found = world.look(|cx| find_tiles(cx, &[tile_of("failures").unwrap()], &Narrow::new()));
        let rows = found.unwrap().into_iter().flat_map(|it| it.rows);
        rows.filter(|row| row.count > 0)
            .map(|row| (row.id, row.changes))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(), [("failed".to_owned(), vec![key.clone()])]);
    let behind = world.look(|cx| find_changes_of_row(cx, ("failures", "failed"), &Narrow::new()));
    assert_eq!(behind.unwrap().into_iter().map(|it| it.key).collect::<Vec<_>>(), [key]);
    let none = world.look(|cx| find_changes_of_row(cx, ("failures", "rolled_back"), &Narrow::new()));
    assert!(none.unwrap().is_empty());
    world.pass_seconds(31 * 24 * 3600);
    assert!(rows().is_empty());
}

#[test]
fn history_stays_with_the_team_that_a_service_was_taken_from() {
    let world = World::new();
    let given = |team: &'static str| {
        world.system(move |cx| {
            let service = json!({"key": "pay", "criticality": "low", "team": team});
            set_service::set_service(cx, &body(service)).map(drop)
        });
    };
    given("Warehouse");
    world.closed("One");
    world.sequence();
    world.pass_seconds(60);
    given("Split");
    world.sequence();
    let found = world.look(|cx| {
        let by_team = |name: &str| if name == "by" { Some("team") } else { asked(name) };
        let query = read_query("deployment_frequency", cx.now, by_team)?;
        find_figure(cx, &query)
    });
    let groups: Vec<String> = found.unwrap().groups.into_keys().collect();
    assert_eq!(groups, ["Warehouse"]);
    world.assert_replays();
}

#[test]
fn of_many_changes_a_dashboard_counts_the_newest_and_says_from_when_on() {
    let world = World::new();
    world.closed("One");
    // The end of its watch moved it last.
    world.pass_seconds(60 * 60);
    world.sequence();
    let tiles = ["emergencies", "frequency", "failures", "trend"].map(|id| tile_of(id).unwrap());
    let look = || world.look(move |cx| find_tiles(cx, &tiles, &Narrow::new())).unwrap();
    assert!(
        look().iter().all(|it| it.since.is_none()),
        "few changes are counted whole"
    );
    let real = world
        .look(|cx| Ok(change_outcome::list(cx.tx, Timestamp::UNIX_EPOCH, cx.now, 1)?))
        .unwrap()
        .remove(0);
    let most = i64::try_from(MOST_READ).unwrap();
    world.system(move |cx| {
        for number in 0..most + 10 {
            let moved_at = real.moved_at - SignedDuration::from_micros(number + 1);
            let row = OutcomeRow {
                change_id: format!("copy{number}"),
                number: number + 1_000,
                moved_at,
                ..real.clone()
            };
            change_outcome::save(cx.tx, &row)?;
        }
        move_on(cx)
    });
    let found = look();
    let [emergencies, frequency, failures, trend] = found.as_slice() else {
        panic!("{} tiles", found.len());
    };
    let since = frequency.since.expect("only a part of the window is counted");
    assert_eq!(frequency.figure.as_ref().unwrap().window.from, since);
    let now = world.look(|cx| Ok(cx.now)).unwrap();
    assert!(since < now, "what lies ahead is no part that could be counted: {since}");
    assert_eq!(failures.since, Some(since), "failed work is counted from the same rows");
    assert!(
        emergencies.since.is_none() && emergencies.figure.is_some(),
        "the few emergencies are all read"
    );
    assert!(trend.since.is_none() && !trend.rows.is_empty());
    let shown = world.look(|cx| {
        let query = read_query("deployment_frequency", cx.now, |_| None)?;
        explain_figure(cx, &query)
    });
    assert_eq!(shown.unwrap().since, None, "the page of a metric counts many more");
}

#[test]
fn thousands_of_drafts_leave_the_figures_of_a_dashboard_as_they_are() {
    let world = World::new();
    world.closed("One");
    world.sequence();
    let tiles = ["emergencies", "frequency", "success", "failures"].map(|id| tile_of(id).unwrap());
    let look = || {
        let found = world.look(move |cx| find_tiles(cx, &tiles, &Narrow::new())).unwrap();
        assert!(found.iter().all(|it| it.since.is_none()), "all work is counted");
        let wholes = found.iter().filter_map(|it| it.figure.as_ref());
        wholes.map(|it| format!("{:?}", it.whole)).collect::<Vec<_>>()
    };
    let before = look();
    assert_eq!(before.len(), 3);
    let real = world
        .look(|cx| Ok(change_outcome::list(cx.tx, Timestamp::UNIX_EPOCH, cx.now, 1)?))
        .unwrap()
        .remove(0);
    let most = i64::try_from(MOST_READ).unwrap();
    world.system(move |cx| {
        for number in 0..most + 10 {
            let at = cx.now - SignedDuration::from_micros(number + 1);
            let row = OutcomeRow {
                change_id: format!("draft{number}"),
                number: number + 1_000,
                created_at: at,
                moved_at: at,
                ended_at: None,
                ..real.clone()
            };
            change_outcome::save(cx.tx, &row)?;
        }
        move_on(cx)
    });
    assert_eq!(look(), before);
}

#[test]
fn a_dashboard_that_was_seen_before_has_the_next_act_on_it_and_is_each_readers_own() {
    let world = World::new();
    let tiles = ["states", "own", "waiting", "success", "failures"].map(|id| tile_of(id).unwrap());
    let seen_by = |login: &'static str| {
        let actor = world.actor(login);
        let look = move |cx: &mut acts::Context<'_, '_>| find_tiles(cx, &tiles, &Narrow::new());
        let found = world
            .executor
            .wait(Lane::Pages, TENANT, actor, Mode::Read, look)
            .unwrap();
        let rows = found
            .iter()
            .flat_map(|it| it.rows.iter().map(move |row| (it.tile.id, row)));
        let counted: Vec<String> = rows
            .filter(|(_, row)| row.count > 0)
            .map(|(tile, row)| format!("{tile}/{}: {}", row.id, row.count))
            .collect();
        let success = found[3].figure.as_ref().map(|it| (it.whole.hits, it.whole.of));
        (counted, success.unwrap())
    };
    let has = |login: &'static str, row: &str| seen_by(login).0.iter().any(|it| it == row);
    let done = world.closed("One");
    world.sequence();
    // A window ends before now.
    world.pass_seconds(1);
    assert_eq!(seen_by("rita"), seen_by("rita"));
    assert_eq!(seen_by("rita").1, (1, 1));
    let draft = |title: &str, hour: u8| {
        let [start, end] = [hour, hour + 1].map(|hour| format!("2026-11-21T{hour:02}:00:00Z"));
        world.draft_at(title, ARTIFACT, [&start, &end])
    };
    let key = draft("Two", 8);
    assert!(
        has("rita", "states/draft: 1"),
        "before the act has its place in the log"
    );
    assert!(has("rita", "own/draft: 1") && !has("mona", "own/draft: 1"));
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &key));
    let waits = |login: &'static str| {
        let rows = seen_by(login).0.into_iter();
        rows.filter(|row| row.starts_with("waiting/")).collect::<Vec<_>>()
    };
    let before = waits("mona");
    assert!(!before.is_empty());
    assert!(!has("rita", "states/draft: 1"));
    let third = draft("Three", 12);
    assert_eq!(waits("mona"), before, "a draft waits for no decision");
    world.by("rita", move |cx| acts::change::verbs::submit_change(cx, &third));
    assert_ne!(waits("mona"), before, "two changes wait now");
    world.by("mona", move |cx| {
        link_change::link_change(cx, &done, &body(json!({"kind": "caused", "to": "pagerduty:outage-7"})))
    });
    world.sequence();
    assert_eq!(seen_by("rita").1, (0, 1), "the row follows the projection");
    assert!(has("rita", "failures/refuted: 1"));
    let whole = world.look(|cx| {
        let query = read_query("success_share", cx.now, |_| None)?;
        find_figure(cx, &query)
    });
    assert_eq!(whole.map(|it| (it.whole.hits, it.whole.of)).unwrap(), (0, 1));
}
