//! A break-glass that nobody validated in time is in sight of its team.

use acts::Context;
use acts::change::edit_change;
use acts::change::find_unvalidated::find_unvalidated;
use acts::directory::{set_person, set_service};
use acts::emergency::find_glasses::find_glasses;
use acts::emergency::{break_glass, verbs};
use model::change::change_file::Actor;
use model::core::ids::RecordId;
use model::directory::snapshot::{self, Group, GroupKind};
use model::emergency::records;
use serde_json::{Value, json};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn seen_by(world: &World, login: &'static str) -> Vec<String> {
    let found = world
        .executor
        .wait(Lane::Pages, TENANT, world.actor(login), Mode::Read, find_unvalidated);
    found.unwrap().into_iter().map(|it| it.change).collect()
}

#[test]
fn a_late_validation_is_in_sight_of_the_team_alone_until_another_validates() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "cora", "roles": ["commander"]})))?;
        let directory = cx.directory()?;
        let member = |login: &str| directory.by_login(login).unwrap().id.clone();
        let group = |key: &str, kind, members| Group {
            id: RecordId(key.to_owned()),
            version: 0,
            key: key.into(),
            name: "The shop".to_owned(),
            members,
            kind,
            calendar: None,
            external_id: None,
            removed: false,
        };
        let team = group("shop", GroupKind::Team, [member("rita"), member("cora")].into());
        cx.put_estate("group.set", team, json!({}))?;
        // A group that is no team of that name does not count.
        let other = group("shop-readers", GroupKind::Group, [member("ivo")].into());
        cx.put_estate("group.set", other, json!({})).map(drop)
    });
    let key = world.draft("Bring the shop back");
    let k = key.clone();
    world.by("rita", move |cx| {
        edit_change::edit_change(cx, &k, &body(json!({"team": "The shop"})))
    });
    open_glass(&world, &key);
    let go_on = |world: &World| {
        let actor = world.actor("olga");
        let found = world
            .executor
            .wait(Lane::Pages, TENANT, actor, Mode::Read, find_glasses);
        found.unwrap().into_iter().map(|it| it.key).collect::<Vec<String>>()
    };
    assert_eq!(
        go_on(&world),
        [key.as_str()],
        "whatever kind of change it was broken for"
    );
    // An hour of break-glass and a day for its validation.
    world.pass_seconds(25 * 3_600);
    assert!(go_on(&world).is_empty(), "its time is over");
    assert!(seen_by(&world, "rita").is_empty(), "it is not late yet");
    world.pass_seconds(2);
    for login in ["rita", "cora"] {
        assert_eq!(seen_by(&world, login).join(","), key);
    }
    for login in ["ivo", "olga"] {
        assert!(seen_by(&world, login).is_empty(), "{login} is not of the team");
    }
    let (k, words) = (key.clone(), body(json!({"text": "It was right."})));
    world.by("mona", move |cx| verbs::validate_break_glass(cx, &k, &words));
    assert!(seen_by(&world, "rita").is_empty());
    world.assert_replays();
}

#[test]
fn whoever_invents_a_team_for_each_glass_spends_the_budget_of_the_service_all_the_same() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "cora", "roles": ["commander"]}))).map(drop));
    let mut counted = Vec::new();
    for word in ["The shop", "Shop at night", "Keys of the shop", "Nobody's"] {
        let key = world.draft("Bring the shop back");
        let k = key.clone();
        world.by("rita", move |cx| {
            edit_change::edit_change(cx, &k, &body(json!({"team": word})))
        });
        open_glass(&world, &key);
        counted.push(counted_of(&world, &key));
    }
    assert_eq!(counted, [(1, false), (2, false), (3, false), (4, true)]);
    world.assert_replays();
}

#[test]
fn a_service_that_changes_its_team_takes_its_broken_glasses_along() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "cora", "roles": ["commander"]}))).map(drop));
    let mut counted = Vec::new();
    for team in ["Payments", "Payments", "Payments", "Checkout", "checkout at night"] {
        world.system(move |cx| {
            let directory = cx.directory()?;
            let pay = directory.services.get(&"pay".into()).unwrap().clone();
            let team = Some(team.to_owned());
            cx.put_estate("service.set", snapshot::Service { team, ..pay }, json!({}))
                .map(drop)
        });
        let key = world.draft("Bring the shop back");
        open_glass(&world, &key);
        counted.push(counted_of(&world, &key));
    }
    assert_eq!(counted, [(1, false), (2, false), (3, false), (4, true), (5, true)]);
    world.assert_replays();
}

#[test]
fn a_team_answers_for_no_glass_of_another_team_on_the_same_change() {
    let world = World::new();
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "cora", "roles": ["commander"]})))?;
        for (key, team) in [("pay", "Payments"), ("shop", "Checkout")] {
            let service = json!({"key": key, "criticality": "low", "team": team});
            set_service::set_service(cx, &body(service))?;
        }
        Ok(())
    });
    let opened = |services: Value| {
        let key = world.draft("Bring the shop back");
        let k = key.clone();
        world.by("rita", move |cx| {
            let words = body(json!({"services": services, "environment": "production"}));
            edit_change::edit_change(cx, &k, &words)
        });
        open_glass(&world, &key);
        counted_of(&world, &key)
    };
    for number in 1..=3 {
        assert_eq!(opened(json!(["shop"])), (number, false));
    }
    // Payments opened nothing yet: for both, the budget of Checkout is over.
    assert_eq!(opened(json!(["pay", "shop"])), (4, true));
    assert_eq!(
        opened(json!(["pay"])),
        (2, false),
        "one of the other team's four was theirs too"
    );
    let rows = world.look(|cx| {
        let all = store::record::Filter::new().order_by("at");
        Ok(store::record::bodies::<records::BreakGlassUse>(cx.tx, &all)?)
    });
    let of_payments: Vec<i64> = rows
        .unwrap()
        .iter()
        .filter(|row| row.team == "Payments")
        .map(|row| row.number)
        .collect();
    assert_eq!(of_payments, [1, 2]);
    world.assert_replays();
}

/// Cora, in a session with a fresh factor, uses break-glass on a change for an hour.
fn open_glass(world: &World, key: &str) {
    let now = world.executor.tools().clock.now();
    let fresh = Actor {
        stepped_up_at: Some(now),
        ..world.actor("cora")
    };
    let until = now + jiff::SignedDuration::from_hours(1);
    let words = body(json!({"reason": "The shop is down.", "until": until.to_string()}));
    let k = key.to_owned();
    let glass = move |cx: &mut Context<'_, '_>| break_glass::break_glass(cx, &k, &words);
    world
        .executor
        .wait(Lane::Acts, TENANT, fresh, Mode::Write, glass)
        .unwrap();
}

/// Which number of the quarter it was, and whether that was one too many.
fn counted_of(world: &World, key: &str) -> (i64, bool) {
    let k = key.to_owned();
    let read = move |cx: &mut Context<'_, '_>| {
        let glass = cx.change(&k)?.break_glass.unwrap();
        Ok(glass.counted.map(|counted| (counted.number, counted.is_over())))
    };
    let found = world
        .executor
        .wait(Lane::Pages, TENANT, world.actor("rita"), Mode::Read, read);
    found.unwrap().unwrap()
}
