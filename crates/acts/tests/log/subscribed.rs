//! Calendars of others by their address: the events of a reading, those kept by a failing one, and events from an address that
//! is no longer the calendar's.

use acts::core::noun;
use acts::notify::action_items;
use acts::schedule::read_calendars::{errand, keep_credential, take};
use model::core::enums::{AboutKind, ActionKind, ActionState};
use model::notify::action_item::About;
use model::schedule::outside_calendar::{OutsideCalendar, OutsideEvent};
use serde_json::json;
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

const URL: &str = "https://dc.example/works.ics";

fn calendar(world: &World) -> OutsideCalendar {
    let calendar = json!({"name": "Works", "url": URL, "every_minutes": 30});
    world.by("mona", move |cx| {
        noun::add::<OutsideCalendar>(cx, &body(calendar.clone()))
    })
}

fn event(day: &str) -> OutsideEvent {
    OutsideEvent {
        starts_at: format!("{day}T10:00:00Z").parse().unwrap(),
        ends_at: format!("{day}T11:00:00Z").parse().unwrap(),
        title: "Power".to_owned(),
    }
}

fn now(world: &World, id: &str) -> OutsideCalendar {
    let id = id.to_owned();
    world.look(move |cx| Ok(errand(cx, &id)?.unwrap().calendar)).unwrap()
}

fn told(
    world: &World,
    id: &str,
    url: &'static str,
    told: Result<acts::schedule::read_calendars::CalendarReading, String>,
) {
    let id = id.to_owned();
    world.system(move |cx| take(cx, &id, Some(url), &told));
}

#[test]
fn a_reading_replaces_the_events_and_one_that_fails_keeps_them_and_says_why() {
    let world = World::new();
    let id = calendar(&world).id.0;
    let tag = Some("\"v1\"".to_owned());
    told(&world, &id, URL, Ok(Some((vec![event("2026-12-01")], tag.clone()))));
    let first = now(&world, &id);
    assert_eq!((first.events().count(), first.entity_tag.clone()), (1, tag.clone()));
    told(&world, &id, URL, Ok(Some((vec![event("2026-12-01")], tag))));
    told(&world, &id, URL, Ok(None));
    assert_eq!(
        now(&world, &id).version,
        first.version,
        "what changes nothing writes nothing"
    );
    told(&world, &id, URL, Err("The address answered 503.".to_owned()));
    let failed = now(&world, &id);
    assert_eq!(failed.read_problem.as_deref(), Some("The address answered 503."));
    assert_eq!(failed.events().count(), 1, "the events of the last reading stay");
    told(&world, &id, "https://elsewhere.example/", Ok(Some((Vec::new(), None))));
    assert_eq!(now(&world, &id).events().count(), 1, "another address brings nothing");
    told(&world, &id, URL, Ok(None));
    assert_eq!(now(&world, &id).read_problem, None, "it is mended");
    world.assert_replays();
}

#[test]
fn a_calendar_that_cannot_be_read_is_an_action_item_until_it_is() {
    let world = World::new();
    let id = calendar(&world).id.0;
    let about = About::new(AboutKind::Other, format!("outside-calendar {id}"));
    let item = || {
        let about = about.clone();
        let found = world.look(move |cx| action_items::find(cx, ActionKind::Other, &about, ""));
        found.unwrap()
    };
    told(&world, &id, URL, Ok(Some((vec![event("2026-12-01")], None))));
    assert!(item().is_none());
    told(&world, &id, URL, Err("The address answered 503.".to_owned()));
    told(&world, &id, URL, Err("The address answered 404.".to_owned()));
    let open = item().unwrap();
    assert_eq!(
        (open.title.as_str(), open.state),
        ("The calendar Works cannot be read", ActionState::Open)
    );
    told(&world, &id, URL, Ok(Some((vec![event("2026-12-01")], None))));
    assert_eq!(item().unwrap().state, ActionState::Done);
    told(&world, &id, URL, Err("The address answered 503.".to_owned()));
    assert_eq!(item().unwrap().state, ActionState::Open, "it is asked again");
    let i = id.clone();
    world.by("mona", move |cx| noun::end::<OutsideCalendar>(cx, &i));
    assert_eq!(item().unwrap().state, ActionState::Done);
    world.assert_replays();
}

#[test]
fn a_credential_is_kept_sealed_and_leaves_with_the_address() {
    let world = World::new();
    let id = calendar(&world).id.0;
    let i = id.clone();
    world.by("mona", move |cx| {
        keep_credential(cx, &i, &body(json!({"login": "assent", "password": "hunter2:x"})))
    });
    let credential = |world: &World| {
        let id = id.clone();
        world.look(move |cx| Ok(errand(cx, &id)?.unwrap().credential)).unwrap()
    };
    assert_eq!(credential(&world).as_deref(), Some(&b"assent:hunter2:x"[..]));
    let i = id.clone();
    let moved = body(json!({"url": "https://other.example/works.ics"}));
    world.by("mona", move |cx| noun::edit::<OutsideCalendar>(cx, &i, &moved));
    assert_eq!(credential(&world), None, "it was given for another address");
    for wrong in [
        json!({"name": "x", "url": "https://a:b@dc.example/"}),
        json!({"name": "x", "url": "ftp://dc.example/"}),
        json!({"name": "x", "is_caldav": true}),
        json!({"name": "x", "url": URL, "every_minutes": 1}),
    ] {
        let text = wrong.to_string();
        let refused = world
            .executor
            .wait(Lane::Acts, TENANT, world.actor("mona"), Mode::Write, move |cx| {
                noun::add::<OutsideCalendar>(cx, &body(wrong.clone())).map(drop)
            });
        assert!(refused.is_err(), "{text}");
    }
    world.assert_replays();
}
