//! Access reviews that begin by themselves: once a period, also when the server was away, and never beside an open one.

use acts::directory::{deactivate_person, import_directory, review_access, review_by_clock, set_person};
use acts::effects::{find_lost_timers, run_timer};
use model::change::change_file;
use model::change::related_records::Message;
use model::core::{enums, ids};
use model::directory::access_review::AccessReview;
use model::notify::action_item::ActionItem;
use serde_json::json;
use store::audit::event;
use store::queue::timer;
use store::record::{self, Filter};

use crate::world::{TENANT, World, body};

pub(crate) fn go_to(world: &World, when: &str) {
    *world.clock.0.lock().unwrap() = when.parse().unwrap();
}

/// Runs lost and due timers, as a worker does.
pub(crate) fn work(world: &World) {
    let lost = world.look(|cx| find_lost_timers::find_lost_timers(cx, "")).unwrap();
    for (table, id) in lost.subjects {
        world.system(move |cx| run_timer::run_timer(cx, table, &id));
    }
    let due = world.system(|cx| {
        let by = store::Lease {
            now: cx.now,
            until: cx.now + jiff::SignedDuration::from_secs(60),
            holder: "w",
            most: 20,
        };
        Ok(timer::lease(cx.tx, &by)?)
    });
    for timer in due {
        world.system(move |cx| {
            run_timer::run_timer(cx, &timer.subject_table, &timer.subject_id)?;
            Ok(timer::finish(cx.tx, &timer.id, "w")?)
        });
    }
}

fn campaigns(world: &World) -> std::collections::BTreeSet<String> {
    let found = world.look(|cx| Ok(record::find::<AccessReview>(cx.tx, &Filter::new().order_by("id"))?));
    found.unwrap().into_iter().map(|it| it.record.campaign).collect()
}

fn sign_all(world: &World) {
    let open = world.look(|cx| {
        Ok(record::find::<AccessReview>(
            cx.tx,
            &Filter::new().equals("is_open", true).order_by("id"),
        )?)
    });
    for part in open.unwrap() {
        let part = AccessReview {
            signed_at: Some(world.executor.tools().clock.now()),
            ..part.record
        };
        world.system(move |cx| {
            cx.put_estate("access_review.signed", part.clone(), json!({}))?;
            run_timer::run_timer(cx, "access_review", part.id.as_str())
        });
    }
}

/// Recipients of letters about a review of access, by the subject of the letter.
fn told(world: &World, subject: &str) -> Vec<String> {
    let found = world.look(|cx| {
        let directory = cx.directory()?;
        let all = record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?;
        let all = all
            .into_iter()
            .map(|it| it.record)
            .filter(|it| it.topic == "access_review");
        Ok(all
            .map(|it| (it.subject, directory.login(&it.person)))
            .collect::<Vec<_>>())
    });
    let mut found: Vec<String> = found
        .unwrap()
        .into_iter()
        .filter(|(told, _)| told == subject)
        .map(|(_, login)| login)
        .collect();
    found.sort();
    found
}

/// Recipients of a letter about an action item, by the end of its subject.
fn written(world: &World, ending: &'static str) -> Vec<String> {
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

/// The number of letters about waiting items, and of those still to look at when the next one would begin.
fn letters(world: &World) -> usize {
    told(world, "Rights of your people to review").len() + told(world, "Rights of your people still to review").len()
}

#[test]
fn a_part_that_nobody_signs_is_told_of_before_it_is_due_then_to_others_and_each_week() {
    let world = World::new();
    world.system(|cx| {
        for (login, role) in [("adam", "admin"), ("aino", "auditor")] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": [role]})))?;
        }
        Ok(())
    });
    work(&world);
    world.by("adam", |cx| {
        let due = body(json!({"due_at": "2026-12-04T08:00:00.5Z"}));
        review_access::begin_review(cx, &due).map(drop)
    });
    // Adam looks at his people, and another at him.
    let parts = told(&world, "Rights of your people to review");
    assert_eq!(parts, ["adam", "mona"]);
    go_to(&world, "2026-11-27T08:00:00Z");
    work(&world);
    assert!(written(&world, "is due soon").is_empty());
    go_to(&world, "2026-11-27T08:00:01Z");
    work(&world);
    work(&world);
    assert_eq!(written(&world, "is due soon"), parts);
    go_to(&world, "2026-12-04T08:00:01Z");
    work(&world);
    work(&world);
    assert_eq!(written(&world, "is overdue"), parts);
    // The due time is on a Friday, so the next working day is a Monday.
    go_to(&world, "2026-12-07T08:00:01Z");
    work(&world);
    // Both parts go to the administrator and the auditor, and to their own managers.
    let all = ["adam", "adam", "aino", "aino", "mona", "mona"];
    assert_eq!(written(&world, "is still overdue"), all);
    go_to(&world, "2026-12-14T08:00:01Z");
    // A timer that was lost is found, and one that runs twice sends once.
    world.system(|cx| {
        for item in record::find::<ActionItem>(cx.tx, &Filter::new().order_by("id"))? {
            timer::cancel(cx.tx, "action_item", item.record.id.as_str(), "escalation")?;
        }
        Ok(())
    });
    work(&world);
    work(&world);
    assert_eq!(written(&world, "is still overdue").len(), 12);
    sign_all(&world);
    go_to(&world, "2026-12-22T08:00:01Z");
    work(&world);
    let total = written(&world, "is still overdue").len();
    assert_eq!(total, 12, "what is signed is told of no more");
    world.sequence();
    let kinds = world.look(|cx| {
        let found = event::page(cx.tx, 0, 1_000)?;
        Ok(found.into_iter().map(|event| event.kind).collect::<Vec<_>>())
    });
    let escalated = |kind: &&String| *kind == "action_item.escalated";
    assert_eq!(kinds.unwrap().iter().filter(escalated).count(), 8);
    world.assert_replays();
}

#[test]
fn a_review_begins_once_a_quarter_and_never_beside_an_open_one() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))).map(drop));
    work(&world);
    let timers = world
        .look(|cx| Ok(timer::of_subject(cx.tx, "tenant_info", TENANT)?))
        .unwrap();
    assert_eq!(timers.len(), 1);
    assert_eq!(timers[0].run_at.to_string(), "2027-01-01T08:00:00Z");
    go_to(&world, "2027-01-01T07:59:59Z");
    work(&world);
    assert!(campaigns(&world).is_empty());
    // The server was away for three days.
    go_to(&world, "2027-01-04T09:00:00Z");
    work(&world);
    work(&world);
    assert_eq!(campaigns(&world).len(), 1);
    let told = letters(&world);
    assert!(told > 0);
    // Nobody signed: they are reminded, and no second one begins.
    go_to(&world, "2027-04-01T08:00:00Z");
    work(&world);
    assert_eq!((campaigns(&world).len(), letters(&world)), (1, 2 * told));
    sign_all(&world);
    go_to(&world, "2027-07-01T08:00:00Z");
    work(&world);
    assert_eq!(campaigns(&world).len(), 2);
    world.assert_replays();
}

#[test]
fn a_tenant_that_wants_no_review_gets_none() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))).map(drop));
    work(&world);
    let never = body(json!({"every": "never"}));
    let schedule = world.by("adam", move |cx| review_by_clock::set_schedule(cx, &never));
    assert_eq!(schedule.next_at, None);
    go_to(&world, "2027-07-01T08:00:00Z");
    work(&world);
    assert!(campaigns(&world).is_empty());
    let yearly = body(json!({"every": "year"}));
    let schedule = world.by("adam", move |cx| review_by_clock::set_schedule(cx, &yearly));
    assert_eq!(schedule.next_at.unwrap().to_string(), "2028-01-01T08:00:00Z");
}

#[test]
fn the_last_administrator_stays_one() {
    let world = World::new();
    world.system(|cx| set_person::create_person(cx, &body(json!({"login": "adam", "roles": ["admin"]}))).map(drop));
    let refused = |login: &'static str, patch: serde_json::Value| {
        let patch = body(patch);
        let actor = change_file::Actor::system();
        let act = move |cx: &mut acts::Context<'_, '_>| set_person::edit_person(cx, login, &patch).map(drop);
        let done = world
            .executor
            .wait(store::Lane::Acts, TENANT, actor, store::Mode::Write, act);
        done.err().map(|error| format!("{error:?}")).unwrap_or_default()
    };
    assert!(refused("adam", json!({"roles": []})).contains("last_administrator"));
    assert!(refused("adam", json!({"active": false})).contains("last_administrator"));
    let line = import_directory::Line {
        number: 2,
        is_row: false,
        noun: enums::Noun::People,
        fields: body(json!({"login": "adam", "roles": ["owner"]})),
    };
    let report = world.executor.wait(
        store::Lane::Acts,
        TENANT,
        change_file::Actor::system(),
        store::Mode::Write,
        move |cx: &mut acts::Context<'_, '_>| {
            import_directory::import_directory(cx, std::slice::from_ref(&line), Default::default()).map(drop)
        },
    );
    let told = format!("{report:?}");
    assert!(told.contains("last_administrator"), "{told}");
    // Another one frees the first.
    world.system(|cx| {
        set_person::edit_person(cx, "mona", &body(json!({"roles": ["change_manager", "admin"]}))).map(drop)
    });
    assert_eq!(refused("adam", json!({"roles": []})), "");
    // A compromised account is deactivated all the same, and those who can act are notified.
    world.system(|cx| {
        set_person::create_person(cx, &body(json!({"login": "carla", "roles": ["change_manager"]}))).map(drop)
    });
    world.system(|cx| {
        let why = body(json!({"compromised": true}));
        deactivate_person::deactivate_person(cx, "mona", &why).map(drop)
    });
    let found = world
        .look(|cx| Ok(record::find::<Message>(cx.tx, &Filter::new().order_by("id"))?))
        .unwrap();
    assert!(found.iter().any(|it| it.record.topic == "no_administrator"));
    world.assert_replays();
}

fn open_parts(world: &World) -> Vec<AccessReview> {
    let open = world.look(|cx| {
        let filter = Filter::new().equals("is_open", true).order_by("id");
        Ok(record::find::<AccessReview>(cx.tx, &filter)?)
    });
    open.unwrap().into_iter().map(|stored| stored.record).collect()
}

#[test]
fn what_a_manager_who_left_was_to_sign_is_handed_over() {
    let world = World::new();
    world.system(|cx| {
        for login in ["adam", "berta"] {
            set_person::create_person(cx, &body(json!({"login": login, "roles": ["admin"]})))?;
        }
        Ok(())
    });
    world.by("adam", |cx| review_access::begin_review(cx, &body(json!({}))).map(drop));
    let adam = world.actor("adam").person;
    let asks =
        |world: &World, person: &ids::PersonId| open_parts(world).iter().filter(|part| &part.manager == person).count();
    // Adam looks at everybody's rights, and somebody else at his.
    assert_eq!((asks(&world, &adam), open_parts(&world).len()), (1, 2));
    let told = letters(&world);
    world.system(|cx| deactivate_person::deactivate_person(cx, "adam", &body(json!({}))).map(drop));
    assert_eq!(asks(&world, &adam), 0);
    let parts = open_parts(&world);
    assert_eq!(parts.len(), 2);
    let large = parts.iter().max_by_key(|part| part.rights.len()).unwrap();
    let berta = world.actor("berta").person;
    assert_eq!(
        large.manager, berta,
        "another administrator stands in where nobody is apart from it"
    );
    assert_eq!(letters(&world), told + 1, "and reads of it");
    let refused = world.executor.wait(
        store::Lane::Acts,
        TENANT,
        world.actor("berta"),
        store::Mode::Write,
        |cx: &mut acts::Context<'_, '_>| review_access::begin_review(cx, &body(json!({}))).map(drop),
    );
    let told = format!("{:?}", refused.err());
    assert!(told.contains("review_open") && told.contains("berta"), "{told}");
    let actor = change_file::Actor {
        stepped_up_at: Some(world.executor.tools().clock.now()),
        ..world.actor("berta")
    };
    let id = large.id.0.clone();
    let unsaid = {
        let (id, actor) = (id.clone(), actor.clone());
        let sign =
            move |cx: &mut acts::Context<'_, '_>| review_access::sign_review(cx, &id, &body(json!({}))).map(drop);
        world
            .executor
            .wait(store::Lane::Acts, TENANT, actor, store::Mode::Write, sign)
    };
    let unsaid = format!("{:?}", unsaid.unwrap_err());
    assert!(
        unsaid.contains("missing") && unsaid.contains("all rights stay"),
        "{unsaid}"
    );
    let sign = move |cx: &mut acts::Context<'_, '_>| {
        review_access::sign_review(cx, &id, &body(json!({"refused": []}))).map(drop)
    };
    world
        .executor
        .wait(store::Lane::Acts, TENANT, actor, store::Mode::Write, sign)
        .unwrap();
    assert_eq!(open_parts(&world).len(), 1);
    world.assert_replays();
}
