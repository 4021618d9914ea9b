//! Action items: opened once by rules, settled by their condition, always with an owner even as people leave, and never owned
//! by a person with a part in it.

use acts::Context;
use acts::change::verbs as change_verbs;
use acts::compliance::find_violation_trend::find_violation_trend;
use acts::compliance::follow_violations::follow_violations;
use acts::core::noun;
use acts::directory::{deactivate_person, set_person};
use acts::emergency::{break_glass, verbs};
use acts::notify::act_on_items::{acknowledge, assign, settle_item};
use acts::notify::action_items::{self, NewItem};
use acts::notify::list_items::{ItemQuery, Whose, list};
use model::change::change_file::Actor;
use model::change::related_records::Message;
use model::core::enums::{AboutKind, ActionKind, ActionState, Closing};
use model::notify::action_item::{About, ActionItem, MOST_OPENED};
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::reviewing::work;
use crate::world::{TENANT, World, body};

/// The code of the refusal, or nothing where it was done.
fn tried(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<ActionItem> + Send + 'static,
) -> String {
    let done = world
        .executor
        .wait(Lane::Acts, TENANT, world.actor(login), Mode::Write, act);
    match done {
        Ok(_) => String::new(),
        Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

fn of_change(world: &World, kind: ActionKind, key: &str, part: &'static str) -> Option<ActionItem> {
    let about = About::new(AboutKind::Change, key);
    world
        .look(move |cx| action_items::find(cx, kind, &about, part))
        .unwrap()
}

fn add(world: &World, login: &'static str, request: Value) -> ActionItem {
    world.by(login, move |cx| noun::add::<ActionItem>(cx, &body(request.clone())))
}

fn login_of(world: &World, item: &ActionItem) -> String {
    let owner = item.owner.clone();
    let found = world.look(move |cx| {
        let directory = cx.directory()?;
        Ok(owner.as_ref().map(|person| directory.login(person)).unwrap_or_default())
    });
    found.unwrap()
}

/// Recipients of a letter about an item, by the end of its subject.
fn written_to(world: &World, ending: &'static str) -> Vec<String> {
    let found = world.look(move |cx| {
        let directory = cx.directory()?;
        let all = record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?.into_iter();
        let about = all.filter(|it| it.topic.starts_with("action_item") && it.subject.ends_with(ending));
        let mut readers: Vec<String> = about.map(|it| directory.login(&it.person)).collect();
        readers.sort();
        Ok(readers)
    });
    found.unwrap()
}

#[test]
fn the_validation_of_a_break_glass_is_an_item_that_nobody_ticks_off() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "cora", "roles": ["commander"]}))).map(drop));
    let key = world.draft("Bring the shop back");
    open_glass(&world, &key);
    let item = of_change(&world, ActionKind::ValidateBreakGlass, &key, "").unwrap();
    assert_eq!(
        (item.state, login_of(&world, &item).as_str()),
        (ActionState::Open, "olga")
    );
    for login in ["olga", "mona", "cora"] {
        for state in ["done", "dismissed"] {
            let key = item.key.clone();
            let request = body(json!({"state": state, "reason": "It was right."}));
            let code = tried(&world, login, move |cx| settle_item(cx, &key, &request));
            let wanted = if login == "cora" {
                "not_the_owner"
            } else {
                "waits_for_condition"
            };
            assert_eq!(code, wanted, "{login} {state}");
        }
    }
    // An hour of break-glass and a day for its validation.
    world.pass_seconds(25 * 3_600 + 1);
    work(&world);
    work(&world);
    assert_eq!(written_to(&world, "is overdue"), ["olga"]);
    world.pass_seconds(24 * 3_600);
    work(&world);
    assert_eq!(written_to(&world, "is still overdue"), ["mona", "olga"]);
    let (k, words) = (key.clone(), body(json!({"text": "It was right."})));
    world.by("mona", move |cx| verbs::validate_break_glass(cx, &k, &words));
    let settled = of_change(&world, ActionKind::ValidateBreakGlass, &key, "").unwrap();
    assert_eq!(settled.state, ActionState::Done);
    assert_eq!(settled.reason.as_deref(), Some("The break-glass was validated."));
    world.pass_seconds(3 * 24 * 3_600);
    work(&world);
    assert_eq!(
        written_to(&world, "is still overdue").len(),
        2,
        "what is settled is told of no more"
    );
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
    let key = key.to_owned();
    let glass = move |cx: &mut Context<'_, '_>| break_glass::break_glass(cx, &key, &words);
    world
        .executor
        .wait(Lane::Acts, TENANT, fresh, Mode::Write, glass)
        .unwrap();
}

#[test]
fn opening_twice_is_one_item_that_a_rule_alone_opens_again() {
    let world = World::new();
    let about = || About::new(AboutKind::Problem, "PRB-1");
    let open = |world: &World| {
        world.system(move |cx| action_items::open(cx, NewItem::new(ActionKind::Improve, about(), "Record the cause")))
    };
    let (first, second) = (open(&world), open(&world));
    assert_eq!((&first.id, first.version), (&second.id, second.version));
    let settled =
        world.system(move |cx| action_items::settle_by_rule(cx, ActionKind::Improve, &about(), "", "Recorded."));
    assert_eq!(settled.unwrap().state, ActionState::Done);
    let none = world.system(move |cx| action_items::settle_by_rule(cx, ActionKind::Improve, &about(), "", "Recorded."));
    assert!(none.is_none(), "nothing is open");
    let again = open(&world);
    assert_eq!((&again.id, again.state), (&first.id, ActionState::Open));
    assert_eq!((again.reason, again.settled_at), (None, None));
    // A dismissed item is not opened again.
    let dismissible = |world: &World| {
        world.system(move |cx| {
            let item = NewItem {
                part: "two".to_owned(),
                closing: Closing::Uninvolved,
                ..NewItem::new(ActionKind::Improve, about(), "Look at it")
            };
            action_items::open(cx, item)
        })
    };
    let key = dismissible(&world).key;
    let request = body(json!({"state": "dismissed", "reason": "It was a drill."}));
    let done = tried(&world, "mona", move |cx| settle_item(cx, &key, &request));
    assert_eq!(done, "");
    assert_eq!(dismissible(&world).state, ActionState::Dismissed);
    world.assert_replays();
}

#[test]
fn who_leaves_leaves_their_items_to_the_next() {
    let world = World::new();
    let of_pay = add(
        &world,
        "olga",
        json!({"title": "Renew it", "owner": "rita", "services": ["pay"]}),
    );
    let other = add(&world, "olga", json!({"title": "Write it down", "owner": "rita"}));
    assert_eq!((of_pay.key.as_str(), other.key.as_str()), ("ACT-101", "ACT-102"));
    assert_eq!(written_to(&world, "ACT-101 waits for you"), ["rita"]);
    world.system(|cx| deactivate_person::deactivate_person(cx, "rita", &body(json!({}))));
    let loaded = |item: &ActionItem| {
        let id = item.id.0.clone();
        let found = world.look(move |cx| Ok(record::load::<ActionItem>(cx.tx, &id)?));
        found.unwrap().unwrap().record
    };
    assert_eq!(login_of(&world, &loaded(&of_pay)), "olga", "the owner of the service");
    let fallen = loaded(&other);
    assert_eq!((fallen.owner.clone(), fallen.group.clone()), (None, None));
    let unowned = world.by("mona", |cx| {
        let query = ItemQuery {
            whose: Whose::Unowned,
            open: true,
            ..ItemQuery::default()
        };
        list(cx, &query, 50)
    });
    assert_eq!(
        unowned.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(),
        ["ACT-102"]
    );
    assert!(
        written_to(&world, "ACT-102 waits for you").contains(&"mona".to_owned()),
        "change managers get it"
    );
    world.assert_replays();
}

#[test]
fn an_item_of_a_person_goes_from_hand_to_hand_and_is_settled_by_its_owner() {
    let world = World::new();
    let item = add(&world, "rita", json!({"title": "Renew it", "owner": "olga"}));
    let key = || item.key.clone();
    let k = key();
    assert_eq!(
        tried(&world, "ivo", move |cx| acknowledge(cx, &k, &body(json!({})))),
        "not_the_owner"
    );
    let k = key();
    assert_eq!(
        tried(&world, "olga", move |cx| acknowledge(cx, &k, &body(json!({})))),
        ""
    );
    let k = key();
    let given = world.by("olga", move |cx| assign(cx, &k, &body(json!({"owner": "sam"}))));
    assert_eq!(
        (given.state, login_of(&world, &given).as_str()),
        (ActionState::Open, "sam")
    );
    assert_eq!(given.acknowledged_by, None, "sam has not seen it");
    let k = key();
    let nobody = body(json!({"owner": "nobody"}));
    assert_eq!(tried(&world, "sam", move |cx| assign(cx, &k, &nobody)), "invalid");
    let done = || body(json!({"state": "done", "reason": "Renewed."}));
    let (k, request) = (key(), done());
    assert_eq!(
        tried(&world, "olga", move |cx| settle_item(cx, &k, &request)),
        "not_the_owner"
    );
    let (k, request) = (key(), body(json!({"state": "done"})));
    assert_eq!(tried(&world, "sam", move |cx| settle_item(cx, &k, &request)), "invalid");
    let (k, request) = (key(), done());
    assert_eq!(tried(&world, "sam", move |cx| settle_item(cx, &k, &request)), "");
    let (k, request) = (key(), done());
    assert_eq!(tried(&world, "sam", move |cx| settle_item(cx, &k, &request)), "settled");
    world.assert_replays();
}

#[test]
fn items_that_rules_open_in_the_acts_of_a_person_leave_the_person_room() {
    let world = World::new();
    world.by("rita", |cx| {
        for number in 0..MOST_OPENED {
            let new = NewItem {
                part: format!("review/{number}"),
                tells: false,
                ..NewItem::new(ActionKind::Other, About::new(AboutKind::Other, "x"), "Look at it")
            };
            action_items::open(cx, new)?;
        }
        Ok(())
    });
    let add = |cx: &mut Context<'_, '_>| noun::add::<ActionItem>(cx, &body(json!({"title": "Renew it"})));
    assert_eq!(tried(&world, "rita", add), "", "none of them is hers");
    world.by("rita", move |cx| {
        for _ in 1..MOST_OPENED {
            add(cx)?;
        }
        Ok(())
    });
    assert_eq!(tried(&world, "rita", add), "too_many");
    assert_eq!(tried(&world, "olga", add), "", "the limit is each person's");
}

#[test]
fn somebody_scoped_to_services_sees_and_does_their_own_items_alone() {
    let world = World::new();
    world.system(|cx| {
        let vendor = json!({"login": "vic", "roles": ["vendor", "implementer"], "services": ["pay"]});
        set_person::create_person(cx, &body(vendor)).map(drop)
    });
    let own = add(
        &world,
        "olga",
        json!({"title": "Renew it", "owner": "vic", "services": ["pay"]}),
    );
    let other = add(
        &world,
        "olga",
        json!({"title": "Not theirs", "owner": "sam", "services": ["pay"]}),
    );
    // An item about more than their services is not given to them.
    for request in [
        json!({"title": "All", "owner": "vic"}),
        json!({"title": "All", "owner": "vic", "services": []}),
    ] {
        let code = tried(&world, "olga", move |cx| {
            noun::add::<ActionItem>(cx, &body(request.clone()))
        });
        assert_eq!(code, "invalid");
    }
    let seen = world.by("vic", |cx| list(cx, &ItemQuery::default(), 50));
    assert_eq!(seen.iter().map(|it| &it.key).collect::<Vec<_>>(), [&own.key]);
    let key = other.key.clone();
    assert_eq!(
        tried(&world, "vic", move |cx| noun::show::<ActionItem>(cx, &key)),
        "not_found"
    );
    let opened = body(json!({"title": "Mine"}));
    let code = tried(&world, "vic", move |cx| noun::add::<ActionItem>(cx, &opened));
    assert_eq!(code, "scoped_to_services");
    let (key, request) = (own.key.clone(), body(json!({"state": "done", "reason": "Renewed."})));
    assert_eq!(tried(&world, "vic", move |cx| settle_item(cx, &key, &request)), "");
}

#[test]
fn a_violation_is_one_item_that_only_somebody_without_a_part_in_it_dismisses() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "aino", "roles": ["auditor"]}))).map(drop));
    let key = world.scheduled("Move it");
    world.evidence(&key, "note", b"works");
    world.pass_seconds(150 * 60);
    let k = key.clone();
    world.by("ivo", move |cx| change_verbs::start_change(cx, &k));
    world.pass_seconds(3 * 3_600);
    work(&world);
    world.sequence();
    let position = follow_violations(&world.executor, TENANT).unwrap();
    assert!(position > 0);
    let item = of_change(&world, ActionKind::ResolveViolation, &key, "overrun").unwrap();
    assert_eq!((item.state, item.closing), (ActionState::Open, Closing::Uninvolved));
    world.sequence();
    follow_violations(&world.executor, TENANT).unwrap();
    let all = world.look(|cx| list(cx, &ItemQuery::default(), 50)).unwrap();
    let again: Vec<&ActionItem> = all.iter().filter(|it| it.natural_key == item.natural_key).collect();
    assert_eq!(again, [&item], "a finding has one item, however often it is found");
    let dismiss = || body(json!({"state": "dismissed", "reason": "The window was moved by phone."}));
    for login in ["rita", "ivo", "mona"] {
        let (key, request) = (item.key.clone(), dismiss());
        let code = tried(&world, login, move |cx| settle_item(cx, &key, &request));
        assert_eq!(code, "own_request", "{login} had a part in it");
    }
    let (k, request) = (item.key.clone(), dismiss());
    assert_eq!(tried(&world, "aino", move |cx| settle_item(cx, &k, &request)), "");
    world.sequence();
    follow_violations(&world.executor, TENANT).unwrap();
    let after = of_change(&world, ActionKind::ResolveViolation, &key, "overrun").unwrap();
    assert_eq!(after.state, ActionState::Dismissed, "it stays dismissed");
    let trend = world.look(find_violation_trend).unwrap();
    let this = trend.last().unwrap();
    assert_eq!((trend.len(), this.month.as_str()), (12, "2026-11"));
    assert_eq!(this.dismissed, 1);
    assert_eq!(this.opened, this.open + this.done + this.dismissed);
    world.assert_replays();
}
