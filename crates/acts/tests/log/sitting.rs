//! Meetings of a board: an attendee may leave again, each by their own declaration.

use acts::cab::meetings;
use acts::directory::set_person;
use model::cab::meeting::Meeting;
use serde_json::json;
use store::audit::event;
use store::{Lane, Mode, record};

use crate::world::{TENANT, World, body};

#[test]
fn whoever_came_to_a_meeting_goes_and_comes_again() {
    let world = World::new();
    let meeting = world.system(|cx| {
        set_person::set_group(cx, "cab", &body(json!({"members": ["olga", "sam"]})))?;
        meetings::open_meeting(cx, &body(json!({"group": "cab", "title": "Tuesday"})))
    });
    let there = || {
        let id = meeting.id.0.clone();
        let found = world.look(move |cx| Ok(record::load::<Meeting>(cx.tx, &id)?.unwrap().record));
        found.unwrap().there().count()
    };
    let leave = |login: &'static str| {
        let id = meeting.id.0.clone();
        let act = move |cx: &mut acts::Context<'_, '_>| meetings::leave_meeting(cx, &id).map(drop);
        let done = world
            .executor
            .wait(Lane::Acts, TENANT, world.actor(login), Mode::Write, act);
        done.err().map(|error| format!("{error:?}")).unwrap_or_default()
    };
    let attend = |login: &'static str| {
        let id = meeting.id.0.clone();
        world.by(login, move |cx| {
            meetings::attend_meeting(cx, &id, &body(json!({}))).map(drop)
        });
    };
    attend("olga");
    attend("sam");
    assert_eq!(there(), 2);
    assert_eq!(leave("olga"), "");
    assert_eq!(leave("olga"), "", "again it changes nothing");
    assert_eq!(there(), 1);
    assert!(leave("rita").contains("not_of_the_board"));
    attend("olga");
    assert_eq!(there(), 2);
    let id = meeting.id.0.clone();
    world.system(move |cx| meetings::end_meeting(cx, &id).map(drop));
    assert!(leave("sam").contains("meeting_over"));
    world.sequence();
    let kinds = world.look(|cx| {
        let found = event::page(cx.tx, 0, 1_000)?;
        Ok(found.into_iter().map(|event| event.kind).collect::<Vec<_>>())
    });
    let left = |kind: &&String| *kind == "meeting.left";
    assert_eq!(kinds.unwrap().iter().filter(left).count(), 1);
    world.assert_replays();
}
