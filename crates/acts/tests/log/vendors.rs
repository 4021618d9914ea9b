//! Vendors and their notices: one notice for each reference, acknowledged and never approved, reviewed once it is over.

use acts::Context;
use acts::change::verbs::cancel_change;
use acts::core::noun::{self, PlainNoun};
use acts::directory::{set_person, set_service};
use acts::effects::run_timer::run_timer;
use acts::incident::find_what_changed::{Question, find_what_changed};
use acts::incident::link_records::find_links;
use acts::integration::{set_connection, take_delivery};
use acts::notify::act_on_items::acknowledge;
use acts::notify::action_items;
use acts::notify::watch_service::watch_service;
use acts::schedule::change_conflicts::find_change_conflicts;
use acts::schedule::notice_course::take_up::take_up_notice;
use acts::schedule::set_outside_calendar::import_events;
use acts::schedule::tell_notice;
use model::change::related_records::Message;
use model::core::enums::{AboutKind, ActionState, NoticeImpact, NoticeState, State};
use model::directory::vendor::Vendor;
use model::integration::signal::{Notice, Signal};
use model::notify::action_item::{About, ActionItem};
use model::notify::business_unit::BusinessUnit;
use model::schedule::outside_calendar::{OutsideCalendar, OutsideEvent};
use model::schedule::vendor_notice::VendorNotice;
use serde_json::{Value, json};
use store::record::{self, Filter};
use store::{Lane, Mode};

use crate::world::{TENANT, World, body};

fn tried<T: Send + 'static>(
    world: &World,
    login: &'static str,
    act: impl Fn(&mut Context<'_, '_>) -> acts::Result<T> + Send + 'static,
) -> String {
    let actor = world.actor(login);
    match world.executor.wait(Lane::Acts, TENANT, actor, Mode::Write, act) {
        Ok(_) => String::new(),
        Err(acts::Error::Refused(refusal)) => refusal.code().to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

fn vendor(world: &World, connection: Option<String>) {
    let mut wanted = json!({"key": "cartwell", "name": "Cartwell", "services": ["pay"], "members": ["ivo"]});
    if let Some(connection) = connection {
        wanted["connection"] = json!(connection);
    }
    world.system(move |cx| noun::add::<Vendor>(cx, &body(wanted.clone())));
}

fn notice(more: &Value) -> Value {
    let mut wanted = json!({"vendor": "cartwell", "reference": "CW-1", "title": "Disks", "services": ["pay"],
        "starts_at": "2026-11-21T20:00:00Z", "ends_at": "2026-11-21T22:00:00Z", "impact": "degraded"});
    for (name, value) in more.as_object().unwrap() {
        wanted[name] = value.clone();
    }
    wanted
}

fn set(world: &World, more: &Value) -> VendorNotice {
    let wanted = notice(more);
    world.by("mona", move |cx| noun::add::<VendorNotice>(cx, &body(wanted.clone())))
}

fn open_items(world: &World) -> Vec<ActionItem> {
    let found = world.look(|cx| action_items::open_about(cx, &About::new(AboutKind::Vendor, "cartwell")));
    found.unwrap()
}

fn shown(world: &World, notice: &VendorNotice) -> Value {
    let notice = notice.clone();
    let found = world.look(move |cx| {
        let mut values = [json!({})];
        VendorNotice::complete(cx, std::slice::from_ref(&notice), &mut values)?;
        Ok(values[0].clone())
    });
    found.unwrap()
}

#[test]
fn a_repeated_notice_renews_the_one_with_its_reference_and_asks_for_a_new_acknowledgement() {
    let world = World::new();
    vendor(&world, None);
    let first = set(&world, &json!({}));
    let items = open_items(&world);
    assert_eq!(items.len(), 1);
    assert_eq!(shown(&world, &first)["unacknowledged"], json!(["pay"]));
    let key = items[0].key.clone();
    world.by("olga", move |cx| acknowledge(cx, &key, &body(json!({}))));
    assert_eq!(shown(&world, &first)["unacknowledged"], json!([]));

    let same = set(&world, &json!({}));
    assert_eq!(
        (&same.id, same.version),
        (&first.id, first.version),
        "nothing new writes nothing"
    );
    assert!(
        open_items(&world).is_empty(),
        "who acknowledged it has nothing left to do"
    );

    let worse = set(&world, &json!({"impact": "outage"}));
    assert_eq!((&worse.id, worse.version), (&first.id, first.version + 1));
    let again = open_items(&world);
    assert_eq!((again.len(), again[0].state), (1, ActionState::Open));
    assert_eq!(shown(&world, &worse)["unacknowledged"], json!(["pay"]));

    set(&world, &json!({"impact": "outage", "state": "cancelled"}));
    assert!(open_items(&world).is_empty(), "nothing is left to acknowledge");
    let live = world.look(|cx| Ok(cx.directory()?.vendor_notices.len())).unwrap();
    assert_eq!(live, 0, "what is off is no maintenance");
}

#[test]
fn what_went_otherwise_than_announced_is_to_be_reviewed_and_what_did_not_is_not() {
    let world = World::new();
    vendor(&world, None);
    // The clock is at 08:00 on 20 November, so the work may be in the past.
    let past = |more: &Value| {
        let mut wanted = json!({"starts_at": "2026-11-20T05:00:00Z", "ends_at": "2026-11-20T06:00:00Z", "state": "completed",
            "actual_start": "2026-11-20T05:00:00Z", "actual_end": "2026-11-20T05:50:00Z"});
        for (name, value) in more.as_object().unwrap() {
            wanted[name] = value.clone();
        }
        wanted
    };
    let fine = set(&world, &past(&json!({"reference": "CW-1"})));
    assert_eq!(shown(&world, &fine)["review"]["is_as_announced"], json!(true));
    assert!(open_items(&world).is_empty());
    let late = set(
        &world,
        &past(&json!({"reference": "CW-2", "actual_end": "2026-11-20T06:45:00Z"})),
    );
    let review = shown(&world, &late)["review"].clone();
    assert_eq!(
        (&review["end_minutes"], &review["is_as_announced"]),
        (&json!(45), &json!(false))
    );
    let items = open_items(&world);
    assert_eq!(items.len(), 1);
    assert!(items[0].title.starts_with("Review maintenance"), "{}", items[0].title);
}

/// The open questions how maintenance ended.
fn questions(world: &World) -> usize {
    let of_end = |it: &ActionItem| it.title.starts_with("Find out how");
    open_items(world).iter().filter(|it| of_end(it)).count()
}

#[test]
fn whoever_owns_the_service_is_asked_how_it_ended_until_the_notice_has_an_end() {
    let world = World::new();
    vendor(&world, None);
    // The clock is at 08:00 on 20 November.
    let past = json!({"starts_at": "2026-11-20T05:00:00Z", "ends_at": "2026-11-20T06:00:00Z"});
    let notice = set(&world, &past);
    assert_eq!(shown(&world, &notice)["is_past_end"], json!(true));
    let ask = |id: String| {
        world.system(move |cx| run_timer(cx, "vendor_notice", &id));
    };
    ask(notice.id.0.clone());
    ask(notice.id.0.clone());
    assert_eq!(questions(&world), 1, "once, however often the timer runs");
    let later = json!({"starts_at": "2026-11-20T05:00:00Z", "ends_at": "2026-11-20T07:30:00Z"});
    set(&world, &later);
    ask(notice.id.0.clone());
    assert_eq!(questions(&world), 1, "another end that is over as well answers nothing");
    let mut ahead = later.clone();
    ahead["ends_at"] = json!("2026-11-20T12:00:00Z");
    let moved = set(&world, &ahead);
    assert_eq!(shown(&world, &moved)["is_past_end"], json!(false));
    assert_eq!(questions(&world), 0, "it goes on");
    set(&world, &past);
    ask(notice.id.0.clone());
    assert_eq!(questions(&world), 1);
    let mut over = past.clone();
    (over["state"], over["actual_end"]) = (json!("completed"), json!("2026-11-20T05:55:00Z"));
    let over = set(&world, &over);
    assert_eq!(questions(&world), 0, "the notice has its end");
    assert_eq!(shown(&world, &over)["is_past_end"], json!(false));
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_notice_is_taken_up_once_and_its_change_has_owner_window_and_a_link_both_ways() {
    let world = World::new();
    vendor(&world, None);
    let notice = set(
        &world,
        &json!({"impact": "outage", "text": "Disks of row 4 are replaced."}),
    );
    let id = notice.id.0.clone();
    let (theirs, ours) = (id.clone(), id.clone());
    let refused = tried(&world, "sam", move |cx| take_up_notice(cx, &theirs));
    assert_eq!(refused, "not_allowed", "who raises no changes takes up none");
    let taken = world.by("rita", move |cx| take_up_notice(cx, &ours));
    let key = taken.change.clone().unwrap();
    let wanted = key.clone();
    let change = world.look(move |cx| cx.change(&wanted)).unwrap();
    assert_eq!(
        (change.planned_start, change.planned_end),
        (Some(notice.starts_at), Some(notice.ends_at))
    );
    let owner = change.content.owner.clone();
    let owner = world.look(move |cx| Ok(cx.directory()?.login(&owner))).unwrap();
    assert_eq!(owner, "olga", "the owner of the service");
    assert_eq!(change.state, State::Draft, "nothing is approved by it");
    let places: Vec<&str> = change.content.targets.iter().map(|it| it.service.as_str()).collect();
    assert_eq!(places, ["pay"]);
    // Both records show the link, and the change does not conflict with the maintenance that it is.
    for end in [key.clone(), id.clone()] {
        assert_eq!(world.look(move |cx| find_links(cx, &end)).unwrap().len(), 1);
    }
    let wanted = key.clone();
    let conflicts = world.by("rita", move |cx| find_change_conflicts(cx, &wanted));
    assert!(conflicts.is_empty(), "{conflicts:?}");
    let again = id.clone();
    assert_eq!(tried(&world, "rita", move |cx| take_up_notice(cx, &again)), "taken_up");
    // A repeated notice keeps its change, and another plan requests a decision of the change's owner.
    let moved = set(
        &world,
        &json!({"impact": "outage", "text": "Disks of row 4 are replaced.", "ends_at": "2026-11-21T23:00:00Z"}),
    );
    assert_eq!(moved.change, Some(key.clone()));
    let about = About::new(AboutKind::Change, key.as_str());
    let asked = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    assert!(asked.iter().any(|it| it.title.starts_with("Bring CHG-")), "{asked:?}");
    let off = key.clone();
    world.by("rita", move |cx| {
        cancel_change(cx, &off, &body(json!({"reason": "Not needed."})))
    });
    let about = About::new(AboutKind::Change, key.as_str());
    let asked = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    assert!(
        !asked.iter().any(|it| it.title.starts_with("Bring CHG-")),
        "a change that is off is brought in line with nothing: {asked:?}"
    );
    let second = world.by("rita", move |cx| take_up_notice(cx, &id));
    assert_ne!(
        second.change,
        Some(key),
        "once the first is off, another one may take it up"
    );
    let over = set(&world, &json!({"reference": "CW-9", "state": "cancelled"}));
    assert_eq!(
        tried(&world, "rita", move |cx| take_up_notice(cx, over.id.as_str())),
        "not_in_state"
    );
    world.sequence();
    world.assert_replays();
}

#[test]
fn a_notice_of_other_services_asks_the_owner_of_its_change() {
    let world = World::new();
    vendor(&world, None);
    world.system(|cx| set_service::set_service(cx, &body(json!({"key": "edge", "criticality": "low"}))).map(drop));
    let id = set(&world, &json!({})).id.0.clone();
    let key = world.by("rita", move |cx| take_up_notice(cx, &id)).change.unwrap();
    let about = About::new(AboutKind::Change, key.as_str());
    let asked = || {
        let about = about.clone();
        let items = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
        items.iter().filter(|it| it.title.starts_with("Bring CHG-")).count()
    };
    set(&world, &json!({"text": "Of row 4."}));
    assert_eq!(asked(), 0, "other words are no other plan");
    set(&world, &json!({"text": "Of row 4.", "services": ["edge", "pay"]}));
    assert_eq!(asked(), 1);
}

#[test]
fn a_vendor_that_is_done_before_the_change_begins_asks_its_owner() {
    let world = World::new();
    vendor(&world, None);
    let id = set(&world, &json!({})).id.0.clone();
    let key = world.by("rita", move |cx| take_up_notice(cx, &id)).change.unwrap();
    let done = set(&world, &json!({"state": "completed"}));
    assert_eq!(shown(&world, &done)["review"]["is_as_announced"], json!(false));
    let about = About::new(AboutKind::Change, key.as_str());
    let items = world.look(move |cx| action_items::open_about(cx, &about)).unwrap();
    assert!(items.iter().any(|it| it.title.starts_with("Bring CHG-")), "{items:?}");
}

#[test]
fn what_is_not_true_or_not_whole_is_refused() {
    let world = World::new();
    vendor(&world, None);
    for more in [
        json!({"vendor": "nobody"}),
        json!({"services": []}),
        json!({"services": ["nowhere"]}),
        json!({"ends_at": "2026-11-21T19:00:00Z"}),
        json!({"ends_at": "2027-01-21T19:00:00Z"}),
        json!({"actual_start": "2026-11-21T20:00:00Z"}),
        json!({"impact": "huge"}),
        json!({"starts_at": null}),
    ] {
        let wanted = notice(&more);
        let code = tried(&world, "mona", move |cx| {
            noun::add::<VendorNotice>(cx, &body(wanted.clone()))
        });
        assert_eq!(code, "invalid", "{more}");
    }
    for login in ["rita", "ivo"] {
        let wanted = notice(&json!({}));
        let code = tried(&world, login, move |cx| {
            noun::add::<VendorNotice>(cx, &body(wanted.clone()))
        });
        assert_eq!(code, "not_allowed", "{login}: the vendor's person too");
    }
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "ada", "roles": ["admin"]}))).map(drop));
    for wanted in [
        json!({"key": "cartwell", "name": "Again"}),
        json!({"key": "Other One", "name": "x"}),
        json!({"key": "other", "name": "x", "members": ["ivo"]}),
        json!({"key": "other", "name": "x", "members": ["nobody"]}),
        json!({"key": "other", "name": "x", "contacts": ["no address"]}),
        json!({"key": "other", "name": "x", "connection": "none"}),
    ] {
        let request = wanted.clone();
        let code = tried(&world, "ada", move |cx| noun::add::<Vendor>(cx, &body(request.clone())));
        assert_eq!(code, "invalid", "{wanted}");
    }
}

#[test]
fn maintenance_that_began_is_among_what_changed_and_what_lies_ahead_is_not() {
    let world = World::new();
    vendor(&world, None);
    set(&world, &json!({}));
    let begun = json!({"reference": "CW-2", "title": "Racks", "starts_at": "2026-11-20T06:00:00Z",
        "ends_at": "2026-11-20T09:00:00Z", "state": "under_way", "actual_start": "2026-11-20T06:10:00Z"});
    let begun = set(&world, &begun);
    let past = json!({"reference": "CW-3", "title": "Cables", "starts_at": "2026-11-18T06:00:00Z",
        "ends_at": "2026-11-18T07:00:00Z", "state": "completed", "actual_start": "2026-11-18T06:00:00Z",
        "actual_end": "2026-11-18T07:00:00Z"});
    set(&world, &past);
    let before = |time: &str| {
        let before = time.parse().unwrap();
        let answer = world.by("olga", move |cx| {
            let question = Question {
                service: Some("pay".to_owned()),
                item: None,
                before,
                hours: 4,
            };
            find_what_changed(cx, &question)
        });
        let rows = answer.items.into_iter().filter(|it| it.notice.is_some());
        rows.map(|it| (it.title, it.notice)).collect::<Vec<_>>()
    };
    let row = ("Racks (cartwell CW-2)".to_owned(), Some(begun.id.0));
    assert_eq!(before("2026-11-20T07:00:00Z"), [row]);
    assert!(before("2026-11-20T06:05:00Z").is_empty(), "it had not begun");
}

#[test]
fn events_of_a_vendor_s_calendar_are_notices_and_count_once_as_maintenance() {
    let world = World::new();
    vendor(&world, None);
    let unknown = json!({"name": "Works", "vendor": "nobody"});
    let code = tried(&world, "mona", move |cx| {
        noun::add::<OutsideCalendar>(cx, &body(unknown.clone()))
    });
    assert_eq!(code, "invalid");
    let wanted = json!({"name": "Works", "vendor": "cartwell"});
    let id = world.by("mona", move |cx| {
        Ok(noun::add::<OutsideCalendar>(cx, &body(wanted.clone()))?.id.0)
    });
    let event = |day: &str, title: &str| OutsideEvent {
        starts_at: format!("{day}T10:00:00Z").parse().unwrap(),
        ends_at: format!("{day}T11:00:00Z").parse().unwrap(),
        title: title.to_owned(),
    };
    let import = |events: Vec<OutsideEvent>| {
        let id = id.clone();
        world.by("mona", move |cx| import_events(cx, &id, &events).map(drop));
    };
    let notices = || {
        let found = world.look(|cx| {
            let all = VendorNotice::listed(cx)?.into_iter();
            Ok(all.map(|it| (it.title, it.state)).collect::<Vec<_>>())
        });
        let mut rows = found.unwrap();
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        rows
    };
    let row = |title: &str, state: NoticeState| (title.to_owned(), state);
    let past = event("2026-11-01", "Long over");
    import(vec![
        past.clone(),
        event("2026-12-01", "Power"),
        event("2026-12-02", "Racks"),
    ]);
    let both = [
        row("Power", NoticeState::Announced),
        row("Racks", NoticeState::Announced),
    ];
    assert_eq!(notices(), both, "what is over is no notice");
    assert_eq!(open_items(&world).len(), 2);
    let met = world.look(|cx| {
        let (from, to) = (
            "2026-12-01T10:30:00Z".parse().unwrap(),
            "2026-12-01T10:40:00Z".parse().unwrap(),
        );
        Ok(cx.directory()?.maintenance(from, to).len())
    });
    assert_eq!(met.unwrap(), 1, "once, by its notice");
    import(vec![past, event("2026-12-02", "Racks and cables")]);
    let after = [
        row("Power", NoticeState::Cancelled),
        row("Racks and cables", NoticeState::Announced),
    ];
    assert_eq!(notices(), after, "one is gone, one has another title");
    world.sequence();
    world.assert_replays();
}

#[test]
fn what_was_said_of_a_notice_stays_when_its_event_has_another_title() {
    let world = World::new();
    vendor(&world, None);
    let wanted = json!({"name": "Works", "vendor": "cartwell"});
    let calendar = world.by("mona", move |cx| {
        Ok(noun::add::<OutsideCalendar>(cx, &body(wanted.clone()))?.id.0)
    });
    let import = |titles: [&'static str; 2]| {
        let id = calendar.clone();
        world.by("mona", move |cx| {
            let days = ["2026-12-01", "2026-12-02"];
            let events = days.into_iter().zip(titles).map(|(day, title)| OutsideEvent {
                starts_at: format!("{day}T10:00:00Z").parse().unwrap(),
                ends_at: format!("{day}T11:00:00Z").parse().unwrap(),
                title: title.to_owned(),
            });
            import_events(cx, &id, &events.collect::<Vec<_>>()).map(drop)
        });
    };
    let notices = || {
        let mut found = world.look(VendorNotice::listed).unwrap();
        found.sort_by_key(|it| it.starts_at);
        found
    };
    import(["Power", "Racks"]);
    let said = [json!({"state": "cancelled"}), json!({"impact": "outage"})];
    for (notice, said) in notices().into_iter().zip(said) {
        world.by("mona", move |cx| {
            noun::edit::<VendorNotice>(cx, notice.id.as_str(), &body(said.clone())).map(drop)
        });
    }
    import(["More power", "More racks"]);
    let rows = notices().into_iter().map(|it| (it.title, it.state, it.impact));
    let wanted = [
        ("Power".to_owned(), NoticeState::Cancelled, NoticeImpact::Degraded),
        ("More racks".to_owned(), NoticeState::Announced, NoticeImpact::Outage),
    ];
    assert_eq!(rows.collect::<Vec<_>>(), wanted);
    world.assert_replays();
}

/// The subjects of the letters about notices, by the login of their reader.
fn letters(world: &World) -> Vec<(String, String)> {
    let found = world.look(|cx| {
        let directory = cx.directory()?;
        let all = record::bodies::<Message>(cx.tx, &Filter::new().order_by("id"))?.into_iter();
        let all = all.filter(|it| it.topic == tell_notice::TOPIC);
        Ok(all.map(|it| (directory.login(&it.person), it.subject)).collect())
    });
    found.unwrap()
}

#[test]
fn watchers_and_business_units_are_told_of_what_is_news_and_whoever_acknowledges_is_not_told_twice() {
    let world = World::new();
    vendor(&world, None);
    for login in ["rita", "olga"] {
        world.by(login, |cx| watch_service(cx, "pay", &body(json!({})), true).map(drop));
    }
    world.system(|cx| {
        set_service::set_service(cx, &body(json!({"key": "cards", "criticality": "low"})))?;
        let held = json!({"login": "vera", "roles": ["implementer"], "services": ["cards"]});
        set_person::create_person(cx, &body(held)).map(drop)
    });
    let unit =
        json!({"key": "desk", "name": "Desk", "services": ["pay"], "contacts": ["mona", "vera"], "language": "en"});
    world.system(move |cx| noun::add::<BusinessUnit>(cx, &body(unit.clone())).map(drop));
    set(&world, &json!({}));
    let announced = "Cartwell (cartwell) announces maintenance: Disks";
    let row = |login: &str, subject: &str| (login.to_owned(), subject.to_owned());
    let mut wanted = vec![row("mona", announced), row("rita", announced)];
    let sorted = || {
        let mut found = letters(&world);
        found.sort();
        found
    };
    assert_eq!(
        sorted(),
        wanted,
        "olga acknowledges, and vera is held to another service"
    );
    set(&world, &json!({}));
    assert_eq!(sorted(), wanted, "nothing new tells nobody");
    set(&world, &json!({"state": "cancelled"}));
    let off = "Cartwell (cartwell) cancelled its maintenance: Disks";
    wanted.extend(["mona", "olga", "rita"].map(|login| row(login, off)));
    wanted.sort();
    assert_eq!(sorted(), wanted);
    world.sequence();
    world.assert_replays();
}

fn told(more: impl FnOnce(&mut Notice)) -> Signal {
    let mut notice = Notice {
        reference: "page/1".to_owned(),
        title: "Disks".to_owned(),
        text: None,
        components: vec!["Block storage".to_owned()],
        starts_at: "2026-11-21T20:00:00Z".parse().unwrap(),
        ends_at: "2026-11-21T22:00:00Z".parse().unwrap(),
        impact: NoticeImpact::Degraded,
        state: NoticeState::Announced,
        actual_start: None,
        actual_end: None,
        told_at: "2026-11-20T07:00:00Z".parse().unwrap(),
    };
    more(&mut notice);
    Signal::Notice(notice)
}

#[test]
fn a_delivered_notice_is_of_the_vendor_of_its_connection_and_an_older_one_changes_nothing() {
    let world = World::new();
    let id = world.system(|cx| {
        let wanted = json!({"kind": "statuspage", "name": "Cartwell", "map": [
            {"repository": "Block storage", "service": "pay", "environments": {}}]});
        Ok(set_connection::create_connection(cx, &body(wanted))?.0.id.0)
    });
    let take = |signal: Signal| {
        let id = id.clone();
        world.system(move |cx| take_delivery::take_signals(cx, &id, std::slice::from_ref(&signal)))
    };
    assert!(take(told(|_| ())).starts_with("complaint: no vendor"));
    vendor(&world, Some(id.clone()));
    assert_eq!(take(told(|_| ())), "recorded the notice page/1: announced");
    assert_eq!(open_items(&world).len(), 1);
    let newer = told(|it| {
        it.told_at = "2026-11-20T07:30:00Z".parse().unwrap();
        it.state = NoticeState::Cancelled;
    });
    assert_eq!(take(newer), "renewed the notice page/1: cancelled");
    assert!(take(told(|_| ())).starts_with("noted: a newer notice"));
    assert!(open_items(&world).is_empty());
    let unmapped = told(|it| it.components = vec!["Mail".to_owned()]);
    assert!(take(unmapped).starts_with("complaint: Disks of Cartwell (cartwell) is about Mail"));
    let count = world.look(|cx| Ok(VendorNotice::listed(cx)?.len())).unwrap();
    assert_eq!(count, 1);
}
