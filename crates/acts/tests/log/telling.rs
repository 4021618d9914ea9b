//! Messages whose mail waits: each goes out once, at the hour that its reader wishes, also over the days on which the clock
//! is moved, and however often the work is begun.

use acts::Context;
use acts::change::verbs;
use acts::directory::set_person;
use acts::effects::{find_lost_timers, run_timer};
use acts::notify::send_deferred;
use acts::notify::set_telling::{self, BrowserSettings};
use jiff::Timestamp;
use model::change::related_records::Message;
use serde_json::json;
use store::queue::job::{self, Job};
use store::queue::timer::{self, Timer};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Rita lives in Oslo, and has a draft on which others comment.
fn begun(world: &World, wishes: serde_json::Value) -> String {
    let key = world.draft("Something to speak of");
    let zone = body(json!({"zone": "Europe/Oslo"}));
    world.system(move |cx| set_person::edit_person(cx, "rita", &zone).map(drop));
    let wishes = body(wishes);
    world.by("rita", move |cx| {
        set_telling::set_telling(cx, "rita", &wishes).map(drop)
    });
    key
}

fn say(world: &World, key: &str, words: &'static str) {
    let key = key.to_owned();
    world.by("olga", move |cx| {
        verbs::comment_change(cx, &key, &body(json!({"text": words})))
    });
}

fn go_to(world: &World, when: &str) {
    *world.clock.0.lock().unwrap() = at(when);
}

/// Runs due timers, as a worker does: the timer is leased, run and finished in one transaction.
fn work(world: &World) -> usize {
    let lease = |holder: &'static str| {
        world.system(move |cx| {
            let by = store::Lease {
                now: cx.now,
                until: cx.now + jiff::SignedDuration::from_secs(60),
                holder,
                most: 20,
            };
            Ok(timer::lease(cx.tx, &by)?)
        })
    };
    let due: Vec<Timer> = lease("w")
        .into_iter()
        .filter(|it| it.subject_table == "person")
        .collect();
    let count = due.len();
    for timer in due {
        world.system(move |cx| {
            assert!(timer::holds(cx.tx, &timer.id, "w")?);
            run_timer::run_timer(cx, &timer.subject_table, &timer.subject_id)?;
            Ok(timer::finish(cx.tx, &timer.id, "w")?)
        });
    }
    count
}

fn jobs(world: &World, kind: &'static str) -> Vec<Job> {
    let all = world.look(|cx| Ok(job::list(cx.tx, "waiting", 500)?));
    let rita = world.actor("rita").person;
    let about = move |job: &Job| {
        let id = job.subject.clone();
        let of = world.look(move |cx| Ok(record::load::<Message>(cx.tx, &id)?));
        job.subject == rita.0 || of.unwrap().is_some_and(|it| it.record.person == rita)
    };
    all.unwrap()
        .into_iter()
        .filter(|job| job.kind == kind && about(job))
        .collect()
}

fn held(world: &World) -> i64 {
    let count = world.look(|cx| Ok(record::count::<Message>(cx.tx, &Filter::new().equals("state", "held"))?));
    count.unwrap()
}

fn night_of_summer_time(world: &World) {
    go_to(world, "2027-03-27T20:00:00Z");
    let key = begun(
        world,
        json!({"how": "at_once", "quiet_from": "22:00", "quiet_until": "07:00"}),
    );
    say(world, &key, "Before the quiet hours.");
    assert_eq!((jobs(world, "mail").len(), held(world)), (1, 0));
    go_to(world, "2027-03-27T21:30:00Z");
    say(world, &key, "Inside of them.");
    go_to(world, "2027-03-28T01:30:00Z");
    say(world, &key, "After the hour that was skipped.");
    assert_eq!((jobs(world, "mail").len(), held(world)), (1, 2));
    // By winter time they would end at 06:00 UTC; it is summer time now.
    go_to(world, "2027-03-28T04:59:59Z");
    assert_eq!(work(world), 0);
    go_to(world, "2027-03-28T05:00:00Z");
    assert_eq!(work(world), 1);
    assert_eq!((jobs(world, "mail").len(), held(world)), (3, 0));
    // Run again, it finds nothing.
    let rita = world.actor("rita").person;
    world.system(move |cx| run_timer::run_timer(cx, "person", rita.as_str()));
    assert_eq!((work(world), jobs(world, "mail").len()), (0, 3));
}

fn days_of_winter_time(world: &World) {
    go_to(world, "2027-10-30T10:00:00Z");
    let key = begun(world, json!({"how": "digest", "digest_at": "02:30"}));
    say(world, &key, "On Saturday.");
    // 02:30 comes twice this night; the letter goes at the first.
    go_to(world, "2027-10-31T00:30:00Z");
    assert_eq!(work(world), 1);
    assert_eq!(jobs(world, "digest").len(), 1);
    say(world, &key, "Between the two.");
    go_to(world, "2027-10-31T01:30:00Z");
    assert_eq!(work(world), 0);
    go_to(world, "2027-11-01T01:30:00Z");
    assert_eq!(work(world), 1);
    let letters = jobs(world, "digest");
    assert_eq!(letters.len(), 2);
    let payloads: Vec<String> = letters.iter().map(|it| it.payload.clone()).collect();
    let mut told = Vec::new();
    for payload in payloads {
        let found = world.look(move |cx| send_deferred::gathered(cx, &payload)).unwrap();
        told.push(found.len());
    }
    assert_eq!(told, [1, 1]);
    assert_eq!(held(world), 0);
}

#[test]
fn quiet_hours_end_once_on_the_night_of_summer_time() {
    let world = World::new();
    night_of_summer_time(&world);
    world.assert_replays();
}

#[test]
fn a_digest_goes_out_once_a_day_also_when_its_hour_comes_twice() {
    let world = World::new();
    days_of_winter_time(&world);
    world.assert_replays();
}

#[test]
fn who_is_asked_to_decide_is_told_at_once_whatever_they_wish() {
    let world = World::new();
    let wishes = body(json!({"how": "digest", "digest_at": "23:00", "quiet_from": "00:00", "quiet_until": "23:59"}));
    world.by("olga", move |cx| {
        set_telling::set_telling(cx, "olga", &wishes).map(drop)
    });
    world.scheduled("Give it a reference");
    let found = world.look(|cx| Ok(record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?));
    let olga = world.actor("olga").person;
    let asked: Vec<String> = found
        .unwrap()
        .into_iter()
        .filter(|it| it.record.person == olga && it.record.topic == "asked_to_approve")
        .map(|it| it.record.delivery)
        .collect();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|delivery| delivery == "kept"), "{asked:?}");
}

#[test]
fn new_wishes_hold_for_what_waits_and_a_lost_timer_is_found() {
    let world = World::new();
    go_to(&world, "2026-11-20T08:00:00Z");
    let key = begun(&world, json!({"how": "digest", "digest_at": "18:00"}));
    say(&world, &key, "It waits.");
    assert_eq!((jobs(&world, "mail").len(), held(&world)), (0, 1));
    let rita = world.actor("rita").person;
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    let gone = connection.execute("DELETE FROM timer WHERE subject_table = 'person'", []);
    assert_eq!(gone.unwrap(), 1);
    drop(connection);
    let lost = world.look(|cx| find_lost_timers::find_lost_timers(cx, "")).unwrap();
    assert!(lost.subjects.contains(&("person", rita.0.clone())), "{lost:?}");
    // A lost timer is checked, and waits for its own hour again.
    let reader = rita.0.clone();
    world.system(move |cx| run_timer::run_timer(cx, "person", &reader));
    assert_eq!((jobs(&world, "digest").len(), held(&world)), (0, 1));
    let at_once = body(json!({"how": "at_once"}));
    world.by("rita", move |cx| {
        set_telling::set_telling(cx, "rita", &at_once).map(drop)
    });
    assert_eq!((jobs(&world, "mail").len(), held(&world)), (1, 0));
}

#[test]
fn the_same_days_on_postgresql() {
    if let Some((world, _database)) = World::on_postgres() {
        night_of_summer_time(&world);
        world.executor.tools().store.close();
    }
    if let Some((world, _database)) = World::on_postgres() {
        days_of_winter_time(&world);
        world.executor.tools().store.close();
    }
}

fn browser(language: &'static str, is_by_twelve: bool, zone: &str) -> BrowserSettings {
    BrowserSettings {
        language,
        is_by_twelve,
        zone: zone.to_owned(),
    }
}

/// Whether a sign-in of Rita from this browser would write, as found in a transaction that only reads.
fn would_write(world: &World, browser: BrowserSettings) -> bool {
    let act = move |cx: &mut Context<'_, '_>| set_telling::would_take_from_browser(cx, &browser);
    let found = world
        .executor
        .wait(Lane::Pages, TENANT, world.actor("rita"), Mode::Read, act);
    found.unwrap()
}

#[test]
fn the_zone_of_a_browser_is_taken_where_nobody_chose_one() {
    let world = World::new();
    world.system(|cx| set_person::edit_person(cx, "rita", &body(json!({"zone": "UTC"}))).map(drop));
    let comes = |zone: &'static str| {
        let wished = browser("", false, zone);
        world.by("rita", move |cx| set_telling::take_from_browser(cx, &wished));
        world.system(|cx| Ok(cx.directory()?.by_login("rita").unwrap().zone.clone()))
    };
    assert_eq!(comes(""), "UTC");
    assert_eq!(comes("Nowhere/At_all"), "UTC");
    assert!(would_write(&world, browser("", false, "Europe/Oslo")));
    assert_eq!(comes("Europe/Oslo"), "Europe/Oslo");
    assert_eq!(comes("Asia/Tokyo"), "Europe/Oslo", "it is theirs by now");
    assert!(
        !would_write(&world, browser("de", true, "Asia/Tokyo")),
        "a later sign-in writes nothing"
    );
    world.assert_replays();
}

#[test]
fn preferences_that_were_set_back_are_not_taken_from_a_browser_again() {
    let world = World::new();
    let comes = || {
        world.by("rita", |cx| {
            set_telling::take_from_browser(cx, &browser("de", true, ""))
        });
        world.system(|cx| Ok(cx.directory()?.by_login("rita").unwrap().telling.clone()))
    };
    let taken = comes().unwrap();
    assert_eq!(
        (taken.language.as_deref(), taken.clock.as_deref()),
        (Some("de"), Some("12"))
    );
    let usual = body(json!({"how": "at_once"}));
    world.by("rita", move |cx| set_telling::set_telling(cx, "rita", &usual).map(drop));
    assert_eq!(comes(), None);
    world.assert_replays();
}

#[test]
fn usual_preferences_that_a_person_saves_are_their_choice() {
    let world = World::new();
    world.system(|cx| set_person::edit_person(cx, "rita", &body(json!({"zone": "UTC"}))).map(drop));
    let saved = || {
        let usual = body(json!({"how": "at_once", "zone": "UTC"}));
        world.by("rita", move |cx| set_telling::set_telling(cx, "rita", &usual).map(drop));
        world.system(|cx| Ok(cx.directory()?.by_login("rita").unwrap().clone()))
    };
    let chosen = saved();
    world.by("rita", |cx| {
        set_telling::take_from_browser(cx, &browser("de", true, "Europe/Vienna"))
    });
    let after = world.system(|cx| Ok(cx.directory()?.by_login("rita").unwrap().clone()));
    assert_eq!(after, chosen, "the browser changes nothing");
    assert_eq!((after.telling, after.zone.as_str()), (None, "UTC"));
    assert_eq!(saved().version, chosen.version, "the same choice again is not written");
    world.assert_replays();
}
