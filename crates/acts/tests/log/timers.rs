//! Timers that were taken away are found and made up for.

use acts::core::gate_question;
use acts::effects::{find_lost_timers, run_timer};
use acts::gate::answer;
use acts::integration::{find_lost_calls, set_connection};
use model::change::record;
use serde_json::json;
use store::Filter;
use store::queue::timer;

use crate::world::{TENANT, World, body};

#[test]
fn a_timer_that_was_lost_is_found_and_set_again() {
    let world = World::new();
    world.system(|cx| run_timer::run_timer(cx, "tenant_timer", TENANT));
    let key = world.scheduled("Move booking to 4.2");
    world.draft("Nothing is due here");
    let found = world.look(|cx| find_lost_timers::find_lost_timers(cx, "")).unwrap();
    assert!(found.subjects.is_empty(), "{found:?}");
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    assert_eq!(connection.execute("DELETE FROM timer", []).unwrap(), 2);
    drop(connection);
    let found = world.look(|cx| find_lost_timers::find_lost_timers(cx, "")).unwrap();
    let k = key.clone();
    let id = world.look(move |cx| Ok(cx.change(&k)?.id.0)).unwrap();
    assert_eq!(
        found.subjects,
        [("change", id.clone()), ("tenant_timer", TENANT.to_owned())]
    );
    let subject = id.clone();
    world.system(move |cx| run_timer::run_timer(cx, "change", &subject));
    let timers = world.look(move |cx| Ok(timer::of_subject(cx.tx, "change", &id)?));
    assert_eq!(timers.unwrap().len(), 1);
    let count = world.look(|cx| Ok(store::record::count::<record::Change>(cx.tx, &Filter::new())?));
    assert_eq!(count.unwrap(), 2);
}

/// A check that turned go is collected while it waits, and not afterwards, even when its timer comes late.
#[test]
fn nothing_is_collected_once_the_wait_is_over() {
    let world = World::new();
    world.scheduled("One");
    let question = gate_question::Question {
        service: "pay".into(),
        environment: "production".into(),
        artifact: Some(crate::world::ARTIFACT.into()),
        commit: None,
        change: None,
        purpose: None,
        member: None,
    };
    let id = world.by("pipe", move |cx| {
        let until = cx.now + jiff::SignedDuration::from_mins(140);
        Ok(answer::check(cx, &question, Some(until))?.check.id.0)
    });
    // The window is open by now, and the wait ended ten minutes ago.
    world.pass_seconds(150 * 60);
    let actor = world.actor("pipe");
    let collect = move |cx: &mut acts::Context<'_, '_>| Ok(answer::collect(cx, &id)?.permit);
    let done = world.executor.wait(
        store::Lane::Acts,
        crate::world::TENANT,
        actor,
        store::Mode::Write,
        collect,
    );
    let refusal = format!("{:?}", done.unwrap_err());
    assert!(refusal.contains("wait_over"), "{refusal}");
}

#[test]
fn a_connection_that_nobody_asks_is_found_and_asked_from_then_on() {
    let world = World::new();
    let make = |kind: &'static str, has_api: bool| {
        world.system(move |cx| {
            let mut request = json!({"kind": kind, "name": format!("{kind} {has_api}"), "map": []});
            if has_api {
                request["api"] = json!({"token": "sixteen_letters_"});
            }
            Ok(set_connection::create_connection(cx, &body(request))?.0.id)
        })
    };
    let (github, gitlab) = (make("github", true), make("gitlab", true));
    make("github", false);
    make("plain", false);
    let ended = make("gitlab", true);
    let id = ended.0.clone();
    world.system(move |cx| set_connection::end_connection(cx, &id));
    let lost = || {
        let found = world.look(find_lost_calls::find_lost_calls).unwrap();
        found.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert!(lost().is_empty(), "{:?}", lost());
    // A database of a version without these calls has no rows for them.
    let connection = rusqlite::Connection::open(world.folder.path().join("assent.db")).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    assert!(connection.execute("DELETE FROM \"call\"", []).unwrap() >= 3);
    assert_eq!(lost(), [github, gitlab]);
    for connection in world.look(find_lost_calls::find_lost_calls).unwrap() {
        world.system(move |cx| find_lost_calls::make_up(cx, &connection));
    }
    assert!(lost().is_empty(), "{:?}", lost());
    let mut statement = connection.prepare("SELECT kind FROM \"call\" ORDER BY kind").unwrap();
    let kinds: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(kinds, ["deployments_read", "deployments_read", "freezes_read"]);
    // A connection whose call is under way is not lost.
    connection
        .execute("UPDATE \"call\" SET holder = 'courier', lease_until = 9", [])
        .unwrap();
    assert!(lost().is_empty(), "{:?}", lost());
    connection.execute("UPDATE \"call\" SET state = 'parked'", []).unwrap();
    assert_eq!(lost().len(), 2, "what was given up is asked anew");
}
